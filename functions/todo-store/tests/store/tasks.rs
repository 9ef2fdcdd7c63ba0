use std::collections::BTreeSet;

use serde_json::json;
use todo_domain::{ListQuery, TaskId};
use todo_store::testing::TestDatabase;
use todo_store::{Error, tasks};

use crate::{add, change, on_both_databases, task, titled};

on_both_databases! {
    what_is_added_is_read_back_to_the_last_field,
    numbers_begin_at_one_for_each_person,
    numbers_of_deleted_tasks_are_not_given_out_again,
    concurrent_adds_get_distinct_numbers,
    completing_twice_is_completing_once,
    an_update_changes_what_it_names_and_nothing_else,
    null_clears_and_false_reopens,
    an_update_that_does_not_fit_the_task_is_invalid_and_changes_nothing,
    an_unknown_task_is_not_found,
    a_deleted_task_takes_its_tags_and_reminders_along,
    a_dropped_transaction_leaves_nothing,
    text_in_any_script_survives,
}

async fn what_is_added_is_read_back_to_the_last_field(database: TestDatabase) {
    let new = task(json!({
        "title": "Pay the rent", "description": "By transfer", "due": "2027-03-28T02:30", "timezone": "Europe/Berlin",
        "repeat": "FREQ=MONTHLY;BYMONTHDAY=-1", "repeat_from": "completion", "remind": ["-PT30M", "2027-03-27T10:00:00Z"],
        "priority": "urgent", "tags": ["Home", "money"],
    }));
    let added = add(&database, "ada", new).await;
    let mut tx = database.begin("ada").await.unwrap();
    let read = tasks::get(&mut tx, added.id).await.unwrap();
    assert_eq!(read, added);
    assert_eq!(read.tags.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Home", "money"]);
    let series = read.series.as_ref().unwrap();
    assert_eq!((series.id, series.anchor.local_text().as_str()), (TaskId(1), "2027-03-28T02:30:00"));
    assert_eq!(tasks::list(&mut tx, &ListQuery::default()).await.unwrap().tasks, [read]);
}

async fn numbers_begin_at_one_for_each_person(database: TestDatabase) {
    for (user_id, number) in [("ada", 1), ("ada", 2), ("bob", 1), ("ada", 3), ("bob", 2)] {
        assert_eq!(add(&database, user_id, titled("Task")).await.id, TaskId(number));
    }
}

async fn numbers_of_deleted_tasks_are_not_given_out_again(database: TestDatabase) {
    let first = add(&database, "ada", titled("First")).await;
    let mut tx = database.begin("ada").await.unwrap();
    tasks::delete(&mut tx, first.id).await.unwrap();
    assert_eq!(tasks::add(&mut tx, titled("Second")).await.unwrap().id, TaskId(2));
}

async fn concurrent_adds_get_distinct_numbers(database: TestDatabase) {
    let adds = (0..20).map(|n| add(&database, "ada", titled(&format!("Task {n}"))));
    let added = futures::future::join_all(adds).await;
    let numbers: BTreeSet<_> = added.iter().map(|task| task.id.0).collect();
    assert_eq!(numbers, (1..=20).collect());
}

async fn completing_twice_is_completing_once(database: TestDatabase) {
    add(&database, "ada", titled("Task")).await;
    let mut tx = database.begin("ada").await.unwrap();
    let first = tasks::complete(&mut tx, TaskId(1)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = database.begin("ada").await.unwrap();
    let second = tasks::complete(&mut tx, TaskId(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(first.task.completed());
    assert_eq!(first, second);
    let completions =
        database.as_owner("SELECT event_id FROM outbox WHERE event_type = 'task.completed'").await;
    assert_eq!(completions.unwrap().len(), 2, "one event and its twin");
}

async fn an_update_changes_what_it_names_and_nothing_else(database: TestDatabase) {
    let new = task(
        json!({"title": "Water plants", "due": "2026-11-27", "timezone": "Europe/Berlin", "tags": ["home"]}),
    );
    let before = add(&database, "ada", new).await;
    let mut tx = database.begin("ada").await.unwrap();
    let change = change(json!({"due": "2026-11-28T09:00", "priority": "high"}));
    let after = tasks::update(&mut tx, before.id, change).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(before.changed_fields(&after), ["due", "priority"]);
    assert_eq!(after.due.unwrap().to_string(), "2026-11-28T09:00:00+01:00", "read in the zone the task has");
    let mut tx = database.begin("ada").await.unwrap();
    assert_eq!(tasks::get(&mut tx, before.id).await.unwrap().title, "Water plants");
}

async fn null_clears_and_false_reopens(database: TestDatabase) {
    let new = task(
        json!({"title": "Task", "description": "Text", "due": "2026-11-27", "tags": ["a"], "priority": "low"}),
    );
    add(&database, "ada", new).await;
    let mut tx = database.begin("ada").await.unwrap();
    tasks::complete(&mut tx, TaskId(1)).await.unwrap();
    let cleared =
        json!({"description": null, "due": null, "tags": null, "priority": null, "completed": false});
    tasks::update(&mut tx, TaskId(1), change(cleared)).await.unwrap();
    let task = tasks::get(&mut tx, TaskId(1)).await.unwrap();
    assert_eq!((task.description, task.due, task.priority, task.completed_at), (None, None, None, None));
    assert!(task.tags.is_empty());
}

async fn an_update_that_does_not_fit_the_task_is_invalid_and_changes_nothing(database: TestDatabase) {
    let new = task(json!({"title": "Task", "due": "2026-11-27", "repeat": "FREQ=DAILY"}));
    let before = add(&database, "ada", new).await;
    let mut tx = database.begin("ada").await.unwrap();
    let error = tasks::update(&mut tx, before.id, change(json!({"due": null}))).await.unwrap_err();
    assert!(error.to_string().contains("a repeating task needs a due date"), "{error}");
    assert!(error.is_callers());
    assert_eq!(tasks::get(&mut tx, before.id).await.unwrap(), before);
}

async fn an_unknown_task_is_not_found(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    let id = TaskId(7);
    let errors = [
        tasks::get(&mut tx, id).await.unwrap_err(),
        tasks::complete(&mut tx, id).await.unwrap_err(),
        tasks::delete(&mut tx, id).await.unwrap_err(),
        tasks::update(&mut tx, id, change(json!({"title": "New"}))).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::NotFound { what: "task", id: 7 }), "{error:?}");
    }
}

async fn a_deleted_task_takes_its_tags_and_reminders_along(database: TestDatabase) {
    let new = task(json!({"title": "Task", "due": "2026-11-27", "tags": ["a", "B"], "remind": ["-P1D"]}));
    add(&database, "ada", new).await;
    let tags = database.as_owner("SELECT tag FROM task_tags ORDER BY tag").await.unwrap();
    assert_eq!(tags, [["a"], ["b"]]);
    let reminders = database.as_owner("SELECT remind, remind_at FROM reminders").await.unwrap();
    assert_eq!(reminders, [["-P1D", "1795651200000"]], "the start of the day before, in UTC");
    let mut tx = database.begin("ada").await.unwrap();
    tasks::delete(&mut tx, TaskId(1)).await.unwrap();
    tx.commit().await.unwrap();
    let left = "SELECT tag FROM task_tags UNION ALL SELECT remind FROM reminders";
    assert!(database.as_owner(left).await.unwrap().is_empty());
}

async fn a_dropped_transaction_leaves_nothing(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    tasks::add(&mut tx, titled("Task")).await.unwrap();
    drop(tx);
    assert_eq!(add(&database, "ada", titled("Task")).await.id, TaskId(1));
    assert_eq!(database.as_owner("SELECT event_id FROM outbox").await.unwrap().len(), 2);
}

async fn text_in_any_script_survives(database: TestDatabase) {
    for title in [
        "牛奶を買う",
        "شراء الحليب",
        "Zażółć gęślą jaźń",
        "👩‍👩‍👧 café'); DROP TABLE tasks; --",
        "\"quoted\" \\ $1 %s",
    ] {
        let added = add(&database, "ada", titled(title)).await;
        let mut tx = database.begin("ada").await.unwrap();
        assert_eq!(tasks::get(&mut tx, added.id).await.unwrap().title, title);
    }
}
