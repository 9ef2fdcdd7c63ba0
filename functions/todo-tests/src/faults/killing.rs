//! Who is killed, when, and for how long.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde::Serialize;
use tokio::time::sleep;

use crate::load::Load;
use crate::stage::{Stage, Victim};

/// Under load before each kill, in milliseconds: long enough for changes to be on their way, short enough to catch them there.
const BEFORE_MS: std::ops::Range<u64> = 100..2_500;
/// From a call on, in milliseconds: as long as one takes, so that many die in the middle of it.
const IN_CALL_MS: std::ops::Range<u64> = 0..12;
/// Dead before the start, in milliseconds.
const DEAD_MS: std::ops::Range<u64> = 0..1_000;
/// A start takes about so long; some are killed in it.
const START_MS: std::ops::Range<u64> = 0..1_500;
/// Of the kills, so many per cent also take `todo` with them, or kill it once more while it starts.
const DOUBLE_PERCENT: u32 = 20;

/// What was killed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Kills {
    pub times: BTreeMap<&'static str, Killed>,
    pub total: u32,
}

/// How it went with one kind.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Killed {
    pub kills: u32,
    /// From the kill until everything answered again, at most; in milliseconds.
    pub longest_ms: u64,
}

/// Kills so many processes, one or two at a time.
pub async fn kill(stage: &mut Stage, load: &Load, kills: u32, seed: u64) -> anyhow::Result<Kills> {
    let mut rng = Rng::with_seed(seed);
    let mut done = Kills::default();
    while done.total < kills {
        sleep(Duration::from_millis(rng.u64(BEFORE_MS))).await;
        let victim = stage.victim(&mut rng);
        if let Some(calls) = stage.visitor(victim) {
            calls.someone_enters().await;
            sleep(Duration::from_millis(rng.u64(IN_CALL_MS))).await;
        }
        let begun = Instant::now();
        stage.kill(victim).await?;
        let twice = done.total + 1 < kills && rng.u32(..100) < DOUBLE_PERCENT;
        if twice && victim != Victim::Host {
            stage.kill(Victim::Host).await?;
        }
        sleep(Duration::from_millis(rng.u64(DEAD_MS))).await;
        if twice && victim == Victim::Host {
            stage.kill_at_start(Duration::from_millis(rng.u64(START_MS))).await?;
        }
        stage.keep_up().await?;
        let took = begun.elapsed();
        done.count(victim, took);
        if twice {
            done.count(Victim::Host, took);
        }
        let (total, name, acknowledged) = (done.total, victim.name(), load.acknowledged());
        let also = if twice { ", and todo once more" } else { "" };
        eprintln!(
            "kill {total}/{kills}: {name}{also}, back after {took:.1?}; {acknowledged} calls acknowledged"
        );
    }
    Ok(done)
}

impl Kills {
    fn count(&mut self, victim: Victim, took: Duration) {
        self.total += 1;
        let killed = self.times.entry(victim.name()).or_default();
        killed.kills += 1;
        killed.longest_ms = killed.longest_ms.max(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    }
}
