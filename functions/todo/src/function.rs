//! The program that starts for a request: `todo serve` and nothing else, so that it is small and soon there. For every other command it
//! becomes the whole program, `todo-system` in its folder.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use todo_host::Runtime;

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::{serve, start};

/// The whole program's file.
const SYSTEM: &str = "todo-system";

#[derive(Parser)]
#[command(name = "todo", max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    config: Config,
}

#[derive(Subcommand)]
enum Command {
    /// Run one component of spin.toml on $PORT, as a pod of its own does.
    Serve(serve::Serve),
}

/// Runs the command that the arguments say, the program's name first, with this process's environment; until it is done.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    start::exit(outcome(arguments.into_iter().collect()))
}

fn outcome(arguments: Vec<OsString>) -> Outcome {
    if arguments.get(1).is_none_or(|command| command != "serve") {
        return Err(system(&arguments));
    }
    // Somebody waits for an answer: what takes longest begins before anything is read, and the rest of it as soon as it is known.
    let mut runtime = Runtime::start().map_err(Failure::unavailable)?;
    let Some(cli) = start::parse::<Cli>(Cli::command(), arguments)? else { return Ok(()) };
    let Command::Serve(serve) = cli.command;
    if let Some(file) = &serve.file {
        runtime.load_ahead(&serve.component, file);
    }
    start::block_on(serve::run(serve, cli.config, Some(runtime)))
}

/// Becomes the whole program, or says why that cannot be.
fn system(arguments: &[OsString]) -> Failure {
    // Without /proc nobody knows the program's file but who started it.
    let ourselves = std::env::current_exe().ok().or_else(|| arguments.first().map(PathBuf::from));
    let file = ourselves.unwrap_or_default().with_file_name(SYSTEM);
    let mut system = std::process::Command::new(&file);
    if let Some(name) = arguments.first() {
        system.arg0(name);
    }
    let error = system.args(arguments.iter().skip(1)).exec();
    Failure::unavailable(format!(
        "this program only serves functions, and {} does not start: {error}",
        file.display()
    ))
}
