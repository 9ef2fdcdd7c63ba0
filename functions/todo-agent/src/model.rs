//! What the loop needs of a language model.

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{Item, ToolDefinition};

/// A language model.
///
/// Implementations hold no conversation: everything they may know is in the request, so any replica can go on.
pub trait Model: Send + Sync {
    /// What to call it in logs, metrics and to the person (`gpt-5-mini`, `offline`).
    fn name(&self) -> &str;

    /// The model's next move. `on_delta` is told the words of an answer as they come; a model that cannot stream never
    /// calls it. Words told and then overruled (an output guardrail, a failure half way) are replaced by the answer the
    /// run ends with, which alone counts.
    fn answer<'a>(
        &'a self,
        request: &'a ModelRequest,
        on_delta: &'a mut (dyn FnMut(&str) + Send),
    ) -> BoxFuture<'a, Result<ModelAnswer, ModelError>>;
}

/// Everything a model gets to see.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// What the agent is and how it must behave, with the person's date, time and zone at the end.
    pub instructions: String,
    /// The conversation, bounded and repaired: every call stands before its result, none without one.
    pub items: Vec<Item>,
    /// The tools on offer.
    pub tools: Vec<ToolDefinition>,
    /// False when the turn has used up its calls: the model must answer in words.
    pub may_call_tools: bool,
    /// The present moment where the person is.
    pub now: jiff::Zoned,
}

/// What a model came back with: words, tool calls, or both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelAnswer {
    /// Words to the person; with calls beside them, words on the way.
    pub text: String,
    /// The calls it asks for, in its order.
    pub calls: Vec<RequestedCall>,
    /// What it cost.
    pub usage: Usage,
}

/// A call as a model wrote it: nothing about it has been checked.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestedCall {
    /// Perhaps the name of a tool.
    pub name: String,
    /// Perhaps a JSON object.
    pub arguments: String,
}

/// Tokens used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read by the model.
    pub input_tokens: u64,
    /// Tokens written by the model.
    pub output_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
    }
}

/// Why there is no answer.
///
/// `Display` is for the log: it holds statuses and codes, never a word of the conversation (which servers like to quote
/// back). What the person reads is [`ModelError::for_person`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It could not be reached, or answered with a server error, as often as we were willing to ask.
    #[error("model unavailable after {attempts} attempts: {reason}")]
    Unavailable {
        /// How often we asked.
        attempts: u32,
        /// The last failure.
        reason: String,
    },
    /// It is there and will not serve us now: a rate limit or a quota.
    #[error("model busy after {attempts} attempts: {reason}")]
    Busy {
        /// How often we asked.
        attempts: u32,
        /// The last failure.
        reason: String,
    },
    /// It took too long, or fell silent in the middle of its answer.
    #[error("model timed out: {reason}")]
    TimedOut {
        /// Which limit was passed.
        reason: String,
    },
    /// It refused the request: the key, the model's name or the base URL is wrong, or the request is. Ours to mend.
    #[error("model refused the request: {reason}")]
    Refused {
        /// HTTP status and error code.
        reason: String,
    },
    /// It answered with something that is not an answer.
    #[error("model answered with garbage: {reason}")]
    Garbled {
        /// What could not be read, without its text.
        reason: String,
    },
}

impl ModelError {
    /// What to tell the person, without what has or has not been changed: the run knows that and adds it.
    pub fn for_person(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "The language model is not answering at the moment.",
            Self::Busy { .. } => "The language model has more requests than it can take right now.",
            Self::TimedOut { .. } => "The language model took too long to answer.",
            Self::Refused { .. } => {
                "The language model refused the request; whoever runs this service has to look at its settings."
            }
            Self::Garbled { .. } => "The language model's answer could not be understood.",
        }
    }

    /// True when the same message may well work in a minute.
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }
}
