//! Delivery on one machine when `daprd` and Kafka are real: they keep the log and the positions, this keeps Knative's rules.
//!
//! `daprd` asks `GET /dapr/subscribe` what to hand over, and posts each event to `/deliver/{consumer}`. Its answer comes when the event
//! is dealt with: taken by the function, or published to the dead letters. Until then `daprd` does not commit the offset, and
//! Kafka's partition waits, which is the order we want. Jobs come to `/job/{name}` and are passed to the function that
//! does them.
//!
//! A Broker needs no topic here: what reaches it goes to its Triggers at once, and so does what they answer.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::delivery::{self, Courier, Delivery, Event, Local, STRUCTURED, Subscriber, since};
use crate::observe::{About, JobData, Observation, Observers, Snapshot};
use crate::routes::{Consumer, Routes, Sink};
use crate::settings::{segment, url};

/// How long a publish may take before the event is left to `daprd` to bring again.
const PUBLISH: Duration = Duration::from_secs(5);
/// How often an answer may cause another: Triggers could go round in circles.
const DEPTH: u8 = 8;
/// How long a function may take for a job.
const JOB: Duration = Duration::from_secs(60);

/// What a [`Bridge`] is told.
#[derive(Clone)]
pub struct BridgeSettings {
    /// Which event reaches which function.
    pub routes: Routes,
    /// Where a function is: a URL with `{function}` in it.
    pub function_url: String,
    /// Events are brought to the functions this way instead, when they are in this process.
    pub local: Option<Local>,
    /// The function that `/job/<name>` goes to.
    pub job_function: Option<String>,
    /// Where `daprd` listens: `http://127.0.0.1:3500`.
    pub dapr_url: String,
    /// The component that is published to.
    pub pubsub: String,
    /// The component that a consumer subscribes with, `{consumer}` standing for its name: a Kafka component has one consumer group, so
    /// each consumer needs its own (`consumerGroup` being that name).
    pub subscription: String,
    /// What is sent to `daprd` as `dapr-api-token`.
    pub api_token: Option<String>,
    /// What `daprd` must send as `dapr-api-token`.
    pub app_api_token: Option<String>,
    /// What a function gets with its job, in the same header.
    pub function_token: Option<String>,
}

/// Between `daprd` and the functions.
#[derive(Clone)]
pub struct Bridge(Arc<Shared>);

struct Shared {
    settings: BridgeSettings,
    courier: Courier,
    observers: Arc<Observers>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Bridge {
    /// A bridge, not yet crossed by anything.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(settings: BridgeSettings) -> reqwest::Result<Self> {
        Ok(Self(Arc::new(Shared {
            courier: Courier::new()?.to(settings.local.clone()),
            settings,
            observers: Arc::new(Observers::new()),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })))
    }

    /// What `daprd` calls: its app port is to lead here.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/dapr/subscribe", get(subscribe))
            .route("/deliver/{consumer}", post(deliver))
            .route("/job/{name}", post(job))
            .layer(from_fn_with_state(self.clone(), authorize))
            .with_state(self.clone())
    }

    /// Begins to wake the functions of the `PingSource`s. Call it once.
    pub fn start(&self) {
        let shared = &self.0;
        for ping in &shared.settings.routes.pings {
            let url = url(&shared.settings.function_url, &ping.function, &ping.path);
            let (observers, stop) = (shared.observers.clone(), shared.stop.clone());
            shared.tasks.spawn(delivery::ping(ping.clone(), url, shared.courier.clone(), observers, stop));
        }
    }

    /// Ends the waiting for further attempts; those events are brought again after the start.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// What happens from now on.
    pub fn observe(&self) -> broadcast::Receiver<Observation> {
        self.0.observers.subscribe()
    }

    /// What was counted since the start. The log, its lag and the jobs are `daprd`'s and Kafka's to tell.
    pub fn snapshot(&self) -> Snapshot {
        self.0.observers.counted()
    }
}

async fn subscribe(State(Bridge(shared)): State<Bridge>) -> Json<Value> {
    let settings = &shared.settings;
    let own = settings.routes.consumers.iter().filter(|consumer| !is_trigger(consumer));
    let subscriptions = own.flat_map(|consumer| {
        consumer.topics.iter().map(|topic| {
            json!({
                "pubsubname": settings.subscription.replace("{consumer}", &consumer.name),
                "topic": **topic,
                "route": format!("/deliver/{}", consumer.name),
                // As bytes: a record that is no JSON would otherwise never come here, and hold up its partition for good.
                "metadata": {"rawPayload": "true"},
            })
        })
    });
    Json(subscriptions.collect())
}

async fn deliver(
    State(Bridge(shared)): State<Bridge>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(consumer) = shared.settings.routes.consumers.iter().find(|consumer| *consumer.name == name)
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let status = match Event::of_raw(&body, &name, header) {
        Ok(event) => match shared.handle(consumer, &event, &headers, 0).await {
            true => "SUCCESS",
            false => "RETRY",
        },
        // `daprd` hands over nothing but its envelopes, so this is nobody's event.
        Err(_) => "DROP",
    };
    Json(json!({ "status": status })).into_response()
}

/// Whether it hears of a Broker's events, and answers to it.
fn is_trigger(consumer: &Consumer) -> bool {
    consumer.replies.as_ref().is_some_and(|broker| consumer.topics.contains(broker))
}

