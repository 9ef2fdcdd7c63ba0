//! The HTTP half of Streamable HTTP: what a request must look like before its body is read as MCP.

use std::error::Error;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::rejection::Rejection;

/// The largest legal call is a description of 4,000 characters, 20 tags and a title, each character escaped as twelve
/// bytes of JSON: 63 kB. Twice that leaves room for `_meta`.
pub const BODY_LIMIT: usize = 128 * 1024;

/// `spin up` routes by path (`/tool-add-task/mcp`), Knative by host (`/mcp`); the component is the same.
const PATH: &str = "/mcp";

/// Checks everything that can be known from the head of the request, except who sent it.
pub fn check(head: &Parts) -> Result<(), Rejection> {
    if !head.uri.path().ends_with(PATH) {
        return Err(Rejection::http(StatusCode::NOT_FOUND, "the MCP endpoint is /mcp"));
    }
    if head.method != Method::POST {
        return Err(Rejection::method_not_allowed());
    }
    // Browsers send it and nobody else; no page has a function token, so this is DNS rebinding or a mistake.
    if head.headers.contains_key(ORIGIN) {
        return Err(Rejection::http(StatusCode::FORBIDDEN, "requests from web pages are not accepted here"));
    }
    if !media_types(&head.headers, &CONTENT_TYPE).any(is_json) {
        let message = "send Content-Type: application/json";
        return Err(Rejection::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    if !accepts_json(&head.headers) {
        let message = "send Accept: application/json, text/event-stream";
        return Err(Rejection::http(StatusCode::NOT_ACCEPTABLE, message));
    }
    Ok(())
}

/// Reads the body, at most [`BODY_LIMIT`] bytes of it.
pub async fn read<B>(body: B) -> Result<Bytes, Rejection>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    match Limited::new(body, BODY_LIMIT).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Rejection::http(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 128 KiB"))
        }
        Err(_) => Err(Rejection::http(StatusCode::BAD_REQUEST, "the body could not be read to its end")),
    }
}

/// Without an Accept header everything is acceptable (RFC 9110 §12.5.1).
fn accepts_json(headers: &HeaderMap) -> bool {
    let accepted = |media: &str| is_json(media) || media == "*/*" || media == "application/*";
    !headers.contains_key(ACCEPT) || media_types(headers, &ACCEPT).any(accepted)
}

fn is_json(media: &str) -> bool {
    media.eq_ignore_ascii_case("application/json")
}

/// The media types of a header without their parameters.
fn media_types<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let entries = values.flat_map(|value| value.split(','));
    entries.filter_map(|entry| entry.split(';').next()).map(str::trim)
}
