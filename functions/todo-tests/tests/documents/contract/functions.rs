//! What the platform sends to functions.

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use todo_tests::World;

use super::Contract;

const MCP: &str = "post /mcp";
const EVENT: &str = "post /";
const JOB: &str = "post /job/{name}";

pub async fn answer(world: &World, contract: &mut Contract) {
    tools(world, contract).await;
    events(world, contract).await;
    jobs(world, contract).await;
    alone(world, contract).await;
}

async fn tools(world: &World, contract: &mut Contract) {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "contract", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let body = |method: &str, mut params: Value| {
        params["_meta"] = meta.clone();
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    };
    let call = |arguments: Value| body("tools/call", json!({"name": "add_task", "arguments": arguments}));
    let good = call(json!({"user_id": "ada", "title": "by hand"}));
    let anothers = call(json!({"user_id": "bob", "title": "not his"}));
    let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized", "params": {"_meta": meta}});
    let url = format!("{}/mcp", world.function_url("tool-add-task"));
    let plain = |request: RequestBuilder| request.header("content-type", "application/json");
    // Each with a token of its own, which is good for a minute.
    let add = || world.function("tool-add-task", "ada");
    let unacceptable = || Client::new().post(&url).bearer_auth(add().token()).header("accept", "text/html");
    let mut holds = async |status: u16, request: RequestBuilder| {
        contract.holds(MCP, status, request.send().await.unwrap()).await;
    };
    holds(200, add().request("server/discover").json(&body("server/discover", json!({})))).await;
    holds(200, add().request("tools/list").json(&body("tools/list", json!({})))).await;
    holds(200, add().request("tools/call").json(&good)).await;
    holds(200, add().request("tools/call").json(&call(json!({"user_id": "ada", "title": ""})))).await;
    holds(202, add().request("notifications/initialized").json(&told)).await;
    holds(400, plain(add().request("tools/list")).body("{")).await;
    holds(401, plain(Client::new().post(&url)).body("{}")).await;
    holds(403, add().request("tools/call").json(&anothers)).await;
    holds(404, add().request("ping").json(&body("ping", json!({})))).await;
    holds(405, Client::new().request(reqwest::Method::PUT, &url)).await;
    holds(406, plain(unacceptable()).body("{}")).await;
    holds(413, plain(add().request("tools/call")).body(format!("\"{}\"", "x".repeat(200 * 1024)))).await;
    holds(415, add().request("tools/call").header("content-type", "text/plain").body("{}")).await;
}

async fn events(world: &World, contract: &mut Contract) {
    let (id, now) = (uuid::Uuid::now_v7().to_string(), jiff::Timestamp::now().to_string());
    let call = json!({
        "specversion": "1.0", "id": id, "type": "tool.list_tasks.call", "source": "contract", "usertoken": world.token("ada"),
        "data": {
            "event_id": id, "event_type": "tool.list_tasks.call", "user_id": "ada", "timestamp": now,
            "payload": {"arguments": {}},
        },
    });
    // Of no concern to this consumer, so it is not even verified.
    let other =
        json!({"specversion": "1.0", "id": id, "type": "task.created", "source": "contract", "data": {}});
    let unsigned =
        json!({"specversion": "1.0", "id": id, "type": "task.completed", "source": "contract", "data": {}});
    for (function, status, event) in [
        ("tool-list-tasks", 200, &call),
        ("event-repeat-task", 204, &other),
        ("event-repeat-task", 422, &unsigned),
        ("tool-list-tasks", 422, &other),
    ] {
        let request = Client::new().post(format!("{}/", world.function_url(function)));
        let request = request.header("content-type", "application/cloudevents+json").body(event.to_string());
        contract.holds(EVENT, status, request.send().await.unwrap()).await;
    }
    let batch = |function: &str| {
        let request = Client::new().post(format!("{}/", world.function_url(function)));
        request.header("content-type", "application/cloudevents-batch+json").body(json!([other]).to_string())
    };
    contract.holds(EVENT, 204, batch("event-repeat-task").send().await.unwrap()).await;
    contract.holds(EVENT, 415, batch("event-schedule-reminder").send().await.unwrap()).await;
    let ping =
        Client::new().post(format!("{}/", world.function_url("tick-relay-outbox"))).send().await.unwrap();
    contract.holds(EVENT, 204, ping).await;
    let put =
        Client::new().put(format!("{}/", world.function_url("event-repeat-task"))).send().await.unwrap();
    contract.holds(EVENT, 405, put).await;
}

async fn jobs(world: &World, contract: &mut Contract) {
    let url = format!("{}/job/reminder", world.function_url("tick-fire-reminder"));
    let token = world.event_variables().app_api_token.clone().unwrap();
    let request = || Client::new().post(&url).json(&json!({"no": "event"}));
    let requests = [
        (401, request()),
        (403, request().header("dapr-api-token", "wrong")),
        (422, request().header("dapr-api-token", &token)),
    ];
    for (status, request) in requests {
        contract.holds(JOB, status, request.send().await.unwrap()).await;
    }
}

/// What every function answers by itself, and behind `todo up` too.
async fn alone(world: &World, contract: &mut Contract) {
    for path in ["/healthz", "/readyz"] {
        let url = format!("{}{path}", world.function_url("event-repeat-task"));
        contract.holds(&format!("get {path}"), 200, Client::new().get(url).send().await.unwrap()).await;
    }
}
