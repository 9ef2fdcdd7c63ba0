//! What a crash or an outage left behind arrives, in order, once the broker is back.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use tick_relay_outbox::RelayOutbox;
use todo_delivery::testing::{Mood, World};

/// As if it had been a while ago.
async fn age(world: &World) {
    world.database.as_owner("UPDATE outbox SET created_at = created_at - 10000").await.unwrap();
}

#[tokio::test]
async fn what_waits_too_long_is_published_and_what_does_not_is_left_to_its_tool() {
    let world = World::new().await;
    for user_id in ["ada", "bob", "ada"] {
        drop(world.add(user_id, "Task").await);
    }
    world.database.as_owner("UPDATE users SET publisher = NULL, publishing_until = NULL").await.unwrap();
    assert_eq!(world.tick::<RelayOutbox>().await, 204);
    assert_eq!(world.asked(), 0);
    age(&world).await;
    assert_eq!(world.tick::<RelayOutbox>().await, 204);
    let sent: Vec<_> =
        world.sent().into_iter().map(|(_, user_id, event)| (user_id, event.sequence.unwrap())).collect();
    let expected = [("ada", 1), ("ada", 2), ("ada", 3), ("ada", 4), ("bob", 1), ("bob", 2)];
    assert_eq!(sent, expected.map(|(user_id, number)| (user_id.to_owned(), number)));
    assert_eq!((world.unsent().await, world.leased().await), (0, false));
}

#[tokio::test]
async fn after_an_outage_tools_publish_by_themselves_again_once_the_relay_has_succeeded() {
    let world = World::new().await;
    world.mood(Mood::Answers(500));
    let lease = world.add("ada", "Task").await.unwrap();
    world.server.publisher.as_ref().unwrap().publish_later("test", world.database.database(), lease);
    while world.leased().await {
        tokio::task::yield_now().await;
    }
    assert!(world.add("bob", "Task").await.is_none(), "nobody tries during the outage");
    age(&world).await;
    assert_eq!(world.tick::<RelayOutbox>().await, 204, "it comes again by itself");
    assert!(world.add("bob", "Task").await.is_none());
    assert_eq!(world.asked(), 3, "the tool once, the relay once for each person");
    world.mood(Mood::Takes);
    age(&world).await;
    assert_eq!(world.tick::<RelayOutbox>().await, 204);
    assert_eq!((world.sent().len(), world.unsent().await), (6, 0));
    assert!(world.add("bob", "Task").await.is_some());
}

#[tokio::test]
async fn during_an_outage_a_run_gives_up_after_a_few_people() {
    let world = World::new().await;
    for n in 0..10 {
        drop(world.add(&format!("user-{n}"), "Task").await);
    }
    world.database.as_owner("UPDATE users SET publisher = NULL, publishing_until = NULL").await.unwrap();
    age(&world).await;
    world.mood(Mood::Answers(500));
    assert_eq!(world.tick::<RelayOutbox>().await, 204);
    assert_eq!(world.asked(), 3);
}

#[tokio::test]
async fn two_relays_at_once_publish_each_event_once_and_in_order() {
    let world = World::new().await;
    for n in 0..40 {
        drop(world.add(["ada", "bob", "cleo"][n % 3], "Task").await);
    }
    world.database.as_owner("UPDATE users SET publisher = NULL, publishing_until = NULL").await.unwrap();
    age(&world).await;
    let statuses = tokio::join!(world.tick::<RelayOutbox>(), world.tick::<RelayOutbox>());
    assert_eq!(statuses, (204, 204));
    for user_id in ["ada", "bob", "cleo"] {
        let sent = world.sent();
        let own = sent.iter().filter(|(_, whose, _)| whose == user_id);
        let numbers: Vec<_> = own.map(|(_, _, event)| event.sequence.unwrap()).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{user_id}");
    }
    assert_eq!(world.sent().len(), 80);
}

#[tokio::test]
async fn a_failure_that_nobody_waits_for_any_more_is_forgotten() {
    let world = World::new().await;
    world.database.as_owner("UPDATE publishing SET failed_at = 1").await.unwrap();
    assert_eq!(world.tick::<RelayOutbox>().await, 204);
    assert!(world.add("ada", "Task").await.is_some());
}

#[tokio::test]
async fn a_database_that_is_away_is_said_so() {
    let world = World::new().await;
    world.database.database().close().await;
    assert_eq!(world.tick::<RelayOutbox>().await, 503);
}
