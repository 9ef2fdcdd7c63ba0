//! Human approval: which calls wait for a yes, the question, and how the answer is read.
//!
//! Deleting cannot be undone, so it is the one thing a model is not trusted with alone. A turn that would delete more
//! than one task, or a task that the person named neither by its number nor by its exact title, stops and asks. The rule
//! looks only at the call and at the person's own words, so it holds for every model, and for one that a task's title
//! has talked into something.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Zoned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use todo_language::{Action, Consent, Context, Filter, Target, TitleMatch, consent, read, title_match};

use crate::calls::Prepared;
use crate::{Item, ToolCall};

/// The tool whose calls may have to wait.
const DELETE: &str = "delete_task";

/// Raised whenever a stored approval of an older shape could be misread.
const VERSION: u32 = 1;

/// How every question ends.
const YES_OR_NO: &str = "Answer yes or no.";

/// How many titles a question lists.
const LISTED: usize = 50;

/// Calls that wait for the person's yes. Serializable: it is kept with the conversation until the next message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    version: u32,
    /// What the person was asked.
    pub question: String,
    /// What will be done on a yes, exactly as it was asked about.
    pub calls: Vec<ToolCall>,
}

/// What the person's next message means for the calls.
pub(crate) enum Decision {
    Approved(Vec<ToolCall>),
    Declined(Vec<ToolCall>),
    /// A message about something else: not a yes, so the calls are off.
    Unrelated(Vec<ToolCall>),
}

impl Approval {
    /// An approval that was stored. `None`, that is "not approved", when this version cannot read it.
    pub fn restore(stored: Value) -> Option<Self> {
        let approval: Self = serde_json::from_value(stored).ok()?;
        (approval.version == VERSION).then_some(approval)
    }

    pub(crate) fn ask(calls: Vec<ToolCall>, titles: &Titles, did_something: bool) -> Self {
        Self { version: VERSION, question: question(&calls, titles, did_something), calls }
    }

    pub(crate) fn decide(self, message: &str, now: &Zoned) -> Decision {
        match consent(message) {
            Some(Consent::Yes) if self.is_all_asked(message, now) => Decision::Approved(self.calls),
            Some(Consent::No) => Decision::Declined(self.calls),
            _ => Decision::Unrelated(self.calls),
        }
    }

    /// Is a message that begins like a yes nothing more? "Ok, delete 5 instead" and "delete all finished tasks" ask for
    /// something else, and must not delete what was asked about.
    fn is_all_asked(&self, message: &str, now: &Zoned) -> bool {
        let asked = |target: &Target| match target {
            Target::Number(number) => self.calls.iter().any(|call| deleted_task(call) == Some(*number)),
            Target::All(filter) => *filter == Filter::default(),
            Target::Shown | Target::Last | Target::Missing => true,
            Target::Titled(_) | Target::Position(_) => false,
        };
        let reading = read(message, now, &Context::default());
        reading.actions.iter().all(|action| matches!(action, Action::Delete { target } if asked(target)))
    }
}

/// Did these words ask for an approval?
pub(crate) fn is_question(text: &str) -> bool {
    text.ends_with(YES_OR_NO)
}

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

/// Titles by task number, as the tools told them; the latest stands, and what was deleted is forgotten.
pub(crate) type Titles = BTreeMap<i64, String>;

pub(crate) fn titles<'a>(items: impl Iterator<Item = &'a Item>) -> Titles {
    let mut titles = Titles::new();
    for item in items {
        if let Item::ToolResult { value, is_error: false, .. } = item {
            read_titles(value, &mut titles);
        }
    }
    titles
}

/// A list's tasks have `id`, the other tools' results `task_id`; a list may stand under a name of its own.
fn read_titles(value: &Value, titles: &mut Titles) {
    match value {
        Value::Array(tasks) => tasks.iter().for_each(|task| read_titles(task, titles)),
        Value::Object(fields) => {
            let id = fields.get("task_id").or_else(|| fields.get("id"));
            if let (Some(id), Some(Value::String(title))) = (id.and_then(Value::as_i64), fields.get("title"))
            {
                match fields.get("status").is_some_and(|status| status == "deleted") {
                    true => titles.remove(&id),
                    false => titles.insert(id, title.clone()),
                };
            }
            fields.values().for_each(|inner| read_titles(inner, titles));
        }
        _ => {}
    }
}

fn question(calls: &[ToolCall], titles: &Titles, did_something: bool) -> String {
    let tasks: BTreeSet<i64> = calls.iter().filter_map(deleted_task).collect();
    let lead = if did_something { "The rest is done. " } else { "" };
    let mut lines: Vec<String> = tasks.iter().map(|task| named(*task, titles)).collect();
    if let [only] = lines.as_slice() {
        return format!("{lead}Shall I delete {only}? It cannot be undone. {YES_OR_NO}");
    }
    let count = lines.len();
    lines.truncate(LISTED);
    if count > LISTED {
        lines.push(format!("and {} more", count - LISTED));
    }
    format!(
        "{lead}Shall I delete these {count} tasks? It cannot be undone.\n\n- {}\n\n{YES_OR_NO}",
        lines.join("\n- ")
    )
}

fn named(task: i64, titles: &Titles) -> String {
    match titles.get(&task) {
        Some(title) => format!("“{}” (task {task})", title.replace(['\n', '\r'], " ")),
        None => format!("task {task}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(message: &str) -> &'static str {
        let call = |task: i64| ToolCall {
            id: format!("t-{task}"),
            name: DELETE.to_owned(),
            arguments: serde_json::json!({ "task_id": task }),
        };
        let approval = Approval::ask(vec![call(1), call(2)], &Titles::new(), false);
        match approval.decide(message, &Zoned::default()) {
            Decision::Approved(_) => "yes",
            Decision::Declined(_) => "no",
            Decision::Unrelated(_) => "else",
        }
    }

    #[test]
    fn a_plain_yes_approves() {
        let plain = [
            "yes",
            "Yes.",
            "y",
            "yep",
            "yeah!",
            "sure",
            "ok",
            "Okay",
            "yes please",
            "yes, please do",
            "go ahead",
            "do it",
            "sure, go ahead",
            "yes delete them",
            "yes, both of them",
            "delete them",
            "yes, all of them",
            "ok do it",
            "of course",
            "sounds good",
            "yes, that's right",
            "confirm",
            "absolutely",
            "please do",
            "yes 👍",
            "yes, delete 1 and 2",
            "I'm sure",
        ];
        for message in plain {
            assert_eq!(decided(message), "yes", "{message}");
        }
    }

    #[test]
    fn a_no_declines() {
        for message in ["no", "No!", "nope", "cancel", "don't", "never mind", "keep them", "no, leave them"] {
            assert_eq!(decided(message), "no", "{message}");
        }
    }

    #[test]
    fn a_request_is_no_approval_however_it_begins() {
        let requests = [
            "ok delete task 5 instead",
            "delete all completed tasks",
            "yes and add buy milk",
            "sure, show my tasks",
            "add buy milk",
            "what is due today?",
            "delete task 1 and task 7",
            "ok, complete task 2",
        ];
        for message in requests {
            assert_ne!(decided(message), "yes", "{message}");
        }
    }
}
