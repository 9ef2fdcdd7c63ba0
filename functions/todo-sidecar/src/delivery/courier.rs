//! One event, one subscriber, and the rules between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::response::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use tokio_util::sync::CancellationToken;

use super::Event;
use super::event::BATCHED;
use crate::routes::Policy;

/// How much of a refusal is kept: encoded, it is the kibibyte that Knative allows.
const KEPT: usize = 768;
/// The largest answer that is read.
const ANSWER: usize = 1024 * 1024;

/// Functions of this very process, asked without a connection: the request that HTTP would bring, and the answer to it, or `None` when
/// it broke off.
pub type Local = Arc<dyn Fn(Request<Bytes>) -> BoxFuture<'static, Option<Response<Bytes>>> + Send + Sync>;

/// Delivers events. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    client: reqwest::Client,
    local: Option<Local>,
}

/// Whom an event goes to.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// Where.
    pub url: String,
    /// Whether an answer is an event (a Trigger's subscriber) or does not matter (a KafkaSource's sink).
    pub replies: bool,
}

/// How an attempt to deliver several events at once ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Together {
    /// With all of them done.
    Delivered,
    /// With none that is known to be done.
    Failed,
    /// The subscriber takes them one by one only.
    Unwanted,
}

/// How it ended.
#[derive(Debug)]
pub enum Delivery {
    /// With a 2xx.
    Delivered {
        /// The event in the answer.
        reply: Option<Event>,
        /// 1 when the first succeeded.
        attempts: u32,
    },
    /// With no hope.
    DeadLetter(Failure),
    /// With the stop, before a further attempt: it is to be delivered again after the start.
    Stopped,
}

/// The last answer of a subscriber that did not take an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Who.
    pub url: String,
    /// The status, or none when there was no answer.
    pub status: Option<u16>,
    /// The beginning of the answer's body, or why there was none.
    pub reason: Vec<u8>,
    /// All of them.
    pub attempts: u32,
}

struct Attempt {
    status: Option<StatusCode>,
    reason: Vec<u8>,
    retry_after: Option<Duration>,
}

impl Courier {
    /// A courier with connections of its own.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new() -> reqwest::Result<Self> {
        // Where another crate gives reqwest TLS without a provider of its own, a client without one cannot be made.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .connect_timeout(Duration::from_secs(5))
            .build()?;
        Ok(Self { client, local: None })
    }

    /// The same, for subscribers in this process, if they are: a connection between two ends of one process is most of what a
    /// delivery costs.
    pub(crate) fn to(self, local: Option<Local>) -> Self {
        Self { local, ..self }
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Delivers `event` in binary mode, with as many attempts as `policy` has. `retrying` hears of each attempt that is followed
    /// by another: its number, its status, and the wait. `stop` ends the waiting, never an attempt.
    pub async fn deliver(
        &self,
        event: &Event,
        to: &Subscriber,
        policy: &Policy,
        stop: &CancellationToken,
        mut retrying: impl FnMut(u32, Option<u16>, Duration),
    ) -> Delivery {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failed = match self.attempt(event, to, policy.timeout).await {
                Ok(reply) => return Delivery::Delivered { reply, attempts },
                Err(failed) => failed,
            };
            let status = failed.status.map(|status| status.as_u16());
            if attempts > policy.retry || !is_transient(failed.status) {
                let reason = failed.reason;
                return Delivery::DeadLetter(Failure { url: to.url.clone(), status, reason, attempts });
            }
            let asked = failed.retry_after.unwrap_or_default().min(policy.retry_after_max);
            let wait = policy.wait(attempts).max(asked);
            retrying(attempts, status, wait);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return Delivery::Stopped,
            }
        }
    }

    /// Delivers events, each in structured form, in batched mode, with one attempt.
    pub(super) async fn deliver_together(
        &self,
        events: &[&[u8]],
        to: &Subscriber,
        timeout: Duration,
    ) -> Together {
        let body = [b"[", events.join(&b","[..]).as_slice(), b"]"].concat();
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(BATCHED))]);
        match self.send(headers, body.into(), to, timeout).await {
            Ok(answer) if answer.status().is_success() => Together::Delivered,
            Ok(answer) if answer.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE => Together::Unwanted,
            _ => Together::Failed,
        }
    }

    async fn send(
        &self,
        headers: HeaderMap,
        body: Bytes,
        to: &Subscriber,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Attempt> {
        match &self.local {
            Some(local) => here(local, headers, body, to, timeout).await,
            None => self.over_http(headers, body, to, timeout).await,
        }
    }

    async fn over_http(
        &self,
        headers: HeaderMap,
        body: Bytes,
        to: &Subscriber,
        timeout: Duration,
    ) -> Result<Response<Bytes>, Attempt> {
        let request = self.client.post(&to.url).headers(headers).body(body).timeout(timeout);
        let broken = |error| Attempt::without_answer(&error, timeout);
        let mut response = request.send().await.map_err(broken)?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        let limit = if answer.status().is_success() { ANSWER } else { KEPT };
        *answer.body_mut() = read(response, limit).await.map_err(broken)?.into();
        Ok(answer)
    }

    /// One attempt.
    async fn attempt(
        &self,
        event: &Event,
        to: &Subscriber,
        timeout: Duration,
    ) -> Result<Option<Event>, Attempt> {
        let data = Bytes::copy_from_slice(event.data());
        let answer = self.send(event.headers(), data, to, timeout).await?;
        let (Parts { status, headers, .. }, body) = answer.into_parts();
        let retry_after = headers.get(RETRY_AFTER).and_then(|value| wanted(value.to_str().ok()?));
        if !status.is_success() {
            let reason = body.get(..KEPT).unwrap_or(&body).to_vec();
            return Err(Attempt { status: Some(status), reason, retry_after });
        }
        match to.replies {
            false => Ok(None),
            // What Knative's Broker does with an answer that is neither empty nor an event.
            true => Event::message(&headers, &body).map_err(|error| {
                let reason = format!("answered {status} with a body that is no event: {error}").into_bytes();
                Attempt { status: Some(StatusCode::BAD_GATEWAY), reason, retry_after: None }
            }),
        }
    }
}

