//! A tenant's tasks. Every change writes its events in the same transaction.

mod list;
mod repeat;
pub(crate) mod stored;

use todo_domain::{NewTask, Task, TaskChange, TaskId};
use todo_events::Event;

use crate::statements::statements;
use crate::{Dialect, Error, Transaction, outbox};
#[cfg(feature = "testing")]
pub(crate) use list::variants;
pub use list::{Page, list};
pub use repeat::{Completed, Repeated, Why, repeat};

statements! {
    ADD = "INSERT INTO tasks (title, description, completed_at, due_local, due_zone, due_at, repeat_rule, repeat_from, \
        remind, priority, tags, series_id, occurrence, anchor_local, anchor_zone, ordinal, next_id, words, updated_at, \
        user_id, task_id, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";
    GET = concat!("SELECT ", stored::columns!(), " FROM tasks WHERE user_id = $1 AND task_id = $2");
    UPDATE = "UPDATE tasks SET title = $1, description = $2, completed_at = $3, due_local = $4, due_zone = $5, due_at = $6, \
        repeat_rule = $7, repeat_from = $8, remind = $9, priority = $10, tags = $11, series_id = $12, occurrence = $13, \
        anchor_local = $14, anchor_zone = $15, ordinal = $16, next_id = $17, words = $18, updated_at = $19 \
        WHERE user_id = $20 AND task_id = $21";
    COMPLETE = concat!(
        "UPDATE tasks SET completed_at = $1, updated_at = $1 \
         WHERE user_id = $2 AND task_id = $3 AND completed_at IS NULL RETURNING ",
        stored::columns!()
    );
    /// The task of a series that a date of its rule belongs to.
    OCCURRENCE = concat!(
        "SELECT ", stored::columns!(), " FROM tasks WHERE user_id = $1 AND series_id = $2 AND occurrence = $3"
    );
    SET_NEXT = "UPDATE tasks SET next_id = $1 WHERE user_id = $2 AND task_id = $3";
    DELETE = concat!("DELETE FROM tasks WHERE user_id = $1 AND task_id = $2 RETURNING ", stored::columns!());
}

/// [`Event::created`] and its twin.
const EVENTS_OF_A_NEW_TASK: usize = 2;

/// Adds a task under the tenant's next number.
pub async fn add(tx: &mut Transaction, new: NewTask) -> Result<Task, Error> {
    // One statement counts both: a round trip is dear.
    let numbers = outbox::number(tx, 1, EVENTS_OF_A_NEW_TASK).await?;
    let task = new.numbered(TaskId(numbers.task), tx.now());
    let mut parameters = stored::fields(&task);
    parameters.extend([tx.user(), task.id.0.into(), task.created_at.into()]);
    tx.execute(ADD, parameters).await?;
    let events = Event::created(tx.user_id(), &task, tx.now());
    outbox::write_numbered(tx, &numbers, &events).await?;
    Ok(task)
}

/// The task of that number.
pub async fn get(tx: &mut Transaction, id: TaskId) -> Result<Task, Error> {
    let parameters = vec![tx.user(), id.0.into()];
    let row = tx.row(GET, parameters).await?.ok_or_else(|| not_found(id))?;
    stored::task(row)
}

/// Completes a task and says what comes after it. One that is completed already stays as it is, and no event tells of it twice.
pub async fn complete(tx: &mut Transaction, id: TaskId) -> Result<Completed, Error> {
    let parameters = vec![tx.now().into(), tx.user(), id.0.into()];
    let completed = tx.row(COMPLETE, parameters).await?;
    let newly = completed.is_some();
    let task = match completed {
        Some(row) => stored::task(row)?,
        None => get(tx, id).await?,
    };
    if newly {
        let before = Task { completed_at: None, ..task.clone() };
        outbox::write(tx, &Event::changed(tx.user_id(), &before, &task, tx.now())).await?;
    }
    Ok(Completed { next: repeat::preview(tx, &task, newly).await?, task })
}

/// Removes a task and says what it was. A successor that is still to come is made first: see [`repeat`].
pub async fn delete(tx: &mut Transaction, id: TaskId) -> Result<Task, Error> {
    let parameters = vec![tx.user(), id.0.into()];
    let row = tx.row(DELETE, parameters).await?.ok_or_else(|| not_found(id))?;
    let task = stored::task(row)?;
    repeat::settle(tx, &task).await?;
    outbox::write(tx, &Event::deleted(tx.user_id(), &task, tx.now())).await?;
    Ok(task)
}

/// Changes a task. A change that alters nothing writes nothing.
pub async fn update(tx: &mut Transaction, id: TaskId, change: TaskChange) -> Result<Task, Error> {
    let parameters = vec![tx.user(), id.0.into()];
    let row = tx.row(locked(tx.dialect()), parameters).await?.ok_or_else(|| not_found(id))?;
    let before = stored::task(row)?;
    let after = before.apply(change, tx.now())?;
    if after == before {
        return Ok(after);
    }
    let mut parameters = stored::fields(&after);
    parameters.extend([tx.user(), id.0.into()]);
    tx.execute(UPDATE, parameters).await?;
    outbox::write(tx, &Event::changed(tx.user_id(), &before, &after, tx.now())).await?;
    Ok(after)
}

/// Reads a task that the same transaction is going to change.
pub(crate) fn locked(dialect: Dialect) -> String {
    format!("{GET}{}", dialect.lock_row())
}

fn not_found(id: TaskId) -> Error {
    Error::NotFound { what: "task", id: id.0 }
}
