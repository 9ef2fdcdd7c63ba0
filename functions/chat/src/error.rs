//! The one error policy: which status, what the client reads, what the log says.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use todo_identity::Refusal;

/// Why a request is not answered with what it asked for.
///
/// `message` is for the caller: it says what to do and holds nothing internal. `log` is for whoever runs this: it holds
/// nothing that a person wrote.
#[derive(Debug, Clone)]
pub struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    pub(crate) retry_after: Option<Duration>,
    challenge: Option<String>,
    log: Option<String>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, challenge: None, log: None }
    }

    /// The caller's mistake: 400.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// The caller's mistake, with a status of its own.
    pub fn refused(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(status, code, message)
    }

    /// There is no such thing, or not for this person: 404.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 405; the `Allow` header is the router's.
    pub fn method_not_allowed() -> Self {
        let message = "This path does not take that method; see the Allow header.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    /// No token, or one that is not accepted: 401 and the challenge of RFC 6750.
    pub fn unauthorized(refusal: Refusal) -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "unauthorized", refusal.to_string());
        problem.challenge = Some(refusal.challenge());
        problem
    }

    /// A page of an origin that is neither ours nor allowed: 403.
    pub fn another_origin() -> Self {
        let message = "pages of this origin may not call here; whoever runs this server can allow the origin";
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// A good token, and somebody else's `user_id`: 403.
    pub fn another_user() -> Self {
        let message = "user_id is not the user of the token; use the signed-in user's own id";
        let mut problem = Self::new(StatusCode::FORBIDDEN, "forbidden", message);
        problem.challenge = Some(format!(
            "Bearer realm=\"todo\", error=\"insufficient_scope\", error_description=\"{message}\""
        ));
        problem
    }

    /// This person has too much under way: 429.
    pub fn too_many(message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message);
        problem.retry_after = Some(retry_after);
        problem
    }

    /// We cannot now, and the same request may work later: 503.
    pub fn unavailable(message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
        problem.retry_after = Some(retry_after);
        problem
    }

    /// The turn took too long: 504.
    pub fn timed_out(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "timeout", message)
    }

    /// Our fault: 500.
    pub fn internal(log: impl Display) -> Self {
        let message = "Something went wrong here. It has been written down; try again later.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).logged(log)
    }

    /// The same problem with a text for the log.
    pub fn logged(mut self, log: impl Display) -> Self {
        self.log = Some(log.to_string());
        self
    }

    /// Adds a parameter to the challenge, if there is one.
    pub fn with_challenge_parameter(mut self, name: &str, value: &str) -> Self {
        self.challenge = self.challenge.map(|challenge| format!("{challenge}, {name}=\"{value}\""));
        self
    }

    /// True when sending the same request again may help.
    pub fn is_transient(&self) -> bool {
        self.retry_after.is_some() || self.status.is_server_error()
    }

    /// `{"error": {"code", "message"}}`.
    pub fn body(&self) -> Value {
        json!({ "error": { "code": self.code, "message": self.message } })
    }

    /// Writes to the log what is to be written there, once, by whoever hands the problem out.
    pub fn report(&self) {
        let log = self.log.as_deref().unwrap_or_default();
        match self.status.is_server_error() {
            true => tracing::error!(status = self.status.as_u16(), code = self.code, log, "request failed"),
            false => tracing::debug!(status = self.status.as_u16(), code = self.code, log, "request refused"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.report();
        let mut response = (self.status, Json(self.body())).into_response();
        let headers = response.headers_mut();
        if let Some(retry_after) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
        }
        if let Some(challenge) = self.challenge.and_then(|challenge| HeaderValue::try_from(challenge).ok()) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// What the store says, in the words of this surface.
impl From<todo_store::Error> for Problem {
    fn from(error: todo_store::Error) -> Self {
        match &error {
            todo_store::Error::NotFound { .. } => Self::not_found(sentence(&error)),
            todo_store::Error::Conflict(_) => {
                Self::refused(StatusCode::CONFLICT, "conflict", sentence(&error))
            }
            todo_store::Error::Invalid(_) => Self::invalid(sentence(&error)),
            error if error.is_transient() => {
                Self::unavailable("The database is not answering; try again shortly.", Duration::from_secs(2))
                    .logged(with_sources(error))
            }
            error => Self::internal(with_sources(error)),
        }
    }
}

fn sentence(error: &todo_store::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// An error with all its causes: the cause is what the log is read for.
pub fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
