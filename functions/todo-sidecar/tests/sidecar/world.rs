//! A sidecar, functions that record what they are asked, and a client.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use todo_sidecar::{Routes, Settings, Sidecar};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two consumers of `events`, one of them with `other` too; failures are retried quickly.
pub const ROUTES: &str = "
apiVersion: eventing.knative.dev/v1alpha1
kind: KafkaSink
metadata: {name: dead-letters}
spec: {topic: dead-letters, bootstrapServers: [kafka]}
---
apiVersion: sources.knative.dev/v1
kind: KafkaSource
metadata: {name: first}
spec:
  consumerGroup: first
  topics: [events]
  bootstrapServers: [kafka]
  initialOffset: earliest
  delivery:
    retry: 3
    backoffPolicy: linear
    backoffDelay: PT0.01S
    timeout: PT0.5S
    deadLetterSink: {ref: {apiVersion: eventing.knative.dev/v1alpha1, kind: KafkaSink, name: dead-letters}}
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: first}}
---
apiVersion: sources.knative.dev/v1
kind: KafkaSource
metadata: {name: second}
spec:
  consumerGroup: second
  topics: [events, other]
  bootstrapServers: [kafka]
  initialOffset: earliest
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: second}, uri: /events}
---
apiVersion: sources.knative.dev/v1
kind: KafkaSource
metadata: {name: keeper}
spec:
  consumerGroup: keeper
  topics: [dead-letters]
  bootstrapServers: [kafka]
  initialOffset: earliest
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: keeper}}
";

/// The media type of several events in one request.
const BATCHED: &str = "application/cloudevents-batch+json";

/// A consumer of `events` whose function takes several of them in one request.
pub const TAKES_MANY: &str = "
apiVersion: eventing.knative.dev/v1alpha1
kind: KafkaSink
metadata: {name: dead-letters}
spec: {topic: dead-letters, bootstrapServers: [kafka]}
---
apiVersion: sources.knative.dev/v1
kind: KafkaSource
metadata: {name: many, annotations: {todo/events-together: '32'}}
spec:
  consumerGroup: many
  topics: [events]
  bootstrapServers: [kafka]
  initialOffset: earliest
  delivery:
    retry: 1
    backoffPolicy: linear
    backoffDelay: PT0.01S
    deadLetterSink: {ref: {apiVersion: eventing.knative.dev/v1alpha1, kind: KafkaSink, name: dead-letters}}
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: many}}
";

/// What a function was asked.
#[derive(Clone, Debug)]
pub struct Call {
    pub function: String,
    /// With its query.
    pub path: String,
    pub method: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// How often this function was called before.
    pub before: usize,
}

impl Call {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The event's id.
    pub fn id(&self) -> &str {
        self.header("ce-id")
    }

    /// The ids of all events in the request.
    pub fn ids(&self) -> Vec<String> {
        if self.header("content-type") != BATCHED {
            return vec![self.id().to_owned()];
        }
        let events: Vec<Value> = serde_json::from_slice(&self.body).unwrap();
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    }
}

type Behaviour = Arc<dyn Fn(&Call) -> Response + Send + Sync>;

#[derive(Clone)]
struct Functions {
    behaviour: Behaviour,
    calls: UnboundedSender<Call>,
    counts: Arc<Mutex<HashMap<String, usize>>>,
}

pub struct World {
    pub sidecar: Arc<Sidecar>,
    pub client: reqwest::Client,
    pub base: String,
    pub settings: Settings,
    pub directory: TempDir,
    calls: UnboundedReceiver<Call>,
    kept: Vec<Call>,
    shutdown: CancellationToken,
}

/// A function that takes everything.
pub fn takes(_: &Call) -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// A function that never answers.
pub fn hangs() -> Response {
    [("x-never", "")].into_response()
}

impl World {
    /// With [`ROUTES`], and functions that behave so.
    pub async fn new(behaviour: impl Fn(&Call) -> Response + Send + Sync + 'static) -> Self {
        Self::with(ROUTES, behaviour, |_| {}).await
    }

    pub async fn with(
        routes: &str,
        behaviour: impl Fn(&Call) -> Response + Send + Sync + 'static,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (sender, calls) = unbounded_channel();
        let functions = Functions { behaviour: Arc::new(behaviour), calls: sender, counts: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let function_url = format!("http://{}/{{function}}", listener.local_addr().unwrap());
        let app = axum::Router::new().fallback(call).with_state(functions);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let mut settings = Settings {
            routes: Routes::parse(&[("routes.yaml", routes)]).unwrap(),
            job_function: Some("jobs".into()),
            ..Settings::new(directory.path().join("sidecar.db"), function_url)
        };
        change(&mut settings);
        let (sidecar, base, shutdown) = serve(settings.clone()).await;
        let client = reqwest::Client::new();
        Self { sidecar, client, base, settings, directory, calls, kept: Vec::new(), shutdown }
    }

    /// Stops, and starts again on the same file.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.open(self.settings.clone()).await;
    }

