//! The tasks, as the person sees them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::expected::{Expected, Sure, Task};
use super::{Claim, Verdict};
use crate::evidence::Theirs;
use crate::history::Person;
use crate::load::{description, title};

pub fn check(verdict: &mut Verdict, person: &Person, expected: &Expected, theirs: &Theirs) {
    let name = &person.name;
    let id = |task: &Value| task.get("id").and_then(Value::as_i64);
    let listed: BTreeMap<i64, &Value> =
        theirs.listed.iter().filter_map(|task| Some((id(task)?, task))).collect();
    for (id, task) in &expected.tasks {
        match (task.exists, listed.get(id)) {
            (Sure::Yes, None) => {
                verdict.expect(Claim::Acknowledged, name, false, || format!("task {id} is gone"))
            }
            (Sure::No, Some(_)) => {
                verdict.expect(Claim::Acknowledged, name, false, || {
                    format!("task {id} is there although it was deleted")
                });
            }
            (_, Some(found)) => {
                let wrong = differs(task, found);
                verdict.expect(Claim::Acknowledged, name, wrong.is_none(), || {
                    format!("task {id} {}", wrong.unwrap_or_default())
                });
            }
            (_, None) => verdict.expect(Claim::Acknowledged, name, true, String::new),
        }
    }
    let recorded = theirs.audit.iter().filter_map(|entry| entry.task.as_ref());
    for task in theirs.listed.iter().chain(recorded) {
        verdict.expect(Claim::NeverHalf, name, is_whole(task), || format!("half of a change: {task}"));
    }
}

fn differs(task: &Task, found: &Value) -> Option<String> {
    let completed = if found.get("completed") == Some(&Value::Bool(true)) { Sure::Yes } else { Sure::No };
    if task.completed != Sure::Maybe && task.completed != completed {
        return Some(format!("is not completed or pending as was acknowledged: {found}"));
    }
    let called = |token: &String| found.get("title").and_then(Value::as_str) == Some(&title(token));
    match &task.tokens {
        Some(tokens) if !tokens.iter().any(called) => {
            Some(format!("is {found}, and should be of {tokens:?}"))
        }
        _ => None,
    }
}

/// Title and description are always changed together.
fn is_whole(task: &Value) -> bool {
    let text = |name: &str| task.get(name).and_then(Value::as_str).unwrap_or_default();
    let token = text("title").trim_start_matches(&title(""));
    text("title") == title(token) && text("description") == description(token)
}
