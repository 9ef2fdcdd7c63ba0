//! Turns as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::error::Problem;
use crate::turn;

/// Proxies close a connection that is silent for 30 or 60 seconds.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// One event on the wire.
pub(crate) struct Event {
    pub name: Option<&'static str>,
    pub data: Value,
}

/// Streams a turn in the words of `translate`. What goes wrong before the turn has begun is an HTTP status; from then on
/// the stream says it.
pub(crate) async fn stream<F>(
    mut listener: mpsc::UnboundedReceiver<turn::Event>,
    mut translate: F,
) -> Response
where
    F: FnMut(turn::Event) -> Vec<Event> + Send + 'static,
{
    let first = match listener.recv().await {
        Some(turn::Event::Failed(problem)) => return problem.into_response(),
        Some(event) => event,
        None => return Problem::internal("the turn ended without a word").into_response(),
    };
    let rest = stream::unfold(listener, async |mut listener| Some((listener.recv().await?, listener)));
    let events = stream::iter([first]).chain(rest).flat_map(move |event| stream::iter(translate(event)));
    response(events)
}

/// A stream of nothing but these events.
pub(crate) fn only(events: Vec<Event>) -> Response {
    response(stream::iter(events))
}

fn response(events: impl futures::Stream<Item = Event> + Send + 'static) -> Response {
    let events = events.map(|event| Ok::<_, Infallible>(written(event)));
    let heartbeat = KeepAlive::new().interval(HEARTBEAT).text("still here");
    let mut response = Sse::new(events).keep_alive(heartbeat).into_response();
    // nginx would hold the events back.
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// JSON has no line breaks of its own, so the data is always one line.
fn written(event: Event) -> axum::response::sse::Event {
    let empty = axum::response::sse::Event::default();
    let named = match event.name {
        Some(name) => empty.event(name),
        None => empty,
    };
    named.data(event.data.to_string())
}
