//! The agent: what it is told, what it may call, and its limits.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The instructions of the to-do assistant.
const INSTRUCTIONS: &str = include_str!("instructions.md");

/// Instructions, tools and limits. One agent serves every conversation.
#[derive(Debug, Clone)]
pub struct Agent {
    /// What the model is told before everything else.
    pub instructions: String,
    /// What the model may call. Private so that `user_id` cannot come back in.
    tools: Vec<ToolDefinition>,
    /// The limits of a turn.
    pub settings: Settings,
}

/// A tool as a model sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolDefinition {
    /// Its name.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its arguments: an object.
    pub parameters: Value,
    /// True when it changes nothing (MCP's `readOnlyHint`): such calls run side by side, all others one after another.
    pub read_only: bool,
}

/// The limits of a turn. Each is there so that no message, model or history can make a turn unbounded.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often the model is asked in one turn before it must answer in words.
    pub max_turns: u32,
    /// Tool calls in one answer of the model; the rest are refused, and it is told so.
    pub max_calls: usize,
    /// Characters in a person's message.
    pub max_message_chars: usize,
    /// Characters in an answer; what is longer is cut.
    pub max_answer_chars: usize,
    /// Items of earlier turns sent to the model.
    pub max_history_items: usize,
    /// Tokens of earlier turns sent to the model, taking four characters for one.
    pub max_history_tokens: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_turns: 10,
            max_calls: 64,
            max_message_chars: 8_000,
            max_answer_chars: 16_000,
            max_history_items: 80,
            max_history_tokens: 12_000,
        }
    }
}

impl Agent {
    /// The to-do assistant with these tools.
    pub fn todo(tools: Vec<ToolDefinition>) -> Self {
        Self::new(INSTRUCTIONS, tools, Settings::default())
    }

    /// Any agent. `user_id` is taken out of every tool's schema: who the person is, is not the model's to say.
    pub fn new(instructions: impl Into<String>, mut tools: Vec<ToolDefinition>, settings: Settings) -> Self {
        for tool in &mut tools {
            hide_user_id(&mut tool.parameters);
        }
        Self { instructions: instructions.into(), tools, settings }
    }

    /// The tools, in the order given.
    pub fn tools(&self) -> &[ToolDefinition] {
        &self.tools
    }

    /// The tool of this name.
    pub fn tool(&self, name: &str) -> Option<&ToolDefinition> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// The instructions for a turn at `now`. The moment comes last, so that servers can cache all that stands before it.
    pub(crate) fn instructions_at(&self, now: &jiff::Zoned) -> String {
        let zone = now.time_zone().iana_name().unwrap_or("UTC");
        let moment = now.strftime("%A, %Y-%m-%d %H:%M (UTC%:z)");
        format!(
            "{}\n\nIt is now {moment} where the person is; their time zone is {zone}.",
            self.instructions.trim_end()
        )
    }
}

fn hide_user_id(schema: &mut Value) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove("user_id");
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != "user_id");
    }
}
