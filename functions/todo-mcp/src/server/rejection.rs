//! Every way a request can fail before or beside its tool, with the one place that turns it into HTTP.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use rmcp::model::{ErrorCode, ErrorData, JsonRpcError, RequestId};
use serde::Serialize;
use todo_identity::Refusal;

/// A token that is valid and may not do this (RFC 6750 §3.1). It names no user: the caller knows whom it asked for.
const OTHER_USER: &str = "Bearer realm=\"todo\", error=\"insufficient_scope\", \
    error_description=\"user_id is not the user of the token; send the signed-in user's own id\"";

/// Why there is no result. What is in it goes to the client: nothing internal.
#[derive(Debug)]
pub(crate) struct Rejection {
    status: StatusCode,
    header: Option<(HeaderName, String)>,
    /// Boxed, or every `Result` on the way would be as large as the rarest error.
    body: Box<JsonRpcError>,
}

impl Rejection {
    fn new(status: StatusCode, error: ErrorData) -> Self {
        Self { status, header: None, body: Box::new(JsonRpcError::new(None, error)) }
    }

    /// The HTTP request is not one that this endpoint takes.
    pub fn http(status: StatusCode, message: &'static str) -> Self {
        Self::new(status, ErrorData::invalid_request(message, None))
    }

    /// Only POST is spoken here: the revision has no stream to GET and no session to DELETE.
    pub fn method_not_allowed() -> Self {
        let message = "send MCP requests with POST; there are no streams (GET) and no sessions (DELETE) here";
        Self::http(StatusCode::METHOD_NOT_ALLOWED, message).with_header(ALLOW, "POST")
    }

    /// No token, or one that does not verify.
    pub fn unauthorized(refusal: Refusal) -> Self {
        let error = ErrorData::invalid_request(refusal.to_string(), None);
        Self::new(StatusCode::UNAUTHORIZED, error).with_header(WWW_AUTHENTICATE, refusal.challenge())
    }

    /// A valid token of one person and the `user_id` of another.
    pub fn another_user() -> Self {
        let message = "user_id is not the user of the token; send the signed-in user's own id";
        Self::http(StatusCode::FORBIDDEN, message).with_header(WWW_AUTHENTICATE, OTHER_USER)
    }

    /// The body is not JSON.
    pub fn not_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorData::parse_error("the body is not valid JSON", None))
    }

    /// A JSON-RPC error with the HTTP status that the revision gives its code.
    pub fn rpc(error: ErrorData) -> Self {
        let status = match error.code {
            ErrorCode::HEADER_MISMATCH
            | ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
            | ErrorCode::INVALID_REQUEST => StatusCode::BAD_REQUEST,
            ErrorCode::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        };
        Self::new(status, error)
    }

    /// `params` that break the protocol's own rules (a `_meta` without its required keys), unlike those that merely name
    /// something unknown.
    pub fn malformed_params(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorData::invalid_params(message, None))
    }

    /// The database is away or busy. Either nothing was changed or, should the commit have been on its way, nobody knows:
    /// the same call under the same call id settles it.
    pub fn unavailable() -> Self {
        let error = ErrorData::internal_error("the task store is unavailable; try again shortly", None);
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error).with_header(RETRY_AFTER, "1")
    }

    /// Our own fault, and trying again will not help.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorData::internal_error("internal error", None))
    }

    /// Says which request this answers, once that is known.
    pub fn answering(mut self, id: &RequestId) -> Self {
        self.body.id = Some(id.clone());
        self
    }

    fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = json(self.status, &self.body);
        if let Some((name, value)) = self.header
            && let Ok(value) = HeaderValue::try_from(value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A JSON response. The length is set because a component's response would be chunked without it; answers are one
/// person's data, so no cache on the way may keep them.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response<Full<Bytes>> {
    // The types written here have string keys and no fallible parts; an empty body would still be a valid HTTP answer.
    let body = Bytes::from(serde_json::to_vec(body).unwrap_or_default());
    let length = body.len();
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
