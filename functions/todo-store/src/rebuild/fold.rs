//! What events say of tasks, without any database.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use serde::Deserialize;
use todo_domain::TaskView;
use todo_events::{EventType, Topic};

use crate::audit::Entry;

/// The tasks that some entries of one person's audit tell of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fold {
    tasks: BTreeMap<i64, Folded>,
    unreadable: Vec<i64>,
}

/// A task, as the newest of its events has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    /// That event's number.
    pub sequence: i64,
    /// The task; `None` when it was deleted.
    pub task: Option<TaskView>,
}

impl Fold {
    /// Adds an entry. In which order makes no difference, and neither does the same one again.
    pub fn add(&mut self, entry: &Entry) {
        if entry.topic != Topic::TaskEvents.as_str() {
            return;
        }
        let (task_id, folded) = match told(entry) {
            Ok(Some(told)) => told,
            Ok(None) => return,
            Err(Unreadable) => return self.unreadable.push(entry.entry),
        };
        match self.tasks.entry(task_id) {
            // Events without a number (they have 0) were recorded in their order.
            Slot::Occupied(mut slot) if slot.get().sequence <= folded.sequence => _ = slot.insert(folded),
            Slot::Occupied(_) => {}
            Slot::Vacant(slot) => _ = slot.insert(folded),
        }
    }

    /// What is known of each task, by its number.
    pub fn tasks(&self) -> impl Iterator<Item = (i64, &Folded)> {
        self.tasks.iter().map(|(task_id, folded)| (*task_id, folded))
    }

    /// The numbers of entries that are not the events they should be.
    pub fn unreadable(&self) -> impl Iterator<Item = i64> + '_ {
        self.unreadable.iter().copied()
    }
}

/// An entry that is not the event it should be.
struct Unreadable;

/// What is needed of an event. Not by the decoder of `todo-events`: an audit is older than today's schemas. Its signature was verified before
/// it was recorded, and the chain says whether it is still the same.
#[derive(Deserialize)]
struct Recorded {
    #[serde(rename = "type")]
    event_type: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    user_id: String,
    task_id: Option<i64>,
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    task: Option<TaskView>,
}

/// What an entry tells of a task, if it is about one.
fn told(entry: &Entry) -> Result<Option<(i64, Folded)>, Unreadable> {
    let Recorded { event_type, data } = serde_json::from_str(&entry.body).map_err(|_| Unreadable)?;
    if data.user_id != entry.user_id || event_type != entry.event_type {
        return Err(Unreadable);
    }
    let Some(task_id) = data.task_id else { return Ok(None) };
    let task = data.payload.task.filter(|task| task.id.0 == task_id).ok_or(Unreadable)?;
    let task = (event_type != EventType::TaskDeleted.as_str()).then_some(task);
    Ok(Some((task_id, Folded { sequence: entry.sequence, task })))
}
