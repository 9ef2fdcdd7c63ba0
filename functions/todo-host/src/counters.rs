//! What a function has done since it was loaded, for whoever exports metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A function's counters. They only grow.
#[derive(Debug, Default)]
pub struct Counters {
    requests: AtomicU64,
    failures: AtomicU64,
    traps: AtomicU64,
    rejections: AtomicU64,
    cold_starts: AtomicU64,
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
        }
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
}
