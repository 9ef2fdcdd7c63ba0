//! An event and the CloudEvent it becomes.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use todo_domain::{Task, TaskId, TaskView};
use uuid::Uuid;

use crate::{EventType, ToolName, Topic};

/// Where a change comes from, as its events tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The function that made the change, such as `tool-add-task`: the CloudEvents `source`.
    pub source: String,
    /// The W3C trace the change belongs to.
    pub traceparent: Option<String>,
}

impl Origin {
    /// A change by this function, outside any trace.
    pub fn of(source: impl Into<String>) -> Self {
        Self { source: source.into(), traceparent: None }
    }
}

/// Something that happened to one person's tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Unique, and rising with time (UUIDv7).
    pub event_id: String,
    /// The topic it travels on.
    pub topic: Topic,
    /// What happened.
    pub event_type: EventType,
    /// Whose task it is.
    pub user_id: String,
    /// The task it is about.
    pub task_id: Option<TaskId>,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What the type tells, see the constructors.
    pub payload: Value,
    /// On `task-updates`: the fields that changed with their new values, `null` for an emptied one.
    pub changes: Option<Map<String, Value>>,
    /// On `reminders`: which reminder.
    pub reminder: Option<ReminderRef>,
    /// Its place among the person's events: 1, 2, 3 …, given out by the store when it is written; `None` before.
    pub sequence: Option<u64>,
}

/// A reminder, as events name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderRef {
    /// The name of the job that waits for it.
    pub reminder_id: String,
    /// When the task is due, as [`TaskView`] shows it.
    pub due_date: Option<String>,
}

/// A reminder whose time has come, as `reminder.due` tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct DueReminder {
    /// The task at that moment.
    pub task: TaskView,
    /// The reminder as written.
    pub remind: String,
    /// When to remind.
    pub remind_at: Timestamp,
    /// How late that was, in milliseconds.
    pub late_by_ms: u64,
}

impl Event {
    /// A task was added: `payload.task` and, for pages, all its fields as changes.
    pub fn created(user_id: &str, task: &Task, now: Timestamp) -> Vec<Self> {
        let changes = fields(task);
        twins(EventType::TaskCreated, user_id, task, now, changes)
    }

    /// A task went from one state to another: `task.completed` or `task.reopened` when that changed, `task.updated` when
    /// anything else did, nothing when nothing did. `payload.task` is the new state, `payload.changed` the fields' names.
    pub fn changed(user_id: &str, before: &Task, after: &Task, now: Timestamp) -> Vec<Self> {
        let mut names = before.changed_fields(after);
        let mut events = Vec::new();
        if let Some(done) = names.iter().position(|name| *name == "completed") {
            names.remove(done);
            let kind = if after.completed() { EventType::TaskCompleted } else { EventType::TaskReopened };
            let done = only(after, &["completed", "completed_at"]);
            events.extend(twins(kind, user_id, after, now, done));
        }
        if !names.is_empty() {
            // The zone is part of the due date and the words part of the rule.
            let shown = names.iter().flat_map(|name| match *name {
                "due" => vec!["due", "timezone"],
                "repeat" => vec!["repeat", "repeat_text", "repeat_from"],
                name => vec![name],
            });
            let shown: Vec<_> = shown.collect();
            let mut updated = twins(EventType::TaskUpdated, user_id, after, now, only(after, &shown));
            for event in &mut updated {
                event.payload["changed"] = json!(names);
            }
            events.extend(updated);
        }
        events
    }

    /// A task was removed; `payload.task` is what it was.
    pub fn deleted(user_id: &str, task: &Task, now: Timestamp) -> Vec<Self> {
        twins(EventType::TaskDeleted, user_id, task, now, Map::new())
    }

    /// The verified person asked for something in another's name: `payload.claimed_user_id` and `payload.reason`.
    pub fn access_refused(user_id: &str, claimed_user_id: &str, reason: &str, now: Timestamp) -> Self {
        let payload = json!({ "claimed_user_id": shortened(claimed_user_id), "reason": shortened(reason) });
        Self::new(EventType::AccessRefused, Topic::TaskEvents, user_id, now, payload)
    }

