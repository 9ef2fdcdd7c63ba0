//! What a person's programs send.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Answer, Contract, Place};

const CHAT: &str = "post /api/{user_id}/chat";
const MCP: &str = "post /mcp";
const METADATA: &str = "/.well-known/oauth-protected-resource";

pub async fn talks(place: &Place, contract: &mut Contract) {
    let first = says(
        place,
        contract,
        json!({"message": "add water the plants tomorrow at 9", "timezone": "Europe/Berlin"}),
    )
    .await;
    let conversation = first["conversation_id"].clone();
    for message in ["add feed the cat", "add feed the dog", "show my tasks", "what is the capital of France?"]
    {
        says(place, contract, json!({"message": message, "conversation_id": conversation})).await;
    }
    let streamed = streams(place, contract, json!({"message": "add buy bread"})).await;
    assert!(streamed.event("conversation")["conversation_id"].is_number());
    assert!(streamed.event("done")["response"].is_string());
    // Only our own is known to ask.
    if place.world.is_some() {
        assert!(streamed.event("tool_result")["is_error"] == false);
        let asked = streams(
            place,
            contract,
            json!({"message": "delete all my tasks", "conversation_id": conversation}),
        )
        .await;
        assert!(asked.event("approval")["question"].is_string());
        says(place, contract, json!({"message": "no", "conversation_id": conversation})).await;
    }
}

async fn says(place: &Place, contract: &mut Contract, body: Value) -> Value {
    let response = place.chat().json(&body).send().await.unwrap();
    contract.holds(CHAT, 200, response).await.json()
}

async fn streams(place: &Place, contract: &mut Contract, body: Value) -> Answer {
    let response = place.chat().header("accept", "text/event-stream").json(&body).send().await.unwrap();
    contract.holds(CHAT, 200, response).await
}

pub async fn speaks_chatkit(place: &Place, contract: &mut Contract) {
    let words = |text: &str| json!({"content": [{"type": "input_text", "text": text}], "attachments": []});
    let created = json!({"type": "threads.create", "params": {"input": words("add call the bank")}, "metadata": {"timezone": "Asia/Tokyo"}});
    let events = streams(place, contract, created).await.events;
    let thread = events.iter().find_map(|(_, event)| event["thread"]["id"].as_str()).unwrap().to_owned();
    let more = json!({"type": "threads.add_user_message", "params": {"thread_id": thread, "input": words("show my tasks")}});
    streams(place, contract, more).await;
    let action = json!({"type": "threads.custom_action", "params": {"thread_id": thread}});
    assert!(streams(place, contract, action).await.event("")["message"].is_string());
    let plain = [
        json!({"type": "threads.list", "params": {"limit": 2}}),
        json!({"type": "threads.list", "params": {"order": "asc"}}),
        json!({"type": "threads.get_by_id", "params": {"thread_id": thread}}),
        json!({"type": "items.list", "params": {"thread_id": thread, "limit": 1}}),
        json!({"type": "items.list", "params": {"thread_id": thread, "order": "asc"}}),
        json!({"type": "threads.update", "params": {"thread_id": thread, "title": "The bank"}}),
        json!({"type": "items.feedback", "params": {"thread_id": thread, "item_ids": ["1"], "kind": "positive"}}),
        json!({"type": "tasks.list", "params": {"status": "pending", "sort": "due", "limit": 1}}),
        json!({"type": "tasks.list", "params": {"status": "all"}}),
        json!({"type": "threads.delete", "params": {"thread_id": thread}}),
    ];
    for body in plain {
        says(place, contract, body).await;
    }
}

pub async fn is_refused(place: &Place, contract: &mut Contract) {
    let path = format!("/api/{}/chat", place.person);
    let hello = json!({"message": "hello"});
    let huge = json!({"message": "x".repeat(300 * 1024)});
    let unknown = json!({"message": "hello", "conversation_id": 999_999_999});
    let requests = [
        (400, place.chat().json(&json!({"message": ""}))),
        (400, place.chat().json(&json!({"type": "threads.explode"}))),
        (401, place.post(&path).json(&hello)),
        (401, place.post(&path).bearer_auth("e30.e30.e30").json(&hello)),
        (403, place.post("/api/somebody-else/chat").bearer_auth(place.token()).json(&hello)),
        (404, place.chat().json(&unknown)),
        (404, place.chat().json(&json!({"type": "threads.get_by_id", "params": {"thread_id": "none"}}))),
        (413, place.chat().json(&huge)),
        (415, place.chat().body("hello").header("content-type", "text/plain")),
        (422, place.chat().json(&json!({"type": "input.transcribe", "params": {}}))),
    ];
    for (status, request) in requests {
        contract.holds(CHAT, status, request.send().await.unwrap()).await;
    }
    let other = place.get(&path).bearer_auth(place.token()).send().await.unwrap();
    assert_eq!((other.status().as_u16(), other.headers()["allow"].to_str().unwrap()), (405, "POST"));
}

