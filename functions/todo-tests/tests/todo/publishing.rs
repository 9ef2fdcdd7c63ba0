//! A tool as a component goes on working after its answer: its events are published then, in the same instance.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use todo_delivery::testing::{Mood, World};
use todo_host::{Functions, Manifest, Variables};
use todo_identity::FunctionKey;
use todo_store::testing::tenant;

const TOOL: &str = "tool-add-task";
/// Nothing here takes as long.
const PATIENCE: Duration = Duration::from_secs(30);

struct Tool {
    functions: Functions,
    key: FunctionKey,
}

impl Tool {
    async fn of(world: &World) -> Self {
        let manifest = tokio::task::spawn_blocking(manifest).await.unwrap();
        let key = FunctionKey::generate().unwrap();
        let variables = [
            ("database_url", "sqlite:"),
            ("function_public_keys", &key.public_jwks()),
            ("dapr_url", &world.settings.dapr_url),
            ("dapr_api_token", &world.settings.dapr_api_token),
            ("event_key", &world.settings.event_key),
        ];
        let variables: Variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let file = world.database.url.strip_prefix("sqlite:").unwrap();
        let functions = Functions::builder(&manifest).only(TOOL).variables(variables).sqlite("default", file);
        Self { functions: functions.load().await.unwrap(), key }
    }

    /// Adds a task of ada's, and reads the answer to its end.
    async fn add(&self) -> Value {
        let token = self.key.mint(&tenant("ada").unwrap(), TOOL).unwrap();
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let call = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "add_task", "arguments": {"user_id": "ada", "title": "Task"}, "_meta": meta},
        });
        let request = axum::http::Request::post("/mcp")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "add_task")
            .body(Full::new(Bytes::from(call.to_string())))
            .unwrap();
        let answering = async {
            let response = self.functions.handle(TOOL, request).await;
            response.into_body().collect().await.unwrap().to_bytes()
        };
        let answer = tokio::time::timeout(PATIENCE, answering).await.unwrap();
        serde_json::from_slice::<Value>(&answer).unwrap()["result"]["structuredContent"].take()
    }
}

fn manifest() -> Manifest {
    let manifest = Manifest::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin.toml")).unwrap();
    todo_host::build(&manifest, |step| eprintln!("{step}")).unwrap();
    manifest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_answers_first_and_publishes_then() {
    let world = World::new().await;
    let tool = Tool::of(&world).await;
    world.mood(Mood::Waits);
    assert_eq!(tool.add().await["task_id"], 1);
    while world.asked() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tool.add().await["task_id"], 2, "nobody waits for the first one's events");
    assert_eq!((world.unsent().await, world.sent().len()), (4, 0));
    world.mood(Mood::Takes);
    tokio::time::timeout(PATIENCE, world.until_published()).await.unwrap();
    assert_eq!(world.numbers(), [1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_gives_a_silent_broker_two_seconds_and_then_no_tool_tries() {
    let world = World::new().await;
    let tool = Tool::of(&world).await;
    world.mood(Mood::Hangs);
    assert_eq!(tool.add().await["task_id"], 1);
    tokio::time::timeout(PATIENCE, async {
        while world.asked() == 0 || world.leased().await {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(tool.add().await["task_id"], 2);
    assert!(!world.leased().await);
    assert_eq!((world.asked(), world.unsent().await), (1, 4));
}
