//! A task's row, both ways.

use serde::{Deserialize, Serialize};
use todo_domain::{Due, Invalid, Priority, Remind, RepeatFrom, Tag, Task, TaskId};

use crate::{Error, Row, Value, search};

/// The columns of a task in the order in which [`task`] reads them.
macro_rules! columns {
    () => {
        "task_id, title, description, completed_at, due_local, due_zone, repeat_rule, repeat_from, remind, priority, tags, \
         series_id, occurrence, created_at, updated_at"
    };
}
pub(super) use columns;

/// An element of the column `tags`. A trigger copies the keys into the table `task_tags`.
#[derive(Serialize, Deserialize)]
struct StoredTag {
    /// What the index compares.
    key: String,
    /// As it was written.
    tag: String,
}

/// An element of the column `remind`. A trigger copies them into the table `reminders`.
#[derive(Serialize, Deserialize)]
struct StoredReminder {
    /// The moment to remind, in milliseconds; absent when an offset leads out of the calendar.
    at: Option<i64>,
    /// As [`Remind`] writes it.
    text: String,
}

/// The parameters of the 15 columns that an update writes, in the order of `ADD` and `UPDATE`.
pub(super) fn fields(task: &Task) -> Vec<Value> {
    let due = task.due.as_ref();
    vec![
        task.title.as_str().into(),
        task.description.clone().into(),
        task.completed_at.map(|at| at.as_millisecond()).into(),
        due.map(Due::local_text).into(),
        due.map(|due| due.zone().name().to_owned()).into(),
        due.map(|due| due.instant().as_millisecond()).into(),
        task.repeat.as_ref().map(ToString::to_string).into(),
        task.repeat_from.as_str().into(),
        reminders(task).into(),
        task.priority.map(Priority::rank).into(),
        tags(task).into(),
        task.series_id.map(|id| id.0).into(),
        task.occurrence.clone().into(),
        search::indexed(&task.title, task.description.as_deref()).into(),
        task.updated_at.into(),
    ]
}

/// Reads a row of [`columns`].
pub(super) fn task(mut row: Row) -> Result<Task, Error> {
    let unreadable = |_: Invalid| Error::Corrupt("task");
    Ok(Task {
        id: TaskId(row.integer()?),
        title: row.text()?,
        description: row.optional_text()?,
        completed_at: row.optional_instant()?,
        due: match (row.optional_text()?, row.optional_text()?) {
            (Some(local), Some(zone)) => Some(Due::from_stored(&local, &zone).map_err(unreadable)?),
            _ => None,
        },
        repeat: row.optional_text()?.map(|rule| rule.parse()).transpose().map_err(unreadable)?,
        repeat_from: match row.text()?.as_str() {
            "completion" => RepeatFrom::Completion,
            _ => RepeatFrom::Due,
        },
        remind: row
            .json::<Vec<StoredReminder>>()?
            .iter()
            .map(|stored| Remind::parse("remind", &stored.text, None))
            .collect::<Result<_, _>>()
            .map_err(unreadable)?,
        priority: row.optional_integer()?.and_then(Priority::from_rank),
        tags: row
            .json::<Vec<StoredTag>>()?
            .iter()
            .map(|stored| Tag::parse("tags", &stored.tag))
            .collect::<Result<_, _>>()
            .map_err(unreadable)?,
        series_id: row.optional_integer()?.map(TaskId),
        occurrence: row.optional_text()?,
        created_at: row.instant()?,
        updated_at: row.instant()?,
    })
}

fn tags(task: &Task) -> String {
    json(task.tags.iter().map(|tag| StoredTag { key: tag.key(), tag: tag.to_string() }))
}

fn reminders(task: &Task) -> String {
    json(task.remind.iter().map(|remind| StoredReminder {
        at: remind.instant(task.due.as_ref()).map(|at| at.as_millisecond()),
        text: remind.to_string(),
    }))
}

fn json(elements: impl Iterator<Item = impl Serialize>) -> String {
    let elements: Vec<_> = elements.collect();
    // Structs of strings and numbers always serialize.
    serde_json::to_string(&elements).unwrap_or_else(|_| "[]".to_owned())
}
