//! `POST /api/{user_id}/chat`: the plain request, its answer whole or as a stream, and the way to ChatKit.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use todo_agent::{Item, ToolCall};
use todo_identity::Tenant;
use tokio::sync::mpsc;

use crate::error::Problem;
use crate::trace::Trace;
use crate::turn::{Asked, Ended, Entry, Event, Words};
use crate::{Chat, chatkit, sse};

/// The longest message, in characters.
const LONGEST_MESSAGE: usize = 8_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChatRequest {
    conversation_id: Option<i64>,
    message: String,
    timezone: Option<String>,
}

/// The locked answer.
#[derive(Serialize)]
struct ChatAnswer {
    conversation_id: i64,
    response: String,
    tool_calls: Vec<MadeCall>,
}

#[derive(Serialize)]
struct MadeCall {
    name: String,
    arguments: Value,
    result: Value,
}

/// Answers a message, or a request of ChatKit when the body has a `type`.
pub(crate) async fn chat(
    State(chat): State<Chat>,
    Extension(tenant): Extension<Tenant>,
    Extension(trace): Extension<Trace>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match read(&headers, body) {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    if body.get("type").is_some() {
        return chatkit::answer(&chat, tenant, trace, body).await;
    }
    let wants_stream = accepts_events(&headers);
    let listener = asked(tenant, trace, body).and_then(|asked| chat.turns.begin(asked));
    match listener {
        Ok(listener) if wants_stream => stream(listener).await,
        Ok(listener) => {
            whole(listener).await.map_or_else(Problem::into_response, |answer| Json(answer).into_response())
        }
        Err(problem) => problem.into_response(),
    }
}

/// The person's zone by its IANA name; UTC when they do not say.
pub(crate) fn zone(name: Option<&str>) -> Result<TimeZone, Problem> {
    let Some(name) = name else { return Ok(TimeZone::UTC) };
    TimeZone::get(name)
        .map_err(|_| Problem::invalid("timezone must be the IANA name of a zone, such as Europe/Berlin."))
}

/// A message within its limits.
pub(crate) fn message(text: &str) -> Result<String, Problem> {
    let length = text.chars().count();
    if length > LONGEST_MESSAGE {
        return Err(Problem::invalid(format!(
            "The message has {length} characters; at most {LONGEST_MESSAGE} are allowed. Send it in parts."
        )));
    }
    if text.chars().all(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(Problem::invalid("The message is empty. Write what you want done."));
    }
    Ok(text.trim().to_owned())
}

fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Value, Problem> {
    if !is_json(headers) {
        let message = "Send the body as JSON, with Content-Type: application/json.";
        return Err(Problem::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is larger than 256 KiB.")
        }
        _ => Problem::invalid("The body could not be read to its end."),
    })?;
    let body: Value = serde_json::from_slice(&body)
        .map_err(|error| Problem::invalid(format!("The body is not valid JSON: {}.", place(&error))))?;
    match body.is_object() {
        true => Ok(body),
        false => Err(Problem::invalid("The body must be a JSON object like {\"message\": \"add milk\"}.")),
    }
}

fn asked(tenant: Tenant, trace: Trace, body: Value) -> Result<Asked, Problem> {
    let request: ChatRequest = serde_json::from_value(body)
        .map_err(|error| Problem::invalid(format!("The body is not a chat request: {error}.")))?;
    if request.conversation_id.is_some_and(|id| id < 1) {
        return Err(Problem::invalid(
            "conversation_id must be a number from an earlier answer; leave it out to begin.",
        ));
    }
    Ok(Asked {
        tenant,
        conversation_id: request.conversation_id,
        words: Words::New(message(&request.message)?),
        timezone: zone(request.timezone.as_deref())?,
        trace,
    })
}

/// Waits for the end of the turn. If the client goes away this is dropped, and the turn goes on.
async fn whole(mut listener: mpsc::UnboundedReceiver<Event>) -> Result<ChatAnswer, Problem> {
    while let Some(event) = listener.recv().await {
        match event {
            Event::Ended(ended) => return Ok(ChatAnswer::from(ended)),
            Event::Failed(problem) => return Err(problem),
            _ => {}
        }
    }
    Err(Problem::internal("the turn ended without a word"))
}

async fn stream(listener: mpsc::UnboundedReceiver<Event>) -> Response {
    sse::stream(listener, |event| match event {
        Event::Begun(begun) => {
            vec![named("conversation", json!({ "conversation_id": begun.conversation.conversation_id }))]
        }
        Event::Delta(text) => vec![named("delta", json!({ "text": text }))],
        Event::Calling(ToolCall { id, name, arguments }) => {
            vec![named("tool_call", json!({ "id": id, "name": name, "arguments": arguments }))]
        }
        Event::Called(ToolCall { id, name, .. }, outcome) => vec![named(
            "tool_result",
            json!({ "id": id, "name": name, "result": outcome.value, "is_error": outcome.is_error }),
        )],
        Event::Ended(ended) => {
            let approval = ended.approval.as_ref().map(|approval| {
                named("approval", json!({ "question": approval.question, "calls": approval.calls }))
            });
            let done = serde_json::to_value(ChatAnswer::from(ended)).unwrap_or_default();
            approval.into_iter().chain([named("done", done)]).collect()
        }
        Event::Failed(problem) => {
            problem.report();
            vec![named("error", problem.body())]
        }
    })
    .await
}

fn named(name: &'static str, data: Value) -> sse::Event {
    sse::Event { name: Some(name), data }
}

impl From<Ended> for ChatAnswer {
    fn from(ended: Ended) -> Self {
        Self {
            conversation_id: ended.conversation_id,
            response: ended.response,
            tool_calls: made_calls(&ended.entries),
        }
    }
}

fn made_calls(entries: &[Entry]) -> Vec<MadeCall> {
    let result_of = |wanted: &str| {
        entries.iter().find_map(|entry| match &entry.item {
            Item::ToolResult { id, value, .. } if id == wanted => Some(value.clone()),
            _ => None,
        })
    };
    let calls = entries.iter().filter_map(|entry| match &entry.item {
        Item::ToolCall(call) => Some(call),
        _ => None,
    });
    calls
        .map(|call| MadeCall {
            name: call.name.clone(),
            arguments: call.arguments.clone(),
            result: result_of(&call.id).unwrap_or_default(),
        })
        .collect()
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn accepts_events(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = values.flat_map(|value| value.split(',')).filter_map(|kind| kind.split(';').next());
    kinds.any(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// Where reading stopped, without the text around it.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}
