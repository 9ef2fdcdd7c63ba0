//! The next task of a series, whatever happens around its making.

use jiff::Timestamp;
use serde_json::{Value, json};
use todo_domain::{Ended, Next, Task, TaskId};
use todo_store::tasks::{Completed, Repeated, Why};
use todo_store::testing::TestDatabase;
use todo_store::{Dialect, tasks};

use crate::{add, change, on_both_databases, task, titled};

on_both_databases! {
    completing_says_what_comes_and_repeating_makes_it,
    a_second_call_finds_the_first_ones_task_and_tells_nothing,
    calls_at_once_make_one_task,
    a_series_goes_on_to_its_end,
    a_moved_occurrence_leaves_the_next_one_where_the_rule_has_it,
    counted_from_completion_a_date_may_come_again,
    what_was_reopened_has_no_successor,
    completing_again_finds_the_successor_there_is,
    completing_again_makes_a_successor_when_the_first_was_removed,
    what_was_completed_and_deleted_at_once_still_comes_again,
    deleting_what_was_repeated_or_is_pending_makes_nothing,
    a_task_that_does_not_repeat_has_no_successor,
    anothers_completed_task_is_not_repeated,
    another_rule_begins_a_series_that_does_not_meet_the_old_one,
    tasks_from_before_there_were_series_become_the_first_of_theirs,
}

/// A task that is due every Friday from this one on. Far away, so that the moment of the test is before all of it.
async fn weekly(database: &TestDatabase) -> Task {
    let new = json!({
        "title": "Water the plants", "due": "2099-11-27T09:00", "timezone": "Europe/Berlin", "repeat": "FREQ=WEEKLY;BYDAY=FR",
        "remind": ["-PT30M", "2099-11-26T10:00:00Z"], "priority": "high", "tags": ["home"],
    });
    add(database, "ada", task(new)).await
}

async fn complete(database: &TestDatabase, id: i64) -> Completed {
    let mut tx = database.begin("ada").await.unwrap();
    let completed = tasks::complete(&mut tx, TaskId(id)).await.unwrap();
    tx.commit().await.unwrap();
    completed
}

async fn repeat(database: &TestDatabase, id: i64) -> Repeated {
    let mut tx = database.begin("ada").await.unwrap();
    let repeated = tasks::repeat(&mut tx, TaskId(id)).await.unwrap();
    tx.commit().await.unwrap();
    repeated
}

async fn update(database: &TestDatabase, id: i64, json: Value) -> Task {
    let mut tx = database.begin("ada").await.unwrap();
    let task = tasks::update(&mut tx, TaskId(id), change(json)).await.unwrap();
    tx.commit().await.unwrap();
    task
}

async fn delete(database: &TestDatabase, id: i64) {
    let mut tx = database.begin("ada").await.unwrap();
    tasks::delete(&mut tx, TaskId(id)).await.unwrap();
    tx.commit().await.unwrap();
}

/// The tasks there are, by number and due date.
async fn dues(database: &TestDatabase) -> Vec<String> {
    let rows = database.as_owner("SELECT task_id, due_local FROM tasks ORDER BY task_id").await.unwrap();
    rows.into_iter().map(|row| row.join(" ")).collect()
}

async fn created(database: &TestDatabase) -> usize {
    let events = "SELECT event_id FROM outbox WHERE event_type = 'task.created' AND topic = 'task-events'";
    database.as_owner(events).await.unwrap().len()
}

