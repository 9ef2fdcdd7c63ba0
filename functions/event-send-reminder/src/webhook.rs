//! The webhook, by the Standard Webhooks scheme 1.0 (`webhook-id`, `webhook-timestamp`, `webhook-signature: v1,…`).
//!
//! What there is to sign is one HMAC over three fields, so the scheme's own library is asked only in the tests, to verify it.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use todo_delivery::Received;
use todo_events::Event;

use crate::channel::Problem;

/// Where to, with `https://`; the manifest lets the function out to its host.
pub(crate) const URL: &str = "reminder_webhook_url";
/// What it is signed with: `whsec_` and the base64 of 24 to 64 bytes.
pub(crate) const SECRET: &str = "reminder_webhook_secret";

/// A receiver has to note that it got it, nothing more.
const DEADLINE: Duration = Duration::from_secs(10);

/// Sends the reminder of a `reminder.due`. Done when the receiver answers 2xx.
pub(crate) async fn send(received: &Received<'_>) -> Result<(), Problem> {
    let url = received.variable(URL).ok_or(Problem::Variable(URL))?;
    let key = received.variable(SECRET).and_then(key).ok_or(Problem::Variable(SECRET))?;
    let id = received.event.event_id.as_str();
    // Of this attempt, not of the reminder: receivers refuse what is older than a few minutes.
    let timestamp = Timestamp::now().as_second();
    let body = body(received.event).to_string();
    let request = Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature(&key, id, timestamp, &body).ok_or(Problem::Variable(SECRET))?)
        .body(Bytes::from(body))
        .map_err(|_| Problem::Variable(URL))?;
    let status = received.send(request, DEADLINE).await?;
    if status.is_success() { Ok(()) } else { Err(Problem::Answer(status)) }
}

fn key(secret: &str) -> Option<Vec<u8>> {
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

/// What the event tells, without how it travels.
fn body(due: &Event) -> Value {
    let mut data = due.payload.clone();
    data["user_id"] = json!(due.user_id);
    data["task_id"] = json!(due.task_id);
    data["reminder_id"] = json!(due.reminder.as_ref().map(|reminder| &reminder.reminder_id));
    data["due_date"] = json!(due.reminder.as_ref().and_then(|reminder| reminder.due_date.as_ref()));
    json!({ "type": due.event_type.as_str(), "timestamp": due.timestamp.to_string(), "data": data })
}

fn signature(key: &[u8], id: &str, timestamp: i64, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}
