//! Results of tools as a language model reads them.

use serde_json::Value;

use crate::item::for_model;

/// The longest result; a page of 200 tasks fits.
const LONGEST: usize = 60_000;

/// Puts a result between tags that nothing in it can close: every `<` in the JSON is written as its escape.
pub(super) fn tool_result(value: &Value, is_error: bool, next_cursor: Option<&str>) -> String {
    let json = for_model(value, next_cursor).to_string().replace('<', "\\u003c");
    let opening = if is_error { "<tool_result error=\"true\">" } else { "<tool_result>" };
    match json.char_indices().nth(LONGEST) {
        Some((end, _)) => {
            let head = json.get(..end).unwrap_or_default();
            format!("{opening}\n{head}\n</tool_result>\nThe result was cut here; ask for less.")
        }
        None => format!("{opening}\n{json}\n</tool_result>"),
    }
}
