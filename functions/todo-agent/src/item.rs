//! The plain items a session is made of, and the calls and outcomes that pass between the loop and the tools.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
}

impl ToolOutcome {
    /// The tool did its work.
    pub fn ok(value: Value) -> Self {
        Self { value, is_error: false }
    }

    /// The tool did nothing; `message` tells the model why and what to do about it.
    pub fn error(message: impl Into<String>) -> Self {
        Self { value: serde_json::json!({ "error": message.into() }), is_error: true }
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
        Self::ToolResult { id: id.into(), value: outcome.value, is_error: outcome.is_error }
    }
}
