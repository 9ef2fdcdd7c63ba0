//! Requests as a component sees them: an absolute address, Spin's headers, and a body that has arrived.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Uri, request};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use wasmtime_wasi_http::WasiBody;

use crate::response::Refusal;

/// Spin's headers start like this. From outside they could say anything, so they are taken away.
const SPIN: &str = "spin-";
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");

/// Makes `parts` what a component on the route `base` expects: hyper's addresses are relative, wasi:http's are not.
pub fn address(parts: &mut request::Parts, base: &str, rest: &str) -> Result<(), Refusal> {
    let uri = absolute(parts).ok_or(Refusal::BadRequest)?;
    let spins: Vec<_> =
        parts.headers.keys().filter(|name| name.as_str().starts_with(SPIN)).cloned().collect();
    for name in spins {
        parts.headers.remove(name);
    }
    let set = [(FULL_URL, uri.to_string()), (PATH_INFO, rest.to_owned()), (COMPONENT_ROUTE, base.to_owned())];
    for (name, value) in set {
        let value = HeaderValue::from_str(&value).map_err(|_| Refusal::BadRequest)?;
        parts.headers.insert(name, value);
    }
    parts.uri = uri;
    Ok(())
}

fn absolute(parts: &request::Parts) -> Option<Uri> {
    let host = match parts.uri.authority() {
        Some(authority) => authority.clone(),
        None => match parts.headers.get(HOST) {
            Some(host) => Authority::from_maybe_shared(Bytes::copy_from_slice(host.as_bytes())).ok()?,
            None => Authority::from_static("localhost"),
        },
    };
    let path = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    Uri::builder()
        .scheme(parts.uri.scheme().cloned().unwrap_or(Scheme::HTTP))
        .authority(host)
        .path_and_query(path)
        .build()
        .ok()
}

/// Reads the whole body, of at most `limit` bytes, within `patience`. A slow caller so waits here and not in an instance.
pub async fn receive<B>(
    request: Request<B>,
    limit: usize,
    patience: Duration,
) -> Result<Request<WasiBody>, Refusal>
where
    B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let (parts, body) = request.into_parts();
    let announced =
        parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Refusal::TooLarge);
    }
    let body = match tokio::time::timeout(patience, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Refusal::TooLarge),
        Ok(Err(_)) => return Err(Refusal::BadRequest),
        Err(_) => return Err(Refusal::SlowRequest),
    };
    Ok(Request::from_parts(parts, Full::new(body).map_err(|never| match never {}).boxed_unsync()))
}
