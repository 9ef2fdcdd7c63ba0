//! Which deletions wait.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use todo_language::{TitleMatch, title_match};

use super::{Titles, titles};
use crate::calls::Prepared;
use crate::{Item, ToolCall};

/// The tool whose calls may have to wait.
pub(super) const DELETE: &str = "delete_task";

/// What the decision rests on.
pub(crate) struct Known<'a> {
    pub message: &'a str,
    pub history: &'a [Item],
    pub new_items: &'a [Item],
    pub approved: &'a BTreeSet<i64>,
}

impl Known<'_> {
    /// The ids of the calls that must wait.
    pub fn needing_approval(&self, prepared: &[Prepared]) -> BTreeSet<String> {
        let asked: Vec<(&str, i64)> = prepared
            .iter()
            .filter(|prepared| prepared.outcome.is_none())
            .filter_map(|prepared| Some((prepared.call.id.as_str(), deleted_task(&prepared.call)?)))
            .filter(|(_, task)| !self.approved.contains(task))
            .collect();
        let mut tasks: BTreeSet<i64> = asked.iter().map(|(_, task)| *task).collect();
        tasks.extend(self.deleted_before());
        let titles = titles(self.history.iter().chain(self.new_items));
        let several = tasks.len() > 1;
        asked
            .into_iter()
            .filter(|(_, task)| several || !self.named_by_person(*task, &titles))
            .map(|(id, _)| id.to_owned())
            .collect()
    }

    /// Tasks deleted earlier in this turn: a model that deletes one after the other is asked about from the second on.
    fn deleted_before(&self) -> impl Iterator<Item = i64> {
        let done: BTreeSet<&str> = self.new_items.iter().filter_map(succeeded).collect();
        self.new_items.iter().filter_map(move |item| match item {
            Item::ToolCall(call) if done.contains(call.id.as_str()) => deleted_task(call),
            _ => None,
        })
    }

    /// By its number, or by its title when no other title that stands in the message is as long: in "delete milk and
    /// eggs" the task "Milk" is not the one that is named, and of two tasks with one title neither is.
    fn named_by_person(&self, task: i64, titles: &Titles) -> bool {
        let said = |title: &str| title_match(self.message, title) == TitleMatch::Exact;
        let length = |title: &str| title.chars().count();
        let rivals = |own: &str| {
            let mut others = titles.iter().filter(|(other, _)| **other != task);
            others.any(|(_, title)| length(title) >= length(own) && said(title))
        };
        let by_title = |title: &String| said(title) && !rivals(title);
        names_number(self.message, task) || titles.get(&task).is_some_and(by_title)
    }
}

fn succeeded(item: &Item) -> Option<&str> {
    match item {
        Item::ToolResult { id, is_error: false, .. } => Some(id),
        _ => None,
    }
}

/// The task a call would delete.
pub(crate) fn deleted_task(call: &ToolCall) -> Option<i64> {
    match call.name == DELETE {
        true => call.arguments.get("task_id")?.as_i64(),
        false => None,
    }
}

/// A deletion whose task cannot be read here is never made: a tool that reads it more generously would delete unasked.
pub(crate) fn check(name: &str, arguments: &Map<String, Value>) -> Result<(), String> {
    let readable = arguments.get("task_id").is_some_and(Value::is_i64);
    match name == DELETE && !readable {
        true => Err("`task_id` must be an integer: the task's number".to_owned()),
        false => Ok(()),
    }
}

/// True when the number stands in the words by itself: in "delete 3", "#3", "task 3." but not in "3pm", "3:30", "13".
fn names_number(words: &str, number: i64) -> bool {
    let number = number.to_string();
    words.match_indices(&number).any(|(at, found)| {
        let (before, after) = (words.get(..at), words.get(at + found.len()..));
        !before.is_some_and(|text| glued(text.chars().rev()))
            && !after.is_some_and(|text| glued(text.chars()))
    })
}

/// Does a number go on here? A letter or digit does that, and so does a separator with a digit behind it.
fn glued(mut beyond: impl Iterator<Item = char>) -> bool {
    match beyond.next() {
        Some(next) if next.is_alphanumeric() => true,
        Some(':' | '.' | ',' | '-' | '/' | '−') => beyond.next().is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    }
}
