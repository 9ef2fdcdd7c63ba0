//! The five tools for outside MCP clients.

use chat::Config;
use http::StatusCode;
use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, ClientConfig};
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};

use crate::script::Script;
use crate::world::{Replica, World};

const NEWEST: &str = "2026-07-28";

/// A request as a client of `revision` sends it.
fn post(
    world: &World,
    replica: &Replica,
    revision: &str,
    method: &str,
    params: Value,
) -> reqwest::RequestBuilder {
    let mut params = params;
    let mut request = world
        .http
        .post(format!("{}/mcp", replica.url))
        .bearer_auth(world.token("ada"))
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", revision);
    if revision == NEWEST {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = revision.into();
        params["_meta"]["io.modelcontextprotocol/clientInfo"] = json!({ "name": "test", "version": "1" });
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
        request = request.header("mcp-method", method);
        if let Some(name) = params["name"].as_str() {
            request = request.header("mcp-name", name);
        }
    }
    request.json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
}

async fn result(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let (status, body) = (response.status(), response.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["result"].clone()
}

async fn called(world: &World, replica: &Replica, revision: &str, name: &str, arguments: Value) -> Value {
    let params = json!({ "name": name, "arguments": arguments });
    result(post(world, replica, revision, "tools/call", params)).await
}

async fn client(world: &World, replica: &Replica) -> RunningService<RoleClient, ClientConfig> {
    let config = StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", replica.url))
        .auth_header(world.token("ada"));
    let transport = StreamableHttpClientTransport::with_client(world.http.clone(), config);
    ClientConfig::default().serve(transport).await.unwrap()
}

#[tokio::test]
async fn a_client_of_the_official_sdk_lists_and_calls_the_tools() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let client = client(&world, &replica).await;
    let tools = client.list_all_tools().await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    assert_eq!(names, ["add_task", "list_tasks", "complete_task", "delete_task", "update_task"]);
    let arguments = json!({ "title": "Buy milk" }).as_object().cloned().unwrap();
    let added =
        client.call_tool(CallToolRequestParams::new("add_task").with_arguments(arguments)).await.unwrap();
    assert_eq!(added.structured_content.unwrap()["task_id"], 1);
    assert_eq!(world.titles(&replica).await, ["Buy milk"]);
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn user_id_is_offered_and_need_not_be_given() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    for revision in [NEWEST, "2025-06-18"] {
        let list = result(post(&world, &replica, revision, "tools/list", json!({}))).await;
        for tool in list["tools"].as_array().unwrap() {
            assert_eq!(tool["inputSchema"]["properties"]["user_id"]["type"], "string", "{tool}");
            let required = tool["inputSchema"]["required"].as_array().cloned().unwrap_or_default();
            assert!(!required.contains(&json!("user_id")), "{tool}");
            assert!(tool["annotations"]["readOnlyHint"].is_boolean(), "{tool}");
        }
    }
    let own =
        called(&world, &replica, NEWEST, "add_task", json!({ "title": "Mine", "user_id": "ada" })).await;
    assert_eq!(own["isError"], json!(false));
}

#[tokio::test]
async fn a_list_is_an_array_in_the_newest_revision_and_an_object_before() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    for title in ["One", "Two"] {
        called(&world, &replica, NEWEST, "add_task", json!({ "title": title })).await;
    }
    let newest = called(&world, &replica, NEWEST, "list_tasks", json!({ "limit": 1 })).await;
    assert_eq!(newest["structuredContent"].as_array().unwrap().len(), 1, "{newest}");
    let cursor = newest["_meta"]["todo/next-cursor"].as_str().unwrap();
    assert!(newest["content"][1]["text"].as_str().unwrap().contains(cursor));
    let older = called(&world, &replica, "2025-06-18", "list_tasks", json!({})).await;
    assert_eq!(older["structuredContent"]["result"].as_array().unwrap().len(), 2, "{older}");
    for (revision, kind) in [(NEWEST, "array"), ("2025-06-18", "object")] {
        let list = result(post(&world, &replica, revision, "tools/list", json!({}))).await;
        assert_eq!(list["tools"][1]["outputSchema"]["type"], kind);
    }
}

