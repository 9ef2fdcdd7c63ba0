//! The next task of a series, made once for each completion.
//!
//! The completion and the next task are two transactions: `complete` answers at once with [what is coming](Completed), and the consumer
//! of `task.completed` calls [`repeat`]. In between anything may happen to the completed task, and the event may come twice or late:
//!
//! - **Once.** The completed task is locked and remembers its successor (`next_id`), so a second call finds that one and writes
//!   nothing. Where the rule gives the date, `(user_id, series_id, occurrence)` is unique as well.
//! - **Reopened** before the event came: it was not done after all, and there is no successor. Reopened later, the successor stays,
//!   and completing again finds it. If the person removed it meanwhile, completing again makes another.
//! - **Deleted** before the event came: people clear away what is done, and were told when the next one is due. So
//!   `delete` itself makes the successor that is still missing, and what is in the list does not depend on how fast an event
//!   travels. To end a series its pending task is deleted, or its rule removed.
//! - **Changed** before the event came: the task as it is now is what repeats.

use todo_domain::{Next, Occurrence, Task, TaskId};

use super::{OCCURRENCE, SET_NEXT, add, get, locked, stored};
use crate::{Error, Transaction};

/// A completed task and what comes after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Completed {
    /// The task as it is now.
    pub task: Task,
    /// When its successor is due, or that there is none. `None` when it does not repeat, and when its successor came and went.
    pub next: Option<Next>,
}

/// What [`repeat`] found or did.
#[derive(Clone, Debug, PartialEq)]
pub enum Repeated {
    /// The next task was made. So many occurrences had passed already.
    Made {
        /// The next task.
        task: Task,
        /// The occurrences between.
        skipped: u32,
    },
    /// It had been made before.
    Found(Task),
    /// There is nothing to make.
    Nothing(Why),
}

/// Why a task has no successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The task is gone. Whoever removed it saw to its successor.
    Deleted,
    /// The task is pending again.
    Reopened,
    /// It has no rule.
    DoesNotRepeat,
    /// Its series has ended.
    Ended(todo_domain::Ended),
}

/// Makes the task that follows a completed one, with its events, unless it was made before. Of another person's task it finds
/// nothing, like everybody.
pub async fn repeat(tx: &mut Transaction, completed: TaskId) -> Result<Repeated, Error> {
    let parameters = vec![tx.user(), completed.0.into()];
    let Some(row) = tx.row(locked(tx.dialect()), parameters).await? else {
        return Ok(Repeated::Nothing(Why::Deleted));
    };
    let task = stored::task(row)?;
    if let Some(made) = made_before(tx, &task).await? {
        return Ok(Repeated::Found(made));
    }
    let repeated = make(tx, &task).await?;
    if let Repeated::Made { task: next, .. } | Repeated::Found(next) = &repeated {
        let parameters = vec![next.id.0.into(), tx.user(), completed.0.into()];
        tx.execute(SET_NEXT, parameters).await?;
    }
    Ok(repeated)
}

/// What follows a task that a call has completed, now or before.
pub(super) async fn preview(tx: &mut Transaction, task: &Task, newly: bool) -> Result<Option<Next>, Error> {
    let computed = task.completed_at.and_then(|at| task.next_occurrence(at));
    match (task.next_id, made_before(tx, task).await?) {
        (None, _) => Ok(computed),
        // It was reopened, and what it left behind is what comes next.
        (Some(_), Some(Task { due: Some(due), series: Some(series), completed_at: None, .. })) => {
            Ok(Some(Next::Due(Occurrence { due, skipped: 0, series })))
        }
        (Some(_), Some(_)) => Ok(None),
        (Some(_), None) => Ok(computed.filter(|_| newly)),
    }
}

/// Makes what a task that has just been deleted still owes.
pub(super) async fn settle(tx: &mut Transaction, deleted: &Task) -> Result<(), Error> {
    if deleted.next_id.is_none() {
        make(tx, deleted).await?;
    }
    Ok(())
}

async fn made_before(tx: &mut Transaction, task: &Task) -> Result<Option<Task>, Error> {
    match task.next_id {
        None => Ok(None),
        Some(id) => match get(tx, id).await {
            Err(Error::NotFound { .. }) => Ok(None),
            found => found.map(Some),
        },
    }
}

async fn make(tx: &mut Transaction, task: &Task) -> Result<Repeated, Error> {
    let Some(completed_at) = task.completed_at else {
        return Ok(Repeated::Nothing(Why::Reopened));
    };
    let next = match task.next_occurrence(completed_at) {
        None => return Ok(Repeated::Nothing(Why::DoesNotRepeat)),
        Some(Next::Ended(why)) => return Ok(Repeated::Nothing(Why::Ended(why))),
        Some(Next::Due(next)) => next,
    };
    if let Some(occurrence) = &next.series.occurrence {
        let parameters = vec![tx.user(), next.series.id.0.into(), occurrence.local_text().into()];
        if let Some(row) = tx.row(OCCURRENCE, parameters).await? {
            return stored::task(row).map(Repeated::Found);
        }
    }
    let skipped = next.skipped;
    let task = add(tx, task.successor(next)).await?;
    Ok(Repeated::Made { task, skipped })
}
