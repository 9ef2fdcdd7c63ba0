//! A task's row, both ways.

use serde::{Deserialize, Serialize};
use todo_domain::{Due, Invalid, Priority, Remind, RepeatFrom, Series, Tag, Task, TaskId};

use crate::{Error, Row, Value, search};

/// The columns of a task in the order in which [`task`] reads them.
macro_rules! columns {
    () => {
        "task_id, title, description, completed_at, due_local, due_zone, repeat_rule, repeat_from, remind, priority, tags, \
         series_id, occurrence, anchor_local, anchor_zone, ordinal, next_id, created_at, updated_at"
    };
}
pub(crate) use columns;

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

/// The parameters of the 19 columns that an update writes, in the order of `ADD` and `UPDATE`.
pub(super) fn fields(task: &Task) -> Vec<Value> {
    let due = task.due.as_ref();
    let series = task.series.as_ref();
    let occurrence = series.and_then(|series| series.occurrence.as_ref());
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
        series.map(|series| series.id.0).into(),
        occurrence.map(Due::local_text).into(),
        series.map(|series| series.anchor.local_text()).into(),
        series.map(|series| series.anchor.zone().name().to_owned()).into(),
        series.map(|series| i64::from(series.ordinal)).into(),
        task.next_id.map(|id| id.0).into(),
        search::indexed(&task.title, task.description.as_deref()).into(),
        task.updated_at.into(),
    ]
}

/// Reads a row of [`columns`].
pub(crate) fn task(mut row: Row) -> Result<Task, Error> {
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
        series: series(&mut row)?,
        next_id: row.optional_integer()?.map(TaskId),
        created_at: row.instant()?,
        updated_at: row.instant()?,
    })
}

fn series(row: &mut Row) -> Result<Option<Series>, Error> {
    let (id, occurrence) = (row.optional_integer()?, row.optional_text()?);
    let (local, zone, ordinal) = (row.optional_text()?, row.optional_text()?, row.optional_integer()?);
    let (Some(id), Some(local), Some(zone), Some(ordinal)) = (id, local, zone, ordinal) else {
        return Ok(None);
    };
    let unreadable = |_| Error::Corrupt("series");
    let due = |local: &str| Due::from_stored(local, &zone).map_err(unreadable);
    Ok(Some(Series {
        id: TaskId(id),
        anchor: due(&local)?,
        ordinal: u32::try_from(ordinal).map_err(|_| Error::Corrupt("series"))?,
        occurrence: occurrence.as_deref().map(due).transpose()?,
    }))
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
