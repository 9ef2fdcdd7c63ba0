//! Titles by task number, read from what the tools told.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Item;

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
