//! From arguments to an exit code: what every command line of this crate has in common.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches;

use crate::config;
use crate::failure::{Failure, Outcome};
use crate::{output, telemetry};

/// Reads the arguments; `None` when they asked for help, which is printed then. Refuses variables of the environment that are none of ours.
pub fn parse<C: FromArgMatches>(mut parser: clap::Command, arguments: Vec<OsString>) -> Outcome<Option<C>> {
    let parsed = parser.try_get_matches_from_mut(arguments);
    let cli = match parsed.and_then(|matches| C::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(message) if message.use_stderr() => {
            return Err(Failure::usage(message.to_string().trim_start_matches("error: ").trim_end()));
        }
        Err(help) => {
            output::text(help);
            return Ok(None);
        }
    };
    config::refuse_unknown_variables(std::env::vars_os(), &parser)?;
    Ok(Some(cli))
}

/// Runs a command on threads of its own, until it is done and what it had to say is sent.
pub fn block_on(command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unavailable(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        let outcome = command.await;
        telemetry::finish().await;
        outcome
    })
}

/// How the process ends.
pub fn exit(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("todo: {failure}");
            failure.into()
        }
    }
}