pub async fn speaks_mcp(place: &Place, contract: &mut Contract) {
    let listed = mcp(place, "tools/list", json!({})).await;
    let tools = contract.holds(MCP, 200, listed).await.json()["result"]["tools"].clone();
    let names: Vec<_> = tools.as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(json!(names), contract.document["components"]["schemas"]["ToolName"]["enum"]);
    for arguments in [json!({"title": "by MCP"}), json!({"title": ""})] {
        let called = mcp(place, "tools/call", json!({"name": "add_task", "arguments": arguments})).await;
        contract.holds(MCP, 200, called).await;
    }
    let anothers = json!({"name": "list_tasks", "arguments": {"user_id": "somebody-else"}});
    contract.holds(MCP, 403, mcp(place, "tools/call", anothers).await).await;
    contract.holds(MCP, 404, mcp(place, "nothing/at-all", json!({})).await).await;
    let (json, both) = ("application/json", "application/json, text/event-stream");
    let request = |revision: &str, accept: &str, kind: &str| {
        let request = place.post("/mcp").bearer_auth(place.token()).header("mcp-protocol-version", revision);
        request.header("accept", accept).header("content-type", kind)
    };
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized"}).to_string();
    let huge = format!("\"{}\"", "x".repeat(200 * 1024));
    let known = "2025-06-18";
    let requests = [
        (200, request(known, both, json).body(ping.clone())),
        (202, request(known, both, json).body(told)),
        (400, request("1999-01-01", both, json).body(ping.clone())),
        (400, mcp_request(place, "tools/call", "tools/list", json!({}))),
        (401, place.post("/mcp").json(&json!({}))),
        (406, request(known, "text/html", json).body(ping.clone())),
        (413, request(known, both, json).body(huge)),
        (415, request(known, both, "text/plain").body(ping)),
        (415, request(known, both, json).body("{")),
    ];
    for (status, request) in requests {
        contract.holds(MCP, status, request.send().await.unwrap()).await;
    }
}

/// Adds a task past the agent.
pub async fn adds(place: &Place, arguments: Value) {
    let added = mcp(place, "tools/call", json!({"name": "add_task", "arguments": arguments})).await;
    assert!(added.status().is_success());
}

/// One request of the stateless revision.
async fn mcp(place: &Place, method: &str, params: Value) -> Response {
    mcp_request(place, method, method, params).send().await.unwrap()
}

/// The same, whose header and body may differ.
fn mcp_request(place: &Place, header: &str, method: &str, mut params: Value) -> RequestBuilder {
    let name = params["name"].as_str().unwrap_or_default().to_owned();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "contract", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let request =
        place.post("/mcp").bearer_auth(place.token()).header("accept", "application/json, text/event-stream");
    let request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", header);
    let request = if name.is_empty() { request } else { request.header("mcp-name", name) };
    request.json(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
}

pub async fn looks_around(place: &Place, contract: &mut Contract) {
    for path in ["/", METADATA, "/.well-known/oauth-protected-resource/mcp", "/healthz", "/readyz"] {
        let response = place.get(path).send().await.unwrap();
        contract.holds(&format!("get {path}"), 200, response).await;
    }
    // Beyond a cluster's edge everybody comes through a proxy.
    if place.world.is_some() {
        contract.holds("get /metrics", 200, place.get("/metrics").send().await.unwrap()).await;
    }
    let forwarded = place.get("/metrics").header("x-forwarded-for", "192.0.2.1").send().await.unwrap();
    contract.holds("get /metrics", 404, forwarded).await;
    let files = contract.document["paths"]["/{file}"]["get"]["parameters"][0]["schema"]["enum"].clone();
    for file in files.as_array().unwrap() {
        let path = format!("/{}", file.as_str().unwrap());
        contract.holds("get /{file}", 200, place.get(&path).send().await.unwrap()).await;
    }
    contract.holds("get /{file}", 404, place.get("/no-such-file.js").send().await.unwrap()).await;
    for (path, operation) in [("/", "get /"), ("/page.js", "get /{file}")] {
        let known = place.get(path).header("if-none-match", "*").send().await.unwrap();
        contract.holds(operation, 304, known).await;
    }
}

/// Leaves nothing behind where it was a guest.
pub async fn tidies_up(place: &Place) {
    if place.world.is_some() {
        return;
    }
    let body = json!({"type": "tasks.list", "params": {"status": "all", "limit": 200}});
    let tasks: Value = place.chat().json(&body).send().await.unwrap().json().await.unwrap();
    for task in tasks["data"].as_array().unwrap() {
        mcp(place, "tools/call", json!({"name": "delete_task", "arguments": {"task_id": task["id"]}})).await;
    }
}
