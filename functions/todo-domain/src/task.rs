//! The task itself, as the store keeps it.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Due, Remind, Repeat, Series, Tag};

/// A task's number: 1, 2, 3 … per person. It means nothing without the person it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TaskId(pub i64);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How urgent a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Can wait.
    Low,
    /// The usual.
    Medium,
    /// Before the others.
    High,
    /// Now.
    Urgent,
}

impl Priority {
    /// The word on the wire: `low`, `medium`, `high`, `urgent`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// Its rank for sorting and storing, 1 (low) to 4 (urgent); 0 is left for "none".
    pub fn rank(self) -> i64 {
        match self {
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
            Self::Urgent => 4,
        }
    }

    /// The priority of a rank; `None` for 0 and anything unknown.
    pub fn from_rank(rank: i64) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Urgent]
            .into_iter()
            .find(|priority| priority.rank() == rank)
    }
}

/// Where a repeating task counts its next occurrence from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RepeatFrom {
    /// From the due date: a late completion does not shift the rhythm.
    #[default]
    Due,
    /// From the moment of completion: "every 3 days" after the last time it was done.
    Completion,
}

impl RepeatFrom {
    /// The word on the wire: `due` or `completion`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Completion => "completion",
        }
    }
}

/// A task of one person. Whose it is stands outside: a task is only ever read inside a tenant's transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its number, unique per person.
    pub id: TaskId,
    /// 1–200 characters, trimmed.
    pub title: String,
    /// At most 4,000 characters.
    pub description: Option<String>,
    /// When it was done; `None` while it is pending.
    pub completed_at: Option<Timestamp>,
    /// When it should be done.
    pub due: Option<Due>,
    /// How it comes back. Only a task with a due date has one.
    pub repeat: Option<Repeat>,
    /// What the next occurrence is counted from; meaningless without `repeat`.
    pub repeat_from: RepeatFrom,
    /// When to remind, in the order given. Offsets stand only on a task with a due date.
    pub remind: Vec<Remind>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// At most 20, distinct without regard to case.
    pub tags: Vec<Tag>,
    /// Its place in its series; there exactly when it repeats.
    pub series: Option<Series>,
    /// The task that was made when this one was completed. It may be gone since.
    pub next_id: Option<TaskId>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Task {
    /// Whether it is done.
    pub fn completed(&self) -> bool {
        self.completed_at.is_some()
    }
}
