#![allow(clippy::print_stdout, reason = "a command prints its result")]
//! `faults`: the real system under load, parts of it killed at random, and then the proof that nothing acknowledged was lost.
//!
//! ```text
//! cargo run -p todo-tests --bin faults -- --on embedded-sqlite --kills 50 --seed 7
//! ```
//!
//! `todo up` runs as a process of its own with a data folder of its own, and each tool once more as one ([`functions`]). Several people call
//! the tools, through chat's `/mcp` or those that run on their own, each call under an id, and send a call that was not answered again under
//! the same id, or give it up ([`load`]). Meanwhile processes are killed with
//! SIGKILL and started again ([`killing`]). Once everything runs and nothing is on its way any more, what the people were told
//! ([`history`]) is held against what the database, the audit and the webhook's receiver have ([`evidence`], [`check`]). What was wrong
//! is listed with the seed; see docs/specs/faults.md.

mod check;
mod client;
mod door;
mod evidence;
mod frozen;
mod functions;
mod history;
mod host;
mod killing;
mod latency;
mod load;
mod outage;
mod report;
mod sabotage;
mod services;
mod settle;
mod stage;
mod webhook;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};

use report::Report;
use sabotage::Sabotage;
use stage::Stage;

/// Kills parts of the real system under load and proves that nothing acknowledged was lost.
///
/// Exit codes: 0 nothing was lost, 1 something was (each is said, with the seed), 69 something this needs is away.
#[derive(Parser, Debug, Clone)]
#[command(name = "faults", max_term_width = 110)]
struct Faults {
    /// What decides who is killed when, and what people do. Timing is the machine's, so a run repeats nearly, not exactly.
    #[arg(long)]
    seed: Option<u64>,
    /// How many processes to kill.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// What the system runs on.
    #[arg(long, value_enum, default_value_t = On::EmbeddedSqlite)]
    on: On,
    /// Then, on the platform: Kafka is down for so long while the tools are called.
    #[arg(long)]
    outage_seconds: Option<u64>,
    /// How long people work before anything is killed.
    #[arg(long, default_value_t = 2)]
    load_seconds: u64,
    /// How many people call the tools at once.
    #[arg(long, default_value_t = 6)]
    people: u32,
    /// Print the report as an object.
    #[arg(long)]
    json: bool,
    /// Takes something away before the check, to prove that it notices.
    #[arg(long, value_enum)]
    sabotage: Option<Sabotage>,
}

/// Where the data is and what carries the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum On {
    /// A SQLite file and the sidecar of `todo up`.
    EmbeddedSqlite,
    /// A Postgres server and the sidecar of `todo up`.
    EmbeddedPostgres,
    /// Postgres, Kafka, Dapr's scheduler and daprd, as `ci/platform` starts them.
    Platform,
}

impl On {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

fn main() -> ExitCode {
    if let Some(ended) = host::asked() {
        return ended;
    }
    let faults = Faults::parse();
    // reqwest is built without a provider and asks for one even where nothing is encrypted. Nobody else installs one here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return unavailable(&error.into()),
    };
    match runtime.block_on(run(faults.clone())) {
        Ok(report) => {
            println!("{}", if faults.json { report.json() } else { report.text() });
            if report.verdict.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(error) => unavailable(&error),
    }
}

async fn run(faults: Faults) -> anyhow::Result<Report> {
    let seed = faults.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    anyhow::ensure!(
        faults.outage_seconds.is_none() || faults.on == On::Platform,
        "an outage of Kafka needs Kafka: --on platform"
    );
    let begun = Instant::now();
    let mut stage = Stage::set(faults.on).await?;
    let load = load::Load::begin(&stage, faults.people, seed)?;
    tokio::time::sleep(Duration::from_secs(faults.load_seconds)).await;
    let kills = killing::kill(&mut stage, &load, faults.kills, seed).await?;
    let outage = match faults.outage_seconds {
        Some(seconds) => Some(outage::endure(&mut stage, &load, seconds).await?),
        None => None,
    };
    let killed_for = begun.elapsed();
    let history = load.end().await?;
    stage.keep_up().await?;
    let mut settled = settle::settle(&mut stage, &history, settle::PATIENCE).await?;
    if let Some(sabotage) = faults.sabotage {
        sabotage.commit(&stage).await?;
        settled = settle::settle(&mut stage, &history, Duration::ZERO).await?;
    }
    let report = Report::new(&faults, seed, &history, (kills, outage), settled, killed_for);
    stage.strike(report.verdict.violations.is_empty()).await;
    Ok(report)
}

fn unavailable(error: &anyhow::Error) -> ExitCode {
    eprintln!("faults: {error:#}");
    ExitCode::from(69)
}
