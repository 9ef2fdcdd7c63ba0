//! What the `todo` binary is made of.
//!
//! [`System`] is everything on one machine, as `todo up` runs it and the end-to-end tests start it; the other modules
//! are one command each. [`config`] is the whole environment on one page.

pub mod ask;
pub mod audit;
pub mod chat_function;
pub mod config;
pub mod dead_letters;
pub mod evaluate;
pub mod failure;
pub mod live_function;
mod local;
mod mail;
mod metrics;
pub mod migrate;
mod operator;
pub mod output;
mod people_keys;
pub mod precompile;
pub mod replay;
mod running;
pub mod serve;
pub mod sidecar;
mod system;
pub mod telemetry;
pub mod token;
pub mod up;
mod variables;

pub use system::System;
pub use variables::EventVariables;
