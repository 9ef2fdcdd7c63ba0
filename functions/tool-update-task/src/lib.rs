//! `update_task`: changes the given fields of one task and leaves the others; `null` clears a field, `completed: false`
//! reopens. The change and its events are one transaction.

use schemars::JsonSchema;
use serde::Serialize;
use todo_domain::TaskId;
use todo_mcp::{Answer, Hints, Tool};
use todo_store::{Error, Transaction, tasks};

/// The tool.
pub struct UpdateTask;

/// What was updated.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Updated {
    /// The number of the task.
    pub task_id: TaskId,
    /// What happened.
    #[schemars(extend("const" = "updated"))]
    pub status: &'static str,
    /// The title of the task, the new one if it changed.
    pub title: String,
}

impl Tool for UpdateTask {
    const NAME: &'static str = "update_task";
    const TITLE: &'static str = "Update a task";
    const DESCRIPTION: &'static str = "Change one task, by its number: only the given fields change, null clears one. Use it \
        to rename, describe, reschedule, repeat, prioritise or tag a task, to set its reminders, or to reopen it \
        (completed false). Returns the task's number and its title.";
    // What a field held before is lost.
    const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: true };
    type Arguments = todo_domain::UpdateTask;
    type Output = Updated;

    async fn call(tx: &mut Transaction, arguments: Self::Arguments) -> Result<Answer<Updated>, Error> {
        let (task_id, change) = arguments.validate()?;
        let task = tasks::update(tx, task_id, change).await?;
        Ok(Updated { task_id: task.id, status: "updated", title: task.title }.into())
    }
}

todo_mcp::component!(UpdateTask);
