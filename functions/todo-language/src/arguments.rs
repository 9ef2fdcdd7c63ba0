//! Intended actions → the arguments of tool calls.

use jiff::Zoned;
use jiff::civil::{Date, DateTime, Time};
use serde_json::{Map, Value, json};

use crate::reading::{Bound, Changes, Due, DueChange, Fields, Filter};
use crate::task::Task;
use crate::when::calendar::{plus_days, plus_months};

/// `add_task`
pub(crate) fn add(fields: &Fields, now: &Zoned) -> Value {
    let mut arguments = Map::new();
    arguments.insert("title".into(), json!(fields.title));
    put(&mut arguments, "description", fields.description.as_ref());
    if let Some(due) = fields.due {
        put_due(&mut arguments, due, now);
    }
    put(&mut arguments, "repeat", fields.repeat.as_ref());
    if fields.repeat_from_completion && fields.repeat.is_some() {
        arguments.insert("repeat_from".into(), json!("completion"));
    }
    let remind: Vec<String> =
        fields.remind.iter().filter_map(|remind| remind.text(fields.due, now)).collect();
    put_list(&mut arguments, "remind", remind);
    put(&mut arguments, "priority", fields.priority);
    put_list(&mut arguments, "tags", fields.tags.clone());
    Value::Object(arguments)
}

/// `list_tasks`
pub(crate) fn list(filter: &Filter) -> Value {
    let mut arguments = Map::new();
    put(&mut arguments, "status", filter.status);
    put(&mut arguments, "priority", filter.priority);
    put_list(&mut arguments, "tags", filter.tags.clone());
    put(&mut arguments, "due_after", filter.due_after.map(bound));
    put(&mut arguments, "due_before", filter.due_before.map(bound));
    put(&mut arguments, "search", filter.search.as_ref());
    put(&mut arguments, "sort", filter.sort);
    put(&mut arguments, "order", filter.order);
    let limit = if filter.count { Some(200) } else { filter.limit };
    put(&mut arguments, "limit", limit);
    Value::Object(arguments)
}

/// `update_task`. Parts of the task as it is complete what was said: a new day keeps the time, new tags the old ones.
pub(crate) fn update(id: i64, changes: &Changes, task: Option<&Task>, now: &Zoned) -> Value {
    let mut arguments = Map::new();
    arguments.insert("task_id".into(), json!(id));
    put(&mut arguments, "title", changes.title.as_ref());
    put_or_clear(&mut arguments, "description", changes.description.as_ref());
    let due = new_due(changes, task, now);
    match (&changes.due, due) {
        (Some(DueChange::Clear), _) => {
            arguments.insert("due".into(), Value::Null);
        }
        (_, Some(due)) => put_due(&mut arguments, due, now),
        _ => {}
    }
    put_or_clear(&mut arguments, "repeat", changes.repeat.as_ref());
    if changes.repeat_from_completion {
        arguments.insert("repeat_from".into(), json!("completion"));
    }
    let due = due.or(task.and_then(|task| task.due));
    put_remind(&mut arguments, changes, task, due, now);
    put_or_clear(&mut arguments, "priority", changes.priority.as_ref());
    put_tags(&mut arguments, changes, task);
    if changes.reopen {
        arguments.insert("completed".into(), json!(false));
    }
    Value::Object(arguments)
}

/// Whether the change depends on what the task has now.
pub(crate) fn needs_task(changes: &Changes) -> bool {
    let part_of_due = match &changes.due {
        Some(DueChange::Set { date, time }) => date.is_none() || time.is_none(),
        Some(DueChange::Shift(_)) => true,
        _ => false,
    };
    let tags = !changes.remove_tags.is_empty() || !changes.add_tags.is_empty() && !changes.clear_tags;
    let rule = changes.repeat.as_ref().is_some_and(Option::is_some) && changes.due.is_none();
    part_of_due || tags || rule || !changes.remind.is_empty()
}

