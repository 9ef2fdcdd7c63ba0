//! The offline language model.
//!
//! It plays the part of a large language model in the agent's loop, with no network, no randomness and no state of its
//! own: everything it knows is in the [`Conversation`]. [`answer`] reads the last message, asks for tool calls, and when
//! their results are there says in plain words what happened.

mod consent;
mod conversation;
pub mod evaluation;
mod reading;
mod text;
mod titles;

pub use consent::{Consent, consent};
pub use conversation::{Answer, Call, Conversation, Entry};
pub use reading::{
    Action, Aside, Bound, Changes, Due, DueChange, Fields, Filter, Reading, Shift, Target,
};
pub use titles::{TitleMatch, title_match};

/// What earlier turns leave behind for the reading of a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// The task spoken of last.
    pub last: Option<i64>,
}

/// The next move in a conversation.
pub fn answer(conversation: &Conversation) -> Answer {
    let _ = conversation;
    Answer::Say(
        "I keep your to-do list. Tell me what to add, show, finish, change or delete.".into(),
    )
}

/// One message's intended actions, before titles are resolved.
pub fn read(utterance: &str, now: &jiff::Zoned, context: &Context) -> Reading {
    let _ = (utterance, now, context);
    Reading {
        actions: Vec::new(),
        aside: Some(Aside::Unclear),
    }
}
