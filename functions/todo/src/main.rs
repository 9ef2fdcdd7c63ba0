//! The one binary of the system.
//!
//! `todo` (or `todo up`) runs everything on one machine; `todo serve <component>` and `todo chat` run one function each,
//! as a cluster does; the other commands migrate the database, make development tokens, talk to a running chat
//! function, look into the audit and repair what events failed to do, and measure the offline model. Exit codes: 0 done, 1 found
//! wanting (a broken audit, a difference, a delivery that failed), 64 wrong usage or configuration, 65 wrong data,
//! 69 something needed is away, 70 a bug, 77 not allowed.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use todo::config::{self, Config};
use todo::failure::{Failure, Outcome};
use todo::{
    ask, audit, chat_function, dead_letters, evaluate, live_function, migrate, output, precompile, replay,
    serve, telemetry, token, up,
};

/// Requests allocate and free all the time, on every thread; and musl's own allocator is slow where threads share it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("todo: {failure}");
            failure.into()
        }
    }
}

fn run() -> Outcome {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) if message.use_stderr() => {
            return Err(Failure::usage(message.to_string().trim_start_matches("error: ").trim_end()));
        }
        Err(help) => {
            output::text(help);
            return Ok(());
        }
    };
    config::refuse_unknown_variables(std::env::vars_os())?;
    let config = cli.config;
    let command = cli.command.unwrap_or(Command::Up(up::Up::default()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unavailable(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        let outcome = match command {
            Command::Up(up) => up::run(up, config).await,
            Command::Serve(serve) => serve::run(serve, config).await,
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
        };
        telemetry::finish().await;
        outcome
    })
}
