//! Spans for whoever collects traces: OTLP over HTTP, in its JSON form.
//!
//! Not by OpenTelemetry's SDK: our trace travels in headers and events whether anybody collects or not, so its ids are made where the
//! header is, and what is exported has the same. What remains is a queue and a request a second, which nobody waits for: when they
//! cannot be sent, spans are dropped, and a request is as fast as ever.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Subscriber;
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

use super::Fields;
use crate::failure::{Failure, Outcome};

/// Spans that may wait to be sent; what is more is dropped.
const WAITING: usize = 8_192;

/// Spans in one request, and how long the first of them waits for others.
const TOGETHER: usize = 512;
const PAUSE: Duration = Duration::from_secs(1);

/// A collector is near.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where a request stands in its trace; `chat::trace` and `todo_host` give their spans these fields.
const TRACE_ID: &str = "trace_id";
const SPAN_ID: &str = "span_id";
const PARENT_ID: &str = "parent_id";

/// What only the export is concerned with: no line of the log has it.
pub(super) const OF_EXPORT: [&str; 2] = [SPAN_ID, PARENT_ID];

/// Where spans go.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `http://host:4318`, before `/v1/traces`.
    pub url: String,
    /// `name=value,…`, the values percent-encoded: what the endpoint wants of its callers.
    pub headers: Option<String>,
    /// The function whose spans they are, where a span does not name its component.
    pub service: String,
}

/// A layer that hands each span that has ended to its [`Export`].
pub struct Spans(mpsc::Sender<Message>);

/// What sends them.
pub struct Export {
    messages: mpsc::Receiver<Message>,
    http: reqwest::Client,
    url: String,
    service: String,
}

/// Sees to it that spans are sent before the process ends.
#[derive(Clone)]
pub struct Flush(mpsc::Sender<Message>);

enum Message {
    Ended(Span),
    Flush(oneshot::Sender<()>),
}

/// A span that has ended.
struct Span {
    place: Place,
    name: &'static str,
    began: SystemTime,
    ended: SystemTime,
    fields: Map<String, Value>,
}

/// A span in its trace.
#[derive(Clone)]
struct Place {
    trace_id: String,
    span_id: String,
    parent_id: Option<String>,
}

/// Kept with a span while it lasts.
struct Open {
    place: Place,
    began: SystemTime,
    fields: Fields,
}

impl Spans {
    /// A layer, what must run for it, and what waits until it has sent everything.
    pub fn to(endpoint: &Endpoint) -> Outcome<(Self, Export, Flush)> {
        let url = format!("{}/v1/traces", endpoint.url.trim_end_matches('/'));
        let client = todo_agent::client_builder(&url).map_err(Failure::internal)?.timeout(TIMEOUT);
        let client = client.default_headers(headers(endpoint.headers.as_deref().unwrap_or_default())?);
        let http = client.build().map_err(Failure::internal)?;
        if !reqwest::Url::parse(&url).is_ok_and(|url| ["http", "https"].contains(&url.scheme())) {
            return Err(Failure::usage(
                "OTEL_EXPORTER_OTLP_ENDPOINT must be a URL, such as http://127.0.0.1:4318",
            ));
        }
        let (sender, messages) = mpsc::channel(WAITING);
        let export = Export { messages, http, url, service: endpoint.service.clone() };
        Ok((Self(sender.clone()), export, Flush(sender)))
    }
}

fn headers(text: &str) -> Outcome<HeaderMap> {
    let header = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name.trim()).ok()?, value))
    };
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    let headers: Option<_> = pairs.map(header).collect();
    headers.ok_or_else(|| {
        Failure::usage("OTEL_EXPORTER_OTLP_HEADERS must be name=value pairs with commas between them")
    })
}

impl<S> Layer<S> for Spans
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        let above =
            span.parent().and_then(|above| above.extensions().get::<Open>().map(|open| open.place.clone()));
        if let Some(place) = Place::of(&mut fields.0, above) {
            span.extensions_mut().insert(Open { place, began: SystemTime::now(), fields });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(&mut open.fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(Open { place, began, fields }) = span.extensions_mut().remove::<Open>() else { return };
        let ended = Span { place, name: span.name(), began, ended: SystemTime::now(), fields: fields.0 };
        // Full or closed: nobody waits for a collector.
        let _ = self.0.try_send(Message::Ended(ended));
    }
}

impl Place {
    /// Where a span stands: by its own fields, else below the one around it. Nowhere when it is in no trace, or when whoever began
    /// the trace does not want it collected; then it is not told whom it is called by.
    fn of(fields: &mut Map<String, Value>, above: Option<Self>) -> Option<Self> {
        let mut take = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (span_id, parent_id) = (take(SPAN_ID), take(PARENT_ID));
        match take(TRACE_ID) {
            Some(_) if span_id.is_none() && parent_id.is_none() => None,
            Some(trace_id) => Some(Self { trace_id, span_id: span_id.unwrap_or_else(new_id), parent_id }),
            None => above.map(|above| Self {
                trace_id: above.trace_id,
                span_id: span_id.unwrap_or_else(new_id),
                parent_id: Some(above.span_id),
            }),
        }
    }
}