#[tokio::test]
async fn the_handshake_of_older_revisions_is_answered_without_a_session() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    for revision in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let params = json!({
            "protocolVersion": revision, "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
        });
        let response = post(&world, &replica, revision, "initialize", params).send().await.unwrap();
        assert!(!response.headers().contains_key("mcp-session-id"));
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["result"]["protocolVersion"], revision, "{answer}");
        assert_eq!(answer["result"]["serverInfo"]["name"], "todo");
    }
}

#[tokio::test]
async fn a_server_is_discovered() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let answer = result(post(&world, &replica, NEWEST, "server/discover", json!({}))).await;
    assert!(answer["supportedVersions"].as_array().unwrap().contains(&json!(NEWEST)), "{answer}");
}

#[tokio::test]
async fn a_repeated_call_id_gets_the_first_answer() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let params = json!({
        "name": "add_task", "arguments": { "title": "Once" }, "_meta": { "todo/call-id": "mine-1" },
    });
    let first = result(post(&world, &replica, NEWEST, "tools/call", params.clone())).await;
    let again = result(post(&world, &replica, NEWEST, "tools/call", params)).await;
    assert_eq!(first["structuredContent"], again["structuredContent"]);
    assert_eq!(world.titles(&replica).await, ["Once"]);
}

#[tokio::test]
async fn another_persons_user_id_is_refused_and_audited() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let params = json!({ "name": "add_task", "arguments": { "title": "Theirs", "user_id": "bob" } });
    let response = post(&world, &replica, NEWEST, "tools/call", params).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(response.headers()["www-authenticate"].to_str().unwrap().contains("insufficient_scope"));
    let events = world.events_written().await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["type"], "access.refused");
}

#[tokio::test]
async fn mistakes_are_results_and_unknown_tools_are_errors() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let wrong = called(&world, &replica, NEWEST, "add_task", json!({ "title": "" })).await;
    assert_eq!(wrong["isError"], json!(true));
    assert!(wrong["content"][0]["text"].as_str().unwrap().contains("title"), "{wrong}");
    let params = json!({ "name": "fly", "arguments": {} });
    let answer: Value =
        post(&world, &replica, NEWEST, "tools/call", params).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
}

#[tokio::test]
async fn who_has_no_token_is_told_where_to_get_one() {
    let world = World::new().await;
    let public_url = Some("https://todo.example.com".to_owned());
    let policy =
        todo_identity::Policy { issuer: Some("https://id.example.com".to_owned()), ..Default::default() };
    let replica = Replica::start(Config { public_url, policy, ..world.config(Script::new([])) }).await;
    let response = world.http.post(format!("{}/mcp", replica.url)).json(&json!({})).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    let place = "https://todo.example.com/.well-known/oauth-protected-resource/mcp";
    assert!(challenge.ends_with(&format!("resource_metadata=\"{place}\"")), "{challenge}");
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
        let response = world.http.get(format!("{}{path}", replica.url)).send().await.unwrap();
        let metadata: Value = response.json().await.unwrap();
        assert_eq!(metadata["resource"], "https://todo.example.com/mcp");
        assert_eq!(metadata["authorization_servers"], json!(["https://id.example.com"]));
    }
}

#[tokio::test]
async fn pages_and_made_up_hosts_are_kept_out() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    for (name, value) in [("host", "evil.example.com"), ("origin", "https://evil.example.com")] {
        let request = post(&world, &replica, NEWEST, "tools/list", json!({})).header(name, value);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{name}");
    }
    let get = world.http.get(format!("{}/mcp", replica.url)).bearer_auth(world.token("ada"));
    assert_eq!(get.send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    let large = post(&world, &replica, NEWEST, "tools/list", json!({ "cursor": "x".repeat(200_000) }));
    assert_eq!(large.send().await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
}
