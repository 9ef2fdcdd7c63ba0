//! Mistakes in the arguments: results that tell a model how to correct itself, and that change nothing.

use serde_json::{Value, json};
use todo_mcp::Tool;
use tool_add_task::AddTask;
use tool_complete_task::CompleteTask;
use tool_delete_task::DeleteTask;
use tool_list_tasks::ListTasks;
use tool_update_task::UpdateTask;

use crate::world::World;

async fn explains<T: Tool>(world: &World, arguments: Value, expected: &[&str]) {
    let text = world.mistake::<T>(arguments.clone()).await;
    for word in expected {
        assert!(text.contains(word), "{} {arguments}: {text:?} should say {word:?}", T::NAME);
    }
}

#[tokio::test]
async fn an_unknown_missing_or_mistyped_argument_is_named() {
    let world = World::new().await;
    explains::<AddTask>(&world, json!({}), &["title"]).await;
    explains::<AddTask>(&world, json!({"title": "Tea", "deadline": "2026-11-27"}), &["deadline", "due"])
        .await;
    explains::<AddTask>(&world, json!({"title": 7}), &["title", "string"]).await;
    explains::<AddTask>(&world, json!({"title": "Tea", "tags": "home"}), &["tags"]).await;
    explains::<AddTask>(&world, json!({"title": "Tea", "priority": "asap"}), &["priority", "urgent"]).await;
    explains::<ListTasks>(&world, json!({"status": "open"}), &["status", "pending"]).await;
    explains::<CompleteTask>(&world, json!({"task_id": "tea"}), &["task_id"]).await;
    explains::<DeleteTask>(&world, json!({}), &["task_id"]).await;
    explains::<UpdateTask>(&world, json!({"task_id": 1, "done": true}), &["done", "completed"]).await;
}

#[tokio::test]
async fn a_user_id_that_is_absent_or_no_string_is_a_mistake_like_others() {
    let world = World::new().await;
    for arguments in [json!({"title": "Tea"}), json!({"title": "Tea", "user_id": 7})] {
        let post = world.call_post::<AddTask>(json!({"title": "Tea"}));
        let post = post.edit(|message| message["params"]["arguments"] = arguments);
        let result = world.send::<AddTask>(post).await.result();
        assert_eq!(result["isError"], json!(true));
        assert!(result["content"][0]["text"].as_str().unwrap().contains("user_id"), "{result}");
    }
    let post = world.call_post::<AddTask>(json!({})).edit(|message| {
        message["params"].as_object_mut().unwrap().remove("arguments");
    });
    assert_eq!(world.send::<AddTask>(post).await.result()["isError"], json!(true));
}

#[tokio::test]
async fn a_value_out_of_bounds_is_explained() {
    let world = World::new().await;
    let long = "x".repeat(201);
    explains::<AddTask>(&world, json!({"title": "  "}), &["title", "empty"]).await;
    explains::<AddTask>(&world, json!({"title": long}), &["title", "201", "200"]).await;
    explains::<AddTask>(&world, json!({"title": "Tea", "due": "tomorrow"}), &["due", "2026-"]).await;
    explains::<AddTask>(
        &world,
        json!({"title": "Tea", "due": "2026-11-27", "timezone": "Mars/Base"}),
        &["timezone"],
    )
    .await;
    explains::<AddTask>(&world, json!({"title": "Tea", "repeat": "FREQ=DAILY"}), &["due"]).await;
    explains::<AddTask>(
        &world,
        json!({"title": "Tea", "due": "2026-11-27", "repeat": "weekly"}),
        &["repeat"],
    )
    .await;
    explains::<AddTask>(
        &world,
        json!({"title": "Tea", "due": "2026-11-27", "remind": ["soon"]}),
        &["remind"],
    )
    .await;
    explains::<ListTasks>(&world, json!({"limit": 201}), &["limit", "200"]).await;
    explains::<ListTasks>(&world, json!({"cursor": "made up"}), &["cursor"]).await;
    explains::<CompleteTask>(&world, json!({"task_id": 0}), &["task_id"]).await;
    explains::<UpdateTask>(&world, json!({"task_id": 1}), &["nothing to change"]).await;
    assert_eq!(world.events().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_task_that_is_not_there_leads_to_the_list() {
    let world = World::new().await;
    let expected = ["there is no task 9", "list_tasks"];
    explains::<CompleteTask>(&world, json!({"task_id": 9}), &expected).await;
    explains::<DeleteTask>(&world, json!({"task_id": 9}), &expected).await;
    explains::<UpdateTask>(&world, json!({"task_id": 9, "title": "Tea"}), &expected).await;
}
