//! The commands of the whole program.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::Config;
use crate::failure::Outcome;
use crate::{
    ask, audit, chat_function, dead_letters, evaluate, live_function, migrate, precompile, replay, serve,
    start, token, up,
};

/// A to-do assistant that you talk to.
#[derive(Parser)]
#[command(name = "todo", version, about, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine: the chat function, its page, and every component of spin.toml (the default).
    Up(up::Up),
    /// Run one component of spin.toml on $PORT, as a pod of its own does.
    Serve(serve::Serve),
    /// Run the chat function alone; the tools are elsewhere (TODO_TOOL_URL).
    Chat,
    /// Run the live function alone: open pages' WebSockets (needs Postgres).
    Live,
    /// Bring the database to this version's schema.
    Migrate,
    /// Print a development token for a user.
    Token(token::Token),
    /// Say something to a running chat function; without text, hold a conversation.
    Ask(ask::Ask),
    /// Show what was recorded of a person, or prove that it is whole.
    Audit(audit::Audit),
    /// Deliver recorded events again, or rebuild the tasks from them beside the live ones and compare.
    Replay(replay::Replay),
    /// Decide about events that could not be handled.
    DeadLetters(dead_letters::DeadLetters),
    /// Measure how well the offline model chooses tools on files of utterances.
    Evaluate(evaluate::Evaluate),
    /// Compile the components of spin.toml ahead of time, for an image.
    Precompile(precompile::Precompile),
}

/// The same without the commands.
#[derive(Parser)]
#[command(name = "todo", version, about, max_term_width = 110)]
struct Frame {
    #[command(flatten)]
    _config: Config,
}

/// What reads the arguments: where the first one is a command, that one alone, as clap copies the configuration's flags into each command
/// there is, and a function that starts for a request has no time for that.
fn parser(arguments: &[OsString]) -> clap::Command {
    let named = arguments.get(1).and_then(|first| first.to_str());
    let commands = named.map(|_| Command::augment_subcommands(clap::Command::new("todo")));
    let one = commands.as_ref().zip(named).and_then(|(commands, name)| commands.find_subcommand(name));
    one.map_or_else(Cli::command, |one| Frame::command().subcommand(one.clone()))
}

/// Runs the command that the arguments say, the program's name first, with this process's environment; until it is done.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    start::exit(outcome(arguments.into_iter().collect()))
}

fn outcome(arguments: Vec<OsString>) -> Outcome {
    let Some(cli) = start::parse::<Cli>(parser(&arguments), arguments)? else { return Ok(()) };
    let config = cli.config;
    let command = cli.command.unwrap_or(Command::Up(up::Up::default()));
    start::block_on(async {
        match command {
            Command::Up(up) => up::run(up, config).await,
            Command::Serve(serve) => serve::run(serve, config, None).await,
            Command::Chat => chat_function::run(config).await,
            Command::Live => live_function::run(config).await,
            Command::Migrate => migrate::run(&config).await,
            Command::Token(token) => token::run(&token, &config),
            Command::Ask(ask) => ask::run(ask, &config).await,
            Command::Audit(audit) => audit::run(&audit, &config).await,
            Command::Replay(replay) => replay::run(&replay, &config).await,
            Command::DeadLetters(dead_letters) => dead_letters::run(&dead_letters, &config).await,
            Command::Evaluate(evaluate) => evaluate::run(&evaluate),
            Command::Precompile(precompile) => precompile::run(precompile, &config).await,
        }
    })
}
