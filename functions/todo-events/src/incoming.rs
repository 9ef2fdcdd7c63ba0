//! An event that came from outside, and the way from there to one that may be acted on.

mod binding;

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use todo_domain::TaskId;
use todo_identity::{EventVerifier, Tenant};

use crate::canonical::normal;
use crate::formats::number;
use crate::shapes::{self, CallPayload, Rule};
use crate::{Event, EventType, Rejected, ReminderRef, ToolName, Topic, data_sha256};

/// A CloudEvent as it was received: well-formed, and not to be believed yet.
#[derive(Clone, PartialEq)]
pub struct Incoming {
    /// All attributes but data. `specversion`, `id`, `type` and `source` are there.
    attributes: Map<String, Value>,
    data: Data,
}

#[derive(Clone, Debug, PartialEq)]
enum Data {
    None,
    Json(Value),
    /// Of another media type, or JSON that is none.
    Bytes(Vec<u8>),
}

/// A call of a tool that came as an event. Nothing of it is believed but what the token says, once it is verified.
#[derive(Clone, PartialEq)]
pub struct ToolCall {
    /// The tool.
    pub tool: ToolName,
    /// The event's id.
    pub event_id: String,
    /// The name of the call: repeated, it gets the first answer.
    pub call_id: String,
    /// In whose name it claims to be; to be compared with the token's.
    pub user_id: String,
    /// The person's token. Never to be logged or stored.
    pub user_token: String,
    /// The tool's arguments.
    pub arguments: Map<String, Value>,
}

/// What a delivery says of an event that it gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where it was to be delivered.
    pub destination: Option<String>,
    /// The last status.
    pub code: Option<u16>,
    /// The beginning of the last answer.
    pub answer: Option<String>,
}

/// The data of every type, once it is known to be as its schema says.
#[derive(Deserialize)]
struct Checked {
    event_id: String,
    event_type: String,
    user_id: String,
    timestamp: Timestamp,
    task_id: Option<i64>,
    reminder_id: Option<String>,
    due_date: Option<String>,
    update_type: Option<String>,
    changes: Option<Map<String, Value>>,
    payload: Value,
}

impl Incoming {
    /// The event's id. With the source it is unique.
    pub fn id(&self) -> &str {
        self.attribute("id").unwrap_or_default()
    }

    /// The event's type, which need not be in our catalogue.
    pub fn event_type(&self) -> &str {
        self.attribute("type").unwrap_or_default()
    }

