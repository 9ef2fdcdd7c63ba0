use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use todo_domain::TaskId;
use todo_events::{Channel, Event};
use todo_store::reminders::{self, Plan};
use todo_store::tasks;
use todo_store::testing::TestDatabase;

use crate::{add, change, on_both_databases, task};

on_both_databases! {
    every_reminder_of_a_pending_task_gets_a_job,
    a_plan_that_was_done_asks_for_nothing_more,
    a_plan_that_was_not_done_asks_again_for_the_same_jobs,
    a_task_that_is_done_or_gone_loses_its_jobs,
    a_moved_task_moves_its_jobs,
    a_moment_that_is_wanted_again_gets_another_job,
    two_reminders_of_one_moment_are_one,
    what_was_over_when_it_was_said_is_not_scheduled,
    what_became_late_on_the_way_is_scheduled,
    plans_at_once_agree,
    a_job_reminds_once,
    a_reminder_that_has_not_fired_is_overdue_until_it_has,
    a_job_whose_moment_is_not_wanted_any_more_does_nothing,
    a_spent_job_is_replaced_when_its_moment_is_wanted_again,
    a_moment_that_was_due_is_not_scheduled_again,
    nothing_is_left_of_a_deleted_task,
    anothers_reminders_are_not_touched,
    a_reminder_is_shown_once,
    attempts_are_counted_until_one_succeeds,
    the_last_attempt_that_fails_is_told,
    what_is_old_is_cleared_away,
}

const DUE: &str = "2099-11-27T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A task of Ada's that is due on a far day, with these reminders.
async fn reminding(database: &TestDatabase, remind: &[&str]) {
    add(database, "ada", task(json!({"title": "Task", "due": DUE, "remind": remind}))).await;
}

