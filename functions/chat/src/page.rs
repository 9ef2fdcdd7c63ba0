//! The page at `/` and its files, embedded: no build step, no request to anywhere else.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};

/// Nothing from elsewhere, nothing inline, no framing; markup in a title stays text. `'self'` covers the socket of `live` too.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

struct File {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! file {
    ($path:literal, $name:literal, $kind:expr) => {
        File { path: $path, kind: $kind, text: include_str!(concat!("../page/", $name)) }
    };
}

const FILES: [File; 23] = [
    file!("/", "index.html", HTML),
    file!("/conversation.css", "conversation.css", CSS),
    file!("/conversations.css", "conversations.css", CSS),
    file!("/message.css", "message.css", CSS),
    file!("/narrow.css", "narrow.css", CSS),
    file!("/page.css", "page.css", CSS),
    file!("/reminders.css", "reminders.css", CSS),
    file!("/sign-in.css", "sign-in.css", CSS),
    file!("/tasks.css", "tasks.css", CSS),
    file!("/composer.js", "composer.js", SCRIPT),
    file!("/conversation.js", "conversation.js", SCRIPT),
    file!("/conversations.js", "conversations.js", SCRIPT),
    file!("/element.js", "element.js", SCRIPT),
    file!("/endpoint.js", "endpoint.js", SCRIPT),
    file!("/live.js", "live.js", SCRIPT),
    file!("/markdown.js", "markdown.js", SCRIPT),
    file!("/message.js", "message.js", SCRIPT),
    file!("/page.js", "page.js", SCRIPT),
    file!("/reminders.js", "reminders.js", SCRIPT),
    file!("/sign-in.js", "sign-in.js", SCRIPT),
    file!("/task.js", "task.js", SCRIPT),
    file!("/tasks.js", "tasks.js", SCRIPT),
    file!("/when.js", "when.js", SCRIPT),
];

/// A route for each file.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, file| {
        let etag = format!("\"{}\"", hex(&Sha256::digest(file.text)));
        router.route(file.path, get(move |headers: HeaderMap| async move { answer(file, &etag, &headers) }))
    })
}

/// The files change with the binary, so a browser asks each time and mostly hears 304.
fn answer(file: &File, etag: &str, request: &HeaderMap) -> Response {
    let headers = [
        (CONTENT_TYPE, file.kind),
        (ETAG, etag),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ];
    let known = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = known.flat_map(|value| value.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    if tags.any(|tag| tag == etag || tag == "*") {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, file.text).into_response()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
