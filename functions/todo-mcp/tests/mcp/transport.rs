//! What HTTP must look like.

use http::StatusCode;
use serde_json::json;
use todo_mcp::BODY_LIMIT;
use tool_list_tasks::ListTasks;

use crate::world::{Post, World};

fn discover(world: &World) -> Post {
    world.post::<ListTasks>("server/discover", json!({}))
}

#[tokio::test]
async fn the_endpoint_answers_under_the_paths_of_knative_and_of_spin() {
    let world = World::new().await;
    for path in ["/mcp", "/tool-list-tasks/mcp"] {
        world.send::<ListTasks>(discover(&world).path(path)).await.result();
    }
}

#[tokio::test]
async fn another_path_is_not_found() {
    let world = World::new().await;
    for path in ["/mcp/", "/mcp/tasks", "/healthz"] {
        let reply = world.send::<ListTasks>(discover(&world).path(path)).await;
        assert_eq!(reply.error(), (404, -32600), "{path}");
    }
}

#[tokio::test]
async fn there_is_no_stream_to_get_and_no_session_to_delete() {
    let world = World::new().await;
    for verb in ["GET", "DELETE", "PUT", "OPTIONS"] {
        let reply = world.send::<ListTasks>(discover(&world).verb(verb)).await;
        assert_eq!((reply.status, reply.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"), "{verb}");
    }
}

#[tokio::test]
async fn a_request_from_a_web_page_is_refused() {
    let world = World::new().await;
    let reply = world.send::<ListTasks>(discover(&world).header("origin", "https://evil.example")).await;
    assert_eq!(reply.error(), (403, -32600));
}

#[tokio::test]
async fn only_json_is_read() {
    let world = World::new().await;
    for wrong in ["text/plain", "application/x-www-form-urlencoded", "application/json-patch"] {
        let reply = world.send::<ListTasks>(discover(&world).header("content-type", wrong)).await;
        assert_eq!(reply.error(), (415, -32600), "{wrong}");
    }
    assert_eq!(
        world.send::<ListTasks>(discover(&world).without("content-type")).await.error(),
        (415, -32600)
    );
    let right = discover(&world).header("content-type", "Application/JSON; charset=utf-8");
    world.send::<ListTasks>(right).await.result();
}

#[tokio::test]
async fn only_json_is_answered() {
    let world = World::new().await;
    let reply =
        world.send::<ListTasks>(discover(&world).header("accept", "text/event-stream, text/html")).await;
    assert_eq!(reply.error(), (406, -32600));
    for accept in ["application/json", "*/*", "text/html, application/*;q=0.8"] {
        world.send::<ListTasks>(discover(&world).header("accept", accept)).await.result();
    }
    world.send::<ListTasks>(discover(&world).without("accept")).await.result();
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_one_at_the_limit_is_read() {
    let world = World::new().await;
    let padded = |length: usize| {
        let post = discover(&world);
        let mut body = json!({"jsonrpc": "2.0", "id": 7, "method": "server/discover",
                              "params": {"_meta": crate::world::meta()}})
        .to_string();
        body.push_str(&" ".repeat(length - body.len()));
        post.body(body)
    };
    world.send::<ListTasks>(padded(BODY_LIMIT)).await.result();
    assert_eq!(world.send::<ListTasks>(padded(BODY_LIMIT + 1)).await.error(), (413, -32600));
}

#[tokio::test]
async fn answers_are_json_of_a_stated_length_that_nobody_may_cache() {
    let world = World::new().await;
    let reply = world.send::<ListTasks>(discover(&world)).await;
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());
    assert_eq!(reply.header("cache-control"), "no-store");
}
