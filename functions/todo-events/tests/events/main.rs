#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
//! What an event is, from both sides: what we write and what we accept.

mod agreement;
mod asyncapi;
mod binding;
mod catalogue;
mod documents;
mod samples;
mod signing;
