//! One function: a component that answers requests.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::time::{Instant, timeout_at};
use tracing::{Instrument, info_span};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::{ExpirationError, InstantiationError, ProxyHandler, TrapOrPanicError};

use crate::counters::Counters;
use crate::gate::{Gate, Place};
use crate::instance::Instances;
use crate::limits::Limits;
use crate::manifest::Route;
use crate::request::{address, receive};
use crate::response::{Body, Refusal, watched};

/// A loaded component.
pub struct Function {
    pub name: Arc<str>,
    pub routes: Vec<Route>,
    pub counters: Arc<Counters>,
    handler: ProxyHandler<Instances>,
    gate: Gate,
    limits: Limits,
}

impl Function {
    pub fn new(name: Arc<str>, routes: Vec<Route>, instances: Instances) -> Self {
        let limits = instances.limits;
        Self {
            name,
            routes,
            counters: instances.counters.clone(),
            handler: ProxyHandler::new(instances),
            gate: Gate::new(limits.concurrency, limits.queue),
            limits,
        }
    }

    /// Answers `request`, which arrived on `route`.
    pub async fn handle<B>(&self, route: &Route, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        self.counters.request();
        let (began, (trace_id, parent_id)) = (Instant::now(), trace(request.headers()).unzip());
        let span = info_span!("function", component = %self.name, trace_id, parent_id = parent_id.flatten());
        async {
            let answered = self.answer(route, request).await;
            let response = answered.unwrap_or_else(|refusal| self.refused(refusal));
            let (status, took) = (response.status().as_u16(), began.elapsed());
            self.counters.answered(took);
            tracing::info!(status, milliseconds = took.as_secs_f64() * 1e3, "answered");
            response
        }
        .instrument(span)
        .await
    }

    fn refused(&self, refusal: Refusal) -> Response<Body> {
        match refusal {
            Refusal::Busy => self.counters.rejection(),
            Refusal::Failed | Refusal::TimedOut => self.counters.failure(),
            _ => {}
        }
        refusal.response()
    }

    async fn answer<B>(&self, route: &Route, request: Request<B>) -> Result<Response<Body>, Refusal>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        address(&mut parts, route.base(), route.rest(&path).unwrap_or_default())?;
        let request = receive(Request::from_parts(parts, body), self.limits.body, self.limits.time).await?;
        let place = self.gate.enter(self.limits.time).await.map_err(|_| Refusal::Busy)?;
        self.run(request, place).await
    }

    async fn run(&self, request: Request<WasiBody>, place: Place) -> Result<Response<Body>, Refusal> {
        let deadline = Instant::now() + self.limits.time;
        match timeout_at(deadline, self.handler.handle((), request)).await {
            Ok(Ok(response)) => Ok(watched(response, deadline, place)),
            Ok(Err(error)) => Err(self.refusal(&error, deadline)),
            Err(_) => Err(self.timed_out()),
        }
    }

    fn refusal(&self, error: &wasmtime::Error, deadline: Instant) -> Refusal {
        if error.is::<ExpirationError>() || Instant::now() >= deadline {
            return self.timed_out();
        }
        if let Some(error) = error.downcast_ref::<InstantiationError<()>>() {
            tracing::error!(component = %self.name, "an instance did not start: {:#}", error.error);
        } else if !error.is::<TrapOrPanicError>() {
            tracing::error!(component = %self.name, "the component answered with an error: {error:#}");
        }
        // A trap is logged where its instance ends, which alone knows more of it.
        Refusal::Failed
    }

    fn timed_out(&self) -> Refusal {
        tracing::error!(component = %self.name, "a request took longer than {:?}", self.limits.time);
        Refusal::TimedOut
    }
}

/// The trace that a request belongs to (W3C `traceparent`), and the span that calls, unless nobody wants the trace collected. Only what is
/// one: what a stranger writes there must not get into the log.
fn trace(headers: &HeaderMap) -> Option<(String, Option<String>)> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-').skip(1);
    let id = |part: &str, length| {
        let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (part.len() == length && part.bytes().all(hexadecimal)).then(|| part.to_owned())
    };
    let trace_id = id(parts.next()?, 32)?;
    let parent_id = parts.next().and_then(|part| id(part, 16));
    let flags = parts.next().and_then(|flags| u8::from_str_radix(flags, 16).ok()).unwrap_or_default();
    Some((trace_id, parent_id.filter(|_| flags & 1 == 1)))
}
