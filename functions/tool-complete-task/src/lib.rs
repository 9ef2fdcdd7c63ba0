//! `complete_task`: marks one task as done. The change and its `task.completed` event are one transaction; completing what
//! is already done gives the same answer and no second event. Of a repeating task it says when the next one is due; that
//! task is made by `event-repeat-task`, with the same code.

use schemars::JsonSchema;
use serde::Serialize;
use todo_domain::{Next, TaskId};
use todo_mcp::{Answer, Hints, Tool};
use todo_store::{Error, Transaction, tasks};

/// The tool.
pub struct CompleteTask;

/// What was completed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Completed {
    /// The number of the task.
    pub task_id: TaskId,
    /// What happened.
    #[schemars(extend("const" = "completed"))]
    pub status: &'static str,
    /// The title of the task.
    pub title: String,
    /// The next one, when the task repeats; absent when it was the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "NextTask")]
    pub next: Option<NextTask>,
}

/// A task that is added in a moment, under a number of its own.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NextTask {
    /// When it is due: a date (2026-11-27, all day) or RFC 3339 with an offset.
    pub due: String,
    /// The IANA zone `due` is meant in.
    pub timezone: String,
    /// How it repeats, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub repeat_text: Option<String>,
    /// How many occurrences had passed already and are left out.
    pub skipped: u32,
}

impl Tool for CompleteTask {
    const NAME: &'static str = "complete_task";
    const TITLE: &'static str = "Complete a task";
    const DESCRIPTION: &'static str = "Mark one task as done, by its number. Use it when the person says they have done \
        something. To reopen a task use update_task with completed false. A repeating task comes again by itself: do not add it. \
        Returns the task's number and title, and in `next` when a repeating one is due again.";
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    type Arguments = todo_domain::CompleteTask;
    type Output = Completed;

    async fn call(tx: &mut Transaction, arguments: Self::Arguments) -> Result<Answer<Completed>, Error> {
        let tasks::Completed { task, next } = tasks::complete(tx, arguments.validate()?).await?;
        let repeat_text = task.repeat.as_ref().map(|rule| rule.in_words());
        let next = match next {
            Some(Next::Due(next)) => Some(NextTask {
                due: next.due.to_string(),
                timezone: next.due.zone().name().to_owned(),
                repeat_text,
                skipped: next.skipped,
            }),
            Some(Next::Ended(_)) | None => None,
        };
        Ok(Completed { task_id: task.id, status: "completed", title: task.title, next }.into())
    }
}

todo_mcp::component!(CompleteTask);
