//! What the sidecar tells about itself: observations as they happen, and numbers. Neither holds anything of an event but its type.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::delivery::{Event, since};

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
        /// The trace of the event that is the job's data, when it is one.
        trace_id: Option<Arc<str>>,
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
    /// The W3C trace that the event belongs to: 32 hexadecimal digits.
    pub trace_id: Option<Arc<str>>,
}

impl About {
    /// About `event`, on its way from `topic` to `consumer`.
    pub(crate) fn of(event: &Event, topic: Arc<str>, consumer: Arc<str>) -> Self {
        let trace_id = event.attribute("traceparent").and_then(trace_id);
        Self {
            topic,
            kind: event.kind().into(),
            consumer,
            key: event.attribute("partitionkey").map(Arc::from),
            trace_id,
        }
    }
}

/// The trace of a `traceparent`, when it is one.
pub(crate) fn trace_id(traceparent: &str) -> Option<Arc<str>> {
    let trace_id = traceparent.split('-').nth(1)?;
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (trace_id.len() == 32 && trace_id.bytes().all(hexadecimal)).then(|| trace_id.into())
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
    /// Deliveries by latency from publishing to the 2xx.
    pub latency: Times,
    /// Jobs that are set.
    pub jobs_pending: u64,
    /// Attempts at jobs since the start.
    pub jobs_fired: u64,
    /// How late the latest attempt at a job was; while one is overdue, how late it is by now.
    pub jobs_late: Duration,
    /// Attempts at jobs by how late they were.
    pub lateness: Times,
}

/// Times, counted by their length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// One number per bound of [`LATENCY_BUCKETS`], of the times up to it and above the bound before, and one of those above all bounds.
    pub counts: [u64; LATENCY_BUCKETS.len() + 1],
    /// All of them together.
    pub sum: Duration,
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
    latency: Histogram,
    lateness: Histogram,
    consumers: Mutex<BTreeMap<Arc<str>, ConsumerCounts>>,
}

impl Observers {
    pub fn new() -> Self {
        Self {
            sender: broadcast::Sender::new(BACKLOG),
            published: AtomicU64::new(0),
            jobs_fired: AtomicU64::new(0),
            jobs_late: AtomicU64::new(0),
            latency: Histogram::default(),
            lateness: Histogram::default(),
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
                self.latency.add(*latency);
                self.consumer(about, |counts| counts.delivered += 1);
            }
            Observation::Retried { about, .. } => self.consumer(about, |counts| counts.retries += 1),
            Observation::DeadLettered { about, .. } => {
                self.consumer(about, |counts| counts.dead_letters += 1)
            }
            Observation::JobFired { late, .. } => {
                count(&self.jobs_fired, 1);
                self.jobs_late.store(micros(*late), Ordering::Relaxed);
                self.lateness.add(*late);
            }
            Observation::Pinged { .. } => {}
        }
        // Nobody listening is no mistake.
        let _ = self.sender.send(observation);
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
            latency: self.latency.times(),
            lateness: self.lateness.times(),
            jobs_fired: self.jobs_fired.load(Ordering::Relaxed),
            jobs_late: Duration::from_micros(self.jobs_late.load(Ordering::Relaxed)),
            ..Snapshot::default()
        }
    }
}

/// Times as they are counted.
#[derive(Default)]
struct Histogram {
    counts: [AtomicU64; LATENCY_BUCKETS.len() + 1],
    sum: AtomicU64,
}

impl Histogram {
    fn add(&self, time: Duration) {
        let bucket = LATENCY_BUCKETS.partition_point(|bound| Duration::from_millis(*bound) < time);
        if let Some(bucket) = self.counts.get(bucket) {
            count(bucket, 1);
        }
        count(&self.sum, micros(time));
    }

    fn times(&self) -> Times {
        Times {
            counts: self.counts.each_ref().map(|count| count.load(Ordering::Relaxed)),
            sum: Duration::from_micros(self.sum.load(Ordering::Relaxed)),
        }
    }
}

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// What is to be known of a job by its data, which with us is an event.
#[derive(Default)]
pub(crate) struct JobData {
    /// Its trace.
    pub trace_id: Option<Arc<str>>,
    /// How much time has gone by since `data.payload.remind_at`.
    pub late: Duration,
}

impl JobData {
    pub fn read(data: &[u8]) -> Self {
        let Ok(event) = serde_json::from_slice::<serde_json::Value>(data) else { return Self::default() };
        let text =
            |value: Option<&serde_json::Value>| value.and_then(|value| value.as_str().map(str::to_owned));
        let due =
            text(event.pointer("/data/payload/remind_at")).and_then(|text| text.parse::<Timestamp>().ok());
        Self {
            trace_id: text(event.get("traceparent")).as_deref().and_then(trace_id),
            late: due.map_or(Duration::ZERO, |due| since(due.as_microsecond())),
        }
    }
}
