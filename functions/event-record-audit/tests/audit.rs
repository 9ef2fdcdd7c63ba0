//! Every event is in the audit exactly once, whatever order it comes in and however often.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use event_record_audit::RecordAudit;
use todo_delivery::testing::World;
use todo_store::audit;
use todo_store::testing::TestDatabase;

async fn report(world: &World, user_id: &str) -> audit::Report {
    let mut operator = world.database.database().begin_operator().await.unwrap();
    operator.verify_audit(user_id).await.unwrap()
}

#[tokio::test]
async fn events_of_both_topics_in_any_order_and_several_times_are_one_whole_chain() {
    let world = World::new().await;
    for _ in 0..10 {
        drop(world.add("ada", "Task").await);
    }
    let mut events = world.events("task-updates").await;
    events.extend(world.events("task-events").await);
    let mut events = [events.clone(), events].concat();
    fastrand::Rng::with_seed(7).shuffle(&mut events);
    let delivering = events.iter().map(|event| world.deliver::<RecordAudit>(event.clone()));
    let statuses = futures::future::join_all(delivering).await;
    assert!(statuses.iter().all(|status| *status == 204), "{statuses:?}");
    let report = report(&world, "ada").await;
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.entries, report.last_sequence), (20, 20));
}

#[tokio::test]
async fn an_event_that_never_came_is_missing() {
    let world = World::new().await;
    for _ in 0..2 {
        drop(world.add("ada", "Task").await);
    }
    for event in world.events("task-events").await {
        assert_eq!(world.deliver::<RecordAudit>(event).await, 204);
    }
    assert_eq!(report(&world, "ada").await.missing, [(2, 2)], "4 may be on its way");
}

#[tokio::test]
async fn an_entry_holds_the_event_as_it_was_signed() {
    let world = World::new().await;
    let event = world.event("ada", "Water \"the\" plänts").await;
    assert_eq!(world.deliver::<RecordAudit>(event.clone()).await, 204);
    let mut tx = world.database.begin("ada").await.unwrap();
    let entries = audit::entries(&mut tx, 0, 10).await.unwrap();
    let [recorded, signed] = [entries[0].body.as_bytes(), &event]
        .map(|json| serde_json::from_slice::<serde_json::Value>(json).unwrap());
    assert_eq!(recorded, signed);
    assert_eq!((entries[0].event_type.as_str(), entries[0].topic.as_str()), ("task.created", "task-events"));
}

/// How fast, and whether it stays so: `cargo test --release -p event-record-audit -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; takes a minute"]
async fn a_long_audit_is_as_fast_as_an_empty_one() {
    for database in [TestDatabase::sqlite().await.unwrap(), TestDatabase::postgres().await.unwrap().unwrap()]
    {
        let world = World::over(database).await;
        for behind in [0, 1_000_000] {
            fill(&world, behind).await;
            println!(
                "{:?} with {behind} behind it: {:.0} events/s",
                world.database.dialect(),
                rate(&world).await
            );
        }
    }
}

async fn fill(world: &World, entries: usize) {
    let numbers = format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {entries}) INSERT INTO audit \
         SELECT 'old-' || (n % 1000), n, 'old-' || n, 't', 't', n, 1, 1, '{{}}', 'h', 'h' FROM n WHERE {entries} > 0"
    );
    world.database.as_owner(&numbers).await.unwrap();
}

async fn rate(world: &World) -> f64 {
    const EVENTS: usize = 2_000;
    world.database.as_owner("DELETE FROM outbox").await.unwrap();
    for n in 0..EVENTS / 2 {
        drop(world.add(&format!("user-{}", n % 50), "Task").await);
    }
    let mut events = world.events("task-events").await;
    events.extend(world.events("task-updates").await);
    let started = std::time::Instant::now();
    let lanes = events.chunks(events.len() / 16).map(async |lane| {
        for event in lane {
            assert_eq!(world.deliver::<RecordAudit>(event.clone()).await, 204);
        }
    });
    futures::future::join_all(lanes).await;
    events.len() as f64 / started.elapsed().as_secs_f64()
}
