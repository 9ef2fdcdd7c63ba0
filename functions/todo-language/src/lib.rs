//! The offline language model.
//!
//! It plays the part of a large language model in the agent's loop, with no network, no randomness and no state of its
//! own: everything it knows is in the [`Conversation`]. [`answer`] reads the last message, asks for tool calls, and when
//! their results are there says in plain words what happened.

mod add;
mod answer;
mod arguments;
mod aside;
mod clause;
mod command;
mod consent;
mod conversation;
mod describe;
pub mod evaluation;
mod filter;
mod intent;
mod numbers;
mod read;
mod reading;
mod remind;
mod repeat;
mod slots;
mod split;
mod target;
mod task;
mod text;
mod titles;
mod update;
mod when;

pub use answer::answer;
pub use consent::{Consent, consent};
pub use conversation::{Answer, Call, Conversation, Entry};
#[doc(hidden)]
pub use intent::classifier;
pub use read::{Context, read};
pub use reading::{
    Action, Aside, Bound, Changes, Due, DueChange, Fields, Filter, Reading, Remind, Shift, Target,
};
pub use titles::{TitleMatch, title_match};
