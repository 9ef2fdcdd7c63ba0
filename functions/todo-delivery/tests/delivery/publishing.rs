use std::sync::Arc;
use std::time::{Duration, Instant};

use todo_delivery::{Published, Publisher, Settings, SetupError, Sidecar, SidecarError};
use todo_store::outbox::Lease;
use todo_store::testing::TestDatabase;

use todo_delivery::testing::{Mood, World};

const MINUTE: Duration = Duration::from_secs(60);

fn publisher(world: &World) -> Publisher {
    world.settings.publisher().unwrap().unwrap()
}

/// Publishes as the holder of this lease.
async fn publish(world: &World, lease: Lease) -> Published {
    publisher(world).publish_person("test", world.database.database(), lease, MINUTE).await.unwrap()
}

async fn relay_lease(world: &World, user_id: &str) -> Option<Lease> {
    let mut relay = world.database.database().begin_relay().await.unwrap();
    let lease = relay.lease(user_id).await.unwrap();
    relay.commit().await.unwrap();
    lease
}

#[tokio::test]
async fn a_changes_events_are_published_signed_and_in_order() {
    let world = World::new().await;
    let lease = world.add("ada", "Task").await.unwrap();
    let published = publish(&world, lease).await;
    assert_eq!((published.sent, published.set_aside), (2, 0));
    let topics: Vec<_> = world.sent().into_iter().map(|(topic, user_id, _)| (topic, user_id)).collect();
    let ada = |topic: &str| (topic.to_owned(), "ada".to_owned());
    assert_eq!(topics, [ada("task-events"), ada("task-updates")]);
    assert_eq!(world.numbers(), [1, 2]);
    assert_eq!((world.unsent().await, world.leased().await), (0, false));
}

#[tokio::test]
async fn any_user_id_is_a_partition_key() {
    let world = World::new().await;
    for user_id in ["ada@example.com", "a b&metadata.rawPayload=false", "ö/?#%2F", "auth0|123+4"] {
        let lease = world.add(user_id, "Task").await.unwrap();
        assert_eq!(publish(&world, lease).await.sent, 2, "{user_id}");
        assert_eq!(world.sent().last().unwrap().1, user_id);
    }
}

