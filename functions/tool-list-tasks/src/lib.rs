//! `list_tasks`: one page of the person's tasks, filtered, searched and sorted. Reads only. The result is the bare array;
//! where the next page begins stands beside it, in `_meta["todo/next-cursor"]` and as a second text block.

use todo_domain::TaskView;
use todo_mcp::{Answer, Hints, Tool};
use todo_store::{Error, Transaction, tasks};

/// The tool.
pub struct ListTasks;

impl Tool for ListTasks {
    const NAME: &'static str = "list_tasks";
    const TITLE: &'static str = "List tasks";
    const DESCRIPTION: &'static str = "List the person's tasks: all, or those that match every given filter (status, \
        priority, tags, due date, words in title or description). Use it to answer questions about tasks, and to find the \
        number of a task before completing, deleting or updating it. Returns an array of tasks, at most `limit`; when there \
        are more, a cursor for the next page follows.";
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    type Arguments = todo_domain::ListTasks;
    type Output = Vec<TaskView>;

    async fn call(tx: &mut Transaction, arguments: Self::Arguments) -> Result<Answer<Vec<TaskView>>, Error> {
        let page = tasks::list(tx, &arguments.validate()?).await?;
        let output = page.tasks.iter().map(TaskView::from).collect();
        Ok(Answer { output, next_cursor: page.next_cursor })
    }
}

todo_mcp::component!(ListTasks);
