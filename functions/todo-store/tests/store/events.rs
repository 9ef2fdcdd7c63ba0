use serde_json::{Value, json};
use todo_domain::TaskId;
use todo_store::testing::TestDatabase;
use todo_store::{Origin, outbox, tasks};

use crate::{add, change, on_both_databases, titled};

on_both_databases! {
    every_change_writes_its_event_and_the_twin,
    an_update_that_changes_nothing_writes_nothing,
    a_change_and_its_events_are_rolled_back_together,
    an_event_is_a_complete_cloud_event,
    a_refused_access_is_told,
}

/// The types and topics of the outbox, oldest first.
async fn outbox(database: &TestDatabase) -> Vec<String> {
    let rows = database.as_owner("SELECT event_type, topic FROM outbox ORDER BY event_id").await.unwrap();
    rows.into_iter().map(|row| row.join(" on ")).collect()
}

async fn every_change_writes_its_event_and_the_twin(database: TestDatabase) {
    add(&database, "ada", titled("Task")).await;
    let mut tx = database.begin("ada").await.unwrap();
    tasks::update(&mut tx, TaskId(1), change(json!({"title": "New", "completed": true}))).await.unwrap();
    tasks::update(&mut tx, TaskId(1), change(json!({"completed": false}))).await.unwrap();
    tasks::delete(&mut tx, TaskId(1)).await.unwrap();
    tx.commit().await.unwrap();
    let told = ["task.created", "task.completed", "task.updated", "task.reopened", "task.deleted"];
    let expected: Vec<_> = told
        .into_iter()
        .flat_map(|kind| [format!("{kind} on task-events"), format!("{kind} on task-updates")])
        .collect();
    assert_eq!(outbox(&database).await, expected);
}

async fn an_update_that_changes_nothing_writes_nothing(database: TestDatabase) {
    let before = add(&database, "ada", titled("Task")).await;
    let mut tx = database.begin("ada").await.unwrap();
    let after =
        tasks::update(&mut tx, TaskId(1), change(json!({"title": "Task", "due": null}))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(after, before);
    assert_eq!(outbox(&database).await.len(), 2);
}

async fn a_change_and_its_events_are_rolled_back_together(database: TestDatabase) {
    add(&database, "ada", titled("Task")).await;
    let mut tx = database.begin("ada").await.unwrap();
    tasks::complete(&mut tx, TaskId(1)).await.unwrap();
    drop(tx);
    assert_eq!(outbox(&database).await.len(), 2);
    let mut tx = database.begin("ada").await.unwrap();
    assert!(!tasks::get(&mut tx, TaskId(1)).await.unwrap().completed());
}

async fn an_event_is_a_complete_cloud_event(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    tx.set_origin(Origin { source: "tool-add-task".to_owned(), traceparent: Some(traceparent.to_owned()) });
    tasks::add(&mut tx, titled("Task")).await.unwrap();
    let now = tx.now().to_string();
    tx.commit().await.unwrap();
    let rows = database.as_owner("SELECT body, event_id FROM outbox ORDER BY event_id").await.unwrap();
    let [event, twin] = [0, 1].map(|n| serde_json::from_str::<Value>(&rows[n][0]).unwrap());
    let task = json!({"id": 1, "title": "Task", "completed": false, "created_at": now});
    let expected = json!({
        "specversion": "1.0", "id": rows[0][1], "type": "task.created", "time": now, "source": "tool-add-task",
        "subject": "task/1", "datacontenttype": "application/json", "partitionkey": "ada", "sequence": "1", "traceparent": traceparent,
        "data": {
            "event_id": rows[0][1], "event_type": "task.created", "user_id": "ada", "timestamp": now, "task_id": 1,
            "payload": {"task": task},
        },
    });
    assert_eq!(event, expected);
    assert_eq!(twin["data"]["update_type"], "created");
    assert_eq!(twin["data"]["changes"], task);
}

async fn a_refused_access_is_told(database: TestDatabase) {
    let mut tx = database.begin("bob").await.unwrap();
    outbox::access_refused(&mut tx, "ada", "user_id is not the token's").await.unwrap();
    tx.commit().await.unwrap();
    let rows = database.as_owner("SELECT user_id, topic, subject, event_type FROM outbox").await.unwrap();
    assert_eq!(rows, [["bob", "task-events", "user/bob", "access.refused"]]);
}
