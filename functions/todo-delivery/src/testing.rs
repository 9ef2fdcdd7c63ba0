//! For the tests of what publishes and consumes: a database, the keys, and a sidecar that takes nothing that Dapr and a consumer
//! would not take.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use todo_domain::NewTask;
use todo_events::{Event, Incoming, sign};
use todo_identity::{EventKey, EventVerifier};
use todo_store::outbox::Lease;
use todo_store::tasks;
use todo_store::testing::TestDatabase;
use tokio::sync::watch;

use crate::{Consumer, Server, Settings, Tick};

/// What the sidecar demands.
pub const API_TOKEN: &str = "let me in";

/// What the sidecar does with what it is sent.
#[derive(Clone, Copy, PartialEq)]
pub enum Mood {
    /// Takes it, if it is right to the letter.
    Takes,
    /// Answers with this status.
    Answers(u16),
    /// Never answers.
    Hangs,
    /// Answers when its mood has changed.
    Waits,
}

/// What the sidecar was sent: topic, person, event.
pub type Sent = (String, String, Event);

/// What a test of events needs.
pub struct World {
    /// The database of the functions.
    pub database: TestDatabase,
    /// Signs events.
    pub key: EventKey,
    /// What a function is told.
    pub settings: Settings,
    /// The function under test.
    pub server: Server,
    sidecar: Arc<Double>,
}

struct Double {
    mood: watch::Sender<Mood>,
    sent: Mutex<Vec<Sent>>,
    asked: Mutex<usize>,
    verifier: EventVerifier,
}

impl World {
    /// On a SQLite database.
    pub async fn new() -> Self {
        Self::over(TestDatabase::sqlite().await.unwrap()).await
    }

    /// On this database.
    pub async fn over(database: TestDatabase) -> Self {
        let key = EventKey::generate().unwrap();
        let sidecar = Arc::new(Double {
            mood: watch::Sender::new(Mood::Takes),
            sent: Mutex::default(),
            asked: Mutex::default(),
            verifier: EventVerifier::new(&key.public_jwks()).unwrap(),
        });
        let settings = Settings {
            database_url: database.url.clone(),
            dapr_url: listen(sidecar.clone()).await,
            dapr_api_token: API_TOKEN.to_owned(),
            event_key: key.private_pem().to_owned(),
            event_public_keys: key.public_jwks(),
            ..Settings::default()
        };
        let server = Server::over(database.database().clone(), &settings).unwrap();
        Self { database, key, settings, server, sidecar }
    }

    /// From now on.
    pub fn mood(&self, mood: Mood) {
        self.sidecar.mood.send_replace(mood);
    }

    /// What it took, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.sidecar.sent.lock().unwrap().clone()
    }

    /// How often it was asked to publish something, whatever it answered.
    pub fn asked(&self) -> usize {
        *self.sidecar.asked.lock().unwrap()
    }

    /// The numbers of what it took, in order.
    pub fn numbers(&self) -> Vec<u64> {
        self.sent().iter().map(|(_, _, event)| event.sequence.unwrap()).collect()
    }

    /// A new task of this person's, by somebody who wants to publish its events.
    pub async fn add(&self, user_id: &str, title: &str) -> Option<Lease> {
        let mut tx = self.database.begin(user_id).await.unwrap();
        tx.want_lease();
        let new = NewTask { title: title.to_owned(), ..NewTask::default() };
        tasks::add(&mut tx, new).await.unwrap();
        tx.commit_to_publish().await.unwrap()
    }

    /// How many events wait.
    pub async fn unsent(&self) -> usize {
        self.database.as_owner("SELECT event_id FROM outbox WHERE sent_at IS NULL").await.unwrap().len()
    }

    /// Gives an event to a consumer, and returns the status it answers. The body must be empty, because Knative takes any other for a
    /// failure.
    pub async fn deliver<C: Consumer>(&self, event: impl Into<Vec<u8>>) -> u16 {
        let request = Request::post("/").header("content-type", "application/cloudevents+json");
        let response =
            self.server.serve::<C, _>(request.body(Full::<Bytes>::from(event.into())).unwrap()).await;
        let status = response.status().as_u16();
        assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
        status
    }

    /// Gives several events to a consumer in one request, and returns the status it answers.
    pub async fn deliver_together<C: Consumer>(&self, events: &[Vec<u8>]) -> u16 {
        let body = [b"[", events.join(&b","[..]).as_slice(), b"]"].concat();
        let request = Request::post("/").header("content-type", "application/cloudevents-batch+json");
        let response = self.server.serve::<C, _>(request.body(Full::<Bytes>::from(body)).unwrap()).await;
        response.status().as_u16()
    }

    /// Wakes a tick, and returns the status it answers.
    pub async fn tick<T: Tick>(&self) -> u16 {
        let request = Request::post("/").body(Full::<Bytes>::default()).unwrap();
        self.server.tick::<T, _>(request).await.status().as_u16()
    }

    /// All events of the outbox on this topic, signed, in the order of their ids.
    pub async fn events(&self, topic: &str) -> Vec<Vec<u8>> {
        let all = format!("SELECT body FROM outbox WHERE topic = '{topic}' ORDER BY event_id");
        let rows = self.database.as_owner(&all).await.unwrap();
        rows.iter().map(|row| sign(&row[0], &self.key).unwrap()).collect()
    }

    /// Until nothing waits that somebody is going to publish.
    pub async fn until_published(&self) {
        while self.unsent().await > 0 || self.leased().await {
            tokio::task::yield_now().await;
        }
    }

    /// Whether somebody holds a lease.
    pub async fn leased(&self) -> bool {
        let leases = "SELECT publisher FROM users WHERE publisher IS NOT NULL";
        !self.database.as_owner(leases).await.unwrap().is_empty()
    }

    /// The event of a new task of this person's, signed, as a consumer gets it.
    pub async fn event(&self, user_id: &str, title: &str) -> Vec<u8> {
        drop(self.add(user_id, title).await);
        let newest = "SELECT body FROM outbox WHERE topic = 'task-events' ORDER BY event_id DESC LIMIT 1";
        let rows = self.database.as_owner(newest).await.unwrap();
        sign(&rows[0][0], &self.key).unwrap()
    }
}

