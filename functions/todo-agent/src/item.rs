//! The plain items a session is made of, and the calls and outcomes that pass between the loop and the tools.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One step of a conversation, as it is stored.
///
/// A tool call and its result are two items with one id, so that a session is a flat list for any database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// What the person wrote.
    User {
        /// The message.
        text: String,
    },
    /// What we said to the person.
    Assistant {
        /// The words.
        text: String,
    },
    /// A tool call the model asked for.
    ToolCall(ToolCall),
    /// What came back for the call with the same id.
    ToolResult {
        /// The id of the call.
        id: String,
        /// The structured result; a message or an object with one when `is_error`.
        value: Value,
        /// True when the tool refused or failed, or the call was never made.
        is_error: bool,
        /// As in [`ToolOutcome::next_cursor`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    },
}

/// One call of one tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique for ever (the turn's id and a number): the tools recognise a repeated call by it. At most 40 characters.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// A JSON object, without `user_id`: whoever makes the call knows whose turn this is.
    pub arguments: Value,
}

/// What a tool call came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolOutcome {
    /// The structured result, or what went wrong in words a model can act on.
    pub value: Value,
    /// True when nothing was done.
    pub is_error: bool,
    /// When `value` is one page of a list and not the last: what the same call takes as `cursor` to get the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl ToolOutcome {
    /// The tool did its work.
    pub fn ok(value: Value) -> Self {
        Self { value, is_error: false, next_cursor: None }
    }

    /// The tool did its work and gave one page of a list.
    pub fn page(value: Value, next_cursor: Option<String>) -> Self {
        Self { next_cursor, ..Self::ok(value) }
    }

    /// The tool did nothing; `message` tells the model why and what to do about it.
    pub fn error(message: impl Into<String>) -> Self {
        Self { value: json!({ "error": message.into() }), is_error: true, next_cursor: None }
    }
}

impl Item {
    /// The person's message.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { text: text.into() }
    }

    /// Our words.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::Assistant { text: text.into() }
    }

    /// The result of the call `id`.
    pub fn result(id: impl Into<String>, outcome: ToolOutcome) -> Self {
        let ToolOutcome { value, is_error, next_cursor } = outcome;
        Self::ToolResult { id: id.into(), value, is_error, next_cursor }
    }
}

/// A result as models read it: a page of a list stands together with the way to the next one. The cursor comes first,
/// where a long page cannot push it out of sight.
pub(crate) fn for_model(value: &Value, next_cursor: Option<&str>) -> Value {
    match next_cursor {
        Some(cursor) => json!({ "next_cursor": cursor, "tasks": value }),
        None => value.clone(),
    }
}