async fn update(database: &TestDatabase, fields: Value) {
    let mut tx = database.begin("ada").await.unwrap();
    tasks::update(&mut tx, TaskId(1), change(fields)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn delete(database: &TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    tasks::delete(&mut tx, TaskId(1)).await.unwrap();
    tx.commit().await.unwrap();
}

/// Plans as the consumer of an event of now does, and does nothing about it.
async fn plan(database: &TestDatabase) -> Plan {
    plan_of(database, "ada", Timestamp::now()).await
}

async fn plan_of(database: &TestDatabase, user_id: &str, set_at: Timestamp) -> Plan {
    let mut tx = database.begin(user_id).await.unwrap();
    let plan = reminders::plan(&mut tx, TaskId(1), set_at).await.unwrap();
    tx.commit().await.unwrap();
    plan
}

/// Plans, and notes that it was done.
async fn planned(database: &TestDatabase) -> Plan {
    let plan = plan(database).await;
    settle(database, &plan).await;
    plan
}

async fn settle(database: &TestDatabase, plan: &Plan) {
    let mut tx = database.begin("ada").await.unwrap();
    plan.settle(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
}

async fn fire(database: &TestDatabase, job: &str) -> bool {
    let mut tx = database.begin("ada").await.unwrap();
    let due = reminders::fire(&mut tx, TaskId(1), job).await.unwrap();
    tx.commit().await.unwrap();
    due
}

fn moments(plan: &Plan) -> Vec<(String, Timestamp)> {
    plan.put.iter().map(|job| (job.remind.clone(), job.remind_at)).collect()
}

async fn events(database: &TestDatabase, event_type: &str) -> Vec<Value> {
    let statement = format!("SELECT body FROM outbox WHERE event_type = '{event_type}' ORDER BY sequence");
    let rows = database.as_owner(&statement).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(&row[0]).unwrap()).collect()
}

async fn count(database: &TestDatabase, table: &str) -> usize {
    database.as_owner(&format!("SELECT user_id FROM {table}")).await.unwrap().len()
}

async fn every_reminder_of_a_pending_task_gets_a_job(database: TestDatabase) {
    reminding(&database, &["-PT30M", "2099-11-26T20:00:00Z"]).await;
    let plan = plan(&database).await;
    let expected = [
        ("2099-11-26T20:00:00Z".to_owned(), at("2099-11-26T20:00:00Z")),
        ("-PT30M".to_owned(), at("2099-11-27T08:30:00Z")),
    ];
    assert_eq!(moments(&plan), expected);
    assert_eq!(plan.task.as_ref().unwrap().id, TaskId(1));
    assert!(plan.cancel.is_empty() && plan.put.iter().all(|job| job.name.starts_with("reminder-")));
    assert_ne!(plan.put[0].name, plan.put[1].name);
}

async fn a_plan_that_was_done_asks_for_nothing_more(database: TestDatabase) {
    reminding(&database, &["-PT30M"]).await;
    planned(&database).await;
    for _ in 0..10 {
        assert!(planned(&database).await.is_empty());
    }
    assert_eq!(count(&database, "scheduled_reminders").await, 1);
}

async fn a_plan_that_was_not_done_asks_again_for_the_same_jobs(database: TestDatabase) {
    reminding(&database, &["-PT30M"]).await;
    let first = plan(&database).await;
    assert_eq!(plan(&database).await, first);
    settle(&database, &first).await;
    update(&database, json!({"completed": true})).await;
    let cancelling = plan(&database).await;
    assert_eq!(cancelling.cancel, [first.put[0].name.clone()]);
    assert_eq!(plan(&database).await, cancelling);
    settle(&database, &cancelling).await;
    assert!(plan(&database).await.is_empty());
}

async fn a_task_that_is_done_or_gone_loses_its_jobs(database: TestDatabase) {
    reminding(&database, &["-PT30M", "-P1D"]).await;
    let names: Vec<_> = planned(&database).await.put.into_iter().map(|job| job.name).collect();
    update(&database, json!({"completed": true})).await;
    let mut cancelled = planned(&database).await.cancel;
    cancelled.sort_by_key(|name| names.iter().position(|other| other == name));
    assert_eq!(cancelled, names);
    update(&database, json!({"completed": false})).await;
    assert_eq!(planned(&database).await.put.len(), 2);
    delete(&database).await;
    assert_eq!(planned(&database).await.cancel.len(), 2);
}

async fn a_moved_task_moves_its_jobs(database: TestDatabase) {
    reminding(&database, &["-PT30M", "2099-11-26T20:00:00Z"]).await;
    let before = planned(&database).await;
    update(&database, json!({"due": "2099-11-28T09:00:00Z"})).await;
    let after = planned(&database).await;
    assert_eq!(moments(&after), [("-PT30M".to_owned(), at("2099-11-28T08:30:00Z"))]);
    assert_eq!(after.cancel, [before.put[1].name.clone()]);
    update(&database, json!({"remind": null})).await;
    let mut rest = vec![before.put[0].name.clone(), after.put[0].name.clone()];
    rest.sort();
    let mut cancelled = planned(&database).await.cancel;
    cancelled.sort();
    assert_eq!(cancelled, rest);
}

async fn a_moment_that_is_wanted_again_gets_another_job(database: TestDatabase) {
    reminding(&database, &["-PT30M"]).await;
    let first = planned(&database).await;
    update(&database, json!({"completed": true})).await;
    let cancelling = plan(&database).await;
    update(&database, json!({"completed": false})).await;
    let again = plan(&database).await;
    assert_ne!(again.put[0].name, first.put[0].name);
    assert_eq!(again.cancel, [first.put[0].name.clone()]);
    // The slower of the two consumers notes what it did last, and takes nothing from the other.
    settle(&database, &again).await;
    settle(&database, &cancelling).await;
    assert!(plan(&database).await.is_empty());
    assert!(!fire(&database, &first.put[0].name).await);
    assert!(fire(&database, &again.put[0].name).await);
}

async fn two_reminders_of_one_moment_are_one(database: TestDatabase) {
    reminding(&database, &["-PT60M", "-PT1H", "2099-11-27T08:00:00Z"]).await;
    let plan = planned(&database).await;
    assert_eq!(plan.put.len(), 1);
    assert!(planned(&database).await.is_empty());
}

async fn what_was_over_when_it_was_said_is_not_scheduled(database: TestDatabase) {
    let now = Timestamp::now();
    let [over, just] = [61, 5].map(|seconds| (now - SignedDuration::from_secs(seconds)).to_string());
    reminding(&database, &[&over, &just]).await;
    let plan = plan_of(&database, "ada", now).await;
    assert_eq!(plan.put.len(), 1);
    assert!(plan.put[0].remind_at > at(&over));
}

async fn what_became_late_on_the_way_is_scheduled(database: TestDatabase) {
    let said = Timestamp::now() - SignedDuration::from_hours(1);
    reminding(&database, &[&(said + SignedDuration::from_mins(5)).to_string()]).await;
    assert_eq!(plan_of(&database, "ada", said).await.put.len(), 1);
    assert_eq!(plan(&database).await.put.len(), 1, "and stays so for a later event");
}

async fn plans_at_once_agree(database: TestDatabase) {
    reminding(&database, &["-PT30M", "-P1D", "-PT5M"]).await;
    let database = Arc::new(database);
    let planning = (0..8).map(|_| {
        let database = database.clone();
        tokio::spawn(async move { plan(&database).await })
    });
    let mut jobs = Vec::new();
    for planned in futures::future::join_all(planning).await {
        let mut put = planned.unwrap().put;
        put.sort_by_key(|job| job.remind_at);
        jobs.push(put);
    }
    assert!(jobs.iter().all(|put| *put == jobs[0]), "{jobs:?}");
    assert_eq!(count(&database, "scheduled_reminders").await, 3);
}

async fn a_job_reminds_once(database: TestDatabase) {
    reminding(&database, &["-PT30M"]).await;
    let plan = planned(&database).await;
    let name = plan.put[0].name.as_str();
    assert!(fire(&database, name).await);
    for _ in 0..9 {
        assert!(!fire(&database, name).await);
    }
    let due = events(&database, "reminder.due").await;
    assert_eq!(due.len(), 1);
    let data = &due[0]["data"];
    assert_eq!((&data["reminder_id"], &data["task_id"]), (&json!(name), &json!(1)));
    assert_eq!(data["payload"]["remind_at"], "2099-11-27T08:30:00Z");
    assert_eq!(data["payload"]["late_by_ms"], 0);
    assert!(planned(&database).await.is_empty());
}

async fn a_reminder_that_has_not_fired_is_overdue_until_it_has(database: TestDatabase) {
    let overdue = async || database.database().begin_relay().await.unwrap().backlog().await.unwrap().overdue;
    reminding(&database, &["-PT30M"]).await;
    let plan = planned(&database).await;
    assert_eq!(overdue().await, None, "it is to fire in the future");
    database.as_owner("UPDATE scheduled_reminders SET remind_at = 1000").await.unwrap();
    database.as_owner("UPDATE reminders SET remind_at = 1000").await.unwrap();
    assert_eq!(overdue().await, Some(Timestamp::from_second(1).unwrap()));
    assert!(fire(&database, &plan.put[0].name).await);
    assert_eq!(overdue().await, None);
}

async fn a_job_whose_moment_is_not_wanted_any_more_does_nothing(database: TestDatabase) {
    for fields in [json!({"completed": true}), json!({"due": "2099-12-24T09:00:00Z"}), json!({"remind": []})]
    {
        database.as_owner("DELETE FROM tasks").await.unwrap();
        database.as_owner("DELETE FROM scheduled_reminders").await.unwrap();
        database.as_owner("UPDATE users SET last_task_id = 0").await.unwrap();
        reminding(&database, &["-PT30M"]).await;
        let plan = planned(&database).await;
        update(&database, fields.clone()).await;
        assert!(!fire(&database, &plan.put[0].name).await, "{fields}");
    }
    reminders_of_a_deleted_task_do_nothing(&database).await;
    assert_eq!(events(&database, "reminder.due").await, Vec::<Value>::new());
}

async fn reminders_of_a_deleted_task_do_nothing(database: &TestDatabase) {
    update(database, json!({"remind": ["-PT30M"], "completed": false})).await;
    let plan = planned(database).await;
    delete(database).await;
    assert!(!fire(database, &plan.put[0].name).await);
}

async fn a_spent_job_is_replaced_when_its_moment_is_wanted_again(database: TestDatabase) {
    reminding(&database, &["-PT30M"]).await;
    let first = planned(&database).await;
    update(&database, json!({"completed": true})).await;
    assert!(!fire(&database, &first.put[0].name).await);
    update(&database, json!({"completed": false})).await;
    let second = planned(&database).await;
    assert_eq!(moments(&second), moments(&first));
    assert!(fire(&database, &second.put[0].name).await);
}

async fn a_moment_that_was_due_is_not_scheduled_again(database: TestDatabase) {
    reminding(&database, &["-PT30M"]).await;
    let plan = planned(&database).await;
    assert!(fire(&database, &plan.put[0].name).await);
    update(&database, json!({"completed": true})).await;
    assert!(planned(&database).await.is_empty());
    update(&database, json!({"completed": false})).await;
    assert!(planned(&database).await.is_empty());
}

async fn nothing_is_left_of_a_deleted_task(database: TestDatabase) {
    reminding(&database, &["-PT30M", "-PT10M"]).await;
    let plan = planned(&database).await;
    fire(&database, &plan.put[0].name).await;
    delete(&database).await;
    planned(&database).await;
    assert_eq!(count(&database, "scheduled_reminders").await, 0);
}

async fn anothers_reminders_are_not_touched(database: TestDatabase) {
    reminding(&database, &["-PT30M"]).await;
    let plan = planned(&database).await;
    assert!(plan_of(&database, "bob", Timestamp::now()).await.is_empty());
    let mut tx = database.begin("bob").await.unwrap();
    assert!(!reminders::fire(&mut tx, TaskId(1), &plan.put[0].name).await.unwrap());
    assert!(!reminders::wanted(&mut tx, TaskId(1), plan.put[0].remind_at).await.unwrap());
    tx.commit().await.unwrap();
    assert!(fire(&database, &plan.put[0].name).await);
}

async fn due(database: &TestDatabase) -> Event {
    let task = add(database, "ada", task(json!({"title": "Task", "due": DUE}))).await;
    Event::reminder_due("ada", "reminder-1", &task, "-PT30M", at(DUE), at(DUE))
}

async fn a_reminder_is_shown_once(database: TestDatabase) {
    let due = due(&database).await;
    for _ in 0..10 {
        let mut tx = database.begin("ada").await.unwrap();
        reminders::show(&mut tx, &due).await.unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = database.begin("ada").await.unwrap();
    let notifications = reminders::notifications(&mut tx, 10).await.unwrap();
    assert_eq!(notifications.len(), 1);
    assert_eq!((notifications[0].task_id, &notifications[0].event_id), (TaskId(1), &due.event_id));
    assert_eq!(serde_json::from_str::<Value>(&notifications[0].body).unwrap(), due.payload);
    assert_eq!(reminders::sent_over(&mut tx, &due.event_id).await.unwrap(), ["in-app"]);
    drop(tx);
    let [shown, sent] = ["reminder.shown", "reminder.sent"].map(|name| events(&database, name));
    let (shown, sent) = (shown.await, sent.await);
    assert_eq!((shown.len(), sent.len()), (1, 1));
    assert_eq!(sent[0]["data"]["payload"], json!({"channel": "in-app", "attempts": 1}));
    let mut others = database.begin("bob").await.unwrap();
    assert!(reminders::notifications(&mut others, 10).await.unwrap().is_empty());
}

async fn attempts_are_counted_until_one_succeeds(database: TestDatabase) {
    let due = due(&database).await;
    let mut tx = database.begin("ada").await.unwrap();
    assert_eq!(reminders::failed(&mut tx, &due, Channel::Webhook, 8).await.unwrap(), 1);
    assert_eq!(reminders::failed(&mut tx, &due, Channel::Webhook, 8).await.unwrap(), 2);
    reminders::sent(&mut tx, &due, Channel::Webhook).await.unwrap();
    reminders::sent(&mut tx, &due, Channel::Webhook).await.unwrap();
    assert_eq!(reminders::failed(&mut tx, &due, Channel::Webhook, 8).await.unwrap(), 0);
    assert_eq!(reminders::sent_over(&mut tx, &due.event_id).await.unwrap(), ["webhook"]);
    tx.commit().await.unwrap();
    let sent = events(&database, "reminder.sent").await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["data"]["payload"], json!({"channel": "webhook", "attempts": 3}));
    assert!(events(&database, "reminder.failed").await.is_empty());
}

async fn the_last_attempt_that_fails_is_told(database: TestDatabase) {
    let due = due(&database).await;
    for attempt in 1..=4 {
        let mut tx = database.begin("ada").await.unwrap();
        assert_eq!(reminders::failed(&mut tx, &due, Channel::Email, 3).await.unwrap(), attempt);
        tx.commit().await.unwrap();
    }
    let failed = events(&database, "reminder.failed").await;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["data"]["payload"], json!({"channel": "email", "attempts": 3}));
}

async fn what_is_old_is_cleared_away(database: TestDatabase) {
    let due = due(&database).await;
    let mut tx = database.begin("ada").await.unwrap();
    reminders::show(&mut tx, &due).await.unwrap();
    tx.commit().await.unwrap();
    for (old, left) in [(false, 1), (true, 0)] {
        if old {
            database.as_owner("UPDATE notifications SET created_at = 1").await.unwrap();
            database.as_owner("UPDATE deliveries SET tried_at = 1").await.unwrap();
        }
        let mut relay = database.database().begin_relay().await.unwrap();
        relay.clear_reminders(10).await.unwrap();
        relay.commit().await.unwrap();
        assert_eq!(count(&database, "notifications").await, left);
        assert_eq!(count(&database, "deliveries").await, left);
    }
}
