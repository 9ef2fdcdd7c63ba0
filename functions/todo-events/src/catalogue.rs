//! Every type of event there is, and the topic it travels on.

use std::fmt;

/// A Kafka topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// What happened to tasks; consumers act on it.
    TaskEvents,
    /// The same changes for open pages: what to redraw.
    TaskUpdates,
}

impl Topic {
    /// The topic's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskEvents => "task-events",
            Self::TaskUpdates => "task-updates",
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// A task was added.
    TaskCreated,
    /// A task's fields changed, other than being done.
    TaskUpdated,
    /// A pending task was done.
    TaskCompleted,
    /// A completed task became pending again.
    TaskReopened,
    /// A task was removed.
    TaskDeleted,
    /// Somebody asked for what is not theirs.
    AccessRefused,
}

impl EventType {
    /// The CloudEvents `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskCreated => "task.created",
            Self::TaskUpdated => "task.updated",
            Self::TaskCompleted => "task.completed",
            Self::TaskReopened => "task.reopened",
            Self::TaskDeleted => "task.deleted",
            Self::AccessRefused => "access.refused",
        }
    }

    /// The `update_type` of the twin on `task-updates`: the last word of the type.
    pub(crate) fn update_type(self) -> &'static str {
        self.as_str().rsplit('.').next().unwrap_or_default()
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
