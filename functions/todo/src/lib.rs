//! What the `todo` binary is made of.
//!
//! [`System`] is everything on one machine, as `todo up` runs it and the end-to-end tests start it; [`command`] is the command line, and
//! the other modules are one command each. [`config`] is the whole environment on one page.

mod ask;
mod audit;
mod chat_function;
pub mod command;
pub mod config;
pub mod dead_letters;
mod evaluate;
pub mod failure;
mod live_function;
mod local;
mod mail;
mod metrics;
mod migrate;
mod operator;
mod output;
mod people_keys;
mod precompile;
pub mod replay;
mod running;
mod serve;
pub mod sidecar;
mod system;
pub mod telemetry;
mod token;
mod up;
mod variables;

pub use system::System;
pub use variables::EventVariables;
