//! Every change, in order, once.

use std::sync::Arc;

use serde_json::json;
use todo_domain::{NewTask, TaskId};
use todo_store::tasks;

use crate::on_both_databases;
use crate::world::World;

on_both_databases! {
    a_page_gets_the_tasks_and_then_each_change_in_order,
    all_pages_of_a_person_hear_the_same_and_nobody_elses_do,
    who_comes_back_gets_what_was_missed,
    who_was_away_for_too_long_gets_a_snapshot,
    nothing_is_missed_while_many_push_and_pages_come_and_go,
    an_event_that_comes_late_is_told_all_the_same,
}

async fn a_page_gets_the_tasks_and_then_each_change_in_order(world: World) {
    let mut tx = world.database.begin("ada").await.unwrap();
    for title in ["Water the plants", "Call mum"] {
        tasks::add(&mut tx, NewTask { title: title.to_owned(), ..NewTask::default() }).await.unwrap();
    }
    tasks::complete(&mut tx, TaskId(2)).await.unwrap();
    tx.commit().await.unwrap();
    let replica = world.serve().await;
    let mut page = world.page(&replica, "ada").await;
    let snapshot = page.hears().await;
    assert_eq!(snapshot["pending"]["data"][0]["title"], "Water the plants");
    assert_eq!(snapshot["completed"]["data"][0]["title"], "Call mum");
    assert_eq!(snapshot["pending"]["has_more"], false);
    // Nothing was pushed yet, and six events are in what the page was given.
    assert_eq!((&snapshot["offset"], &snapshot["sequence"]), (&json!(0), &json!(6)));
    for n in 0..300 {
        world.push("ada", &n.to_string()).await;
    }
    for n in 0..300 {
        assert_eq!(page.hears_title().await, n.to_string());
    }
}

async fn all_pages_of_a_person_hear_the_same_and_nobody_elses_do(world: World) {
    let replica = world.serve().await;
    let mut pages = Vec::new();
    for user_id in ["ada", "ada", "ada", "bob"] {
        let mut page = world.page(&replica, user_id).await;
        page.hears_snapshot().await;
        pages.push(page);
    }
    world.push("ada", "Ada's").await;
    world.push("bob", "Bob's").await;
    for (page, title) in pages.iter_mut().zip(["Ada's", "Ada's", "Ada's", "Bob's"]) {
        assert_eq!(page.hears_title().await, title);
    }
}

async fn who_comes_back_gets_what_was_missed(world: World) {
    let replica = world.serve().await;
    let mut page = world.page(&replica, "ada").await;
    page.hears_snapshot().await;
    let seen = world.push("ada", "seen").await;
    assert_eq!(page.hears_title().await, "seen");
    drop(page);
    replica.has_sockets(0).await;
    world.push("ada", "missed").await;
    world.push("ada", "missed too").await;
    let mut page = world.page_since(&replica, "ada", seen).await;
    assert_eq!(page.hears_title().await, "missed");
    assert_eq!(page.hears_title().await, "missed too");
    let last = world.push("ada", "new").await;
    assert_eq!(page.hears_title().await, "new");
    let mut page = world.page_since(&replica, "ada", last).await;
    assert_eq!(page.hears_heartbeat().await, last, "who has everything hears so at once");
}

async fn who_was_away_for_too_long_gets_a_snapshot(world: World) {
    let replica = world.serve().await;
    let old = world.push("ada", "old").await;
    world.push("ada", "older than a day").await;
    let kept = world.push("ada", "kept").await;
    world
        .database
        .as_owner(&format!("UPDATE updates SET pushed_at = 1 WHERE update_offset < {kept}"))
        .await
        .unwrap();
    let mut relay = world.database.database().begin_relay().await.unwrap();
    relay.clear_updates(100).await.unwrap();
    relay.commit().await.unwrap();
    assert_eq!(world.page_since(&replica, "ada", old).await.hears_snapshot().await, kept);
    let mut page = world.page_since(&replica, "ada", kept - 2).await;
    assert_eq!(page.hears_title().await, "kept", "who had all that was cleared away misses nothing");
    // An offset that this database never gave: from another one, or from before it was restored.
    assert_eq!(world.page_since(&replica, "ada", kept + 1).await.hears_snapshot().await, kept);
}

/// Four write at once, and a page that is cut off again and again must have heard everything in the end.
async fn nothing_is_missed_while_many_push_and_pages_come_and_go(world: World) {
    const WRITERS: usize = 4;
    const EACH: usize = 40;
    let world = Arc::new(world);
    let replica = world.serve().await;
    let mut steady = world.page(&replica, "ada").await;
    steady.hears_snapshot().await;
    let writers = (0..WRITERS).map(|writer| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let mut offsets = Vec::new();
            for n in 0..EACH {
                offsets.push(world.push("ada", &format!("{writer}/{n}")).await);
            }
            offsets
        })
    });
    let writers: Vec<_> = writers.collect();
    let (mut since, mut heard) = (0, Vec::new());
    while heard.len() < WRITERS * EACH {
        let mut page = world.page_since(&replica, "ada", since).await;
        for _ in 0..7.min(WRITERS * EACH - heard.len()) {
            let message = page.hears().await;
            since = message["offset"].as_i64().unwrap();
            heard.push(since);
        }
    }
    let mut pushed = Vec::new();
    for writer in writers {
        pushed.extend(writer.await.unwrap());
    }
    pushed.sort_unstable();
    assert_eq!(heard, pushed);
    for offset in pushed {
        assert_eq!(steady.hears().await["offset"], offset);
    }
}

async fn an_event_that_comes_late_is_told_all_the_same(world: World) {
    let replica = world.serve().await;
    let mut page = world.page(&replica, "ada").await;
    page.hears_snapshot().await;
    let body = json!({ "type": "change", "title": "any" });
    for (sequence, offset) in [(10, 10), (4, 11), (12, 12)] {
        world.push_event("ada", sequence, &body).await;
        let message = page.hears().await;
        assert_eq!((&message["sequence"], &message["offset"]), (&json!(sequence), &json!(offset)));
    }
}
