//! A task as the tools show it. Its words are data: they are compared and repeated, never read for commands.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, Zoned};
use serde_json::Value;

use crate::reading::{Bound, Due, Filter};
use crate::titles::likeness;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Task {
    pub id: i64,
    pub title: String,
    pub completed: bool,
    pub due: Option<Due>,
    pub priority: Option<String>,
    pub tags: Vec<String>,
    pub remind: Vec<String>,
    pub repeat: Option<String>,
    pub repeat_text: Option<String>,
}

impl Task {
    /// From an element of `list_tasks`, or from the arguments of a call joined with its result.
    pub fn from(value: &Value, now: &Zoned) -> Option<Task> {
        let id = value.get("id").or_else(|| value.get("task_id"))?.as_i64()?;
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let list = |name: &str| {
            value
                .get(name)
                .and_then(Value::as_array)
                .map(|items| items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        Some(Task {
            id,
            title: text("title").unwrap_or_default(),
            completed: value.get("completed").and_then(Value::as_bool).unwrap_or(false),
            due: text("due").and_then(|due| parse_due(&due, now)),
            priority: text("priority"),
            tags: list("tags").unwrap_or_default(),
            remind: list("remind").unwrap_or_default(),
            repeat: text("repeat"),
            repeat_text: text("repeat_text"),
        })
    }

    /// Whether the task is one of those a filter speaks of.
    pub fn fits(&self, filter: &Filter) -> bool {
        let status = match filter.status {
            Some("pending") => !self.completed,
            Some("completed") => self.completed,
            _ => true,
        };
        let priority = filter.priority.is_none_or(|wanted| self.priority.as_deref() == Some(wanted));
        let tags =
            filter.tags.iter().all(|wanted| self.tags.iter().any(|tag| tag.eq_ignore_ascii_case(wanted)));
        let search = filter.search.as_ref().is_none_or(|words| likeness(words, &self.title) >= 1.0);
        status && priority && tags && search && self.in_range(filter)
    }

    /// All-day tasks are due at the end of their day.
    fn in_range(&self, filter: &Filter) -> bool {
        if filter.due_after.is_none() && filter.due_before.is_none() {
            return true;
        }
        let Some(due) = self.due else { return false };
        let moment = due.date.to_datetime(due.time.unwrap_or(jiff::civil::Time::constant(23, 59, 59, 0)));
        let start = |bound: Bound| match bound {
            Bound::Day(date) => date.to_datetime(jiff::civil::Time::midnight()),
            Bound::Moment(moment) => moment,
        };
        filter.due_after.is_none_or(|from| moment >= start(from))
            && filter.due_before.is_none_or(|to| moment < start(to))
    }
}

/// The tasks in a result of `list_tasks`: `{"tasks": […]}` or the bare array.
pub(crate) fn tasks_in(value: &Value, now: &Zoned) -> Vec<Task> {
    let items = value.get("tasks").unwrap_or(value).as_array();
    items.into_iter().flatten().filter_map(|item| Task::from(item, now)).collect()
}

/// A date, a local date-time, or an instant, which is shown in the person's zone.
fn parse_due(text: &str, now: &Zoned) -> Option<Due> {
    if let (10, Ok(date)) = (text.len(), text.parse::<Date>()) {
        return Some(Due { date, time: None });
    }
    let instant = text.parse::<Zoned>().map(|zoned| zoned.timestamp()).or_else(|_| text.parse::<Timestamp>());
    let local = instant
        .map(|instant| instant.to_zoned(now.time_zone().clone()).datetime())
        .or_else(|_| text.parse::<DateTime>())
        .ok()?;
    Some(Due { date: local.date(), time: Some(local.time()) })
}