fn due(next: Option<Next>) -> String {
    match next {
        Some(Next::Due(next)) => next.due.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn completing_says_what_comes_and_repeating_makes_it(database: TestDatabase) {
    let first = weekly(&database).await;
    let completed = complete(&database, 1).await;
    assert_eq!(due(completed.next), "2099-12-04T09:00:00+01:00");
    let Repeated::Made { task: next, skipped: 0 } = repeat(&database, 1).await else { panic!("not made") };
    assert_eq!(next.due.as_ref().unwrap().to_string(), "2099-12-04T09:00:00+01:00");
    let mut tx = database.begin("ada").await.unwrap();
    assert_eq!(tasks::get(&mut tx, TaskId(2)).await.unwrap(), next, "as it is stored");
    assert_eq!(tasks::get(&mut tx, TaskId(1)).await.unwrap().next_id, Some(TaskId(2)));
    drop(tx);
    assert_eq!(first.changed_fields(&next), ["due", "remind"]);
    assert_eq!(next.remind.len(), 1, "the reminder at a fixed time is past");
    let reminders = database.as_owner("SELECT remind FROM reminders WHERE task_id = 2").await.unwrap();
    assert_eq!(reminders, [["-PT30M"]]);
    assert_eq!(created(&database).await, 2);
}

async fn a_second_call_finds_the_first_ones_task_and_tells_nothing(database: TestDatabase) {
    weekly(&database).await;
    complete(&database, 1).await;
    let Repeated::Made { task: made, .. } = repeat(&database, 1).await else { panic!("not made") };
    for _ in 0..3 {
        assert_eq!(repeat(&database, 1).await, Repeated::Found(made.clone()));
    }
    assert_eq!((dues(&database).await.len(), created(&database).await), (2, 2));
    // The same answer as the first time, too.
    assert_eq!(due(complete(&database, 1).await.next), "2099-12-04T09:00:00+01:00");
}

async fn calls_at_once_make_one_task(database: TestDatabase) {
    weekly(&database).await;
    complete(&database, 1).await;
    let repeated = futures::future::join_all((0..10).map(|_| repeat(&database, 1))).await;
    let made = repeated.iter().filter(|repeated| matches!(repeated, Repeated::Made { .. })).count();
    assert_eq!((made, dues(&database).await.len(), created(&database).await), (1, 2, 2));
}

async fn a_series_goes_on_to_its_end(database: TestDatabase) {
    let new = json!({"title": "Task", "due": "2099-01-31", "repeat": "FREQ=MONTHLY;COUNT=4"});
    add(&database, "ada", task(new)).await;
    for id in 1..=3 {
        complete(&database, id).await;
        assert!(matches!(repeat(&database, id).await, Repeated::Made { .. }), "{id}");
    }
    assert_eq!(complete(&database, 4).await.next, Some(Next::Ended(Ended::Count)));
    assert_eq!(repeat(&database, 4).await, Repeated::Nothing(Why::Ended(Ended::Count)));
    assert_eq!(dues(&database).await, ["1 2099-01-31", "2 2099-02-28", "3 2099-03-31", "4 2099-04-30"]);
}

async fn a_moved_occurrence_leaves_the_next_one_where_the_rule_has_it(database: TestDatabase) {
    weekly(&database).await;
    update(&database, 1, json!({"due": "2099-11-30T15:00", "timezone": "Asia/Tokyo"})).await;
    complete(&database, 1).await;
    repeat(&database, 1).await;
    update(&database, 2, json!({"due": "2099-12-01"})).await;
    complete(&database, 2).await;
    repeat(&database, 2).await;
    assert_eq!(dues(&database).await, ["1 2099-11-30T15:00:00", "2 2099-12-01", "3 2099-12-11T09:00:00"]);
}

async fn counted_from_completion_a_date_may_come_again(database: TestDatabase) {
    let tomorrow = |from: Timestamp| jiff::tz::TimeZone::UTC.to_datetime(from).date().tomorrow().unwrap();
    let today = Timestamp::now();
    let new = json!({"title": "Task", "due": tomorrow(today).to_string(), "repeat": "FREQ=DAILY", "repeat_from": "completion"});
    add(&database, "ada", task(new)).await;
    // Done a day early, and the next one is due on the day that the first was; and so once more.
    for id in 1..=2 {
        complete(&database, id).await;
        assert!(matches!(repeat(&database, id).await, Repeated::Made { .. }));
        assert!(matches!(repeat(&database, id).await, Repeated::Found(_)));
    }
    assert_eq!(dues(&database).await.len(), 3);
}

async fn what_was_reopened_has_no_successor(database: TestDatabase) {
    weekly(&database).await;
    complete(&database, 1).await;
    update(&database, 1, json!({"completed": false})).await;
    assert_eq!(repeat(&database, 1).await, Repeated::Nothing(Why::Reopened));
    complete(&database, 1).await;
    assert!(matches!(repeat(&database, 1).await, Repeated::Made { .. }));
}

async fn completing_again_finds_the_successor_there_is(database: TestDatabase) {
    weekly(&database).await;
    complete(&database, 1).await;
    repeat(&database, 1).await;
    update(&database, 1, json!({"completed": false})).await;
    update(&database, 2, json!({"due": "2099-12-05"})).await;
    assert_eq!(due(complete(&database, 1).await.next), "2099-12-05", "where it was moved to");
    assert!(matches!(repeat(&database, 1).await, Repeated::Found(Task { id: TaskId(2), .. })));
    complete(&database, 2).await;
    assert_eq!(complete(&database, 1).await.next, None, "it came and went");
    assert_eq!(created(&database).await, 2);
}

async fn completing_again_makes_a_successor_when_the_first_was_removed(database: TestDatabase) {
    weekly(&database).await;
    complete(&database, 1).await;
    repeat(&database, 1).await;
    delete(&database, 2).await;
    assert_eq!(complete(&database, 1).await.next, None, "it is completed already, so nothing will come");
    update(&database, 1, json!({"completed": false})).await;
    assert_eq!(due(complete(&database, 1).await.next), "2099-12-04T09:00:00+01:00");
    assert!(matches!(repeat(&database, 1).await, Repeated::Made { .. }));
    assert_eq!(dues(&database).await, ["1 2099-11-27T09:00:00", "3 2099-12-04T09:00:00"]);
}

async fn what_was_completed_and_deleted_at_once_still_comes_again(database: TestDatabase) {
    weekly(&database).await;
    complete(&database, 1).await;
    delete(&database, 1).await;
    assert_eq!(dues(&database).await, ["2 2099-12-04T09:00:00"]);
    assert_eq!(repeat(&database, 1).await, Repeated::Nothing(Why::Deleted));
    assert_eq!((dues(&database).await.len(), created(&database).await), (1, 2));
}

async fn deleting_what_was_repeated_or_is_pending_makes_nothing(database: TestDatabase) {
    weekly(&database).await;
    complete(&database, 1).await;
    repeat(&database, 1).await;
    delete(&database, 2).await;
    delete(&database, 1).await;
    assert_eq!(dues(&database).await, Vec::<String>::new());
    assert_eq!(repeat(&database, 1).await, Repeated::Nothing(Why::Deleted));
}

async fn a_task_that_does_not_repeat_has_no_successor(database: TestDatabase) {
    add(&database, "ada", titled("Task")).await;
    assert_eq!(complete(&database, 1).await.next, None);
    assert_eq!(repeat(&database, 1).await, Repeated::Nothing(Why::DoesNotRepeat));
    assert_eq!(repeat(&database, 7).await, Repeated::Nothing(Why::Deleted));
    weekly(&database).await;
    complete(&database, 2).await;
    update(&database, 2, json!({"repeat": null})).await;
    assert_eq!(
        repeat(&database, 2).await,
        Repeated::Nothing(Why::DoesNotRepeat),
        "the rule was removed since"
    );
}

async fn anothers_completed_task_is_not_repeated(database: TestDatabase) {
    weekly(&database).await;
    complete(&database, 1).await;
    let mut tx = database.begin("bob").await.unwrap();
    assert_eq!(tasks::repeat(&mut tx, TaskId(1)).await.unwrap(), Repeated::Nothing(Why::Deleted));
    tx.commit().await.unwrap();
    assert_eq!(dues(&database).await.len(), 1);
}

async fn another_rule_begins_a_series_that_does_not_meet_the_old_one(database: TestDatabase) {
    weekly(&database).await;
    complete(&database, 1).await;
    repeat(&database, 1).await;
    // The old task takes on the very date of its successor, and a rule of its own.
    update(&database, 1, json!({"completed": false, "due": "2099-12-04T09:00", "repeat": "FREQ=DAILY"}))
        .await;
    let second = update(&database, 2, json!({"repeat": "FREQ=MONTHLY"})).await;
    assert_eq!(second.series.unwrap().id, TaskId(2));
    complete(&database, 2).await;
    repeat(&database, 2).await;
    assert_eq!(
        dues(&database).await,
        ["1 2099-12-04T09:00:00", "2 2099-12-04T09:00:00", "3 2100-01-04T09:00:00"]
    );
}

async fn tasks_from_before_there_were_series_become_the_first_of_theirs(database: TestDatabase) {
    weekly(&database).await;
    add(&database, "ada", task(json!({"title": "Task", "due": "2099-11-27"}))).await;
    // As the first versions wrote them: the second one was repeating once.
    let before = [
        "UPDATE tasks SET occurrence = '2099-11-20T09:00:00', series_id = task_id, anchor_local = NULL, anchor_zone = NULL, ordinal = NULL",
    ];
    let drop_check = "ALTER TABLE tasks DROP CONSTRAINT tasks_series_check";
    if database.dialect() == Dialect::Postgres {
        database.as_owner(drop_check).await.unwrap();
    }
    database.as_owner_in_turn(&before).await.unwrap();
    let migration = include_str!("../../migrations/sqlite/0004_series.sql");
    let changes: Vec<_> =
        migration.split("UPDATE").skip(1).map(|rest| rest.split(';').next().unwrap()).collect();
    assert_eq!(changes.len(), 2);
    for change in changes {
        database.as_owner(&format!("UPDATE{change}")).await.unwrap();
    }
    let mut tx = database.begin("ada").await.unwrap();
    let series = tasks::get(&mut tx, TaskId(1)).await.unwrap().series.unwrap();
    assert_eq!((series.anchor.local_text().as_str(), series.ordinal), ("2099-11-20T09:00:00", 1));
    assert_eq!(series.occurrence, None);
    assert_eq!(tasks::get(&mut tx, TaskId(2)).await.unwrap().series, None);
}
