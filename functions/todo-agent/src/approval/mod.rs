//! Human approval: which calls wait for a yes, the question, and how the answer is read.
//!
//! Deleting cannot be undone, so it is the one thing a model is not trusted with alone. A turn that would delete more
//! than one task, or a task that the person named neither by its number nor by its exact title, stops and asks. The rule
//! looks only at the call and at the person's own words, so it holds for every model, and for one that a task's title
//! has talked into something.

mod deletions;
mod titles;

use std::collections::BTreeSet;

use jiff::Zoned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use todo_language::{Action, Consent, Context, Filter, Target, consent, read};

use crate::ToolCall;
pub(crate) use deletions::{Known, check, deleted_task};
pub(crate) use titles::{Titles, titles};

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
    use super::deletions::DELETE;
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
