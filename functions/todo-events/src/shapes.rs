//! What events look like: the types that are decoded into, strictly, and that the schemas in `docs/schemas` are generated from.
//!
//! In `data` every field is known: one that is not is a mistake or an attack, and refused. Only the task inside is a view that may
//! grow. Around `data`, CloudEvents allows anybody on the way to add attributes, so unknown ones are left alone.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use todo_domain::TaskView;

use crate::formats::{
    Compact, DueDate, Id, Instant, JsonType, Number, RemindText, Sequence, ShortText, Source, SpecVersion,
    UserId, said,
};
use crate::{EventType, Topic};

/// One type, as a check and as a document.
pub(crate) struct Rule {
    /// Where it fails, as a path of fields.
    pub check: fn(&Value) -> Result<(), String>,
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Rule {
    fn of<T: DeserializeOwned + JsonSchema>() -> Self {
        Self {
            check: |value| match serde_path_to_error::deserialize::<_, T>(value) {
                Ok(_) => Ok(()),
                Err(error) => Err(error.path().to_string()),
            },
            schema: SchemaGenerator::subschema_for::<T>,
        }
    }
}

/// What surrounds the data of an event of this type.
pub(crate) fn attributes(event_type: EventType) -> Rule {
    match event_type {
        EventType::ToolCall(_) => Rule::of::<CallAttributes>(),
        _ => Rule::of::<Attributes>(),
    }
}

/// What surrounds the data of a dead letter.
pub(crate) fn letter() -> Rule {
    Rule::of::<LetterAttributes>()
}

/// The data of an event of this type on this topic.
pub(crate) fn data(event_type: EventType, topic: Topic) -> Rule {
    match (topic, event_type) {
        (_, EventType::ReminderShown) => Rule::of::<UpdateData<ShownPayload>>(),
        (Topic::TaskUpdates, EventType::TaskUpdated) => Rule::of::<UpdateData<UpdatedPayload>>(),
        (Topic::TaskUpdates, _) => Rule::of::<UpdateData<TaskPayload>>(),
        (_, EventType::TaskUpdated) => Rule::of::<TaskData<UpdatedPayload>>(),
        (_, EventType::AccessRefused) => Rule::of::<RefusedData>(),
        (_, EventType::ReminderScheduled) => Rule::of::<ReminderData<ScheduledPayload>>(),
        (_, EventType::ReminderDue) => Rule::of::<ReminderData<DuePayload>>(),
        (_, EventType::ReminderSent | EventType::ReminderFailed) => {
            Rule::of::<ReminderData<DeliveryPayload>>()
        }
        (_, EventType::ToolCall(_)) => Rule::of::<ToolData<CallPayload>>(),
        (_, EventType::ToolResult(_)) => Rule::of::<ToolData<ResultPayload>>(),
        _ => Rule::of::<TaskData<TaskPayload>>(),
    }
}

/// The attributes of a signed event.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct Attributes {
    specversion: SpecVersion,
    /// Unique; consumers act once per id.
    id: Id,
    r#type: String,
    /// The function that made the change.
    source: Source,
    /// `task/7`, or `user/<id>` when no task is concerned.
    subject: String,
    /// When it happened; the same as `data.timestamp`.
    time: Instant,
    datacontenttype: Option<JsonType>,
    /// The person; also the key of the Kafka record, so that their events stay in order.
    partitionkey: UserId,
    /// The person's events over all topics: 1, 2, 3 … without a gap. Absent on the answers to tool calls, and on what a job carries.
    sequence: Option<Sequence>,
    /// The W3C trace that the event belongs to.
    traceparent: Option<String>,
    /// A compact EdDSA JWS over id, type, person and the SHA-256 of the data in the form of RFC 8785.
    signature: Compact,
}

/// The attributes of a tool call, which anybody can produce who has a person's token.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct CallAttributes {
    specversion: SpecVersion,
    /// Unique. Without `data.payload.call_id` it is also the call's id: a repeated call gets the first answer.
    id: Id,
    r#type: String,
    /// Who calls.
    source: Source,
    subject: Option<String>,
    time: Option<Instant>,
    datacontenttype: Option<JsonType>,
    partitionkey: Option<UserId>,
    traceparent: Option<String>,
    /// The person's token. It is never written to a log or to the audit.
    usertoken: Compact,
}

