//! What is kept of a dead letter.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, Uri};
use serde_json::{Map, Value, json};
use todo_events::{EventType, Incoming, Malformed, data_sha256};
use todo_identity::EventVerifier;
use todo_store::dead_letters::DeadLetter;

/// Longer than any id or type of ours. A stranger's is replaced by its digest.
const TEXT_LIMIT: usize = 128;

/// Who a function is called by: its name begins with it.
const CALLED_BY: [&str; 3] = ["event-", "tick-", "tool-"];

/// What becomes of a request, whatever it is.
pub(crate) fn of(headers: &HeaderMap, body: &[u8], verifier: Option<&EventVerifier>) -> DeadLetter {
    match Incoming::read(headers, body) {
        Ok(incoming) => readable(&incoming, verifier),
        Err(malformed) => unreadable(headers, body, &malformed),
    }
}

fn readable(incoming: &Incoming, verifier: Option<&EventVerifier>) -> DeadLetter {
    let failure = incoming.failure();
    let (consumer, path) = function(failure.destination.as_deref());
    let (user_id, problem) = verdict(incoming, verifier);
    let event = incoming.redacted();
    DeadLetter {
        consumer,
        path,
        digest: digest(&identity(&event, user_id.as_deref())),
        event_id: short(incoming.id()),
        event_type: short(incoming.event_type()),
        topic: topic(incoming),
        user_id,
        status: failure.code,
        reason: problem.unwrap_or_else(|| refusal(failure.code).to_owned()),
        body: Value::Object(event).to_string(),
    }
}

/// Of what is no event, the bytes and the headers of the binding. None of them holds a person's token.
fn unreadable(headers: &HeaderMap, body: &[u8], malformed: &Malformed) -> DeadLetter {
    let of_the_event = headers.iter().filter(|(name, _)| {
        let name = name.as_str();
        name == "content-type" || (name.starts_with("ce-") && name != "ce-usertoken")
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Map<String, Value> =
        of_the_event.map(|(name, value)| (name.to_string(), text(value.as_bytes()).into())).collect();
    let header = |name: &str| headers.get(name).and_then(Value::as_str);
    let (consumer, path) = function(header("ce-knativeerrordest"));
    let status = header("ce-knativeerrorcode").and_then(|code| code.parse().ok());
    let kept = json!({"headers": headers, "body_base64": BASE64_STANDARD.encode(body)});
    let digest = digest(&kept);
    DeadLetter {
        consumer,
        path,
        event_id: format!("sha256:{digest}"),
        digest,
        event_type: "unreadable".to_owned(),
        topic: String::new(),
        user_id: None,
        status,
        reason: malformed.to_string(),
        body: kept.to_string(),
    }
}

/// Whose it is, and what is wrong with it.
fn verdict(incoming: &Incoming, verifier: Option<&EventVerifier>) -> (Option<String>, Option<String>) {
    // Calls of tools carry a person's token instead of a signature; only their tool verifies it.
    if let Some(EventType::ToolCall(_)) = EventType::parse(incoming.event_type()) {
        return (None, incoming.tool_call().err().map(|rejected| rejected.to_string()));
    }
    match verifier.map(|verifier| incoming.verify(verifier)) {
        Some(Ok((tenant, _))) => (Some(tenant.user_id().to_owned()), None),
        Some(Err(rejected)) => (None, Some(rejected.to_string())),
        None => (None, None),
    }
}

fn refusal(status: Option<u16>) -> &'static str {
    match status {
        None => "its consumer could not be reached",
        Some(408 | 429 | 500..) => "its consumer failed each time it was delivered",
        Some(_) => "its consumer refused it",
    }
}

/// What makes two letters copies of each other: event and person, not what the way has added. A forgery under the id of a true event
/// is another letter, so it cannot take the true one's place.
fn identity(event: &Map<String, Value>, user_id: Option<&str>) -> Value {
    let part = |name: &str| event.get(name).unwrap_or(&Value::Null);
    json!([user_id, part("id"), part("source"), part("type"), part("data"), part("data_base64")])
}

fn digest(identity: &Value) -> String {
    data_sha256(identity).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The topic that such an event travels on, as far as it is one of ours.
fn topic(incoming: &Incoming) -> String {
    let by_data = incoming.unverified().ok().map(|event| event.topic);
    let topic = by_data.or_else(|| EventType::parse(incoming.event_type())?.topics().first().copied());
    topic.map(|topic| topic.as_str().to_owned()).unwrap_or_default()
}

/// The function behind a URL, and the path at it. On a cluster it has a host of its own (`http://event-x.todo.svc.cluster.local/`), on
/// one machine a folder (`http://127.0.0.1:4000/event-x/`).
fn function(destination: Option<&str>) -> (String, String) {
    let unknown = ("unknown".to_owned(), "/".to_owned());
    let Some(uri) = destination.filter(|url| url.len() <= 1024).and_then(|url| url.parse::<Uri>().ok())
    else {
        return unknown;
    };
    let service = uri.host().and_then(|host| host.split('.').next()).unwrap_or_default();
    if is_function(service) {
        return (service.to_owned(), uri.path().to_owned());
    }
    let folder = uri.path().strip_prefix('/').unwrap_or_default();
    let (folder, path) = folder.split_once('/').unwrap_or((folder, ""));
    if is_function(folder) { (folder.to_owned(), format!("/{path}")) } else { unknown }
}

fn is_function(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= 63 && name.bytes().all(plain) && CALLED_BY.iter().any(|prefix| name.starts_with(prefix))
}

/// The text, or its digest when it is none that a person should read.
fn short(text: &str) -> String {
    let plain = text.chars().count() <= TEXT_LIMIT && !text.chars().any(char::is_control);
    if plain { text.to_owned() } else { format!("sha256:{}", digest(&json!(text))) }
}
