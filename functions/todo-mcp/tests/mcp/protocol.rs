//! What revision 2026-07-28 demands of a message, and what it gets in return.

use http::StatusCode;
use serde_json::{Value, json};
use tool_add_task::AddTask;
use tool_list_tasks::ListTasks;

use crate::world::{Post, World, meta, meta_with};

fn list(world: &World) -> Post {
    world.post::<ListTasks>("tools/list", json!({}))
}

async fn error_of(world: &World, post: Post) -> (u16, i64) {
    world.send::<ListTasks>(post).await.error()
}

#[tokio::test]
async fn discovery_names_the_revision_the_capability_and_the_function() {
    let world = World::new().await;
    let result = world.send::<AddTask>(world.post::<AddTask>("server/discover", json!({}))).await.result();
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(result["capabilities"], json!({"tools": {}}));
    assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], json!("tool-add-task"));
    assert_eq!((&result["cacheScope"], result["ttlMs"].as_u64() > Some(0)), (&json!("public"), true));
}

#[tokio::test]
async fn a_function_lists_its_one_tool_and_for_how_long_that_holds() {
    let world = World::new().await;
    let result = world.send::<ListTasks>(list(&world)).await.result();
    assert_eq!(result["tools"].as_array().map(Vec::len), Some(1));
    assert_eq!(result["tools"][0]["name"], json!("list_tasks"));
    assert_eq!((&result["cacheScope"], result["ttlMs"].as_u64() > Some(0)), (&json!("public"), true));
    assert!(result.get("nextCursor").is_none());
}

#[tokio::test]
async fn a_list_of_one_page_knows_no_cursor() {
    let world = World::new().await;
    let post = world.post::<ListTasks>("tools/list", json!({"cursor": "2"}));
    assert_eq!(error_of(&world, post).await, (200, -32602));
}

#[tokio::test]
async fn the_answer_carries_the_id_of_its_request_whatever_kind_it_is() {
    let world = World::new().await;
    for id in [json!("seven"), json!(0), json!(-3)] {
        let reply = world.send::<ListTasks>(list(&world).edit(|message| message["id"] = id.clone())).await;
        assert_eq!(reply.json()["id"], id);
        let wrong = list(&world).without("mcp-method").edit(|message| message["id"] = id.clone());
        assert_eq!(world.send::<ListTasks>(wrong).await.json()["id"], id);
    }
}

#[tokio::test]
async fn notifications_are_accepted_without_an_answer() {
    let world = World::new().await;
    let post = world.post::<ListTasks>("notifications/cancelled", json!({})).edit(|message| {
        message.as_object_mut().unwrap().remove("id");
    });
    let reply = world.send::<ListTasks>(post).await;
    assert_eq!((reply.status, reply.body.len()), (StatusCode::ACCEPTED, 0));
}

#[tokio::test]
async fn what_is_not_json_is_a_parse_error_without_an_id() {
    let world = World::new().await;
    for body in ["", "{", "{\"jsonrpc\": \"2.0\",}", "\u{feff}{}"] {
        let reply = world.send::<ListTasks>(list(&world).body(body)).await;
        assert_eq!(reply.error(), (400, -32700), "{body}");
        assert!(reply.json().get("id").is_none());
    }
}

#[tokio::test]
async fn what_is_not_one_json_rpc_request_is_invalid() {
    let world = World::new().await;
    let one = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"});
    let wrong = [
        json!([one]),
        json!("tools/list"),
        json!({"id": 7, "method": "tools/list"}),
        json!({"jsonrpc": "1.0", "id": 7, "method": "tools/list"}),
        json!({"jsonrpc": "2.0", "id": 7}),
        json!({"jsonrpc": "2.0", "id": 7, "method": 3}),
        json!({"jsonrpc": "2.0", "id": null, "method": "tools/list"}),
        json!({"jsonrpc": "2.0", "id": {}, "method": "tools/list"}),
        json!({"jsonrpc": "2.0", "id": 7, "result": {}}),
    ];
    for body in wrong {
        assert_eq!(error_of(&world, list(&world).json(&body)).await, (400, -32600), "{body}");
    }
}

#[tokio::test]
async fn an_unknown_method_is_not_found_and_so_are_those_of_older_revisions() {
    let world = World::new().await;
    for method in
        ["tools/sing", "ping", "resources/list", "prompts/list", "subscriptions/listen", "tasks/get"]
    {
        let post = world.post::<ListTasks>(method, json!({}));
        assert_eq!(error_of(&world, post).await, (404, -32601), "{method}");
    }
}

