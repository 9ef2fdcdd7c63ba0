//! The tasks as the audit has them are the tasks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use todo_domain::{ListQuery, TaskId, TaskView};
use todo_store::audit::{self, Record};
use todo_store::rebuild::{Fold, Kind, Rebuilt, rebuild};
use todo_store::tasks;
use todo_store::testing::TestDatabase;

use crate::{add, change, on_both_databases, task};

on_both_databases! {
    after_any_history_the_audit_folds_to_the_live_tasks_at_every_step,
    with_nothing_lost_there_is_no_difference,
    what_is_not_in_the_audit_shows,
    a_live_row_that_was_changed_past_the_events_shows,
    an_entry_that_was_tampered_with_shows,
    as_of_an_earlier_time_the_tasks_are_what_they_were,
    tasks_older_than_the_audit_are_no_difference,
    more_tasks_than_a_page_are_compared,
    everybody_is_named_once,
}

/// What `event-record-audit` does: every event of the outbox that is not recorded yet, in the order in which it is given.
async fn record(database: &TestDatabase, user_id: &str, order: impl FnOnce(&mut Vec<Record>)) {
    let unrecorded = format!(
        "SELECT event_id, event_type, topic, sequence, created_at, body FROM outbox WHERE user_id = '{user_id}' \
         AND event_id NOT IN (SELECT event_id FROM audit) ORDER BY sequence"
    );
    let rows = database.as_owner(&unrecorded);
    let event = |row: Vec<String>| Record {
        event_id: row[0].clone(),
        event_type: row[1].clone(),
        topic: row[2].clone(),
        sequence: row[3].parse().unwrap(),
        occurred_at: Timestamp::from_millisecond(row[4].parse().unwrap()).unwrap(),
        body: row[5].clone(),
    };
    let mut events: Vec<Record> = rows.await.unwrap().into_iter().map(event).collect();
    order(&mut events);
    let mut tx = database.begin(user_id).await.unwrap();
    for event in events {
        audit::record(&mut tx, &event).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn rebuilt(database: &TestDatabase) -> Rebuilt {
    rebuild(database.database(), "ada", Timestamp::MAX).await.unwrap()
}

async fn live(database: &TestDatabase) -> BTreeMap<i64, TaskView> {
    let mut tx = database.begin("ada").await.unwrap();
    let query = ListQuery { limit: 200, ..ListQuery::default() };
    let tasks = tasks::list(&mut tx, &query).await.unwrap().tasks;
    tasks.iter().map(|task| (task.id.0, TaskView::from(task))).collect()
}

async fn update(database: &TestDatabase, id: i64, json: Value) {
    let mut tx = database.begin("ada").await.unwrap();
    tasks::update(&mut tx, TaskId(id), change(json)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn delete(database: &TestDatabase, id: i64) {
    let mut tx = database.begin("ada").await.unwrap();
    tasks::delete(&mut tx, TaskId(id)).await.unwrap();
    tx.commit().await.unwrap();
}

/// One random change of one random task.
async fn step(database: &TestDatabase, random: &mut fastrand::Rng) {
    let ids: Vec<i64> = live(database).await.into_keys().collect();
    let mut tx = database.begin("ada").await.unwrap();
    let n = random.u32(..);
    let Some(id) = random.choice(&ids).map(|id| TaskId(*id)).filter(|_| random.u8(..4) > 0) else {
        let new = match n % 3 {
            0 => {
                json!({"title": format!("Task {n}"), "due": "2026-11-27", "remind": ["-P1D"], "tags": ["a", "B"]})
            }
            1 => json!({"title": format!("Task {n}"), "due": "2026-11-27T09:00", "timezone": "Europe/Berlin",
                "repeat": "FREQ=WEEKLY;BYDAY=FR"}),
            _ => {
                json!({"title": format!("Aufgabe \u{fc}\" {n}"), "priority": "high", "description": "twice\nas long"})
            }
        };
        tasks::add(&mut tx, task(new)).await.unwrap();
        return tx.commit().await.unwrap();
    };
    match random.u8(..7) {
        0 => drop(tasks::delete(&mut tx, id).await.unwrap()),
        1 => drop(tasks::complete(&mut tx, id).await.unwrap()),
        2 => {
            tasks::complete(&mut tx, id).await.unwrap();
            tasks::repeat(&mut tx, id).await.unwrap();
        }
        3 => drop(tasks::update(&mut tx, id, change(json!({"completed": false}))).await.unwrap()),
        4 => {
            let both = json!({"title": format!("Changed {n}"), "completed": n.is_multiple_of(2)});
            tasks::update(&mut tx, id, change(both)).await.unwrap();
        }
        5 => {
            let emptied = json!({"description": null, "priority": null, "tags": []});
            tasks::update(&mut tx, id, change(emptied)).await.unwrap();
        }
        _ => {
            let moved =
                json!({"due": format!("2027-01-{:02}", 1 + n % 28), "priority": "low", "tags": ["c"]});
            tasks::update(&mut tx, id, change(moved)).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
}

async fn after_any_history_the_audit_folds_to_the_live_tasks_at_every_step(database: TestDatabase) {
    let seed = std::env::var("TODO_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("TODO_TEST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut history = Vec::new();
    for _ in 0..60 {
        step(&database, &mut random).await;
        // Events of different topics, and those that were retried, come in any order.
        record(&database, "ada", |events| random.shuffle(events)).await;
        let mut tx = database.begin("ada").await.unwrap();
        let after = i64::try_from(history.len()).unwrap();
        history.extend(audit::entries(&mut tx, after, 1000).await.unwrap());
        drop(tx);
        let live = live(&database).await;
        let mut fold = Fold::default();
        history.iter().for_each(|entry| fold.add(entry));
        let folded = fold.tasks().filter_map(|(id, folded)| Some((id, folded.task.clone()?)));
        assert_eq!(folded.collect::<BTreeMap<_, _>>(), live);
        let mut shuffled = history.clone();
        random.shuffle(&mut shuffled);
        let mut again = Fold::default();
        shuffled.iter().chain(&history).for_each(|entry| again.add(entry));
        assert_eq!(again, fold);
        let rebuilt = rebuilt(&database).await;
        assert!(rebuilt.is_same() && rebuilt.unrecorded == 0, "{rebuilt:?}");
        assert_eq!(rebuilt.same, i64::try_from(live.len()).unwrap());
    }
}

/// Three tasks, of which the second is done and the third deleted.
async fn three(database: &TestDatabase) {
    for title in ["One", "Two", "Three"] {
        add(database, "ada", task(json!({"title": title}))).await;
    }
    update(database, 2, json!({"completed": true})).await;
    delete(database, 3).await;
}

async fn with_nothing_lost_there_is_no_difference(database: TestDatabase) {
    three(&database).await;
    add(&database, "bob", task(json!({"title": "Bob's"}))).await;
    record(&database, "ada", |_| {}).await;
    let found = rebuilt(&database).await;
    assert!(found.is_same(), "{found:?}");
    assert_eq!((found.entries, found.same, found.differing, found.unrecorded), (10, 2, 0, 0));
    // Again, over what the first has left.
    assert_eq!(rebuilt(&database).await, found);
    let beside = "SELECT task_id FROM rebuilt_tasks";
    assert_eq!(database.as_owner(beside).await.unwrap().len(), 3);
}

fn differences(rebuilt: &Rebuilt) -> Vec<(i64, Kind, Vec<&str>)> {
    assert_eq!(rebuilt.differing, i64::try_from(rebuilt.differences.len()).unwrap());
    let all = rebuilt.differences.iter();
    all.map(|it| (it.task_id, it.kind, it.fields.iter().map(String::as_str).collect())).collect()
}

async fn what_is_not_in_the_audit_shows(database: TestDatabase) {
    three(&database).await;
    // The creation of the first, the completion of the second and the deletion of the third are lost.
    record(&database, "ada", |events| {
        events.retain(|event| {
            let body: serde_json::Value = serde_json::from_str(&event.body).unwrap();
            let of = |id: i64| body["data"]["task_id"] == id;
            let lost = (of(1) && event.event_type == "task.created")
                || (of(2) && event.event_type == "task.completed")
                || (of(3) && event.event_type == "task.deleted");
            event.topic != "task-events" || !lost
        });
    })
    .await;
    let found = rebuilt(&database).await;
    assert!(!found.is_same());
    assert_eq!(
        differences(&found),
        [
            (1, Kind::Extra, vec![]),
            (2, Kind::Differs, vec!["completed", "completed_at"]),
            (3, Kind::Missing, vec![])
        ]
    );
    // The creation is a gap in the numbers and so are the two others, each beside its twin; the last twin is the last one recorded.
    assert_eq!((found.chain.missing.as_slice(), found.unrecorded), (&[(1, 1), (7, 7), (9, 9)][..], 0));
}

async fn a_live_row_that_was_changed_past_the_events_shows(database: TestDatabase) {
    three(&database).await;
    record(&database, "ada", |_| {}).await;
    database.as_owner("UPDATE tasks SET title = 'Changed', priority = 2 WHERE task_id = 1").await.unwrap();
    database.as_owner("DELETE FROM tasks WHERE task_id = 2").await.unwrap();
    let found = rebuilt(&database).await;
    assert_eq!(
        differences(&found),
        [(1, Kind::Differs, vec!["priority", "title"]), (2, Kind::Missing, vec![])]
    );
    assert!(found.chain.is_whole() && !found.is_same());
}

async fn an_entry_that_was_tampered_with_shows(database: TestDatabase) {
    three(&database).await;
    record(&database, "ada", |_| {}).await;
    let off = match database.dialect() {
        todo_store::Dialect::Postgres => "ALTER TABLE audit DISABLE TRIGGER audit_refuse",
        todo_store::Dialect::Sqlite => "DROP TRIGGER audit_refuse_update",
    };
    let change =
        "UPDATE audit SET body = REPLACE(body, '\"title\":\"One\"', '\"title\":\"Another\"') WHERE entry = 1";
    database.as_owner_in_turn(&[off, change]).await.unwrap();
    let found = rebuilt(&database).await;
    assert_eq!(differences(&found), [(1, Kind::Differs, vec!["title"])]);
    assert_eq!(found.chain.first_break.as_ref().map(|it| it.entry), Some(1));
    database.as_owner("UPDATE audit SET body = 'nothing' WHERE entry = 1").await.unwrap();
    let found = rebuilt(&database).await;
    assert_eq!((found.unreadable.clone(), found.is_same()), (vec![1], false));
    assert_eq!(differences(&found), [(1, Kind::Extra, vec![])]);
}

async fn as_of_an_earlier_time_the_tasks_are_what_they_were(database: TestDatabase) {
    three(&database).await;
    record(&database, "ada", |events| {
        // A second between the events.
        for event in events.iter_mut() {
            event.occurred_at = Timestamp::from_second(event.sequence).unwrap();
        }
    })
    .await;
    let as_of = |second| {
        let database = database.database();
        async move { rebuild(database, "ada", Timestamp::from_second(second).unwrap()).await.unwrap() }
    };
    assert_eq!(differences(&as_of(0).await), [(1, Kind::Extra, vec![]), (2, Kind::Extra, vec![])]);
    let found = as_of(6).await;
    let differs = (2, Kind::Differs, vec!["completed", "completed_at"]);
    assert_eq!(differences(&found), [differs, (3, Kind::Missing, vec![])]);
    assert!(as_of(9).await.is_same());
}

async fn tasks_older_than_the_audit_are_no_difference(database: TestDatabase) {
    three(&database).await;
    record(&database, "ada", |_| {}).await;
    let mut relay = database.database().begin_relay().await.unwrap();
    let later = relay.now().saturating_add(jiff::SignedDuration::from_secs(60)).unwrap();
    assert!(relay.cut_audit(later, 2).await.unwrap());
    relay.commit().await.unwrap();
    let found = rebuilt(&database).await;
    assert!(found.is_same(), "{found:?}");
    assert_eq!((found.chain.cut_entry, found.older, found.same), (2, 1, 1));
}

async fn more_tasks_than_a_page_are_compared(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    for n in 0..450 {
        tasks::add(&mut tx, task(json!({"title": format!("Task {n}")}))).await.unwrap();
    }
    for n in 1..=210 {
        tasks::delete(&mut tx, TaskId(n)).await.unwrap();
    }
    tx.commit().await.unwrap();
    record(&database, "ada", |_| {}).await;
    database.as_owner("DELETE FROM tasks WHERE task_id = 440").await.unwrap();
    let found = rebuilt(&database).await;
    assert_eq!(differences(&found), [(440, Kind::Missing, vec![])]);
    assert_eq!((found.same, found.entries), (239, 1320));
}

async fn everybody_is_named_once(database: TestDatabase) {
    for user_id in ["cleo", "ada", "bob"] {
        add(&database, user_id, task(json!({"title": "Task"}))).await;
        record(&database, user_id, |_| {}).await;
    }
    database.as_owner("INSERT INTO audit_heads (user_id) VALUES ('abel')").await.unwrap();
    let mut operator = database.database().begin_operator().await.unwrap();
    assert_eq!(operator.people("", 2).await.unwrap(), ["abel", "ada"]);
    assert_eq!(operator.people("ada", 2).await.unwrap(), ["bob", "cleo"]);
    assert!(operator.people("cleo", 2).await.unwrap().is_empty());
}
