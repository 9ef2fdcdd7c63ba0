//! What a function has done since it was loaded, for whoever exports metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

/// Upper bounds of the time an answer takes, in seconds: from a list out of memory to the limit of a request.
const DURATIONS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// A function's counters. All but what it takes at the moment only grow.
#[derive(Debug)]
pub struct Counters {
    requests: AtomicU64,
    failures: AtomicU64,
    traps: AtomicU64,
    rejections: AtomicU64,
    cold_starts: AtomicU64,
    instances: AtomicU64,
    memory: AtomicU64,
    publishes: AtomicU64,
    publish_failures: AtomicU64,
    durations: Histogram,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that arrived.
    pub requests: u64,
    /// Requests that the host answered for the component, because it trapped or took too long.
    pub failures: u64,
    /// Instances that ended by a trap, a timeout or too much memory.
    pub traps: u64,
    /// Requests refused because too many were waiting.
    pub rejections: u64,
    /// Instances started.
    pub cold_starts: u64,
    /// Instances that live at the moment.
    pub instances: u64,
    /// Their linear memory, in bytes.
    pub memory: u64,
    /// Events it gave to the sidecar, or tried to.
    pub publishes: u64,
    /// Those that the sidecar did not take, or not in time.
    pub publish_failures: u64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            requests: AtomicU64::default(),
            failures: AtomicU64::default(),
            traps: AtomicU64::default(),
            rejections: AtomicU64::default(),
            cold_starts: AtomicU64::default(),
            instances: AtomicU64::default(),
            memory: AtomicU64::default(),
            publishes: AtomicU64::default(),
            publish_failures: AtomicU64::default(),
            durations: Histogram::new(DURATIONS),
        }
    }
}

impl Counters {
    /// The counters now.
    pub fn counts(&self) -> Counts {
        Counts {
            requests: self.requests.load(Relaxed),
            failures: self.failures.load(Relaxed),
            traps: self.traps.load(Relaxed),
            rejections: self.rejections.load(Relaxed),
            cold_starts: self.cold_starts.load(Relaxed),
            instances: self.instances.load(Relaxed),
            memory: self.memory.load(Relaxed),
            publishes: self.publishes.load(Relaxed),
            publish_failures: self.publish_failures.load(Relaxed),
        }
    }

    /// How long requests took, in seconds, from their arrival to the beginning of the answer, waiting for an instance included.
    pub fn durations(&self) -> &Histogram {
        &self.durations
    }

    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn failure(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    pub(crate) fn trap(&self) {
        self.traps.fetch_add(1, Relaxed);
    }

    pub(crate) fn rejection(&self) {
        self.rejections.fetch_add(1, Relaxed);
    }

    pub(crate) fn cold_start(&self) {
        self.cold_starts.fetch_add(1, Relaxed);
    }

    pub(crate) fn instance_began(&self) {
        self.instances.fetch_add(1, Relaxed);
    }

    pub(crate) fn memory_grew(&self, bytes: usize) {
        self.memory.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn instance_ended(&self, memory: usize) {
        self.instances.fetch_sub(1, Relaxed);
        self.memory.fetch_sub(memory as u64, Relaxed);
    }

    pub(crate) fn answered(&self, took: Duration) {
        self.durations.observe(took.as_secs_f64());
    }

    pub(crate) fn publish(&self) {
        self.publishes.fetch_add(1, Relaxed);
    }

    pub(crate) fn publish_failure(&self) {
        self.publish_failures.fetch_add(1, Relaxed);
    }
}