    /// What the answer to a tool call by event tells: `payload.call_id`, `payload.is_error`, and `payload.result`.
    pub fn tool_result(
        user_id: &str,
        tool: ToolName,
        call_id: &str,
        is_error: bool,
        result: Value,
        now: Timestamp,
    ) -> Self {
        let payload = json!({ "call_id": call_id, "is_error": is_error, "result": result });
        Self::new(EventType::ToolResult(tool), Topic::ToolResults, user_id, now, payload)
    }

    pub(crate) fn new(
        event_type: EventType,
        topic: Topic,
        user_id: &str,
        now: Timestamp,
        payload: Value,
    ) -> Self {
        Self {
            event_id: new_id(),
            topic,
            event_type,
            user_id: user_id.to_owned(),
            task_id: None,
            timestamp: now,
            payload,
            changes: None,
            reminder: None,
            sequence: None,
        }
    }

    /// The task that the event shows: after a change, before a deletion, or when a reminder was due.
    pub fn task(&self) -> Option<TaskView> {
        TaskView::deserialize(self.payload.get("task")?).ok()
    }

    /// The CloudEvents `subject`: `task/7`, or `user/<id>` when no task is concerned.
    pub fn subject(&self) -> String {
        match self.task_id {
            Some(id) => format!("task/{id}"),
            None => format!("user/{}", self.user_id),
        }
    }

    /// The event on the wire: a CloudEvent 1.0 in structured JSON, unsigned.
    pub fn cloud_event(&self, origin: &Origin) -> Value {
        let mut event = json!({
            "specversion": "1.0",
            "id": self.event_id,
            "type": self.event_type.as_str(),
            "time": self.timestamp.to_string(),
            "source": origin.source,
            "subject": self.subject(),
            "datacontenttype": "application/json",
            "partitionkey": self.user_id,
            "data": self.data(),
        });
        if let Some(traceparent) = &origin.traceparent {
            event["traceparent"] = json!(traceparent);
        }
        if let Some(sequence) = self.sequence {
            event["sequence"] = json!(sequence.to_string());
        }
        event
    }

    fn data(&self) -> Value {
        let mut data = json!({
            "event_id": self.event_id,
            "event_type": self.event_type.as_str(),
            "user_id": self.user_id,
            "timestamp": self.timestamp.to_string(),
            "payload": self.payload,
        });
        if !matches!(self.event_type, EventType::ToolCall(_) | EventType::ToolResult(_)) {
            data["task_id"] = json!(self.task_id);
        }
        if let Some(reminder) = &self.reminder {
            data["reminder_id"] = json!(reminder.reminder_id);
            data["due_date"] = json!(reminder.due_date);
        }
        if let Some(changes) = &self.changes {
            data["update_type"] = json!(self.event_type.update_type());
            data["changes"] = Value::Object(changes.clone());
        }
        data
    }
}

/// The event and its twin for open pages.
fn twins(
    event_type: EventType,
    user_id: &str,
    task: &Task,
    now: Timestamp,
    changes: Map<String, Value>,
) -> Vec<Event> {
    let on = |topic, changes| Event {
        task_id: Some(task.id),
        changes,
        ..Event::new(event_type, topic, user_id, now, json!({ "task": TaskView::from(task) }))
    };
    vec![on(Topic::TaskEvents, None), on(Topic::TaskUpdates, Some(changes))]
}

fn fields(task: &Task) -> Map<String, Value> {
    match serde_json::to_value(TaskView::from(task)) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// These fields of the task; what is empty now is `null`, so that a page knows to remove it.
fn only(task: &Task, names: &[&str]) -> Map<String, Value> {
    let mut fields = fields(task);
    let taken = names.iter().map(|name| {
        let value = fields.remove(*name).unwrap_or(Value::Null);
        ((*name).to_owned(), value)
    });
    taken.collect()
}

/// A stranger's text takes no more room in the log than a sentence.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

fn new_id() -> String {
    Uuid::now_v7().to_string()
}
