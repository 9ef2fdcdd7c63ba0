//! A model's server on this machine: checks each request strictly and plays what a test has told it to.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use todo_agent::{Api, OpenAi, OpenAiSettings};

use crate::strict;

pub const KEY: &str = "test-key";

/// One answer of the server's.
#[derive(Clone)]
pub enum Play {
    /// A status, headers and a body.
    Body(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// A stream in pieces of this many bytes.
    Stream(Vec<u8>, usize),
    /// These bytes, and then the connection breaks.
    Cut(Vec<u8>),
    /// These bytes, and then nothing more.
    FallSilent(Vec<u8>),
    /// Nothing at all.
    Hang,
}

/// Answers with `status` and an error body of the API's.
pub fn error(status: u16, code: &str) -> Play {
    let body = json!({ "error": { "message": "quoted: buy milk", "type": "some_error", "param": null, "code": code } });
    Play::Body(status, vec![("content-type", "application/json".into())], body.to_string().into())
}

/// The same with a header more.
pub fn error_with(status: u16, code: &str, header: (&'static str, &str)) -> Play {
    match error(status, code) {
        Play::Body(status, mut headers, body) => {
            headers.push((header.0, header.1.to_owned()));
            Play::Body(status, headers, body)
        }
        other => other,
    }
}

/// One of the four ways to ask: two APIs, streaming or not.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub api: Api,
    pub stream: bool,
}

pub const WAYS: [Way; 4] = [
    Way { api: Api::ChatCompletions, stream: false },
    Way { api: Api::ChatCompletions, stream: true },
    Way { api: Api::Responses, stream: false },
    Way { api: Api::Responses, stream: true },
];

pub struct Server {
    pub way: Way,
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    api: Api,
    key: Option<&'static str>,
    plays: Mutex<VecDeque<Play>>,
    requests: Mutex<Vec<Value>>,
    problems: Mutex<Vec<String>>,
}

impl Server {
    pub async fn playing<const N: usize>(way: Way, plays: [Play; N]) -> Self {
        Self::with_key(way, Some(KEY), plays.into()).await
    }

    pub async fn with_key(way: Way, key: Option<&'static str>, plays: VecDeque<Play>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::new(Shared {
            api: way.api,
            key,
            plays: Mutex::new(plays),
            requests: Mutex::default(),
            problems: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { way, address, shared }
    }

    pub fn settings(&self) -> OpenAiSettings {
        OpenAiSettings {
            api: self.way.api,
            base_url: format!("http://{}/v1/", self.address),
            api_key: self.shared.key.map(str::to_owned),
            model: "test-model".into(),
            stream: self.way.stream,
            backoff: Duration::from_millis(1),
            ..OpenAiSettings::default()
        }
    }

    pub fn model(&self) -> OpenAi {
        OpenAi::new(self.settings()).unwrap()
    }

    /// The requests so far. Fails the test when one of them would have been refused by the official API.
    pub fn requests(&self) -> Vec<Value> {
        let problems = self.shared.problems.lock().unwrap();
        assert!(problems.is_empty(), "{:?}: {problems:#?}", self.way);
        self.shared.requests.lock().unwrap().clone()
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = match shared.api {
        Api::ChatCompletions => "/v1/chat/completions",
        Api::Responses => "/v1/responses",
    };
    let mut problems = strict::problems(shared.api, shared.key, &parts.headers, &body);
    if (parts.method.as_str(), parts.uri.path()) != ("POST", path) {
        problems.push(format!("{} {}", parts.method, parts.uri));
    }
    shared.requests.lock().unwrap().push(body);
    let play = shared.plays.lock().unwrap().pop_front();
    if play.is_none() {
        problems.push("one request too many".into());
    }
    let refused = !problems.is_empty();
    shared.problems.lock().unwrap().extend(problems);
    match play.filter(|_| !refused) {
        Some(play) => respond(play).await,
        None => respond(error(400, "invalid_request")).await,
    }
}

async fn respond(play: Play) -> Response {
    let events = || Response::builder().header("content-type", "text/event-stream");
    let broken = || Err(std::io::Error::other("the test breaks the connection"));
    match play {
        Play::Body(status, headers, body) => {
            let response = Response::builder().status(status);
            let response =
                headers.into_iter().fold(response, |response, (name, value)| response.header(name, value));
            response.body(Body::from(body)).unwrap()
        }
        Play::Stream(bytes, size) => {
            let pieces: Vec<Result<Bytes, Infallible>> =
                bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            // Giving way between the pieces makes each a chunk of its own on the wire.
            let pieces = stream::iter(pieces).then(|piece| async {
                tokio::task::yield_now().await;
                piece
            });
            events().body(Body::from_stream(pieces)).unwrap()
        }
        Play::Cut(bytes) => {
            let body = stream::iter([Ok(Bytes::from(bytes))]).chain(stream::once(async move {
                // The first bytes are to arrive before the break does.
                tokio::task::yield_now().await;
                broken()
            }));
            events().body(Body::from_stream(body)).unwrap()
        }
        Play::FallSilent(bytes) => {
            let body = stream::iter([Ok::<_, Infallible>(Bytes::from(bytes))]).chain(stream::pending());
            events().body(Body::from_stream(body)).unwrap()
        }
        Play::Hang => std::future::pending().await,
    }
}