#[tokio::test]
async fn more_than_one_batch_is_published_in_one_go() {
    let world = World::new().await;
    let lease = world.add("ada", "Task").await.unwrap();
    for _ in 0..70 {
        assert!(world.add("ada", "Task").await.is_none());
    }
    assert_eq!(publish(&world, lease).await.sent, 142);
    assert_eq!(world.numbers(), (1..=142).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_changes_are_published_in_order_on_sqlite() {
    concurrent_changes_are_published_in_order(TestDatabase::sqlite().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_changes_are_published_in_order_on_postgres() {
    if let Some(database) = TestDatabase::postgres().await.unwrap() {
        concurrent_changes_are_published_in_order(database).await;
    }
}

async fn concurrent_changes_are_published_in_order(database: TestDatabase) {
    let world = Arc::new(World::over(database).await);
    let changes = (0..6).map(|n| {
        let world = world.clone();
        tokio::spawn(async move {
            let user_id = ["ada", "bob"][n % 2];
            for _ in 0..8 {
                if let Some(lease) = world.add(user_id, "Task").await {
                    publisher(&world).publish_later("test", world.database.database(), lease);
                }
            }
        })
    });
    for change in changes.collect::<Vec<_>>() {
        change.await.unwrap();
    }
    world.until_published().await;
    for user_id in ["ada", "bob"] {
        let sent = world.sent();
        let own = sent.iter().filter(|(_, whose, _)| whose == user_id);
        let numbers: Vec<_> = own.map(|(_, _, event)| event.sequence.unwrap()).collect();
        assert_eq!(numbers, (1..=48).collect::<Vec<_>>(), "{user_id}");
    }
}

#[tokio::test]
async fn what_was_published_and_not_marked_is_published_again() {
    let world = World::new().await;
    let mut crashed = world.add("ada", "Task").await.unwrap();
    let events = crashed.waiting(world.database.database(), 10).await.unwrap();
    let sidecar = world.settings.sidecar().unwrap().unwrap();
    let signed = todo_events::sign(&events[0].body, &world.key).unwrap();
    sidecar.publish("task-events", "ada", signed).await.unwrap();
    drop(crashed);
    assert!(relay_lease(&world, "ada").await.is_none(), "it may still be at it");
    world.database.as_owner("UPDATE users SET publishing_until = 1").await.unwrap();
    let lease = relay_lease(&world, "ada").await.unwrap();
    publish(&world, lease).await;
    assert_eq!(world.numbers(), [1, 1, 2]);
    let sent = world.sent();
    assert_eq!(sent[0].2.event_id, sent[1].2.event_id, "the same event: an inbox knows it");
}

#[tokio::test]
async fn a_broker_that_refuses_is_asked_once_and_then_left_to_the_relay() {
    let world = World::new().await;
    for status in [500, 503, 429, 401, 403, 404] {
        world.mood(Mood::Answers(status));
        let lease = world.add("ada", "Task").await.unwrap();
        let asked = world.asked();
        let published = publish(&world, lease).await;
        assert!(matches!(published.failure, Some(SidecarError::Status(_))), "{status}: {published:?}");
        assert_eq!((published.sent, world.asked()), (0, asked + 1));
        assert!(!world.leased().await);
        assert!(world.add("ada", "Task").await.is_none(), "an outage costs the next change nothing");
        let mut relay = world.database.database().begin_relay().await.unwrap();
        relay.recovered().await.unwrap();
        relay.commit().await.unwrap();
    }
    world.mood(Mood::Takes);
    let lease = world.add("ada", "Task").await.unwrap();
    assert_eq!(publish(&world, lease).await.sent, 26);
    assert_eq!(world.numbers(), (1..=26).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_broker_that_says_nothing_is_given_two_seconds() {
    let world = World::new().await;
    world.mood(Mood::Hangs);
    let lease = world.add("ada", "Task").await.unwrap();
    let started = Instant::now();
    let published = publish(&world, lease).await;
    assert!(matches!(published.failure, Some(SidecarError::Deadline)), "{published:?}");
    assert!((2..4).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn a_sidecar_that_is_not_there_is_a_failure_like_any_other() {
    let mut world = World::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.settings.dapr_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let lease = world.add("ada", "Task").await.unwrap();
    let published = publish(&world, lease).await;
    assert!(matches!(published.failure, Some(SidecarError::Unreachable(_))), "{published:?}");
}

#[tokio::test]
async fn what_can_never_be_published_is_set_aside() {
    let world = World::new().await;
    let lease = world.add("ada", "Task").await.unwrap();
    world.database.as_owner("UPDATE outbox SET body = '{\"id\": 1}' WHERE sequence = 1").await.unwrap();
    let published = publish(&world, lease).await;
    assert_eq!((published.sent, published.set_aside), (1, 1));
    world.mood(Mood::Answers(413));
    let lease = world.add("ada", "Task").await.unwrap();
    let published = publish(&world, lease).await;
    assert_eq!((published.sent, published.set_aside), (0, 2), "the broker finds them too large");
    let problems = "SELECT problem FROM outbox WHERE problem IS NOT NULL ORDER BY sequence";
    let problems = world.database.as_owner(problems).await.unwrap().concat();
    assert!(problems[0].starts_with("an event that must not be published"), "{problems:?}");
    assert_eq!(problems[1], "the sidecar answered 413 Payload Too Large");
}

#[tokio::test]
async fn who_has_no_more_time_leaves_the_rest_to_the_relay() {
    let world = World::new().await;
    let lease = world.add("ada", "Task").await.unwrap();
    let published = publisher(&world)
        .publish_person("test", world.database.database(), lease, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!((published.sent, world.unsent().await, world.leased().await), (0, 2, false));
    assert!(published.failure.is_none());
    let lease = relay_lease(&world, "ada").await.unwrap();
    assert_eq!(publish(&world, lease).await.sent, 2);
}

#[test]
fn without_a_sidecar_or_a_key_nothing_is_published() {
    let key = todo_identity::EventKey::generate().unwrap().private_pem().to_owned();
    let settings = |url: &str, key: &str| Settings {
        dapr_url: url.to_owned(),
        event_key: key.to_owned(),
        ..Settings::default()
    };
    assert!(settings("", &key).publisher().unwrap().is_none());
    assert!(settings("http://localhost:3500", "").publisher().unwrap().is_none());
    assert!(settings("http://localhost:3500/", &key).publisher().unwrap().is_some());
    assert!(matches!(settings("", "no key").publisher().unwrap_err(), SetupError::EventKey(_)));
    for url in ["localhost:3500", "/v1.0", "http//x"] {
        assert!(matches!(Sidecar::new(url, None), Err(SetupError::Url)), "{url}");
    }
    assert!(matches!(Sidecar::new("http://x", Some("a\nb")), Err(SetupError::ApiToken)));
}