/// The attributes of a dead letter: those of the event, and what its delivery adds.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "read by the document only")]
struct LetterAttributes {
    specversion: SpecVersion,
    id: String,
    r#type: String,
    source: String,
    /// Where the event was to be delivered.
    knativeerrordest: Option<String>,
    /// The last status.
    knativeerrorcode: Option<Code>,
    /// The beginning of the last answer.
    knativeerrordata: Option<String>,
}

/// In binary mode every attribute is text.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "read by the document only")]
enum Code {
    Number(u16),
    Text(String),
}

/// What happened to a task.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct TaskData<P> {
    event_id: Id,
    event_type: String,
    user_id: UserId,
    timestamp: Instant,
    task_id: Number,
    payload: P,
}

/// A change for open pages.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct UpdateData<P> {
    event_id: Id,
    event_type: String,
    user_id: UserId,
    timestamp: Instant,
    task_id: Number,
    payload: P,
    /// The last word of the type.
    update_type: String,
    /// The fields of the task that changed with their new values; `null` empties one.
    changes: Map<String, Value>,
}

/// An attempt to act in another's name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct RefusedData {
    event_id: Id,
    event_type: String,
    user_id: UserId,
    timestamp: Instant,
    /// No task is concerned.
    task_id: (),
    payload: RefusedPayload,
}

/// A reminder on its way.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct ReminderData<P> {
    event_id: Id,
    event_type: String,
    user_id: UserId,
    timestamp: Instant,
    /// The name of the job that waits for it.
    reminder_id: Id,
    task_id: Number,
    /// When the task is due, as the task shows it; `null` when it has no due date.
    #[serde(deserialize_with = "said")]
    #[schemars(with = "DueDateOrNull")]
    due_date: Option<DueDate>,
    payload: P,
}

/// A call of a tool, or its answer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct ToolData<P> {
    event_id: Id,
    event_type: String,
    user_id: UserId,
    timestamp: Instant,
    payload: P,
}

/// An `Option` would make the field one that may be absent.
struct DueDateOrNull;

impl JsonSchema for DueDateOrNull {
    fn schema_name() -> Cow<'static, str> {
        "DueDateOrNull".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<DueDate>(), { "type": "null" }] })
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct TaskPayload {
    /// The task after the change; of a deleted one, what it was.
    task: TaskView,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct UpdatedPayload {
    /// The task after the change.
    task: TaskView,
    /// The names of the fields that changed.
    changed: Vec<ShortText>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct RefusedPayload {
    /// In whose name.
    claimed_user_id: ShortText,
    /// What was wrong with it.
    reason: ShortText,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct ScheduledPayload {
    /// The reminder as written: an instant, or an offset such as `-PT30M`.
    remind: RemindText,
    /// When to remind.
    remind_at: Instant,
}

/// A reminder whose time has come.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DuePayload {
    /// The task at that moment.
    pub task: TaskView,
    /// The reminder as written: an instant, or an offset such as `-PT30M`.
    pub remind: RemindText,
    /// When to remind.
    pub remind_at: Instant,
    /// How late this is, in milliseconds.
    pub late_by_ms: u64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct ShownPayload {
    /// The name of the job that waited for it.
    reminder_id: Id,
    /// The task to be reminded of.
    task: TaskView,
    /// The reminder as written.
    remind: RemindText,
    /// When it was due.
    remind_at: Instant,
}

/// How a reminder reaches a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// Their notifications, on an open page.
    InApp,
    /// An address of the deployment, signed.
    Webhook,
    /// E-mail.
    Email,
}

impl Channel {
    /// The word on the wire: `in-app`, `webhook`, `email`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InApp => "in-app",
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }
}

/// One delivery of a reminder. What the other side answered is not told: it may repeat the reminder's text.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct DeliveryPayload {
    /// Over which way.
    channel: Channel,
    /// How often it was tried, this time included.
    attempts: Number,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallPayload {
    /// Names the call; without it the event's id does. A call repeated under the same id gets the first answer.
    pub call_id: Option<Id>,
    /// The arguments of the tool's input schema, as MCP's `tools/list` shows it. `user_id` may be left out.
    pub arguments: Map<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read by the check and the document; what is needed of it is read again")]
struct ResultPayload {
    /// The call that this answers.
    call_id: Id,
    /// Whether the call was refused or failed.
    is_error: bool,
    /// The tool's structured result; of an error, what to do about it.
    result: Value,
}
