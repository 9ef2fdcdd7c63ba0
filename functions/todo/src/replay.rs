//! `todo replay`: two repairs from the audit, which holds every event once. Delivering events again, and rebuilding the tasks beside the
//! live ones.

mod deliver;
mod rebuild;
mod targets;

use clap::Args;
use jiff::Timestamp;

use crate::config::Config;
use crate::failure::Outcome;

/// What to repair, and of whom.
#[derive(Args)]
pub struct Replay {
    /// The function to deliver to; `all`: each event to every function that reads its topic.
    #[arg(long, value_name = "FUNCTION", required_unless_present = "rebuild")]
    to: Option<String>,
    /// Only this person's events.
    #[arg(long)]
    user: Option<String>,
    /// Only events of this type, such as task.completed.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only what happened then or later (RFC 3339: 2026-11-21T09:00:00Z).
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Only what happened before.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Begin with this entry of the person's audit.
    #[arg(long, value_name = "ENTRY", requires = "user")]
    first: Option<i64>,
    /// End with this one.
    #[arg(long, value_name = "ENTRY", requires = "user")]
    last: Option<i64>,
    /// Also what the function has handled before: it forgets that first.
    #[arg(long)]
    again: bool,
    /// Only say how many would go where.
    #[arg(long)]
    dry_run: bool,
    /// Rebuild the tasks from the audit beside the live ones, and show the difference.
    #[arg(long, conflicts_with_all = ["to", "event_type", "from", "until", "first", "last", "again", "dry_run"])]
    rebuild: bool,
    /// With --rebuild: the tasks as they were then. Default: now.
    #[arg(long, value_name = "TIME", requires = "rebuild")]
    as_of: Option<Timestamp>,
    /// Print an object per person.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(replay: &Replay, config: &Config) -> Outcome {
    match &replay.to {
        Some(to) => deliver::run(replay, to, config).await,
        None => rebuild::run(replay, config).await,
    }
}
