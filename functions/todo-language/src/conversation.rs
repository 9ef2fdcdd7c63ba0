//! What the agent hands over, and what it gets back.

use serde_json::Value;

/// Everything the model may know: the clock and what was said and done so far.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The present moment in the person's own zone. Every relative date is read from it.
    pub now: jiff::Zoned,
    /// Oldest first. The last entry is a [`Entry::Person`] message or a [`Entry::ToolResult`].
    pub entries: Vec<Entry>,
}

/// One step of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// What the person wrote.
    Person(String),
    /// What we answered.
    Assistant(String),
    /// A tool call we made earlier, without `user_id`.
    ToolCall {
        /// The agent's id of the call; its result carries the same one.
        id: String,
        /// The tool's name.
        name: String,
        /// The arguments as sent.
        arguments: Value,
    },
    /// What came back for the call with the same `id`.
    ToolResult {
        /// The id of the call this answers.
        id: String,
        /// The structured result, or a message when `is_error`.
        value: Value,
        /// True when the tool refused or failed.
        is_error: bool,
    },
}

/// The model's next move.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The turn ends with these words to the person.
    Say(String),
    /// Make these calls, in this order, and ask again with their results.
    Call(Vec<Call>),
}

/// One tool call. The agent assigns the id and adds `user_id`.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The tool's name.
    pub name: &'static str,
    /// Its arguments: an object.
    pub arguments: Value,
}
