//! Logs: for a person on a terminal, as JSON everywhere else. Never a message's or a task's text.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::failure::{Failure, Outcome};

/// Starts logging to stderr with the given filter; `quiet` is what applies on a terminal instead of the default, where
/// lines for people are printed beside it.
pub fn start(filter: &str) -> Outcome {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::usage(format!("TODO_LOG is not a filter of log levels: {error}; try `info`"))
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        builder.compact().without_time().with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    started.map_err(|error| Failure::internal(format!("cannot start logging: {error}")))
}
