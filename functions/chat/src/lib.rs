//! `chat`: where people and their programs come in.
//!
//! A person's message goes to an agent, the agent calls the tool functions, and the answer says what happened. This crate
//! is the HTTP side of that: it knows who is asking, keeps the conversations, puts the messages of one conversation in
//! order, and speaks four dialects of the same thing. The whole surface stands on one page, [`router`].
//!
//! | who | how |
//! |---|---|
//! | programs | `POST /api/{user_id}/chat` with `{"message"}` → one JSON answer |
//! | the page at `/` | the same with `Accept: text/event-stream`: the turn as it happens; lists and earlier turns as ChatKit clients do |
//! | ChatKit clients | the same URL, when the body has a `type` |
//! | MCP clients | `/mcp`, the five tools without an agent |
//!
//! Rules that hold everywhere here:
//!
//! - A request is its token's person; the `user_id` in a path or an argument may only repeat it.
//! - Nothing here changes a task. Tools do, and `chat` calls them with a token minted for that person and that function.
//! - One turn at a time in a conversation, whichever replica it runs on: a lease in the database says whose turn it is.
//! - A turn outlives its request: a client that goes away finds the answer in the conversation.
//! - What a person writes is never logged.
//!
//! `live` stands on the same identity, errors and traces ([`People`], [`Problem`], [`of_request`]), and may be served on this
//! origin, so that the page needs no second address ([`Chat::with_routes`]).
//!
//! It reads no environment variables; [`Config`] has everything. `docs/specs/chat.md` and `docs/specs/mcp-gateway.md`
//! are its specification.

mod chatkit;
mod config;
mod endpoint;
mod error;
mod gateway;
mod health;
mod identity;
mod keys;
mod metrics;
mod page;
mod router;
mod serve;
mod sse;
mod trace;
mod turn;

pub use config::{Config, Environment, KeySource, Limits};
pub use error::{Problem, with_sources};
pub use keys::People;
pub use router::router;
pub use serve::{Chat, StartError, origins, serve};
pub use trace::of_request;
