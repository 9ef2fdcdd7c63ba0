//! `delete_task`: removes one task for good. The change and its `task.deleted` event are one transaction.

use schemars::JsonSchema;
use serde::Serialize;
use todo_domain::TaskId;
use todo_mcp::{Answer, Hints, Tool};
use todo_store::{Error, Transaction, tasks};

/// The tool.
pub struct DeleteTask;

/// What was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {
    /// The number the task had; it is not given to another.
    pub task_id: TaskId,
    /// What happened.
    #[schemars(extend("const" = "deleted"))]
    pub status: &'static str,
    /// The title the task had.
    pub title: String,
}

impl Tool for DeleteTask {
    const NAME: &'static str = "delete_task";
    const TITLE: &'static str = "Delete a task";
    const DESCRIPTION: &'static str = "Remove one task for good, by its number; it cannot be brought back. Use it only when \
        the person wants the task gone. For something they have done, use complete_task. Returns the task's number and \
        title.";
    const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: true };
    type Arguments = todo_domain::DeleteTask;
    type Output = Deleted;

    async fn call(tx: &mut Transaction, arguments: Self::Arguments) -> Result<Answer<Deleted>, Error> {
        let task = tasks::delete(tx, arguments.validate()?).await?;
        Ok(Deleted { task_id: task.id, status: "deleted", title: task.title }.into())
    }
}

todo_mcp::component!(DeleteTask);
