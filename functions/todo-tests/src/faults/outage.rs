//! Kafka is away for a while, and the tools answer all the same.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::sleep;

use crate::history::History;
use crate::latency::{Latency, Sample, between};
use crate::load::Load;
use crate::stage::{Stage, Victim};

/// Before and after, for comparison.
const CALM: Duration = Duration::from_secs(20);

/// When what was.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    begun: Instant,
    down: Instant,
    up: Instant,
    ended: Instant,
}

/// How long tool calls took.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Phases {
    pub before: Latency,
    pub during: Latency,
    pub after: Latency,
    pub seconds: f64,
}

/// Takes Kafka away for so many seconds. Nothing else is started meanwhile, as nothing would be for an outage of the network's.
pub async fn endure(stage: &mut Stage, load: &Load, seconds: u64) -> anyhow::Result<Outage> {
    let begun = Instant::now();
    sleep(CALM).await;
    eprintln!("Kafka is away for {seconds} s; {} calls acknowledged", load.acknowledged());
    let down = Instant::now();
    stage.kill(Victim::Service("kafka")).await?;
    sleep(Duration::from_secs(seconds)).await;
    let up = Instant::now();
    eprintln!("Kafka is started again; {} calls acknowledged", load.acknowledged());
    stage.keep_up().await?;
    sleep(CALM).await;
    Ok(Outage { begun, down, up, ended: Instant::now() })
}

impl Outage {
    /// The calls of everybody by the phase they began in.
    pub fn phases(&self, history: &History) -> Phases {
        let samples: Vec<Sample> =
            history.people.iter().flat_map(|person| &person.samples).copied().collect();
        Phases {
            before: between(&samples, self.begun, self.down),
            during: between(&samples, self.down, self.up),
            after: between(&samples, self.up, self.ended),
            seconds: (self.up - self.down).as_secs_f64(),
        }
    }
}
