//! Responses: the component's own, watched to their end, and the host's in its place.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, Sleep, sleep_until};
use wasmtime_wasi_http::WasiBody;

use crate::gate::Place;

/// A response's body.
pub type Body = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// Why the host answers in a component's place. The text is for the caller and says what to do; the log says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No function has this address.
    NotFound,
    /// The request cannot be given to a component.
    BadRequest,
    /// The body did not arrive in time.
    SlowRequest,
    /// The body is larger than the limit.
    TooLarge,
    /// Too many requests are waiting.
    Busy,
    /// The component trapped.
    Failed,
    /// The component took too long.
    TimedOut,
}

impl Refusal {
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "No function has this address."),
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad_request", "The request could not be read."),
            Self::SlowRequest => {
                (StatusCode::REQUEST_TIMEOUT, "slow_request", "The request's body did not arrive in time.")
            }
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request's body is too large.")
            }
            Self::Busy => {
                (StatusCode::SERVICE_UNAVAILABLE, "busy", "Too many requests are waiting. Try again soon.")
            }
            Self::Failed => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "failed",
                "The function failed. Its operator finds why in the log.",
            ),
            Self::TimedOut => {
                (StatusCode::GATEWAY_TIMEOUT, "timed_out", "The function took too long and was stopped.")
            }
        }
    }

    /// The response: `{"error": code, "message": text}`.
    pub fn response(self) -> Response<Body> {
        let (status, code, message) = self.parts();
        let mut response = json(status, &serde_json::json!({ "error": code, "message": message }));
        if self == Self::Busy {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// A JSON response of the host.
pub fn json(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let body = Full::new(Bytes::from(body.to_string())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A component's response that keeps its place at work until it ends, and ends at the deadline.
pub fn watched(response: Response<WasiBody>, deadline: Instant, place: Place) -> Response<Body> {
    response.map(|body| {
        if body.is_end_stream() {
            return body.map_err(Into::into).boxed_unsync();
        }
        Watched { body, deadline: Box::pin(sleep_until(deadline)), _place: place }.boxed_unsync()
    })
}

struct Watched {
    body: WasiBody,
    deadline: Pin<Box<Sleep>>,
    _place: Place,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        match self.deadline.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err("the function took too long to answer in full".into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
