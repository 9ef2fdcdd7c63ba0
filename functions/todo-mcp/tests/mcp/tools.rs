//! What the five tools do, in the words of the contract.

use serde_json::{Value, json};
use tool_add_task::AddTask;
use tool_complete_task::CompleteTask;
use tool_delete_task::DeleteTask;
use tool_list_tasks::ListTasks;
use tool_update_task::UpdateTask;

use crate::world::{TRACEPARENT, World, meta_with};

#[tokio::test]
async fn each_tool_answers_in_the_shape_of_the_contract() {
    let world = World::new().await;
    let added = world.done::<AddTask>(json!({"title": " Buy tea ", "description": "Green"})).await;
    assert_eq!(added, json!({"task_id": 1, "status": "created", "title": "Buy tea"}));
    let updated = world.done::<UpdateTask>(json!({"task_id": 1, "title": "Buy coffee"})).await;
    assert_eq!(updated, json!({"task_id": 1, "status": "updated", "title": "Buy coffee"}));
    let completed = world.done::<CompleteTask>(json!({"task_id": 1})).await;
    assert_eq!(completed, json!({"task_id": 1, "status": "completed", "title": "Buy coffee"}));
    let listed = world.done::<ListTasks>(json!({"status": "all"})).await;
    assert_eq!(
        (&listed[0]["id"], &listed[0]["title"], &listed[0]["completed"]),
        (&json!(1), &json!("Buy coffee"), &json!(true))
    );
    let deleted = world.done::<DeleteTask>(json!({"task_id": 1})).await;
    assert_eq!(deleted, json!({"task_id": 1, "status": "deleted", "title": "Buy coffee"}));
    assert_eq!(world.done::<ListTasks>(json!({})).await, json!([]));
}

#[tokio::test]
async fn everything_that_can_be_said_about_a_task_comes_back() {
    let world = World::new().await;
    let arguments = json!({
        "title": "Water the plants", "description": "All of them", "due": "2026-11-27T09:00",
        "timezone": "Europe/Berlin", "repeat": "FREQ=WEEKLY;BYDAY=FR", "remind": ["-PT30M"],
        "priority": "high", "tags": ["home"],
    });
    world.done::<AddTask>(arguments).await;
    let task = world.done::<ListTasks>(json!({})).await[0].take();
    assert_eq!(task["due"], json!("2026-11-27T09:00:00+01:00"));
    assert_eq!(task["repeat_text"], json!("every Friday"));
    assert_eq!(
        (&task["priority"], &task["tags"], &task["remind"]),
        (&json!("high"), &json!(["home"]), &json!(["-PT30M"]))
    );
}

#[tokio::test]
async fn completing_a_repeating_task_says_when_it_is_due_again_and_that_it_was_the_last() {
    let world = World::new().await;
    let arguments = json!({
        "title": "Water the plants", "due": "2099-11-27T09:00", "timezone": "Europe/Berlin", "repeat": "FREQ=WEEKLY;BYDAY=FR",
    });
    world.done::<AddTask>(arguments).await;
    let next = json!({
        "due": "2099-12-04T09:00:00+01:00", "timezone": "Europe/Berlin", "repeat_text": "every Friday", "skipped": 0,
    });
    let answer = json!({"task_id": 1, "status": "completed", "title": "Water the plants", "next": next});
    for _ in 0..2 {
        assert_eq!(world.done::<CompleteTask>(json!({"task_id": 1})).await, answer);
    }
    world
        .done::<AddTask>(json!({"title": "Once", "due": "2099-11-27", "repeat": "FREQ=DAILY;COUNT=1"}))
        .await;
    let last = world.done::<CompleteTask>(json!({"task_id": 2})).await;
    assert_eq!(last, json!({"task_id": 2, "status": "completed", "title": "Once"}));
}

#[tokio::test]
async fn null_clears_a_field_and_completed_false_reopens() {
    let world = World::new().await;
    world.done::<AddTask>(json!({"title": "Tea", "priority": "low", "description": "Green"})).await;
    world.done::<CompleteTask>(json!({"task_id": 1})).await;
    world.done::<UpdateTask>(json!({"task_id": 1, "priority": null, "completed": false})).await;
    let task = world.done::<ListTasks>(json!({"status": "pending"})).await[0].take();
    assert_eq!((task.get("priority"), &task["description"]), (None, &json!("Green")));
}

#[tokio::test]
async fn the_text_is_the_structured_result_as_json() {
    let world = World::new().await;
    let result = world.call::<AddTask>(json!({"title": "Tea"})).await;
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, result["structuredContent"]);
    assert_eq!(result["content"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_list_that_goes_on_says_how_to_go_on() {
    let world = World::new().await;
    for title in ["one", "two", "three"] {
        world.done::<AddTask>(json!({"title": title})).await;
    }
    let first = world.call::<ListTasks>(json!({"limit": 2})).await;
    let cursor = first["_meta"]["todo/next-cursor"].as_str().unwrap();
    assert!(first["content"][1]["text"].as_str().unwrap().contains(cursor));
    let second = world.call::<ListTasks>(json!({"limit": 2, "cursor": cursor})).await;
    assert_eq!(second["structuredContent"][0]["title"], json!("three"));
    assert_eq!((second.get("_meta"), second["content"].as_array().map(Vec::len)), (None, Some(1)));
}

#[tokio::test]
async fn a_change_writes_its_events_with_the_function_and_the_trace() {
    let world = World::new().await;
    let post = world.call_post::<AddTask>(json!({"title": "Tea"})).header("traceparent", TRACEPARENT);
    world.send::<AddTask>(post).await.result();
    let events = world.events().await;
    assert_eq!(events.len(), 2, "one for consumers, one for pages");
    for event in events {
        assert_eq!((&event["type"], &event["source"]), (&json!("task.created"), &json!("tool-add-task")));
        assert_eq!(event["traceparent"], json!(TRACEPARENT));
    }
}

#[tokio::test]
async fn the_trace_may_come_in_meta_and_a_broken_one_is_ignored() {
    let world = World::new().await;
    let arguments = json!({"user_id": "ada", "title": "Tea"});
    let params =
        json!({"name": "add_task", "arguments": arguments, "_meta": meta_with("traceparent", TRACEPARENT)});
    let post = world.post::<AddTask>("tools/call", params).header("traceparent", "00-short-1-01");
    world.send::<AddTask>(post).await.result();
    assert_eq!(world.events().await[0]["traceparent"], json!(TRACEPARENT));

    for broken in [
        "",
        "nonsense",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        &TRACEPARENT.to_uppercase(),
    ] {
        let world = World::new().await;
        let post = world.call_post::<AddTask>(json!({"title": "Tea"})).header("traceparent", broken);
        world.send::<AddTask>(post).await.result();
        assert!(world.events().await[0].get("traceparent").is_none(), "{broken}");
    }
}