async fn listen(double: Arc<Double>) -> String {
    let router = Router::new().route("/v1.0/publish/pubsub/{topic}", post(publish)).with_state(double);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

async fn publish(
    State(double): State<Arc<Double>>,
    Path(topic): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    *double.asked.lock().unwrap() += 1;
    let mood = *double.mood.subscribe().wait_for(|mood| *mood != Mood::Waits).await.unwrap();
    match mood {
        Mood::Takes => match double.check(&topic, &query.unwrap_or_default(), &headers, &body) {
            Ok(sent) => {
                double.sent.lock().unwrap().push(sent);
                StatusCode::NO_CONTENT
            }
            Err(why) => {
                eprintln!("the sidecar refuses: {why}");
                StatusCode::IM_A_TEAPOT
            }
        },
        Mood::Answers(status) => StatusCode::from_u16(status).unwrap(),
        Mood::Hangs | Mood::Waits => std::future::pending().await,
    }
}

impl Double {
    fn check(&self, topic: &str, query: &str, headers: &HeaderMap, body: &[u8]) -> Result<Sent, String> {
        let mut parameters = HashMap::new();
        for parameter in query.split('&') {
            let (name, value) = parameter.split_once('=').ok_or("a parameter without a value")?;
            if parameters.insert(name, value).is_some() {
                return Err(format!("{name} twice"));
            }
        }
        let partition_key = parameters.remove("metadata.partitionKey").ok_or("no partition key")?;
        let expected = HashMap::from([
            ("metadata.rawPayload", "true"),
            ("metadata.content-type", "application%2Fcloudevents%2Bjson"),
        ]);
        if parameters != expected {
            return Err(format!("parameters {parameters:?}"));
        }
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if header("dapr-api-token") != Some(API_TOKEN) {
            return Err("the token".to_owned());
        }
        if header("content-type") != Some("application/cloudevents+json") {
            return Err("the content type".to_owned());
        }
        let incoming = Incoming::from_json(body).map_err(|error| error.to_string())?;
        let (tenant, event) = incoming.verify(&self.verifier).map_err(|error| error.to_string())?;
        let user_id = percent_decoded(partition_key)?;
        if (tenant.user_id(), event.topic.as_str()) != (user_id.as_str(), topic) {
            return Err("another person's, or on another topic".to_owned());
        }
        Ok((topic.to_owned(), user_id, event))
    }
}

/// Refuses whatever stands unencoded that could mean something else in a query.
fn percent_decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap_or(0), rest.next().unwrap_or(0)];
                let digits = std::str::from_utf8(&digits).map_err(|error| error.to_string())?;
                bytes.push(u8::from_str_radix(digits, 16).map_err(|error| error.to_string())?);
            }
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => bytes.push(byte),
            _ => return Err(format!("{text} is not encoded")),
        }
    }
    String::from_utf8(bytes).map_err(|error| error.to_string())
}
