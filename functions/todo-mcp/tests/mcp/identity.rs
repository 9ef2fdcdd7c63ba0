//! Whose tasks they are: every tool, with another's token, id and task.

use http::StatusCode;
use serde_json::{Value, json};
use todo_identity::FunctionKey;
use todo_mcp::{Tool, function_of};
use tool_add_task::AddTask;
use tool_complete_task::CompleteTask;
use tool_delete_task::DeleteTask;
use tool_list_tasks::ListTasks;
use tool_update_task::UpdateTask;

use crate::world::{Reply, TRACEPARENT, World};

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn assert_unauthorized(reply: &Reply, expected: &str) {
    let challenge = reply.header("www-authenticate");
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{challenge}");
    assert!(challenge.starts_with("Bearer realm=\"todo\""), "{challenge}");
    assert!(challenge.contains(expected), "{challenge} should say {expected}");
}

#[tokio::test]
async fn without_a_token_nothing_is_told_not_even_which_tool_this_is() {
    let world = World::new().await;
    for method in ["server/discover", "tools/list", "tools/call", "notifications/cancelled", "nonsense"] {
        let reply = world
            .send::<ListTasks>(world.post::<ListTasks>(method, json!({})).without("authorization"))
            .await;
        assert_unauthorized(&reply, "realm");
        assert!(
            !reply.header("www-authenticate").contains("error="),
            "RFC 6750: no error code without a token"
        );
        assert!(!String::from_utf8_lossy(&reply.body).contains("list_tasks"));
    }
}

#[tokio::test]
async fn another_scheme_and_two_tokens_are_no_token() {
    let world = World::new().await;
    let token = world.token("ada", "tool-list-tasks");
    let post = || world.call_post::<ListTasks>(json!({}));
    let wrong = [
        post().header("authorization", "Basic YWRhOmFkYQ=="),
        post().header("authorization", &token),
        post().another("authorization", &bearer(&token)),
    ];
    for post in wrong {
        assert_unauthorized(&world.send::<ListTasks>(post).await, "realm");
    }
    let lower = post().header("authorization", &format!("bearer {token}"));
    world.send::<ListTasks>(lower).await.result();
}

#[tokio::test]
async fn a_token_that_does_not_verify_says_why() {
    let world = World::new().await;
    let stranger = FunctionKey::generate().unwrap();
    let forged = stranger.mint(&world.tenant("ada"), "tool-list-tasks").unwrap();
    let elsewhere = world.token("ada", "tool-delete-task");
    for (token, reason) in [
        (forged.as_str(), "not known here"),
        (elsewhere.as_str(), "another audience"),
        ("x.y.z", "invalid_token"),
    ] {
        let post = world.call_post::<ListTasks>(json!({})).header("authorization", &bearer(token));
        assert_unauthorized(&world.send::<ListTasks>(post).await, reason);
    }
}

async fn refuses_another_user_id<T: Tool>(arguments: Value) {
    let world = World::new().await;
    let mut arguments = arguments;
    arguments["user_id"] = json!("bob");
    let post = world.call_post::<T>(arguments).header("traceparent", TRACEPARENT);
    let reply = world.send::<T>(post).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", T::NAME);
    let challenge = reply.header("www-authenticate");
    assert!(challenge.starts_with("Bearer realm=\"todo\", error=\"insufficient_scope\""), "{challenge}");
    assert_eq!(reply.json()["id"], json!(7));

    let [event] = world.events().await.try_into().unwrap();
    assert_eq!(event["type"], json!("access.refused"));
    assert_eq!(event["source"], json!(function_of(T::NAME)));
    assert_eq!(event["traceparent"], json!(TRACEPARENT));
    assert_eq!(event["data"]["user_id"], json!("ada"));
    assert_eq!(event["data"]["payload"]["claimed_user_id"], json!("bob"));
}

#[tokio::test]
async fn every_tool_refuses_and_audits_another_persons_user_id() {
    refuses_another_user_id::<AddTask>(json!({"title": "Tea"})).await;
    refuses_another_user_id::<ListTasks>(json!({})).await;
    refuses_another_user_id::<CompleteTask>(json!({"task_id": 1})).await;
    refuses_another_user_id::<DeleteTask>(json!({"task_id": 1})).await;
    refuses_another_user_id::<UpdateTask>(json!({"task_id": 1, "title": "Tea"})).await;
}

#[tokio::test]
async fn another_persons_user_id_is_refused_before_the_other_arguments_are_read() {
    refuses_another_user_id::<AddTask>(json!({"nonsense": true})).await;
}

#[tokio::test]
async fn another_persons_task_is_not_there() {
    let world = World::new().await;
    world.done::<AddTask>(json!({"title": "Ada's"})).await;
    let as_bob = |post: crate::world::Post, function: &str| {
        let token = world.token("bob", function);
        post.header("authorization", &bearer(&token))
            .edit(|message| message["params"]["arguments"]["user_id"] = json!("bob"))
    };
    let complete = as_bob(world.call_post::<CompleteTask>(json!({"task_id": 1})), "tool-complete-task");
    let delete = as_bob(world.call_post::<DeleteTask>(json!({"task_id": 1})), "tool-delete-task");
    let update =
        as_bob(world.call_post::<UpdateTask>(json!({"task_id": 1, "title": "Bob's"})), "tool-update-task");
    for reply in [
        world.send::<CompleteTask>(complete).await,
        world.send::<DeleteTask>(delete).await,
        world.send::<UpdateTask>(update).await,
    ] {
        let result = reply.result();
        assert_eq!(result["isError"], json!(true));
        assert!(result["content"][0]["text"].as_str().unwrap().contains("there is no task 1"));
    }
    let list = as_bob(world.call_post::<ListTasks>(json!({})), "tool-list-tasks");
    assert_eq!(world.send::<ListTasks>(list).await.result()["structuredContent"], json!([]));
    assert_eq!(world.done::<ListTasks>(json!({})).await[0]["title"], json!("Ada's"));
}
