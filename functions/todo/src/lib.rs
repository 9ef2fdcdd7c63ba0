//! What the `todo` binary is made of.
//!
//! [`System`] is everything on one machine, as `todo up` runs it and the end-to-end tests start it; [`command`] is the command line, and
//! the other modules are one command each. [`config`] is the whole environment on one page. Without the feature `system` there is
//! `todo serve` alone, for the image.

#[cfg(feature = "system")]
mod ask;
#[cfg(feature = "system")]
mod audit;
#[cfg(feature = "system")]
mod chat_function;
#[cfg(feature = "system")]
pub mod command;
pub mod config;
#[cfg(feature = "system")]
pub mod dead_letters;
#[cfg(feature = "system")]
mod evaluate;
pub mod failure;
#[cfg(not(feature = "system"))]
pub mod function;
#[cfg(feature = "system")]
mod live_function;
#[cfg(feature = "system")]
mod local;
#[cfg(feature = "system")]
mod mail;
mod metrics;
#[cfg(feature = "system")]
mod migrate;
#[cfg(feature = "system")]
mod operator;
mod output;
mod people_keys;
#[cfg(feature = "system")]
mod precompile;
#[cfg(feature = "system")]
pub mod replay;
#[cfg(feature = "system")]
mod running;
mod serve;
#[cfg(feature = "system")]
pub mod sidecar;
mod start;
mod stop;
#[cfg(feature = "system")]
mod system;
pub mod telemetry;
#[cfg(feature = "system")]
mod token;
#[cfg(feature = "system")]
mod up;
mod variables;

#[cfg(feature = "system")]
pub use system::System;
pub use variables::EventVariables;
