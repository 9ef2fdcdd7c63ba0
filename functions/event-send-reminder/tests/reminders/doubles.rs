//! The sidecar and the webhook's receiver. They refuse what Dapr or a careful receiver would not take, and say why.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use todo_events::{Event, EventType, Incoming};
use todo_identity::EventVerifier;

pub const API_TOKEN: &str = "let me in";
pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// What a double does when it is asked.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Mood {
    #[default]
    Takes,
    Answers(u16),
    /// With so many bytes behind the status.
    Floods,
    /// To where the answer is 204.
    Redirects,
}

pub struct Doubles {
    pub url: String,
    pub jobs: Mutex<BTreeMap<String, Value>>,
    /// Everything about jobs, in order: `put <name>`, `cancel <name>`.
    pub asked: Mutex<Vec<String>>,
    pub published: Mutex<Vec<Event>>,
    pub mails: Mutex<Vec<Value>>,
    /// What the receiver took: the id and the body.
    pub hooks: Mutex<Vec<(String, Value)>>,
    pub redirected: Mutex<usize>,
    pub refusals: Mutex<Vec<String>>,
    pub jobs_mood: Mutex<Mood>,
    pub mail_mood: Mutex<Mood>,
    pub hook_mood: Mutex<Mood>,
    verifier: EventVerifier,
}

pub async fn listen(public_keys: &str) -> Arc<Doubles> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let doubles = Arc::new(Doubles {
        url: format!("http://{}", listener.local_addr().unwrap()),
        jobs: Mutex::default(),
        asked: Mutex::default(),
        published: Mutex::default(),
        mails: Mutex::default(),
        hooks: Mutex::default(),
        redirected: Mutex::default(),
        refusals: Mutex::default(),
        jobs_mood: Mutex::default(),
        mail_mood: Mutex::default(),
        hook_mood: Mutex::default(),
        verifier: EventVerifier::new(public_keys).unwrap(),
    });
    let router = Router::new()
        .route("/v1.0/jobs/{name}", post(put_job).delete(cancel_job))
        .route("/v1.0/publish/pubsub/{topic}", post(publish))
        .route("/v1.0/bindings/{name}", post(mail))
        .route("/hook", post(hook))
        .route("/elsewhere", post(elsewhere).get(elsewhere))
        .with_state(doubles.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    doubles
}

type Double = State<Arc<Doubles>>;

async fn put_job(
    State(double): Double,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    double.asked.lock().unwrap().push(format!("put {name}"));
    let mood = *double.jobs_mood.lock().unwrap();
    double.answer(mood, || double.take_job(&name, &headers, &body))
}

async fn cancel_job(State(double): Double, Path(name): Path<String>, headers: HeaderMap) -> Response {
    double.asked.lock().unwrap().push(format!("cancel {name}"));
    let mood = *double.jobs_mood.lock().unwrap();
    double.answer(mood, || {
        token(&headers)?;
        // Dapr answers the same whether it was there or not.
        double.jobs.lock().unwrap().remove(&name);
        Ok(())
    })
}

async fn publish(
    State(double): Double,
    Path(topic): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    double.answer(Mood::Takes, || {
        token(&headers)?;
        let event = double.verified(&body)?;
        same("the topic", &topic.as_str(), &event.topic.as_str())?;
        double.published.lock().unwrap().push(event);
        Ok(())
    })
}

async fn mail(State(double): Double, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let mood = *double.mail_mood.lock().unwrap();
    double.answer(mood, || {
        token(&headers)?;
        same("the binding", &name.as_str(), &"mail")?;
        let request: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        same("its fields", &keys(&request), &["data", "metadata", "operation"].map(str::to_owned).to_vec())?;
        same("the operation", &request["operation"], &json!("create"))?;
        same(
            "the metadata",
            &keys(&request["metadata"]),
            &["emailTo", "subject"].map(str::to_owned).to_vec(),
        )?;
        double.mails.lock().unwrap().push(request);
        Ok(())
    })
}

async fn hook(State(double): Double, headers: HeaderMap, body: Bytes) -> Response {
    let mood = *double.hook_mood.lock().unwrap();
    double.answer(mood, || {
        let verified = Webhook::new(SECRET).unwrap().verify(&body, &headers);
        verified.map_err(|error| error.to_string())?;
        same("the content type", &headers["content-type"].to_str().unwrap(), &"application/json")?;
        same("a token of ours", &headers.get("dapr-api-token"), &None)?;
        let id = headers["webhook-id"].to_str().unwrap().to_owned();
        let body = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        double.hooks.lock().unwrap().push((id, body));
        Ok(())
    })
}

async fn elsewhere(State(double): Double) -> StatusCode {
    *double.redirected.lock().unwrap() += 1;
    StatusCode::NO_CONTENT
}

impl Doubles {
    fn answer(&self, mood: Mood, take: impl FnOnce() -> Result<(), String>) -> Response {
        match mood {
            Mood::Takes => match take() {
                Ok(()) => StatusCode::NO_CONTENT.into_response(),
                Err(why) => {
                    self.refusals.lock().unwrap().push(why);
                    StatusCode::IM_A_TEAPOT.into_response()
                }
            },
            Mood::Answers(status) => {
                (StatusCode::from_u16(status).unwrap(), "Dentist is a secret").into_response()
            }
            Mood::Floods => (StatusCode::OK, axum::body::Body::from_stream(flood())).into_response(),
            Mood::Redirects => {
                (StatusCode::TEMPORARY_REDIRECT, [("location", format!("{}/elsewhere", self.url))])
                    .into_response()
            }
        }
    }

    fn verified(&self, body: &[u8]) -> Result<Event, String> {
        let incoming = Incoming::from_json(body).map_err(|error| error.to_string())?;
        let (tenant, event) = incoming.verify(&self.verifier).map_err(|error| error.to_string())?;
        same("the person", &tenant.user_id(), &event.user_id.as_str())?;
        Ok(event)
    }

    fn take_job(&self, name: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
        token(headers)?;
        same("the content type", &headers["content-type"].to_str().unwrap(), &"application/json")?;
        let mut job: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let data = job["data"].take();
        let event = self.verified(data.to_string().as_bytes())?;
        same("the type", &event.event_type, &EventType::ReminderScheduled)?;
        same("the reminder", &event.reminder.unwrap().reminder_id.as_str(), &name)?;
        let due: Timestamp =
            job["dueTime"].as_str().unwrap_or_default().parse().map_err(|_| "dueTime".to_owned())?;
        same("the time", &event.payload["remind_at"], &json!(due.to_string()))?;
        let policy = json!({"constant": {"interval": "1s", "maxRetries": 86400}});
        let expected =
            json!({"data": null, "dueTime": due.to_string(), "overwrite": true, "failurePolicy": policy});
        same("the job", &job, &expected)?;
        self.jobs.lock().unwrap().insert(name.to_owned(), data);
        Ok(())
    }
}

/// A body without an end.
fn flood() -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    futures::stream::repeat_with(|| Ok(Bytes::from_static(&[b'x'; 4096])))
}

fn token(headers: &HeaderMap) -> Result<(), String> {
    same("the token", &headers.get("dapr-api-token").and_then(|token| token.to_str().ok()), &Some(API_TOKEN))
}

fn keys(object: &Value) -> Vec<String> {
    let mut keys: Vec<_> = object.as_object().into_iter().flat_map(|object| object.keys().cloned()).collect();
    keys.sort_unstable();
    keys
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, expected: &T) -> Result<(), String> {
    if seen == expected { Ok(()) } else { Err(format!("{what} is {seen:?}, not {expected:?}")) }
}