impl Shared {
    /// Deals with an event; false when `daprd` is to bring it again.
    async fn handle(&self, consumer: &Consumer, event: &Event, headers: &HeaderMap, depth: u8) -> bool {
        if !consumer.filter.admits(event) {
            return true;
        }
        match &consumer.sink {
            Sink::Topic(topic) => self.send(topic, event, headers, depth).await,
            Sink::Function { name, path } => {
                let url = url(&self.settings.function_url, name, path);
                let subscriber = Subscriber { url, replies: consumer.replies.is_some() };
                self.bring(consumer, event, &subscriber, headers, depth).await
            }
        }
    }

    /// Sends an event to a topic, or, where a Broker would read it, to its Triggers.
    async fn send(&self, topic: &Arc<str>, event: &Event, headers: &HeaderMap, depth: u8) -> bool {
        let triggers = self.triggers(topic);
        if triggers.is_empty() {
            return self.publish(topic, event).await;
        }
        if depth == DEPTH {
            tracing::error!(kind = event.kind(), "an event was dropped: answers go round in circles");
            return true;
        }
        let mut done = true;
        for trigger in triggers {
            done &= Box::pin(self.handle(&trigger, event, headers, depth + 1)).await;
        }
        done
    }

    fn triggers(&self, topic: &Arc<str>) -> Vec<Arc<Consumer>> {
        let consumers = self.settings.routes.consumers.iter();
        consumers
            .filter(|consumer| is_trigger(consumer) && consumer.topics.contains(topic))
            .cloned()
            .collect()
    }

    async fn bring(
        &self,
        consumer: &Consumer,
        event: &Event,
        to: &Subscriber,
        headers: &HeaderMap,
        depth: u8,
    ) -> bool {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let topic =
            header("__topic").map(Arc::from).or_else(|| consumer.topics.first().cloned()).unwrap_or_default();
        let published = header("__timestamp").and_then(|text| text.parse::<i64>().ok());
        let about = About::of(event, topic, consumer.name.clone());
        let retrying = |attempt, status, wait| {
            self.observers.tell(Observation::Retried { about: about.clone(), attempt, status, wait });
        };
        match self.courier.deliver(event, to, &consumer.policy, &self.stop, retrying).await {
            Delivery::Stopped => false,
            Delivery::Delivered { reply, attempts } => {
                let latency = published
                    .map_or(Duration::ZERO, |milliseconds| since(milliseconds.saturating_mul(1_000)));
                self.observers.tell(Observation::Delivered { about, attempt: attempts, latency });
                match (reply, &consumer.replies) {
                    (Some(reply), Some(topic)) => self.send(topic, &reply, headers, depth).await,
                    _ => true,
                }
            }
            Delivery::DeadLetter(failure) => {
                let (attempts, status) = (failure.attempts, failure.status);
                self.observers.tell(Observation::DeadLettered { about, attempts, status });
                match &consumer.dead_letters {
                    Some(topic) => self.publish(topic, &failure.letter(event)).await,
                    None => {
                        tracing::error!(consumer = &*consumer.name, status, "an event was dropped");
                        true
                    }
                }
            }
        }
    }

    /// Publishes as everybody does, raw; false when that failed.
    async fn publish(&self, topic: &str, event: &Event) -> bool {
        let settings = &self.settings;
        let mut query = vec![("metadata.rawPayload", "true"), ("metadata.content-type", STRUCTURED)];
        query.extend(event.attribute("partitionkey").map(|key| ("metadata.partitionKey", key)));
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let url =
            format!("{}/v1.0/publish/{}/{topic}?{}", settings.dapr_url, settings.pubsub, query.join("&"));
        let mut request = self.courier.client().post(url).timeout(PUBLISH).body(event.to_structured());
        request = request.header(http::header::CONTENT_TYPE, STRUCTURED);
        if let Some(token) = &settings.api_token {
            request = request.header("dapr-api-token", token);
        }
        match request.send().await {
            Ok(answer) if answer.status().is_success() => true,
            Ok(answer) => {
                tracing::error!(
                    topic,
                    status = answer.status().as_u16(),
                    "what follows from an event cannot be published"
                );
                false
            }
            Err(error) => {
                tracing::error!(
                    topic,
                    "what follows from an event cannot be published: {}",
                    error.without_url()
                );
                false
            }
        }
    }
}

async fn job(State(Bridge(shared)): State<Bridge>, Path(name): Path<String>, body: Bytes) -> Response {
    let settings = &shared.settings;
    // Anything but 404, which would lose the job.
    let Some(function) = &settings.job_function else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let url = url(&settings.function_url, function, &format!("/job/{}", segment(&name)));
    let JobData { trace_id, late } = JobData::read(&body);
    let mut request = shared.courier.client().post(url).timeout(JOB).body(body);
    request = request.header(http::header::CONTENT_TYPE, "application/json");
    if let Some(token) = &settings.function_token {
        request = request.header("dapr-api-token", token);
    }
    let status = match request.send().await {
        Ok(answer) => answer.status(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    shared.observers.tell(Observation::JobFired {
        name: name.into(),
        status: Some(status.as_u16()),
        late,
        trace_id,
    });
    status.into_response()
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Only `daprd` knows the token.
async fn authorize(State(Bridge(shared)): State<Bridge>, request: Request, next: Next) -> Response {
    let given = request.headers().get("dapr-api-token").map_or(&b""[..], |token| token.as_bytes());
    let wanted = shared.settings.app_api_token.as_ref();
    match wanted.is_none_or(|token| Sha256::digest(token.as_bytes()) == Sha256::digest(given)) {
        true => next.run(request).await,
        false => StatusCode::UNAUTHORIZED.into_response(),
    }
}
