//! `todo up`: everything on this machine, until Ctrl-C.

use clap::Args;

use crate::config::{Config, Environment};
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::stop::StopSignal;
use crate::{System, telemetry};

/// The user that a development machine signs in.
pub const DEVELOPER: &str = "developer";

/// How long the token in the printed address is good for.
const TOKEN_SECONDS: u64 = 30 * 24 * 3600;

/// How to start.
#[derive(Args, Default)]
pub struct Up {
    /// Who is signed in by the address that is printed.
    #[arg(long, default_value = DEVELOPER)]
    user: Option<String>,
}

/// Runs the command.
pub async fn run(up: Up, config: Config) -> Outcome {
    telemetry::start(&config, "todo")?;
    let mut stop = StopSignal::listen()?;
    let system = tokio::select! {
        system = System::start(&config) => system?,
        () = stop.received() => return Ok(()),
    };
    announce(&system, &config, up.user.as_deref().unwrap_or(DEVELOPER))?;
    stop.received().await;
    eprintln!("\nstopping: requests that have begun may finish (up to {} s)", config.drain_seconds);
    tokio::select! {
        stopped = system.stop() => stopped,
        () = stop.received() => Err(Failure::unavailable("stopped at once, by a second signal")),
    }
}

fn announce(system: &System, config: &Config, user: &str) -> Outcome {
    let url = system.url();
    output::line("\n  todo is running\n");
    if config.environment == Environment::Development && !config.trusts_an_identity_provider() {
        let token = crate::token::development_token(config, user, TOKEN_SECONDS)?;
        output::line(format_args!("  open    {url}/#token={token}   (signed in as {user})"));
    } else {
        output::line(format_args!("  open    {url}/"));
    }
    output::line(format_args!("  chat    POST {url}/api/{user}/chat"));
    output::line(format_args!("  mcp     {url}/mcp"));
    output::line(format_args!("  model   {}", system.model()));
    output::line(format_args!("  data    {}", system.database()));
    output::line(format_args!("  events  {}", system.events()));
    output::line("\n  Ctrl-C stops it.\n");
    Ok(())
}
