//! Service invocation: `/v1.0/invoke/{function}/method/{path}`, or any path with the header `dapr-app-id`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::context::Context;
use crate::delivery::Courier;
use crate::reply::Refusal;
use crate::settings::Settings;

const APP_ID: HeaderName = HeaderName::from_static("dapr-app-id");
const TOKEN: HeaderName = HeaderName::from_static("dapr-api-token");
const CALLER: HeaderName = HeaderName::from_static("dapr-caller-app-id");

#[derive(Clone)]
pub(crate) struct Invoke {
    pub context: Arc<Context>,
    pub courier: Courier,
}

/// Whatever no other route took.
pub(crate) async fn invoke(State(invoke): State<Invoke>, request: Request) -> Result<Response, Refusal> {
    let Some((function, path)) = target(&request) else {
        let message = "failed getting app id either from the URL path or the header dapr-app-id";
        return Err(Refusal::new(404, "ERR_DIRECT_INVOKE", message));
    };
    let failed = |problem: &str| {
        let message = format!("failed to invoke, id: {function}, err: {problem}");
        Refusal::new(500, "ERR_DIRECT_INVOKE", message)
    };
    let settings = &invoke.context.settings;
    if !invoke.context.functions.contains(function.as_str()) {
        return Err(failed("no function of this name is known here"));
    }
    let (parts, body) = request.into_parts();
    let mut url = settings.url(&function, &format!("/{path}"));
    if let Some(query) = parts.uri.query() {
        url.push('?');
        url.push_str(query);
    }
    let url =
        within(settings, &function, &url).ok_or_else(|| failed("the path leads out of the function"))?;
    let mut headers = parts.headers;
    end_to_end(&mut headers);
    for name in [APP_ID, TOKEN, HOST] {
        headers.remove(name);
    }
    let set = |headers: &mut HeaderMap, name, value: &str| {
        HeaderValue::from_str(value).map(|value| headers.insert(name, value)).ok();
    };
    set(&mut headers, CALLER, &settings.app_id);
    if let Some(token) = &settings.app_api_token {
        set(&mut headers, TOKEN, token);
    }
    let body = reqwest::Body::wrap_stream(body.into_data_stream());
    let call = invoke.courier.client().request(parts.method, url).headers(headers).body(body);
    let answer = call.timeout(settings.call_timeout).send().await;
    Ok(pass_on(answer.map_err(|error| failed(&error.without_url().to_string()))?))
}

/// The function and the path at it, without its first `/`.
fn target(request: &Request) -> Option<(String, String)> {
    let path = request.uri().path();
    if let Some(function) = request.headers().get(APP_ID) {
        return Some((function.to_str().ok()?.to_owned(), path.trim_start_matches('/').to_owned()));
    }
    let (function, path) = path.strip_prefix("/v1.0/invoke/")?.split_once("/method/")?;
    let function = percent_encoding::percent_decode_str(function).decode_utf8().ok()?;
    (!function.is_empty()).then(|| (function.into_owned(), path.to_owned()))
}

/// The URL, unless `..` in it leads to what is not the function's.
fn within(settings: &Settings, function: &str, url: &str) -> Option<reqwest::Url> {
    let base = reqwest::Url::parse(&settings.url(function, "/")).ok()?;
    let url = reqwest::Url::parse(url).ok()?;
    url.path().starts_with(base.path()).then_some(url)
}

fn pass_on(answer: reqwest::Response) -> Response {
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    end_to_end(&mut headers);
    let mut response = Body::from_stream(answer.bytes_stream()).into_response();
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Leaves out what is about one connection. The length goes too: the body is passed on as it comes.
fn end_to_end(headers: &mut HeaderMap) {
    for name in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
        headers.remove(name);
    }
}
