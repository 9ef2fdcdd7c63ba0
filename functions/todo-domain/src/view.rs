//! A task as `list_tasks`, the events and the page show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Priority, RepeatFrom, Task, TaskId};

/// A task on the wire. What is empty is absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskView {
    /// The task's number.
    pub id: TaskId,
    /// What is to be done.
    pub title: String,
    /// Whether it is done.
    pub completed: bool,
    /// Further text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A date (`2026-11-27`, all day) or RFC 3339 with an offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// The IANA zone `due` is meant in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The repeat rule (RFC 5545 RRULE).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<String>,
    /// The repeat rule in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_text: Option<String>,
    /// What the next occurrence is counted from; only with `repeat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_from: Option<RepeatFrom>,
    /// RFC 3339 times, or ISO 8601 offsets from the due time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remind: Vec<String>,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// When it was completed, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// When it was added, RFC 3339 in UTC.
    pub created_at: String,
}

impl From<&Task> for TaskView {
    fn from(task: &Task) -> Self {
        Self {
            id: task.id,
            title: task.title.clone(),
            completed: task.completed(),
            description: task.description.clone(),
            due: task.due.as_ref().map(ToString::to_string),
            timezone: task.due.as_ref().map(|due| due.zone().name().to_owned()),
            repeat: task.repeat.as_ref().map(ToString::to_string),
            repeat_text: task.repeat.as_ref().map(|rule| rule.in_words()),
            repeat_from: task.repeat.as_ref().map(|_| task.repeat_from),
            remind: task.remind.iter().map(ToString::to_string).collect(),
            priority: task.priority,
            tags: task.tags.iter().map(ToString::to_string).collect(),
            completed_at: task.completed_at.map(|at| at.to_string()),
            created_at: task.created_at.to_string(),
        }
    }
}
