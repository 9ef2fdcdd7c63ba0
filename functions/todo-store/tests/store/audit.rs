use std::sync::Arc;

use jiff::Timestamp;
use todo_store::audit::{self, Break, Record};
use todo_store::testing::{TestDatabase, in_transaction};
use todo_store::{Dialect, Error};

use crate::on_both_databases;

on_both_databases! {
    entries_form_a_chain,
    an_event_is_recorded_once,
    events_recorded_in_one_transaction_are_one_chain,
    events_recorded_at_once_are_entries_one_after_the_other,
    an_entry_cannot_be_changed_or_removed,
    what_is_changed_all_the_same_shows,
    what_is_cut_off_all_the_same_shows,
    events_that_never_came_are_named,
    anothers_audit_is_not_seen,
    what_remains_of_a_cut_chain_still_verifies,
}

fn event(number: i64) -> Record {
    Record {
        event_id: format!("event-{number}"),
        event_type: "task.created".to_owned(),
        topic: "task-events".to_owned(),
        sequence: number,
        occurred_at: Timestamp::UNIX_EPOCH,
        body: format!("{{\"id\":\"event-{number}\",\"title\":\"Bücher \\\"zurück\\\"\"}}"),
    }
}

async fn record(database: &TestDatabase, user_id: &str, numbers: impl IntoIterator<Item = i64>) {
    for number in numbers {
        let mut tx = database.begin(user_id).await.unwrap();
        assert!(audit::record(&mut tx, &event(number)).await.unwrap());
        tx.commit().await.unwrap();
    }
}

async fn verify(database: &TestDatabase, user_id: &str) -> audit::Report {
    let mut tx = database.begin(user_id).await.unwrap();
    let report = audit::verify(&mut tx).await.unwrap();
    let mut operator = database.database().begin_operator().await.unwrap();
    assert_eq!(operator.verify_audit(user_id).await.unwrap(), report);
    report
}

async fn entries_form_a_chain(database: TestDatabase) {
    record(&database, "ada", 1..=3).await;
    let mut tx = database.begin("ada").await.unwrap();
    let entries = audit::entries(&mut tx, 0, 10).await.unwrap();
    let numbers: Vec<_> = entries.iter().map(|entry| (entry.entry, entry.sequence)).collect();
    assert_eq!(numbers, [(1, 1), (2, 2), (3, 3)]);
    assert_eq!(entries[0].previous_hash, "");
    assert_eq!(entries[1].previous_hash, entries[0].hash);
    assert_eq!(entries[2].body, event(3).body);
    assert_eq!(audit::entries(&mut tx, 1, 1).await.unwrap(), entries[1..2]);
    drop(tx);
    let report = verify(&database, "ada").await;
    assert!(report.is_whole(), "{report:?}");
    assert_eq!((report.entries, report.last_entry, report.last_sequence), (3, 3, 3));
    assert_eq!(report.last_hash, entries[2].hash);
}

async fn an_event_is_recorded_once(database: TestDatabase) {
    record(&database, "ada", [1]).await;
    let mut tx = database.begin("ada").await.unwrap();
    assert!(!audit::record(&mut tx, &event(1)).await.unwrap());
    tx.commit().await.unwrap();
    record(&database, "ada", [2]).await;
    assert_eq!(verify(&database, "ada").await.entries, 2);
}

async fn events_recorded_in_one_transaction_are_one_chain(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    for (number, is_new) in [(1, true), (1, false), (2, true), (3, true), (2, false)] {
        assert_eq!(audit::record(&mut tx, &event(number)).await.unwrap(), is_new, "{number}");
    }
    tx.commit().await.unwrap();
    record(&database, "ada", [4]).await;
    let report = verify(&database, "ada").await;
    assert!(report.is_whole() && report.entries == 4, "{report:?}");
}

async fn events_recorded_at_once_are_entries_one_after_the_other(database: TestDatabase) {
    let database = Arc::new(database);
    let recording = (0..16).map(|n| {
        let database = database.clone();
        tokio::spawn(async move { record(&database, "ada", [n * 2 + 1, n * 2 + 2]).await })
    });
    for recorded in futures::future::join_all(recording).await {
        recorded.unwrap();
    }
    let report = verify(&database, "ada").await;
    assert!(report.is_whole() && report.entries == 32, "{report:?}");
}

