#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]
//! End-to-end tests: one binary, the real components in the real host.

mod chat_turns;
mod conversations;
mod events;
mod faults_of_the_model;
mod idempotency;
mod page;
mod pagination;
mod platform;
mod publishing;
mod refusals;
mod tenancy;
