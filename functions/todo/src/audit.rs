//! `todo audit`: what was recorded of a person, and the proof that it is whole.

use clap::Args;
use serde_json::{Value, json};
use todo_store::Database;
use todo_store::audit::{Entry, Report};

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::operator::{People, failed, open, time};
use crate::output;

/// Entries read at once.
const PAGE: usize = 200;

/// Whose audit.
#[derive(Args)]
pub struct Audit {
    /// The person; everybody with --verify and without a name.
    #[arg(required_unless_present = "verify")]
    user: Option<String>,
    /// Check the chain of hashes, and that no event is missing.
    #[arg(long)]
    verify: bool,
    /// Begin behind this entry.
    #[arg(long, default_value_t = 0, conflicts_with = "verify")]
    after: i64,
    /// Print an object per entry, with its event, or per person.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(audit: &Audit, config: &Config) -> Outcome {
    let database = open(config).await?;
    match &audit.user {
        Some(user) if !audit.verify => show(&database, user, audit.after, audit.json).await,
        user => verify(&database, user.as_deref(), audit.json).await,
    }
}

async fn show(database: &Database, user: &str, mut after: i64, json: bool) -> Outcome {
    loop {
        let mut operator = database.begin_operator().await.map_err(failed)?;
        let page = operator.audit_entries(user, after, PAGE).await.map_err(failed)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.entry;
        for entry in &page {
            match json {
                true => output::line(object(entry)),
                false => output::line(line(entry)),
            }
        }
    }
}

/// Without a word of the person's: those are in the events, which `--json` prints.
fn line(entry: &Entry) -> String {
    let event = event(entry);
    let subject = event.get("subject").and_then(Value::as_str).unwrap_or_default();
    let (number, at, kind, topic) = (entry.entry, time(entry.occurred_at), &entry.event_type, &entry.topic);
    format!("{number:>7}  {at:<24}  {kind:<18} {subject:<12} #{:<6} {topic}", entry.sequence)
}

fn object(entry: &Entry) -> Value {
    json!({
        "user": entry.user_id,
        "entry": entry.entry,
        "occurred_at": time(entry.occurred_at),
        "recorded_at": time(entry.recorded_at),
        "hash": entry.hash,
        "event": event(entry),
    })
}

/// What cannot be read as JSON any more is shown as the text it is.
fn event(entry: &Entry) -> Value {
    serde_json::from_str(&entry.body).unwrap_or_else(|_| entry.body.clone().into())
}

async fn verify(database: &Database, user: Option<&str>, json: bool) -> Outcome {
    let mut people = People::meant(user);
    let (mut checked, mut broken) = (0_u64, 0_u64);
    while let Some(user) = people.next(database).await? {
        let mut operator = database.begin_operator().await.map_err(failed)?;
        let report = operator.verify_audit(&user).await.map_err(failed)?;
        checked += 1;
        broken += u64::from(!report.is_whole());
        match json {
            true => output::line(json!({"user": user, "whole": report.is_whole(), "report": report})),
            false => output::line(verdict(&user, &report)),
        }
    }
    match broken {
        0 => Ok(()),
        _ => Err(Failure::found(format!("the audit of {broken} of {checked} is not whole"))),
    }
}

/// What a check found, in a sentence.
pub(crate) fn verdict(user: &str, report: &Report) -> String {
    let mut words = match &report.first_break {
        None => format!("{user}: {} entries are as they were recorded", report.entries),
        Some(broken) => format!("{user}: entry {}: {}", broken.entry, broken.reason),
    };
    if report.cut_entry > 0 {
        words.push_str(&format!("; those up to {} were removed because of their age", report.cut_entry));
    }
    let missing = report.missing.iter().map(|(first, last)| match first == last {
        true => format!("#{first}"),
        false => format!("#{first}–#{last}"),
    });
    match missing.collect::<Vec<_>>() {
        missing if missing.is_empty() => words,
        missing => format!("{words}; these events never came: {}", missing.join(", ")),
    }
}