    pub async fn stop(&mut self) {
        self.shutdown.cancel();
        self.sidecar.stop().await;
    }

    /// Another sidecar in this one's place.
    pub async fn open(&mut self, settings: Settings) {
        self.settings = settings.clone();
        (self.sidecar, self.base, self.shutdown) = serve(settings).await;
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(self.client.post(self.url(path)).json(&body)).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.send(self.client.get(self.url(path))).await
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Publishes an event of `key` and expects it to be durable.
    pub async fn publish(&self, topic: &str, key: &str, id: &str) {
        let (status, answer) = self.publish_body(topic, key, event(id, key).to_string()).await;
        assert_eq!(status, 204, "{answer}");
    }

    pub async fn publish_body(&self, topic: &str, key: &str, body: String) -> (u16, Value) {
        let path = format!(
            "/v1.0/publish/pubsub/{topic}?metadata.rawPayload=true\
             &metadata.content-type=application%2Fcloudevents%2Bjson&metadata.partitionKey={key}"
        );
        self.send(self.client.post(self.url(&path)).body(body)).await
    }

    /// The next call of a function, in the order in which this one was called.
    pub async fn call(&mut self, function: &str) -> Call {
        if let Some(at) = self.kept.iter().position(|call| call.function == function) {
            return self.kept.remove(at);
        }
        loop {
            let next = tokio::time::timeout(PATIENCE, self.calls.recv()).await;
            let call = next.unwrap_or_else(|_| panic!("{function} is not called")).unwrap();
            if call.function == function {
                return call;
            }
            self.kept.push(call);
        }
    }

    /// What a function was asked and nobody has looked at.
    pub fn unseen(&mut self, function: &str) -> Vec<Call> {
        while let Ok(call) = self.calls.try_recv() {
            self.kept.push(call);
        }
        self.kept.iter().filter(|call| call.function == function).cloned().collect()
    }

    /// Waits until `condition` holds for how things stand.
    pub async fn until(&self, condition: impl Fn(&todo_sidecar::Snapshot) -> bool) -> todo_sidecar::Snapshot {
        let waiting = async {
            loop {
                let snapshot = self.sidecar.snapshot().await.unwrap();
                if condition(&snapshot) {
                    return snapshot;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(snapshot) => snapshot,
            Err(_) => panic!("it never comes to that: {:?}", self.sidecar.snapshot().await),
        }
    }

    /// What the file would be like after the process was killed now.
    pub fn image(&self) -> TempDir {
        let image = tempfile::tempdir().unwrap();
        copy(self.directory.path(), image.path());
        image
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Copies what stands in the file's directory.
pub fn copy(from: &Path, to: &Path) {
    // The index of the write-ahead log is made anew from it.
    for name in ["sidecar.db", "sidecar.db-wal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

async fn serve(settings: Settings) -> (Arc<Sidecar>, String, CancellationToken) {
    let sidecar = Arc::new(Sidecar::open(settings).await.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let (serving, stopped) = (sidecar.clone(), shutdown.clone());
    tokio::spawn(async move { serving.serve(listener, async move { stopped.cancelled().await }).await });
    (sidecar, base, shutdown)
}

async fn call(State(functions): State<Functions>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path_and_query().unwrap().as_str().trim_start_matches('/');
    let (function, path) =
        path.split_once('/').map_or((path, String::new()), |(name, path)| (name, format!("/{path}")));
    let before = {
        let mut counts = functions.counts.lock().unwrap();
        let count = counts.entry(function.to_owned()).or_default();
        *count += 1;
        *count - 1
    };
    let method = parts.method.to_string();
    let call = Call { function: function.into(), path, method, headers: parts.headers, body, before };
    let response = (functions.behaviour)(&call);
    let _ = functions.calls.send(call);
    if response.headers().contains_key("x-never") {
        std::future::pending::<()>().await;
    }
    response
}

/// A CloudEvent of `key`.
pub fn event(id: &str, key: &str) -> Value {
    json!({
        "specversion": "1.0", "id": id, "type": "task.created", "source": "tests", "subject": "task/1",
        "time": "2026-11-21T09:00:00Z", "datacontenttype": "application/json", "partitionkey": key, "sequence": "1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": {"event_id": id, "user_id": key, "task_id": 1, "payload": {"title": "Milch & Brot \"frisch\""}},
    })
}