#[tokio::test]
async fn another_revision_is_told_which_one_is_spoken() {
    let world = World::new().await;
    for version in ["2025-11-25", "2099-01-01"] {
        let meta = meta_with("io.modelcontextprotocol/protocolVersion", version);
        let post = world.post::<ListTasks>("tools/list", json!({"_meta": meta}));
        let reply = world.send::<ListTasks>(post.header("mcp-protocol-version", version)).await;
        assert_eq!(reply.error(), (400, -32022));
        assert_eq!(reply.json()["error"]["data"], json!({"requested": version, "supported": ["2026-07-28"]}));
    }
}

#[tokio::test]
async fn a_handshake_is_told_which_revision_is_spoken() {
    let world = World::new().await;
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}});
    let post = list(&world)
        .without("mcp-protocol-version")
        .without("mcp-method")
        .json(&json!({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": params}));
    let reply = world.send::<ListTasks>(post).await;
    assert_eq!(reply.error(), (400, -32022));
    assert_eq!(reply.json()["error"]["data"]["supported"], json!(["2026-07-28"]));
}

#[tokio::test]
async fn a_required_meta_key_that_is_missing_or_malformed_is_named() {
    let world = World::new().await;
    for (key, wrong) in [
        ("io.modelcontextprotocol/protocolVersion", json!(20260728)),
        ("io.modelcontextprotocol/clientCapabilities", json!("all")),
    ] {
        for value in [Value::Null, wrong] {
            let post = world.post::<ListTasks>("tools/list", json!({"_meta": meta_with(key, value)}));
            let reply = world.send::<ListTasks>(post).await;
            assert_eq!(reply.error(), (400, -32602), "{key}");
            assert!(reply.json()["error"]["message"].as_str().unwrap().contains(key));
        }
    }
    let bare = list(&world).edit(|message| message["params"] = json!({}));
    assert_eq!(error_of(&world, bare).await, (400, -32602));
    let absent = list(&world).edit(|message| {
        message.as_object_mut().unwrap().remove("params");
    });
    assert_eq!(error_of(&world, absent).await, (400, -32602));
}

#[tokio::test]
async fn the_client_need_not_say_who_it_is() {
    let world = World::new().await;
    let mut meta = meta();
    meta.as_object_mut().unwrap().remove("io.modelcontextprotocol/clientInfo");
    world.send::<ListTasks>(world.post::<ListTasks>("tools/list", json!({"_meta": meta}))).await.result();
}

#[tokio::test]
async fn headers_must_say_what_the_body_says() {
    let world = World::new().await;
    let call = || world.call_post::<ListTasks>(json!({}));
    let older = meta_with("io.modelcontextprotocol/protocolVersion", "2025-11-25");
    let wrong = [
        list(&world).without("mcp-method"),
        list(&world).header("mcp-method", "tools/call"),
        list(&world).header("mcp-method", "Tools/List"),
        list(&world).another("mcp-method", "tools/list"),
        list(&world).without("mcp-protocol-version"),
        list(&world).another("mcp-protocol-version", "2026-07-28"),
        world.post::<ListTasks>("tools/list", json!({"_meta": older})),
        call().without("mcp-name"),
        call().header("mcp-name", "delete_task"),
        call().header("mcp-name", "=?base64?!?="),
        call().another("mcp-name", "list_tasks"),
    ];
    for (number, post) in wrong.into_iter().enumerate() {
        assert_eq!(error_of(&world, post).await, (400, -32020), "number {number}");
    }
}

#[tokio::test]
async fn a_name_may_travel_in_base64() {
    let world = World::new().await;
    let post = world.call_post::<ListTasks>(json!({})).header("mcp-name", "=?base64?bGlzdF90YXNrcw==?=");
    world.send::<ListTasks>(post).await.result();
}

#[tokio::test]
async fn params_of_the_wrong_shape_are_invalid() {
    let world = World::new().await;
    let call = |params: Value| world.post::<ListTasks>("tools/call", params).header("mcp-name", "list_tasks");
    let array = list(&world).edit(|message| message["params"] = json!([1]));
    assert_eq!(error_of(&world, array).await, (400, -32602));
    assert_eq!(error_of(&world, call(json!({"arguments": {}}))).await, (200, -32602));
    assert_eq!(error_of(&world, call(json!({"name": "list_tasks", "arguments": [1]}))).await, (200, -32602));
}

#[tokio::test]
async fn a_tool_of_another_function_is_unknown_here() {
    let world = World::new().await;
    let post = world
        .post::<ListTasks>("tools/call", json!({"name": "delete_task", "arguments": {"user_id": "ada"}}));
    let reply = world.send::<ListTasks>(post).await;
    assert_eq!(reply.error(), (200, -32602));
    assert!(reply.json()["error"]["message"].as_str().unwrap().contains("list_tasks"));
}
