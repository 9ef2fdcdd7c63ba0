//! What the sidecar tells about itself: observations as they happen, and numbers. Neither holds anything of an event but its type.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;

/// Observations that a slow observer may be behind before it misses some.
const BACKLOG: usize = 1_024;

/// Upper bounds of the latency histogram's buckets, in milliseconds; one more bucket holds what is above.
pub const LATENCY_BUCKETS: [u64; 13] = [1, 2, 5, 10, 20, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/// Something that just happened.
#[derive(Clone, Debug)]
pub enum Observation {
    /// An event is durable.
    Published {
        /// Where.
        topic: Arc<str>,
        /// The CloudEvent's type; empty when it is none.
        kind: Arc<str>,
    },
    /// A function has answered 2xx.
    Delivered {
        /// The event.
        about: About,
        /// 1 for the first.
        attempt: u32,
        /// From publishing to the answer.
        latency: Duration,
    },
    /// A function has not; it is tried again.
    Retried {
        /// The event.
        about: About,
        /// The one that failed.
        attempt: u32,
        /// The answer, when there was one.
        status: Option<u16>,
        /// The time until the next attempt.
        wait: Duration,
    },
    /// It was given up.
    DeadLettered {
        /// The event.
        about: About,
        /// All of them.
        attempts: u32,
        /// The last answer, when there was one.
        status: Option<u16>,
    },
    /// A job's time came.
    JobFired {
        /// Its name.
        name: Arc<str>,
        /// The function's answer, when there was one.
        status: Option<u16>,
        /// How much later than it was due.
        late: Duration,
    },
    /// A function was woken by the clock.
    Pinged {
        /// Which.
        function: Arc<str>,
        /// Its answer, when there was one.
        status: Option<u16>,
    },
}

/// An event on its way to one consumer.
#[derive(Clone, Debug)]
pub struct About {
    /// Where it was published.
    pub topic: Arc<str>,
    /// Its type.
    pub kind: Arc<str>,
    /// Whom it is for.
    pub consumer: Arc<str>,
    /// The partition key: the person, for our own events. Not for logs.
    pub key: Option<Arc<str>>,
}

/// Numbers since the start, and how things stand now.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Records in the log.
    pub log_size: u64,
    /// Records published since the start.
    pub published: u64,
    /// Per consumer, in the order of their names.
    pub consumers: BTreeMap<String, ConsumerCounts>,
    /// Deliveries by latency from publishing to the 2xx: one number per bound of [`LATENCY_BUCKETS`] and one above them.
    pub latency: [u64; LATENCY_BUCKETS.len() + 1],
    /// The sum of those latencies.
    pub latency_sum: Duration,
    /// Jobs that are set.
    pub jobs_pending: u64,
    /// Attempts at jobs since the start.
    pub jobs_fired: u64,
    /// How late the latest attempt at a job was; while one is overdue, how late it is by now.
    pub jobs_late: Duration,
}

/// One consumer's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsumerCounts {
    /// Records it has still to see.
    pub lag: u64,
    /// Events it has taken.
    pub delivered: u64,
    /// Attempts that were followed by another.
    pub retries: u64,
    /// Events given up.
    pub dead_letters: u64,
}

pub(crate) struct Observers {
    sender: broadcast::Sender<Observation>,
    published: AtomicU64,
    jobs_fired: AtomicU64,
    jobs_late: AtomicU64,
    latency: [AtomicU64; LATENCY_BUCKETS.len() + 1],
    latency_sum: AtomicU64,
    consumers: Mutex<BTreeMap<Arc<str>, ConsumerCounts>>,
}

impl Observers {
    pub fn new() -> Self {
        Self {
            sender: broadcast::Sender::new(BACKLOG),
            published: AtomicU64::new(0),
            jobs_fired: AtomicU64::new(0),
            jobs_late: AtomicU64::new(0),
            latency: Default::default(),
            latency_sum: AtomicU64::new(0),
            consumers: Mutex::default(),
        }
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Observation> {
        self.sender.subscribe()
    }

    /// Whether anybody listens: what only observers need is not worked out for nobody.
    pub fn listened(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    pub fn tell(&self, observation: Observation) {
        match &observation {
            Observation::Published { .. } => count(&self.published, 1),
            Observation::Delivered { about, latency, .. } => {
                self.latency(*latency);
                self.consumer(about, |counts| counts.delivered += 1);
            }
            Observation::Retried { about, .. } => self.consumer(about, |counts| counts.retries += 1),
            Observation::DeadLettered { about, .. } => {
                self.consumer(about, |counts| counts.dead_letters += 1)
            }
            Observation::JobFired { late, .. } => {
                count(&self.jobs_fired, 1);
                self.jobs_late.store(micros(*late), Ordering::Relaxed);
            }
            Observation::Pinged { .. } => {}
        }
        // Nobody listening is no mistake.
        let _ = self.sender.send(observation);
    }

    fn latency(&self, latency: Duration) {
        let bucket = LATENCY_BUCKETS.partition_point(|bound| u128::from(*bound) < latency.as_millis());
        if let Some(bucket) = self.latency.get(bucket) {
            count(bucket, 1);
        }
        count(&self.latency_sum, micros(latency));
    }

    fn consumer(&self, about: &About, change: impl FnOnce(&mut ConsumerCounts)) {
        let mut consumers = self.consumers.lock().unwrap_or_else(PoisonError::into_inner);
        change(consumers.entry(about.consumer.clone()).or_default());
    }

    /// All that is counted here; the rest stands in the store.
    pub fn counted(&self) -> Snapshot {
        let consumers = self.consumers.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot {
            published: self.published.load(Ordering::Relaxed),
            consumers: consumers.iter().map(|(name, counts)| (name.to_string(), *counts)).collect(),
            latency: std::array::from_fn(|bucket| {
                self.latency.get(bucket).map_or(0, |bucket| bucket.load(Ordering::Relaxed))
            }),
            latency_sum: Duration::from_micros(self.latency_sum.load(Ordering::Relaxed)),
            jobs_fired: self.jobs_fired.load(Ordering::Relaxed),
            jobs_late: Duration::from_micros(self.jobs_late.load(Ordering::Relaxed)),
            ..Snapshot::default()
        }
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
