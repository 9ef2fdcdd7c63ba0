//! `add_task`: one new task for the person of the token, with all that can be said about it at once. The task and its
//! `task.created` event are one transaction. Two calls make two tasks, unless they carry the same call id.

use schemars::JsonSchema;
use serde::Serialize;
use todo_domain::TaskId;
use todo_mcp::{Answer, Hints, Tool};
use todo_store::{Error, Transaction, tasks};

/// The tool.
pub struct AddTask;

/// What was added.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Added {
    /// The number of the new task.
    pub task_id: TaskId,
    /// What happened.
    #[schemars(extend("const" = "created"))]
    pub status: &'static str,
    /// The title as stored.
    pub title: String,
}

impl Tool for AddTask {
    const NAME: &'static str = "add_task";
    const TITLE: &'static str = "Add a task";
    const DESCRIPTION: &'static str = "Add one task to the person's to-do list. Use it when they want to remember, plan or \
        repeat something. Call it once per task. Put dates, repetition, reminders, priority and tags into their own \
        arguments, not into the title. Returns the number of the new task.";
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: false };
    type Arguments = todo_domain::AddTask;
    type Output = Added;

    async fn call(tx: &mut Transaction, arguments: Self::Arguments) -> Result<Answer<Added>, Error> {
        let task = tasks::add(tx, arguments.validate()?).await?;
        Ok(Added { task_id: task.id, status: "created", title: task.title }.into())
    }
}

todo_mcp::component!(AddTask);
