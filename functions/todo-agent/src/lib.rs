//! The agent: a small loop between a language model and tools, and the models.
//!
//! An [`Agent`] is instructions, tools and limits. A [`Run`] is one turn of a conversation, from the person's message to
//! the answer: a state machine that does no input or output, can be serialized at any point and goes on on another
//! machine. [`drive`] runs it with a [`Model`] and [`Tools`]. A session is a flat list of [`Item`]s that the caller keeps.
//!
//! ```
//! # use todo_agent::*;
//! # async fn turn(agent: &Agent, model: &dyn Model, tools: &dyn Tools, turn: Turn) -> Result<(), InputRefused> {
//! let mut run = Run::start(agent, turn)?;
//! let ending = drive(&mut run, agent, model, tools, &mut |event| {
//!     if let Event::Delta(words) = event { print!("{words}"); }
//! }).await;
//! match &ending {
//!     Ending::Answer(answer) => println!("{}", answer.text),
//!     // Kept with the conversation; the next turn gets it and reads "yes" or "no" in its message.
//!     Ending::Approval(approval) => println!("{}", approval.question),
//! }
//! let to_store = run.new_items();
//! # let _ = to_store; Ok(())
//! # }
//! ```
//!
//! What holds for every model:
//!
//! - A turn ends: at most [`Settings::max_turns`] answers with tool calls, then one in words.
//! - The model neither sees nor sets `user_id`; whoever implements [`Tools`] knows whose turn it is.
//! - A tool that does not exist and arguments that are no JSON go back to the model as errors of that call.
//! - Deleting several tasks, or one not named by its number or exact title, waits for the person's yes ([`Approval`]).
//! - Results of tools are data: they are delimited so that no title can forge the end of them.
//! - Nothing a person or a task says is logged; spans carry names, counts and tokens.
//!
//! Not done here: storing, signing calls, limiting how many turns run at once. That is the caller's.

mod agent;
mod approval;
mod calls;
mod driver;
mod guardrails;
mod history;
mod item;
mod model;
mod offline;
mod openai;
mod report;
mod run;
mod tls;

pub use agent::{Agent, Settings, ToolDefinition};
pub use approval::Approval;
pub use driver::{Ending, Event, Tools, Watch, drive};
pub use guardrails::InputRefused;
pub use item::{Item, ToolCall, ToolOutcome};
pub use model::{Model, ModelAnswer, ModelError, ModelRequest, RequestedCall, Usage};
pub use offline::Offline;
pub use openai::{Api, OPENAI_BASE_URL, OpenAi, OpenAiSettings, SettingsError};
pub use run::{Answer, OutOfStep, Outcome, Run, Step, Turn};
pub use tls::{client_builder, install_tls_provider};