fn new_id() -> String {
    format!("{:016x}", Uuid::new_v4().as_u64_pair().1)
}

impl Flush {
    /// Waits until all spans that have ended are sent, or cannot be.
    pub async fn wait(&self) {
        let (done, sent) = oneshot::channel();
        let all = async {
            self.0.send(Message::Flush(done)).await.ok()?;
            sent.await.ok()
        };
        let _ = timeout(TIMEOUT, all).await;
    }
}

impl Export {
    /// Sends spans until nobody makes any.
    pub async fn run(mut self) {
        let mut failing = false;
        loop {
            let (mut spans, mut flushed) = (Vec::new(), Vec::new());
            let open = self.gather(&mut spans, &mut flushed).await;
            if !spans.is_empty() {
                failing = self.send(&spans, failing).await;
            }
            for flush in flushed {
                // Who no longer waits needs no answer.
                let _ = flush.send(());
            }
            if !open {
                return;
            }
        }
    }

    /// Takes what comes until there is enough for a request or somebody waits; `false` when nothing comes any more.
    async fn gather(&mut self, spans: &mut Vec<Span>, flushed: &mut Vec<oneshot::Sender<()>>) -> bool {
        let mut next = self.messages.recv().await;
        let until = Instant::now() + PAUSE;
        loop {
            match next {
                None => return false,
                Some(Message::Flush(done)) => {
                    flushed.push(done);
                    return true;
                }
                Some(Message::Ended(span)) => spans.push(span),
            }
            if spans.len() >= TOGETHER {
                return true;
            }
            match timeout_at(until, self.messages.recv()).await {
                Ok(message) => next = message,
                Err(_) => return true,
            }
        }
    }

    /// Whether it failed. Said once, not each second.
    async fn send(&self, spans: &[Span], failing: bool) -> bool {
        let sent = self.http.post(&self.url).json(&self.request(spans)).send().await;
        match (sent.and_then(reqwest::Response::error_for_status), failing) {
            (Ok(_), true) => tracing::info!("traces are collected again"),
            (Err(error), false) => tracing::warn!("traces are not collected: {}", error.without_url()),
            (Ok(_), false) => return false,
            (Err(_), true) => return true,
        }
        !failing
    }

    fn request(&self, spans: &[Span]) -> Value {
        let mut services = BTreeMap::<&str, Vec<Value>>::new();
        for span in spans {
            let component = span.fields.get("component").and_then(Value::as_str);
            services.entry(component.unwrap_or(&self.service)).or_default().push(span.told());
        }
        let told = services.into_iter().map(|(service, spans)| {
            let resource = [("service.name", service), ("service.namespace", "todo")];
            let resource = resource.map(|(key, value)| attribute(key, &value.into()));
            let scope = json!({"name": "todo", "version": env!("CARGO_PKG_VERSION")});
            json!({"resource": {"attributes": resource}, "scopeSpans": [{"scope": scope, "spans": spans}]})
        });
        json!({"resourceSpans": told.collect::<Vec<_>>()})
    }
}

impl Span {
    /// As OTLP has it in JSON: ids in hexadecimal, 64-bit integers as texts.
    fn told(&self) -> Value {
        let Place { trace_id, span_id, parent_id } = &self.place;
        let status = self.fields.get("status").and_then(Value::as_u64);
        let failed =
            status.is_some_and(|status| status >= 500) || self.fields.get("is_error") == Some(&true.into());
        json!({
            "traceId": trace_id,
            "spanId": span_id,
            "parentSpanId": parent_id.as_deref().unwrap_or_default(),
            "name": self.title(),
            // 2: it was asked; 3: it asks.
            "kind": if self.name.starts_with("agent.") { 3 } else { 2 },
            "startTimeUnixNano": nanoseconds(self.began),
            "endTimeUnixNano": nanoseconds(self.ended),
            "attributes": self.fields.iter().map(|(name, value)| attribute(name, value)).collect::<Vec<_>>(),
            "status": if failed { json!({"code": 2}) } else { json!({}) },
        })
    }

    fn title(&self) -> String {
        let field = |name| self.fields.get(name).and_then(Value::as_str);
        match (field("method"), field("route"), field("component")) {
            (Some(method), Some(route), _) => format!("{method} {route}"),
            (_, _, Some(component)) => component.to_owned(),
            _ => self.name.to_owned(),
        }
    }
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

fn attribute(key: &str, value: &Value) -> Value {
    let value = match value {
        Value::Bool(value) => json!({"boolValue": value}),
        Value::Number(number) if number.is_f64() => json!({"doubleValue": number}),
        Value::Number(number) => json!({"intValue": number.to_string()}),
        Value::String(text) => json!({"stringValue": text}),
        other => json!({"stringValue": other.to_string()}),
    };
    json!({"key": key, "value": value})
}
