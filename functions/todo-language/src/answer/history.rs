//! What the conversation so far tells: the tasks known, the one spoken of, what was shown.

use std::collections::HashMap;

use jiff::Zoned;
use serde_json::Value;

use crate::conversation::Entry;
use crate::read::Context;
use crate::task::{Task, tasks_in};

/// One tool call of the conversation with its result.
#[derive(Debug, Clone)]
pub(crate) struct Step<'a> {
    pub name: &'a str,
    pub arguments: &'a Value,
    pub value: &'a Value,
    pub is_error: bool,
}

/// The steps among some entries, in the order of their calls. A call without a result is none.
pub(crate) fn steps(entries: &[Entry]) -> Vec<Step<'_>> {
    let results: HashMap<&str, (&Value, bool)> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::ToolResult { id, value, is_error } => Some((id.as_str(), (value, *is_error))),
            _ => None,
        })
        .collect();
    let calls = entries.iter().filter_map(|entry| match entry {
        Entry::ToolCall { id, name, arguments } => Some((id, name, arguments)),
        _ => None,
    });
    calls
        .filter_map(|(id, name, arguments)| {
            let (value, is_error) = results.get(id.as_str())?;
            Some(Step { name, arguments, value, is_error: *is_error })
        })
        .collect()
}

/// The tasks known from the conversation, newest knowledge last, and the reading context.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub known: HashMap<i64, Task>,
    pub context: Context,
}

impl History {
    pub fn of(entries: &[Entry], now: &Zoned) -> History {
        let mut history = History::default();
        for step in steps(entries).iter().filter(|step| !step.is_error) {
            history.note(step, now);
        }
        history
    }

    fn note(&mut self, step: &Step<'_>, now: &Zoned) {
        if step.name == "list_tasks" {
            self.listed(step, now);
            return;
        }
        let Some(id) = step.value.get("task_id").and_then(Value::as_i64) else { return };
        self.context.last_tool = Some(step.name.to_owned());
        if step.name == "delete_task" {
            self.known.remove(&id);
            self.context.last = None;
            return;
        }
        self.context.last = Some(id);
        let before = self.known.remove(&id);
        if let Some(task) = merged(before, step, id, now) {
            self.known.insert(id, task);
        }
    }

    fn listed(&mut self, step: &Step<'_>, now: &Zoned) {
        let tasks = tasks_in(step.value, now);
        if !is_lookup(step.arguments) {
            self.context.shown = tasks.iter().map(|task| task.id).collect();
            // "Do I have anything on Friday?" – "No." – "Then make it Friday": still the task from before.
            self.context.last = match tasks.as_slice() {
                [] => self.context.last,
                [only] => Some(only.id),
                _ => None,
            };
            self.context.last_tool = Some(step.name.to_owned());
        }
        self.known.extend(tasks.into_iter().map(|task| (task.id, task)));
    }
}

/// The size of a page when tasks are looked up rather than shown.
pub(crate) const PAGE: u32 = 200;

/// A list that was asked for to find a task by its title: the person never saw it.
pub(crate) fn is_lookup(arguments: &Value) -> bool {
    let only = |name: &str| matches!(name, "status" | "limit" | "cursor");
    let sized = arguments.get("limit").and_then(Value::as_u64) == Some(u64::from(PAGE));
    sized && arguments.as_object().is_some_and(|fields| fields.keys().all(|name| only(name)))
}

/// What a call changed, laid over what was known; what the result says counts most.
fn merged(before: Option<Task>, step: &Step<'_>, id: i64, now: &Zoned) -> Option<Task> {
    let mut joined = step.arguments.as_object().cloned().unwrap_or_default();
    if let Some(result) = step.value.as_object() {
        joined.extend(
            result
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    joined.insert("id".into(), id.into());
    let new = Task::from(&Value::Object(joined.clone()), now)?;
    let Some(mut task) = before else {
        // Without the arguments of its making, a task's other fields are not known.
        return (step.name == "add_task").then_some(new);
    };
    for name in joined.keys() {
        match name.as_str() {
            "title" => task.title.clone_from(&new.title),
            "due" => task.due = new.due,
            "priority" => task.priority.clone_from(&new.priority),
            "tags" => task.tags.clone_from(&new.tags),
            "remind" => task.remind.clone_from(&new.remind),
            "repeat" => task.repeat.clone_from(&new.repeat),
            "completed" => task.completed = new.completed,
            _ => {}
        }
    }
    task.completed |= step.name == "complete_task";
    Some(task)
}