async fn an_entry_cannot_be_changed_or_removed(database: TestDatabase) {
    record(&database, "ada", 1..=2).await;
    for statement in
        ["UPDATE audit SET body = '{}'", "DELETE FROM audit", "DELETE FROM audit WHERE entry = 2"]
    {
        let mut tx = database.begin("ada").await.unwrap();
        let refused = in_transaction(&mut tx, statement).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{statement}: {refused:?}");
        drop(tx);
        let refused = database.as_owner(statement).await.unwrap_err();
        let reason = std::error::Error::source(&*refused).unwrap().to_string();
        assert!(reason.contains("append-only"), "{statement}: {reason}");
    }
}

/// Runs a statement that the triggers would refuse.
async fn by_force(database: &TestDatabase, statement: &str) {
    let (off, on): (&[&str], &[&str]) = match database.dialect() {
        Dialect::Postgres => (
            &["ALTER TABLE audit DISABLE TRIGGER audit_refuse"],
            &["ALTER TABLE audit ENABLE TRIGGER audit_refuse"],
        ),
        Dialect::Sqlite => (
            &["DROP TRIGGER IF EXISTS audit_refuse_update", "DROP TRIGGER IF EXISTS audit_refuse_delete"],
            &[],
        ),
    };
    database.as_owner_in_turn(&[off, &[statement], on].concat()).await.unwrap();
}

async fn what_is_changed_all_the_same_shows(database: TestDatabase) {
    record(&database, "ada", 1..=5).await;
    by_force(&database, "UPDATE audit SET body = '{}' WHERE entry = 3").await;
    let content = Break { entry: 3, reason: "its content is not what was recorded" };
    assert_eq!(verify(&database, "ada").await.first_break, Some(content));
    by_force(&database, "DELETE FROM audit WHERE entry = 2").await;
    let gone = Break { entry: 2, reason: "it is not there" };
    assert_eq!(verify(&database, "ada").await.first_break, Some(gone));
}

async fn what_is_cut_off_all_the_same_shows(database: TestDatabase) {
    record(&database, "ada", 1..=5).await;
    by_force(&database, "DELETE FROM audit WHERE entry = 5").await;
    let ends = Break { entry: 5, reason: "the entries end before the end that was noted" };
    assert_eq!(verify(&database, "ada").await.first_break, Some(ends));
}

async fn events_that_never_came_are_named(database: TestDatabase) {
    record(&database, "ada", [2, 1, 6, 5, 9, 0]).await;
    let report = verify(&database, "ada").await;
    assert_eq!((report.first_break.clone(), report.is_whole()), (None, false));
    assert_eq!(report.missing, [(3, 4), (7, 8)]);
}

async fn anothers_audit_is_not_seen(database: TestDatabase) {
    record(&database, "ada", 1..=2).await;
    record(&database, "bob", [1]).await;
    assert_eq!(verify(&database, "bob").await.entries, 1);
    let mut tx = database.begin("cleo").await.unwrap();
    assert!(audit::entries(&mut tx, 0, 10).await.unwrap().is_empty());
    assert_eq!(audit::verify(&mut tx).await.unwrap(), audit::Report::default());
}

async fn what_remains_of_a_cut_chain_still_verifies(database: TestDatabase) {
    record(&database, "ada", [1, 3, 2, 5, 4, 8]).await;
    record(&database, "bob", 1..=2).await;
    by_force(&database, "UPDATE audit SET recorded_at = 1 WHERE entry <= 4").await;
    let mut cut = vec![];
    for _ in 0..4 {
        let mut relay = database.database().begin_relay().await.unwrap();
        let before = Timestamp::from_millisecond(2).unwrap();
        cut.push(relay.cut_audit(before, 3).await.unwrap());
        relay.commit().await.unwrap();
    }
    assert_eq!(cut, [true, true, false, false]);
    let report = verify(&database, "ada").await;
    assert_eq!((report.first_break.clone(), report.entries, report.cut_entry), (None, 2, 4));
    assert_eq!(report.missing, [(6, 7)], "4 came late, after 5, which is gone: it is not judged any more");
    record(&database, "ada", 6..=7).await;
    assert!(verify(&database, "ada").await.is_whole());
    let all_gone = verify(&database, "bob").await;
    assert_eq!((all_gone.entries, all_gone.cut_entry, all_gone.is_whole()), (0, 2, true));
}
