//! `complete_task`: marks one task as done. The change and its `task.completed` event are one transaction; completing what
//! is already done gives the same answer and no second event.

use schemars::JsonSchema;
use serde::Serialize;
use todo_domain::TaskId;
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
}

impl Tool for CompleteTask {
    const NAME: &'static str = "complete_task";
    const TITLE: &'static str = "Complete a task";
    const DESCRIPTION: &'static str = "Mark one task as done, by its number. Use it when the person says they have done \
        something. To reopen a task use update_task with completed false. Returns the task's number and title.";
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    type Arguments = todo_domain::CompleteTask;
    type Output = Completed;

    async fn call(tx: &mut Transaction, arguments: Self::Arguments) -> Result<Answer<Completed>, Error> {
        let task = tasks::complete(tx, arguments.validate()?).await?;
        Ok(Completed { task_id: task.id, status: "completed", title: task.title }.into())
    }
}

todo_mcp::component!(CompleteTask);
