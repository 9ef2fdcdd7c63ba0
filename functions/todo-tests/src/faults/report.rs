//! What is printed at the end.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::Faults;
use crate::check::{Claim, Verdict};
use crate::history::{History, Outcome};
use crate::killing::Kills;
use crate::latency::{Latency, of};
use crate::outage::{Outage, Phases};
use crate::settle::Settled;

/// Violations that are said; more would not say more.
const SAID: usize = 30;

/// Everything.
#[derive(Debug, Serialize)]
pub struct Report {
    pub on: String,
    pub seed: u64,
    pub kills: Kills,
    pub calls: Calls,
    pub outage: Option<Phases>,
    /// From the first call to the last kill, in seconds.
    pub load_seconds: f64,
    /// From then until nothing was on its way any more, in seconds.
    pub settle_seconds: f64,
    pub verdict: Verdict,
}

/// How calls ended.
#[derive(Debug, Serialize)]
pub struct Calls {
    pub acknowledged: usize,
    pub abandoned: usize,
    pub repeated: u64,
    /// Of the attempts that were answered.
    pub latency: Latency,
}

impl Report {
    pub fn new(
        faults: &Faults,
        seed: u64,
        history: &History,
        (kills, outage): (Kills, Option<Outage>),
        settled: Settled,
        load: Duration,
    ) -> Self {
        let samples = history.people.iter().flat_map(|person| &person.samples);
        let calls = Calls {
            acknowledged: history.count(|outcome| matches!(outcome, Outcome::Acknowledged(_))),
            abandoned: history.count(|outcome| *outcome == Outcome::Abandoned),
            repeated: history.people.iter().map(|person| person.repeated).sum(),
            latency: of(samples.map(|sample| sample.took).collect()),
        };
        Self {
            on: faults.on.name(),
            seed,
            kills,
            calls,
            outage: outage.map(|outage| outage.phases(history)),
            load_seconds: load.as_secs_f64(),
            settle_seconds: settled.took.as_secs_f64(),
            verdict: settled.verdict,
        }
    }

    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Self { on, seed, kills, calls, .. } = self;
        writeln!(
            text,
            "\n{} kills on {on}, seed {seed}: {:.0} s of load, settled after {:.0} s\n",
            kills.total, self.load_seconds, self.settle_seconds
        )?;
        for (name, killed) in &kills.times {
            writeln!(
                text,
                "  {:>5} × {name:<12} back after at most {:.1} s",
                killed.kills,
                killed.longest_ms as f64 / 1e3
            )?;
        }
        writeln!(
            text,
            "\n  {:>5} changes acknowledged, {} given up without an answer, {} attempts repeated",
            calls.acknowledged, calls.abandoned, calls.repeated
        )?;
        line(text, "all calls", &calls.latency)?;
        if let Some(outage) = &self.outage {
            line(text, "before the outage", &outage.before)?;
            line(text, &format!("{:.0} s without Kafka", outage.seconds), &outage.during)?;
            line(text, "after it", &outage.after)?;
        }
        writeln!(text)?;
        for claim in Claim::ALL {
            let wrong = self.verdict.violations.iter().filter(|violation| violation.claim == claim).count();
            let checked = self.verdict.checked.get(&claim).copied().unwrap_or(0);
            let mark = if wrong == 0 { "ok" } else { "NO" };
            writeln!(text, "  {mark}  {:<58} {checked:>7} looked at, {wrong} wrong", claim.words())?;
        }
        self.verdict(text)
    }

    fn verdict(&self, text: &mut String) -> std::fmt::Result {
        let violations = &self.verdict.violations;
        if violations.is_empty() {
            return write!(text, "\nNothing acknowledged was lost.");
        }
        writeln!(
            text,
            "\n{} violations; again with --on {} --kills {} --seed {}:",
            violations.len(),
            self.on,
            self.kills.total,
            self.seed
        )?;
        for violation in violations.iter().take(SAID) {
            writeln!(text, "  {} [{}] {}", violation.person, violation.claim.words(), violation.what)?;
        }
        Ok(())
    }
}

fn line(text: &mut String, what: &str, latency: &Latency) -> std::fmt::Result {
    let Latency { calls, p50_ms, p99_ms, most_ms } = latency;
    writeln!(
        text,
        "  {what:<22} {calls:>6} answers, p50 {p50_ms:.0} ms, p99 {p99_ms:.0} ms, most {most_ms:.0} ms"
    )
}