/// An attempt at a function of this process.
async fn here(
    local: &Local,
    headers: HeaderMap,
    body: Bytes,
    to: &Subscriber,
    timeout: Duration,
) -> Result<Response<Bytes>, Attempt> {
    let broken = |reason: String| Attempt { status: None, reason: reason.into_bytes(), retry_after: None };
    let mut request = Request::post(&to.url).body(body).map_err(|error| broken(error.to_string()))?;
    *request.headers_mut() = headers;
    match tokio::time::timeout(timeout, local(request)).await {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(broken("the connection broke".into())),
        Err(_) => Err(broken(format!("no answer within {timeout:?}"))),
    }
}

impl Attempt {
    fn without_answer(error: &reqwest::Error, timeout: Duration) -> Self {
        let reason = match error {
            error if error.is_timeout() => format!("no answer within {timeout:?}"),
            error if error.is_connect() => "cannot connect".into(),
            _ => "the connection broke".into(),
        };
        Self { status: None, reason: reason.into_bytes(), retry_after: None }
    }
}

impl Failure {
    /// The event as a dead letter: with the extensions that Knative adds. Without an answer there is no code.
    pub fn letter(&self, event: &Event) -> Event {
        let mut letter = event.clone();
        letter.set("knativeerrordest", &self.url);
        if let Some(status) = self.status {
            letter.set("knativeerrorcode", status.to_string());
        }
        letter.set("knativeerrordata", STANDARD.encode(&self.reason));
        letter
    }
}

/// Whether another attempt may succeed: without an answer, when asked to wait, and when it was the function's fault.
fn is_transient(status: Option<StatusCode>) -> bool {
    status.is_none_or(|status| matches!(status.as_u16(), 408 | 429) || status.is_server_error())
}

/// `Retry-After`: seconds, or a date.
fn wanted(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    date.duration_since(std::time::SystemTime::now()).ok()
}

/// The first `limit` bytes of a body.
async fn read(mut response: reqwest::Response, limit: usize) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while body.len() < limit
        && let Some(chunk) = response.chunk().await?
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(limit);
    Ok(body)
}

/// From microseconds since 1970 until now.
pub(crate) fn since(published_at: i64) -> Duration {
    let now = jiff::Timestamp::now().as_microsecond();
    Duration::from_micros(u64::try_from(now - published_at).unwrap_or(0))
}

/// The wait of a sidecar that cannot write: the disk may have room again.
pub(super) async fn pause(stop: &CancellationToken) {
    let until = Instant::now() + Duration::from_secs(1);
    tokio::select! {
        () = tokio::time::sleep_until(until.into()) => {}
        () = stop.cancelled() => {}
    }
}
