//! `live`: tells open pages of every change, in order, and lets none be missed.
//!
//! `event-push-update` writes what pages have to hear into the table `updates`; this process reads it for the people who are
//! connected to it and sends it to their WebSockets. There may be any number of such processes.
//!
//! ```text
//! commit of a push ──► Feed ──► Hub ──wakes──► the person's reader ──► queue of each socket ──► socket
//!                  (whose, how far)             (reads rows once)       (bounded)
//! ```
//!
//! Rules that hold everywhere here:
//!
//! - **What is announced may be lost, what is written is not.** An announcement only says that there is something to read; after
//!   any doubt (a lost connection, an overflow) everybody's rows are read again from where they were.
//! - **Join first, read after.** A socket takes its place in the fan-out before it reads the snapshot or what it missed, so
//!   whatever is pushed meanwhile stands in its queue; what it has already is recognised by its offset.
//! - **Nobody waits for a slow socket.** Its queue fills, it is dropped with a reason, and comes back with `since`.
//! - The database is asked once per person and process, however many pages that person has open.
//! - A request is its token's person, as in `chat`, whose code it is that checks it. When the token ends, so does the socket.
//!
//! [`Live::router`] can be part of chat's router, so that the page needs no second address; [`serve`] serves it alone. It reads no
//! environment variables; [`Config`] has everything. `docs/specs/live.md` is its specification.

mod config;
mod endpoint;
mod feed;
mod hub;
mod message;
mod opening;
mod serve;
mod socket;

pub use config::{Config, Limits};
pub use feed::{Announcer, Feed};
pub use serve::{Live, serve};