    /// Any attribute that is text, extensions included.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str()
    }

    /// The W3C trace it belongs to; one that is not well-formed is none.
    pub fn traceparent(&self) -> Option<&str> {
        self.attribute("traceparent").filter(|text| is_traceparent(text))
    }

    /// What the delivery says of a dead letter.
    pub fn failure(&self) -> Failure {
        let text = |name| self.attribute(name).map(str::to_owned);
        let code = self.attributes.get("knativeerrorcode");
        let code = code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
        Failure {
            destination: text("knativeerrordest"),
            code: code.and_then(|code| u16::try_from(code).ok()),
            answer: text("knativeerrordata"),
        }
    }

    /// Checks everything: the type, the schema, that it does not contradict itself, and the signature. The tenant to act for comes
    /// from the signature.
    pub fn verify(&self, verifier: &EventVerifier) -> Result<(Tenant, Event), Rejected> {
        let event = self.unverified()?;
        let signature = self.attribute("signature").unwrap_or_default();
        let data_sha256 = data_sha256(self.json_data()?);
        let tenant = verifier
            .verify(signature, &event.event_id, event.event_type.as_str(), &event.user_id, &data_sha256)
            .map_err(Rejected::Signature)?;
        Ok((tenant, event))
    }

    /// Checks everything but the signature: for what we are about to sign, and for what was verified when it was stored.
    pub fn unverified(&self) -> Result<Event, Rejected> {
        let event_type = EventType::parse(self.event_type()).ok_or(Rejected::Type)?;
        check(&shapes::attributes(event_type), "attributes", &Value::Object(self.attributes.clone()))?;
        let data = normal(self.json_data()?);
        let topic = topic_of(event_type, &data);
        check(&shapes::data(event_type, topic), "data", &data)?;
        // What the shape has let pass has all of these.
        let data: Checked = serde_json::from_value(data)
            .map_err(|_| Rejected::Schema { part: "data", path: ".".to_owned() })?;
        self.agrees(&data)?;
        if data.update_type.as_deref().is_some_and(|word| word != event_type.update_type()) {
            return Err(Rejected::Schema { part: "data", path: "update_type".to_owned() });
        }
        Ok(data.event(event_type, topic, self.attribute("sequence").and_then(number)))
    }

    /// A call of a tool, checked against its schema. The token is still to be verified.
    pub fn tool_call(&self) -> Result<ToolCall, Rejected> {
        let event = self.unverified()?;
        let EventType::ToolCall(tool) = event.event_type else { return Err(Rejected::Type) };
        let payload: CallPayload = serde_json::from_value(event.payload)
            .map_err(|_| Rejected::Schema { part: "data", path: "payload".to_owned() })?;
        Ok(ToolCall {
            tool,
            call_id: payload.call_id.map_or_else(|| event.event_id.clone(), |id| id.0),
            event_id: event.event_id,
            user_id: event.user_id,
            user_token: self.attribute("usertoken").unwrap_or_default().to_owned(),
            arguments: payload.arguments,
        })
    }

    /// The event in structured JSON, with all that it came with: also a person's token, if it is a tool call.
    pub fn structured(&self) -> Map<String, Value> {
        let mut event = self.attributes.clone();
        match &self.data {
            Data::None => {}
            Data::Json(data) => _ = event.insert("data".to_owned(), data.clone()),
            Data::Bytes(bytes) => _ = event.insert("data_base64".to_owned(), binding::base64(bytes).into()),
        }
        event
    }

    /// The event in structured JSON as it may be stored: without a person's token.
    pub fn redacted(&self) -> Map<String, Value> {
        let mut event = self.structured();
        if let Some(token) = event.get_mut("usertoken") {
            *token = json!("redacted");
        }
        event
    }

    pub(crate) fn json_data(&self) -> Result<&Value, Rejected> {
        match &self.data {
            Data::Json(data) => Ok(data),
            Data::None | Data::Bytes(_) => Err(Rejected::NoData),
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.attributes.insert(name.to_owned(), value.into());
    }

    /// The attributes repeat what the signed data says, and what is not signed must not say anything else.
    fn agrees(&self, data: &Checked) -> Result<(), Rejected> {
        let differs = |name, expected: &str| self.attribute(name).is_some_and(|said| said != expected);
        let subject =
            data.task_id.map_or_else(|| format!("user/{}", data.user_id), |id| format!("task/{id}"));
        let time = self.attribute("time").and_then(|time| time.parse::<Timestamp>().ok());
        let shown = data.payload.get("task").and_then(|task| task.get("id")).and_then(Value::as_i64);
        for (contradicts, what) in [
            (differs("id", &data.event_id), "id and data.event_id"),
            (differs("type", &data.event_type), "type and data.event_type"),
            (differs("partitionkey", &data.user_id), "partitionkey and data.user_id"),
            (differs("subject", &subject), "subject and data.task_id or data.user_id"),
            (time.is_some_and(|time| time != data.timestamp), "time and data.timestamp"),
            (shown.is_some() && shown != data.task_id, "data.task_id and data.payload.task.id"),
        ] {
            if contradicts {
                return Err(Rejected::Contradiction(what));
            }
        }
        Ok(())
    }
}

impl Checked {
    fn event(self, event_type: EventType, topic: Topic, sequence: Option<u64>) -> Event {
        Event {
            event_id: self.event_id,
            topic,
            event_type,
            user_id: self.user_id,
            task_id: self.task_id.map(TaskId),
            timestamp: self.timestamp,
            reminder: self
                .reminder_id
                .map(|reminder_id| ReminderRef { reminder_id, due_date: self.due_date }),
            payload: self.payload,
            changes: self.changes,
            sequence,
        }
    }
}

/// A change of a task travels on two topics under one type; the twin for pages tells what to redraw.
fn topic_of(event_type: EventType, data: &Value) -> Topic {
    let is_update = data.get("update_type").is_some();
    match event_type.topics() {
        [_, Topic::TaskUpdates] if is_update => Topic::TaskUpdates,
        [topic, ..] => *topic,
        [] => Topic::DeadLetters,
    }
}

fn check(rule: &Rule, part: &'static str, value: &Value) -> Result<(), Rejected> {
    (rule.check)(value).map_err(|path| Rejected::Schema { part, path: printable(path) })
}

/// A key may be anything, and so a path could hold text that is nobody's business.
fn printable(path: String) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._[]".contains(&byte);
    if path.len() <= 80 && path.bytes().all(plain) { path } else { "a field that is not known".to_owned() }
}

fn is_traceparent(text: &str) -> bool {
    let hexadecimal =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().all(|part| hexadecimal(part)) && parts.iter().map(|part| part.len()).eq([2, 32, 16, 2])
}

/// Attributes' names only: values are a person's.
impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("id", &self.id())
            .field("type", &self.event_type())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall")
            .field("tool", &self.tool)
            .field("call_id", &self.call_id)
            .finish_non_exhaustive()
    }
}
