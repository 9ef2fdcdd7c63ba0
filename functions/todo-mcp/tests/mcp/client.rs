//! The client that chat uses, against the functions behind a real socket.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};
use todo_identity::FunctionKey;
use todo_mcp::{CallError, Server, Tools};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tool_add_task::AddTask;
use tool_list_tasks::ListTasks;

use crate::world::{TRACEPARENT, World};

/// The functions of a world on a port of this machine.
struct Functions {
    url: String,
    state: Arc<Serving>,
    server: AbortHandle,
}

struct Serving {
    add: Server,
    list: Server,
    /// What happens to the next requests instead of an answer, or after it.
    faults: Mutex<VecDeque<Fault>>,
    seen: Mutex<Vec<HeaderMap>>,
}

#[derive(Clone, Copy)]
enum Fault {
    /// Answered by somebody in between, before the function.
    Before(u16),
    /// The function did its work, and its answer was lost.
    After(u16),
}

/// Tested with the rest of the workspace, `reqwest` is built with TLS but without a provider of it.
fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

impl Functions {
    async fn of(world: &World) -> Self {
        let state = Arc::new(Serving {
            add: world.server::<AddTask>(),
            list: world.server::<ListTasks>(),
            faults: Mutex::default(),
            seen: Mutex::default(),
        });
        let router =
            Router::new().route("/{function}/mcp", axum::routing::any(serve)).with_state(state.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/{{function}}/mcp", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Self { url, state, server }
    }

    fn tools(&self, key: &FunctionKey) -> Tools {
        let functions = ["chat", "tool-add-task", "tool-list-tasks", "tick-relay-outbox"];
        Tools::new(http(), &self.url, functions, key.clone()).unwrap()
    }

    fn fails_with(&self, faults: &[Fault]) {
        self.state.faults.lock().unwrap().extend(faults);
    }

    fn requests(&self) -> Vec<HeaderMap> {
        self.state.seen.lock().unwrap().clone()
    }
}

impl Drop for Functions {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    State(state): State<Arc<Serving>>,
    Path(function): Path<String>,
    request: Request,
) -> Response {
    state.seen.lock().unwrap().push(request.headers().clone());
    let fault = state.faults.lock().unwrap().pop_front();
    if let Some(Fault::Before(status)) = fault {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let answer = match function.as_str() {
        "tool-add-task" => state.add.serve::<AddTask, _>(request).await,
        _ => state.list.serve::<ListTasks, _>(request).await,
    };
    if let Some(Fault::After(status)) = fault {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    answer.map(Body::new)
}

fn arguments(arguments: Value) -> Map<String, Value> {
    arguments.as_object().unwrap().clone()
}

#[tokio::test]
async fn a_call_reaches_its_function_as_the_person() {
    let world = World::new().await;
    let functions = Functions::of(&world).await;
    let (tools, ada) = (functions.tools(&world.key), world.tenant("ada"));
    let added = tools
        .call(&ada, "add_task", arguments(json!({"title": "Tea"})), "c1", Some(TRACEPARENT))
        .await
        .unwrap();
    assert_eq!(added.value, json!({"task_id": 1, "status": "created", "title": "Tea"}));
    assert_eq!((added.is_error, added.next_cursor), (false, None));
    assert_eq!(serde_json::from_str::<Value>(&added.text).unwrap(), added.value);

    let listed = tools.call(&ada, "list_tasks", Map::new(), "c2", None).await.unwrap();
    assert_eq!(listed.value[0]["title"], json!("Tea"));
    let others = tools.call(&world.tenant("bob"), "list_tasks", Map::new(), "c2", None).await.unwrap();
    assert_eq!(others.value, json!([]));
    assert_eq!(world.events().await[0]["traceparent"], json!(TRACEPARENT));
}

#[tokio::test]
async fn the_next_page_and_a_mistake_come_back_as_such() {
    let world = World::new().await;
    let functions = Functions::of(&world).await;
    let (tools, ada) = (functions.tools(&world.key), world.tenant("ada"));
    for id in ["c1", "c2"] {
        tools.call(&ada, "add_task", arguments(json!({"title": "Tea"})), id, None).await.unwrap();
    }
    let first = tools.call(&ada, "list_tasks", arguments(json!({"limit": 1})), "c3", None).await.unwrap();
    let next = json!({"limit": 1, "cursor": first.next_cursor.unwrap()});
    let second = tools.call(&ada, "list_tasks", arguments(next), "c4", None).await.unwrap();
    assert_eq!((&second.value[0]["id"], second.next_cursor), (&json!(2), None));

    let wrong = tools.call(&ada, "add_task", arguments(json!({"title": ""})), "c5", None).await.unwrap();
    assert_eq!((wrong.is_error, &wrong.value), (true, &Value::Null));
    assert!(wrong.text.contains("title"), "{}", wrong.text);
}

#[tokio::test]
async fn the_definitions_are_fetched_once_and_hide_the_user_id() {
    let world = World::new().await;
    let functions = Functions::of(&world).await;
    let (tools, ada) = (functions.tools(&world.key), world.tenant("ada"));
    functions.fails_with(&[Fault::Before(500)]);
    tools.definitions(&ada).await.unwrap_err();
    let before = functions.requests().len();
    for _ in 0..2 {
        let definitions = tools.clone();
        let definitions = definitions.definitions(&ada).await.unwrap();
        let names: Vec<&str> = definitions.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(names, ["add_task", "list_tasks"]);
        for tool in definitions {
            assert!(!serde_json::to_string(&tool.input_schema).unwrap().contains("user_id"), "{tool:?}");
            assert!(tool.annotations.is_some() && tool.output_schema.is_some());
        }
    }
    assert_eq!(functions.requests().len(), before + 2);
}

#[tokio::test]
async fn a_function_that_is_briefly_away_is_asked_again() {
    let world = World::new().await;
    let functions = Functions::of(&world).await;
    functions.fails_with(&[Fault::Before(503), Fault::Before(502)]);
    let tools = functions.tools(&world.key);
    let added =
        tools.call(&world.tenant("ada"), "add_task", arguments(json!({"title": "Tea"})), "c1", None).await;
    assert_eq!(added.unwrap().value["task_id"], json!(1));
    assert_eq!(functions.requests().len(), 3);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_fetched_without_a_second_effect() {
    let world = World::new().await;
    let functions = Functions::of(&world).await;
    functions.fails_with(&[Fault::After(504)]);
    let (tools, ada) = (functions.tools(&world.key), world.tenant("ada"));
    let added = tools.call(&ada, "add_task", arguments(json!({"title": "Tea"})), "c1", None).await.unwrap();
    assert_eq!(added.value["task_id"], json!(1));
    let listed = tools.call(&ada, "list_tasks", Map::new(), "c2", None).await.unwrap();
    assert_eq!(listed.value.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_function_that_stays_away_is_given_up() {
    let world = World::new().await;
    let functions = Functions::of(&world).await;
    functions.fails_with(&[Fault::Before(503); 3]);
    let tools = functions.tools(&world.key);
    let error = tools.call(&world.tenant("ada"), "list_tasks", Map::new(), "c1", None).await.unwrap_err();
    assert!(matches!(error, CallError::Unavailable { .. }), "{error}");
    assert_eq!(functions.requests().len(), 3);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_unavailable() {
    let world = World::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{{function}}/mcp", listener.local_addr().unwrap());
    drop(listener);
    let tools = Tools::new(http(), &url, ["tool-list-tasks"], world.key.clone()).unwrap();
    let error = tools.call(&world.tenant("ada"), "list_tasks", Map::new(), "c1", None).await.unwrap_err();
    assert!(matches!(error, CallError::Unavailable { .. }), "{error}");
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn keys_that_do_not_fit_and_anothers_user_id_are_refusals() {
    let world = World::new().await;
    let functions = Functions::of(&world).await;
    let ada = world.tenant("ada");
    let stranger = functions.tools(&FunctionKey::generate().unwrap());
    let error = stranger.call(&ada, "list_tasks", Map::new(), "c1", None).await.unwrap_err();
    assert!(matches!(error, CallError::Refused { status: StatusCode::UNAUTHORIZED, .. }), "{error}");
    let tools = functions.tools(&world.key);
    let error =
        tools.call(&ada, "list_tasks", arguments(json!({"user_id": "bob"})), "c1", None).await.unwrap_err();
    assert!(matches!(error, CallError::Refused { status: StatusCode::FORBIDDEN, .. }), "{error}");
    assert_eq!(functions.requests().len(), 2, "a refusal is final");
}

#[tokio::test]
async fn what_no_function_offers_is_unknown_without_asking() {
    let world = World::new().await;
    let functions = Functions::of(&world).await;
    let tools = functions.tools(&world.key);
    for name in ["delete_task", "relay_outbox", "../chat"] {
        let error = tools.call(&world.tenant("ada"), name, Map::new(), "c1", None).await.unwrap_err();
        assert!(matches!(error, CallError::UnknownTool(_)), "{error}");
    }
    assert!(functions.requests().is_empty());
}

#[tokio::test]
async fn every_request_carries_what_the_revision_wants_and_a_token_of_its_own_function() {
    let world = World::new().await;
    let functions = Functions::of(&world).await;
    let tools = functions.tools(&world.key);
    tools.call(&world.tenant("ada"), "list_tasks", Map::new(), "c1", Some(TRACEPARENT)).await.unwrap();
    let [headers] = functions.requests().try_into().unwrap();
    let expected = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "list_tasks"),
        ("traceparent", TRACEPARENT),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
    ];
    for (name, value) in expected {
        assert_eq!(headers[name], value, "{name}");
    }
}

#[test]
fn a_url_for_one_function_only_is_refused() {
    let key = FunctionKey::generate().unwrap();
    let error = Tools::new(http(), "http://127.0.0.1/mcp", ["tool-add-task"], key).err().unwrap();
    assert!(error.to_string().contains("{function}"), "{error}");
}