fn new_due(changes: &Changes, task: Option<&Task>, now: &Zoned) -> Option<Due> {
    let had = task.and_then(|task| task.due);
    match changes.due.as_ref() {
        Some(DueChange::Set { date, time }) => {
            let time = time.or(had.and_then(|had| had.time));
            let date = date.or(had.map(|had| had.date)).unwrap_or_else(|| next_day_with(time, now));
            Some(Due { date, time })
        }
        Some(DueChange::Shift(shift)) => {
            let had = had.unwrap_or(Due { date: now.date(), time: None });
            let date = plus_months(plus_days(had.date, i64::from(shift.days)), i64::from(shift.months));
            let Some(time) = had.time.or((shift.minutes != 0).then(|| whole_minute(now))) else {
                return Some(Due { date, time: None });
            };
            let span = jiff::Span::new().try_minutes(shift.minutes).ok()?;
            let moved = date.to_datetime(time).checked_add(span).unwrap_or(date.to_datetime(time));
            Some(Due { date: moved.date(), time: Some(moved.time()) })
        }
        Some(DueChange::Clear) => None,
        // A rule needs a first day.
        None => (changes.repeat.as_ref().is_some_and(Option::is_some) && had.is_none())
            .then(|| Due { date: now.date(), time: None }),
    }
}

fn whole_minute(now: &Zoned) -> Time {
    Time::new(now.hour(), now.minute(), 0, 0).unwrap_or(Time::midnight())
}

fn next_day_with(time: Option<Time>, now: &Zoned) -> Date {
    let past = time.is_some_and(|time| now.date().to_datetime(time) <= now.datetime());
    if past { plus_days(now.date(), 1) } else { now.date() }
}

fn put_remind(
    arguments: &mut Map<String, Value>,
    changes: &Changes,
    task: Option<&Task>,
    due: Option<Due>,
    now: &Zoned,
) {
    if changes.clear_remind {
        arguments.insert("remind".into(), Value::Null);
    }
    if changes.remind.is_empty() {
        return;
    }
    let mut remind: Vec<String> = task.map(|task| task.remind.clone()).unwrap_or_default();
    for text in changes.remind.iter().filter_map(|remind| remind.text(due, now)) {
        if !remind.contains(&text) {
            remind.push(text);
        }
    }
    put_list(arguments, "remind", remind);
}

fn put_tags(arguments: &mut Map<String, Value>, changes: &Changes, task: Option<&Task>) {
    if changes.add_tags.is_empty() && changes.remove_tags.is_empty() && !changes.clear_tags {
        return;
    }
    let had = task.filter(|_| !changes.clear_tags).map(|task| task.tags.clone()).unwrap_or_default();
    let gone = |tag: &String| changes.remove_tags.iter().any(|gone| gone.eq_ignore_ascii_case(tag));
    let mut tags: Vec<String> = had.into_iter().filter(|tag| !gone(tag)).collect();
    for tag in &changes.add_tags {
        if !tags.iter().any(|had| had.eq_ignore_ascii_case(tag)) {
            tags.push(tag.clone());
        }
    }
    arguments.insert("tags".into(), if tags.is_empty() { Value::Null } else { json!(tags) });
}

fn put(arguments: &mut Map<String, Value>, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        arguments.insert(name.into(), json!(value));
    }
}

fn put_or_clear(
    arguments: &mut Map<String, Value>,
    name: &str,
    value: Option<&Option<impl serde::Serialize>>,
) {
    if let Some(value) = value {
        arguments.insert(name.into(), json!(value));
    }
}

fn put_list(arguments: &mut Map<String, Value>, name: &str, values: Vec<String>) {
    if !values.is_empty() {
        arguments.insert(name.into(), json!(values));
    }
}

/// An all-day date needs no zone; a local time is read in the person's.
fn put_due(arguments: &mut Map<String, Value>, due: Due, now: &Zoned) {
    let text = due.time.map_or(due.date.to_string(), |time| local(due.date.to_datetime(time)));
    arguments.insert("due".into(), json!(text));
    if due.time.is_some() {
        arguments.insert("timezone".into(), json!(now.time_zone().iana_name().unwrap_or("UTC")));
    }
}

fn bound(bound: Bound) -> String {
    match bound {
        Bound::Day(date) => date.to_string(),
        Bound::Moment(moment) => local(moment),
    }
}

fn local(moment: DateTime) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
