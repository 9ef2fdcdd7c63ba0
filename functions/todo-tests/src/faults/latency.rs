//! How long answered calls took.

use std::time::{Duration, Instant};

use serde::Serialize;

/// An attempt that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub begun: Instant,
    pub took: Duration,
}

/// What is told of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    pub calls: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub most_ms: f64,
}

/// Of the samples that began in that span.
pub fn between(samples: &[Sample], from: Instant, until: Instant) -> Latency {
    let within = samples.iter().filter(|sample| sample.begun >= from && sample.begun < until);
    of(within.map(|sample| sample.took).collect())
}

/// Of all.
pub fn of(mut took: Vec<Duration>) -> Latency {
    took.sort_unstable();
    // The smallest that at least so many per cent do not exceed.
    let at = |percent: usize| took.get((took.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    let milliseconds = |duration: Option<Duration>| duration.unwrap_or_default().as_secs_f64() * 1e3;
    Latency {
        calls: took.len(),
        p50_ms: milliseconds(at(50)),
        p99_ms: milliseconds(at(99)),
        most_ms: milliseconds(took.last().copied()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let latency = of((1..=200).map(Duration::from_millis).collect());
        assert_eq!(latency, Latency { calls: 200, p50_ms: 100.0, p99_ms: 198.0, most_ms: 200.0 });
        assert_eq!(of(Vec::new()), Latency::default());
    }
}
