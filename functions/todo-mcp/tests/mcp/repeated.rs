//! A call that is sent again, and a store that fails.

use http::StatusCode;
use serde_json::{Value, json};
use todo_mcp::Tool;
use tool_add_task::AddTask;
use tool_delete_task::DeleteTask;
use tool_list_tasks::ListTasks;

use crate::world::{Post, World, meta_with};

fn with_id<T: Tool>(world: &World, id: impl Into<Value>, arguments: Value) -> Post {
    let id = id.into();
    world.call_post::<T>(arguments).edit(|message| message["params"]["_meta"] = meta_with("todo/call-id", id))
}

#[tokio::test]
async fn the_same_call_again_returns_the_first_answer_and_changes_nothing() {
    let world = World::new().await;
    let first = world.send::<AddTask>(with_id::<AddTask>(&world, "call-1", json!({"title": "Tea"}))).await;
    let again = world.send::<AddTask>(with_id::<AddTask>(&world, "call-1", json!({"title": "Tea"}))).await;
    assert_eq!(first.result(), again.result());
    assert_eq!(world.done::<ListTasks>(json!({})).await.as_array().map(Vec::len), Some(1));
    assert_eq!(world.events().await.len(), 2);
}

#[tokio::test]
async fn a_deletion_that_is_sent_again_succeeds_again() {
    let world = World::new().await;
    world.done::<AddTask>(json!({"title": "Tea"})).await;
    for _ in 0..2 {
        let result =
            world.send::<DeleteTask>(with_id::<DeleteTask>(&world, "call-2", json!({"task_id": 1}))).await;
        assert_eq!(result.result()["structuredContent"]["status"], json!("deleted"));
    }
    world.mistake::<DeleteTask>(json!({"task_id": 1})).await;
}

#[tokio::test]
async fn another_call_under_the_same_id_is_refused() {
    let world = World::new().await;
    world.send::<AddTask>(with_id::<AddTask>(&world, "call-1", json!({"title": "Tea"}))).await.result();
    let other = world.send::<AddTask>(with_id::<AddTask>(&world, "call-1", json!({"title": "Coffee"}))).await;
    assert_eq!(other.error(), (200, -32602));
    let delete =
        world.send::<DeleteTask>(with_id::<DeleteTask>(&world, "call-1", json!({"task_id": 1}))).await;
    assert_eq!(delete.error(), (200, -32602));
}

#[tokio::test]
async fn calls_without_an_id_are_different_calls() {
    let world = World::new().await;
    assert_eq!(world.done::<AddTask>(json!({"title": "Tea"})).await["task_id"], json!(1));
    assert_eq!(world.done::<AddTask>(json!({"title": "Tea"})).await["task_id"], json!(2));
}

#[tokio::test]
async fn a_mistake_is_not_remembered() {
    let world = World::new().await;
    let delete = || with_id::<DeleteTask>(&world, "call-1", json!({"task_id": 1}));
    assert_eq!(world.send::<DeleteTask>(delete()).await.result()["isError"], json!(true));
    world.done::<AddTask>(json!({"title": "Tea"})).await;
    assert_eq!(world.send::<DeleteTask>(delete()).await.result()["isError"], json!(false));
}

#[tokio::test]
async fn reading_is_never_remembered() {
    let world = World::new().await;
    let list = || with_id::<ListTasks>(&world, "call-1", json!({}));
    assert_eq!(world.send::<ListTasks>(list()).await.result()["structuredContent"], json!([]));
    world.done::<AddTask>(json!({"title": "Tea"})).await;
    assert_eq!(world.send::<ListTasks>(list()).await.result()["structuredContent"][0]["title"], json!("Tea"));
}

#[tokio::test]
async fn an_id_must_be_short_and_visible() {
    let world = World::new().await;
    for id in [json!(""), json!("a b"), json!("ü"), json!(7), json!("x".repeat(201))] {
        let post = with_id::<AddTask>(&world, id.clone(), json!({"title": "Tea"}));
        assert_eq!(world.send::<AddTask>(post).await.error(), (200, -32602), "{id}");
    }
    let longest = with_id::<AddTask>(&world, "x".repeat(200), json!({"title": "Tea"}));
    world.send::<AddTask>(longest).await.result();
}

#[tokio::test]
async fn a_store_that_is_away_is_a_503_that_tells_nothing_of_it() {
    let world = World::new().await;
    let post = world.call_post::<AddTask>(json!({"title": "Tea"}));
    let listed = world.post::<AddTask>("tools/list", json!({}));
    world.database.database().close().await;
    let reply = world.send::<AddTask>(post).await;
    assert_eq!((reply.error(), reply.header("retry-after")), ((503, -32603), "1"));
    let message = reply.json()["error"].to_string();
    assert!(!message.contains("sqlite") && !message.contains("pool"), "{message}");
    world.send::<AddTask>(listed).await.result();
}

#[tokio::test]
async fn another_user_id_is_refused_even_when_it_cannot_be_audited() {
    let world = World::new().await;
    let post = world.call_post::<AddTask>(json!({"title": "Tea", "user_id": "bob"}));
    world.database.database().close().await;
    assert_eq!(world.send::<AddTask>(post).await.status, StatusCode::FORBIDDEN);
}
