//! Says what a turn has done without the help of a model: for when it fell silent, failed or was stopped.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Item, ModelError};

/// The changes made, one a line; `None` when nothing was changed.
pub(crate) fn changes(items: &[Item]) -> Option<String> {
    let lines: Vec<String> = made(items).collect();
    match lines.as_slice() {
        [] => None,
        [only] => Some(format!("Done: {only}.")),
        several => Some(format!("Done:\n- {}", several.join("\n- "))),
    }
}

/// The answer of a turn in which the model failed.
pub(crate) fn after_failure(error: &ModelError, items: &[Item]) -> String {
    let what = error.for_person();
    match changes(items) {
        Some(done) => format!("{what} What was done before that stays done.\n\n{done}"),
        None if error.is_transient() => {
            format!("{what} Nothing was changed. Please try again in a minute.")
        }
        None => format!("{what} Nothing was changed."),
    }
}

/// The answer of a turn that was stopped with nothing said.
pub(crate) fn after_limit(items: &[Item]) -> String {
    let stopped = "I stopped here because this took too many steps.";
    match changes(items) {
        Some(done) => format!("{stopped}\n\n{done}"),
        None => format!("{stopped} Nothing was changed. Could you ask for less at once?"),
    }
}

/// Tools that change something answer with `status` and `title`.
fn made(items: &[Item]) -> impl Iterator<Item = String> {
    let mut seen = BTreeSet::new();
    items.iter().filter_map(move |item| match item {
        Item::ToolResult { id, value, is_error: false, .. } if seen.insert(id) => change(value),
        _ => None,
    })
}

fn change(result: &Value) -> Option<String> {
    let text = |name| result.get(name).and_then(Value::as_str);
    let task = result.get("task_id").and_then(Value::as_i64)?;
    Some(format!("{} “{}” (task {task})", text("status")?, text("title")?))
}
