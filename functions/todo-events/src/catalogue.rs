//! Every type of event there is, and the topics it travels on.

use std::fmt;

use schemars::JsonSchema;

use crate::schema;

/// A Kafka topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema)]
pub enum Topic {
    /// What happened to tasks; consumers act on it.
    TaskEvents,
    /// The same changes for open pages: what to redraw.
    TaskUpdates,
    /// Reminders that are due, and what became of them.
    Reminders,
    /// Tool calls that come as events, from any producer.
    ToolCalls,
    /// The answers to them.
    ToolResults,
    /// What could not be handled: events of any type, with what the delivery says about its failure.
    DeadLetters,
}

impl Topic {
    /// All of them, in the order in which data flows.
    pub const ALL: [Self; 6] = [
        Self::TaskEvents,
        Self::TaskUpdates,
        Self::Reminders,
        Self::ToolCalls,
        Self::ToolResults,
        Self::DeadLetters,
    ];

    /// The topic's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskEvents => "task-events",
            Self::TaskUpdates => "task-updates",
            Self::Reminders => "reminders",
            Self::ToolCalls => "tool-calls",
            Self::ToolResults => "tool-results",
            Self::DeadLetters => "dead-letters",
        }
    }

    /// The topic of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }

    /// What it is for, in a sentence.
    pub fn purpose(self) -> String {
        schema::comment_of::<Self>(&format!("{self:?}"))
    }

    /// The types that travel on it; none for the dead letters, which may be of any type.
    pub fn types(self) -> Vec<EventType> {
        EventType::all().filter(|event_type| event_type.topics().contains(&self)).collect()
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A tool that can be called by event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema)]
pub enum ToolName {
    /// `add_task`
    AddTask,
    /// `list_tasks`
    ListTasks,
    /// `complete_task`
    CompleteTask,
    /// `delete_task`
    DeleteTask,
    /// `update_task`
    UpdateTask,
}

impl ToolName {
    /// All of them, in flow order.
    pub const ALL: [Self; 5] =
        [Self::AddTask, Self::ListTasks, Self::CompleteTask, Self::DeleteTask, Self::UpdateTask];

    /// The tool's name in MCP: `add_task`.
    pub fn as_str(self) -> &'static str {
        self.words()[0]
    }

    /// Its name, the type of a call of it, and the type of the answer.
    fn words(self) -> [&'static str; 3] {
        match self {
            Self::AddTask => ["add_task", "tool.add_task.call", "tool.add_task.result"],
            Self::ListTasks => ["list_tasks", "tool.list_tasks.call", "tool.list_tasks.result"],
            Self::CompleteTask => ["complete_task", "tool.complete_task.call", "tool.complete_task.result"],
            Self::DeleteTask => ["delete_task", "tool.delete_task.call", "tool.delete_task.result"],
            Self::UpdateTask => ["update_task", "tool.update_task.call", "tool.update_task.result"],
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema)]
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
    /// A reminder waits for its time. Never published: it is what a job carries, signed like an event.
    ReminderScheduled,
    /// It is time to remind the person.
    ReminderDue,
    /// A reminder reached the person over one channel.
    ReminderSent,
    /// A reminder could not be delivered over one channel.
    ReminderFailed,
    /// A reminder is among the person's notifications: open pages show it.
    ReminderShown,
    /// Somebody wants a tool to run.
    ToolCall(ToolName),
    /// What a tool that was called by event answered.
    ToolResult(ToolName),
}

impl EventType {
    /// All of them, in the order of their topics.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = [
            Self::TaskCreated,
            Self::TaskUpdated,
            Self::TaskCompleted,
            Self::TaskReopened,
            Self::TaskDeleted,
            Self::AccessRefused,
            Self::ReminderScheduled,
            Self::ReminderDue,
            Self::ReminderSent,
            Self::ReminderFailed,
            Self::ReminderShown,
        ];
        let calls = ToolName::ALL.map(Self::ToolCall);
        plain.into_iter().chain(calls).chain(ToolName::ALL.map(Self::ToolResult))
    }

    /// The type of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|event_type| event_type.as_str() == name)
    }

    /// The CloudEvents `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskCreated => "task.created",
            Self::TaskUpdated => "task.updated",
            Self::TaskCompleted => "task.completed",
            Self::TaskReopened => "task.reopened",
            Self::TaskDeleted => "task.deleted",
            Self::AccessRefused => "access.refused",
            Self::ReminderScheduled => "reminder.scheduled",
            Self::ReminderDue => "reminder.due",
            Self::ReminderSent => "reminder.sent",
            Self::ReminderFailed => "reminder.failed",
            Self::ReminderShown => "reminder.shown",
            Self::ToolCall(tool) => tool.words()[1],
            Self::ToolResult(tool) => tool.words()[2],
        }
    }

    /// What it tells, in a sentence.
    pub fn purpose(self) -> String {
        schema::comment_of::<Self>(&format!("{self:?}"))
    }

    /// The topics it travels on: a change of a task on two.
    pub fn topics(self) -> &'static [Topic] {
        match self {
            Self::TaskCreated
            | Self::TaskUpdated
            | Self::TaskCompleted
            | Self::TaskReopened
            | Self::TaskDeleted => &[Topic::TaskEvents, Topic::TaskUpdates],
            Self::AccessRefused => &[Topic::TaskEvents],
            Self::ReminderShown => &[Topic::TaskUpdates],
            Self::ReminderScheduled | Self::ReminderDue | Self::ReminderSent | Self::ReminderFailed => {
                &[Topic::Reminders]
            }
            Self::ToolCall(_) => &[Topic::ToolCalls],
            Self::ToolResult(_) => &[Topic::ToolResults],
        }
    }

    /// The `update_type` on `task-updates`: the last word of the type.
    pub(crate) fn update_type(self) -> &'static str {
        self.as_str().rsplit('.').next().unwrap_or_default()
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
