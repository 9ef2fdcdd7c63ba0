//! Spans as a collector is given them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use todo::telemetry::{Endpoint, Spans};
use todo_tests::{Engine, World};

use crate::{Log, PATIENCE};

/// What the collector wants to be shown.
const TOKEN: &str = "Bearer one, two";

/// Everything that was sent to it.
type Received = Arc<Mutex<Vec<Value>>>;

static RECEIVED: OnceLock<Received> = OnceLock::new();

/// The layer of this process, and its collector, on a thread of their own: each test has a runtime that ends with it.
pub fn collected() -> Spans {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = Endpoint {
        url: format!("http://{}/", listener.local_addr().unwrap()),
        headers: Some("authorization=Bearer%20one%2C%20two".to_owned()),
        service: "todo".to_owned(),
    };
    let (spans, export, _) = Spans::to(&endpoint).unwrap();
    let received = RECEIVED.get_or_init(Received::default).clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let router = Router::new().route("/v1/traces", post(receive)).with_state(received);
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            tokio::spawn(async { axum::serve(listener, router).await });
            export.run().await;
        });
    });
    spans
}

async fn receive(
    State(received): State<Received>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> StatusCode {
    if headers.get("authorization").is_none_or(|shown| shown != TOKEN) {
        return StatusCode::UNAUTHORIZED;
    }
    received.lock().unwrap().push(request);
    StatusCode::OK
}

/// Everything that was sent so far, as text, once this is in it.
pub async fn text_with(word: &str) -> String {
    let began = Instant::now();
    loop {
        let text: String = RECEIVED.get().unwrap().lock().unwrap().iter().map(Value::to_string).collect();
        if text.contains(word) {
            return text;
        }
        assert!(began.elapsed() < PATIENCE, "no {word} was sent");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What was sent so far of a trace, as it was sent.
pub fn requests(trace_id: &str) -> Vec<Value> {
    let received = RECEIVED.get().unwrap().lock().unwrap();
    received.iter().filter(|request| request.to_string().contains(trace_id)).cloned().collect()
}

/// The spans of a trace by their names, each with the service whose it is.
fn spans(trace_id: &str) -> BTreeMap<String, (String, Value)> {
    let received = RECEIVED.get().unwrap().lock().unwrap();
    let mut found = BTreeMap::new();
    for resource in received.iter().flat_map(|request| request["resourceSpans"].as_array().unwrap()) {
        let service = resource["resource"]["attributes"][0]["value"]["stringValue"].as_str().unwrap();
        for span in resource["scopeSpans"][0]["spans"].as_array().unwrap() {
            if span["traceId"] == trace_id {
                found.insert(span["name"].as_str().unwrap().to_owned(), (service.to_owned(), span.clone()));
            }
        }
    }
    found
}

/// The same, once spans of these names are among them.
pub async fn until_collected(trace_id: &str, names: &[&str]) -> BTreeMap<String, (String, Value)> {
    let began = Instant::now();
    loop {
        let spans = spans(trace_id);
        if names.iter().all(|name| spans.contains_key(*name)) {
            return spans;
        }
        assert!(began.elapsed() < PATIENCE, "no {names:?} in {spans:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_collected_with_the_ids_that_travel() {
    const TRACE: &str = "7c3d1b64f0a94cf1a9a2d1f7f2a3b4c5";
    const CALLER: &str = "00f067aa0ba902b7";
    const CHAT: &str = "POST /api/{user_id}/chat";
    Log::open();
    let world = World::on(Engine::Sqlite).await.unwrap();
    let ada = world.person("ada");
    let request = ada.request().header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    let answer = request.json(&json!({"message": "add water the plants"})).send().await.unwrap();
    assert!(answer.status().is_success());
    let names =
        [CHAT, "agent.model", "agent.tool", "tool-add-task", "event-record-audit", "event-push-update"];
    let spans = until_collected(TRACE, &names).await;
    let below = |name: &str, above: &str| {
        assert_eq!(spans[name].1["parentSpanId"], spans[above].1["spanId"], "{name} is not below {above}");
    };
    assert_eq!(spans[CHAT].1["parentSpanId"], CALLER);
    // Consumers are called in the name of the request that made the event.
    for name in &names[1..] {
        below(name, CHAT);
    }
    assert_eq!(spans[CHAT].0, "todo");
    assert_eq!(spans["tool-add-task"].0, "tool-add-task");
    let attributes = spans[CHAT].1["attributes"].to_string();
    assert!(attributes.contains(r#"{"key":"status","value":{"intValue":"200"}}"#), "{attributes}");
    for (name, (_, span)) in &spans {
        let nanoseconds = |which: &str| span[which].as_str().unwrap().parse::<u128>().unwrap();
        assert!(nanoseconds("startTimeUnixNano") <= nanoseconds("endTimeUnixNano"), "{name}");
        assert_eq!(span["spanId"].as_str().unwrap().len(), 16, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_its_caller_does_not_want_collected_is_not() {
    const UNWANTED: &str = "8c3d1b64f0a94cf1a9a2d1f7f2a3b4c5";
    const WANTED: &str = "9c3d1b64f0a94cf1a9a2d1f7f2a3b4c5";
    Log::open();
    let world = World::on(Engine::Sqlite).await.unwrap();
    let ada = world.person("ada");
    for (trace, flags) in [(UNWANTED, "00"), (WANTED, "01")] {
        let request = ada.request().header("traceparent", format!("00-{trace}-00f067aa0ba902b7-{flags}"));
        let answer = request.json(&json!({"message": "show my tasks"})).send().await.unwrap();
        assert!(answer.status().is_success());
    }
    until_collected(WANTED, &["POST /api/{user_id}/chat", "tool-list-tasks"]).await;
    assert!(spans(UNWANTED).is_empty(), "{:#?}", spans(UNWANTED));
}

#[tokio::test]
async fn what_is_no_endpoint_is_refused_with_a_sentence() {
    let endpoint = |url: &str, headers: &str| Endpoint {
        url: url.to_owned(),
        headers: Some(headers.to_owned()),
        service: "todo".to_owned(),
    };
    for (wrong, says) in [
        (endpoint("127.0.0.1:4318", ""), "must be a URL"),
        (endpoint("grpc://127.0.0.1:4317", ""), "must be a URL"),
        (endpoint("http://127.0.0.1:4318", "authorization"), "name=value"),
        (endpoint("http://127.0.0.1:4318", "a b=c"), "name=value"),
    ] {
        let refused = Spans::to(&wrong).map(drop).unwrap_err().to_string();
        assert!(refused.contains(says), "{wrong:?}: {refused}");
    }
}
