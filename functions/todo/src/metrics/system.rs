//! What chat, `live` and `todo up` tell beside the functions.

use std::fmt;

use axum::Router;
use axum::routing::get;
use http::HeaderMap;
use jiff::Timestamp;
use live::Live;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;
use todo_sidecar::{ConsumerCounts, LATENCY_BUCKETS, Snapshot, Times};
use todo_store::Database;
use todo_store::outbox::Backlog;

use super::{Page, count};
use crate::sidecar::Carrier;

/// Where these numbers come from: whatever of it is in this process.
#[derive(Clone, Default)]
pub struct Sources {
    /// What carries the functions' events.
    pub carrier: Option<Carrier>,
    /// Where events wait to be published, and dead letters for a decision.
    pub database: Option<Database>,
    /// Open pages.
    pub live: Option<Live>,
}

/// The numbers of one moment.
pub(super) struct Measured {
    events: Option<Snapshot>,
    /// The log and the jobs are ours, and not Kafka's and Dapr's to tell.
    embedded: bool,
    backlog: Option<Backlog>,
    now: Timestamp,
    sockets: Option<usize>,
}

impl super::Sources {
    /// `GET /metrics`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/metrics", get(async move |headers: HeaderMap| self.clone().response(&headers).await))
    }
}

impl Sources {
    pub(super) async fn measure(&self) -> Measured {
        Measured {
            events: self.events().await,
            embedded: matches!(self.carrier, Some(Carrier::Embedded { .. })),
            backlog: self.backlog().await,
            now: Timestamp::now(),
            sockets: self.live.as_ref().map(Live::sockets),
        }
    }

    async fn events(&self) -> Option<Snapshot> {
        let measured = self.carrier.as_ref()?.snapshot().await;
        measured.inspect_err(|error| tracing::warn!("cannot measure the sidecar: {error}")).ok()
    }

    /// Absent while the database is away: a number that is not known is not zero.
    async fn backlog(&self) -> Option<Backlog> {
        let database = self.database.as_ref()?;
        let measured = async { database.begin_relay().await?.backlog().await }.await;
        measured.inspect_err(|error| tracing::warn!("cannot measure the outbox: {error}")).ok()
    }
}

impl Measured {
    pub(super) fn encode(&self, page: &mut Page<'_>) -> fmt::Result {
        self.backlog(page)?;
        self.consumers(page)?;
        self.jobs(page)?;
        let Some(sockets) = self.sockets else { return Ok(()) };
        page.gauge("live_sockets", "Open WebSockets of pages.", None, sockets as f64)
    }

    fn backlog(&self, page: &mut Page<'_>) -> fmt::Result {
        let Some(backlog) = &self.backlog else { return Ok(()) };
        let since = |instant: Option<Timestamp>| {
            instant.map_or(0.0, |instant| self.now.duration_since(instant).as_secs_f64().max(0.0))
        };
        page.gauge("outbox_events", "Events that wait to be published.", None, backlog.events as f64)?;
        let help = "Age of the oldest event that waits to be published; 0 when none does.";
        page.gauge("outbox_oldest", help, Some(&Unit::Seconds), since(backlog.oldest))?;
        let help = "For how long publishing has failed; 0 while it works.";
        page.gauge("publishing_failing", help, Some(&Unit::Seconds), since(backlog.failing_since))?;
        let undecided = backlog.undecided.iter().map(|(consumer, letters)| (consumer.as_str(), *letters));
        let help = "Dead letters that nobody has decided about.";
        page.gauges("dead_letters_waiting", help, None, "consumer", undecided)?;
        let help = "How late the oldest reminder is that has not fired; 0 when none is.";
        page.gauge("reminders_overdue", help, Some(&Unit::Seconds), since(backlog.overdue))
    }

    fn consumers(&self, page: &mut Page<'_>) -> fmt::Result {
        let Some(events) = &self.events else { return Ok(()) };
        if self.embedded {
            page.counter("events_published", "Events that the sidecar took.", events.published)?;
            page.gauge("event_log_records", "Records in the sidecar's log.", None, events.log_size as f64)?;
            let help = "Events that a consumer has still to see.";
            let lag = events.consumers.iter().map(|(consumer, counts)| (consumer.as_str(), counts.lag));
            page.gauges("consumer_lag_events", help, None, "consumer", lag)?;
        }
        let mut each = |name, help, count: fn(&ConsumerCounts) -> u64| {
            let values = events.consumers.iter().map(|(consumer, counts)| (consumer.as_str(), count(counts)));
            page.counters(name, help, "consumer", values)
        };
        each("deliveries", "Events a consumer took.", |counts| counts.delivered)?;
        each("delivery_retries", "Attempts that were followed by another.", |counts| counts.retries)?;
        each("dead_letters", "Events given up.", |counts| counts.dead_letters)?;
        let help = "From publishing an event to the consumer's answer.";
        page.histogram("delivery_latency", help, &Unit::Seconds, &events.latency)
    }

    fn jobs(&self, page: &mut Page<'_>) -> fmt::Result {
        let Some(events) = &self.events else { return Ok(()) };
        if self.embedded {
            let help = "Jobs that are set, reminders among them.";
            page.gauge("jobs_pending", help, None, events.jobs_pending as f64)?;
            let help = "How late the latest job was, or the overdue one is.";
            page.gauge("jobs_late", help, Some(&Unit::Seconds), events.jobs_late.as_secs_f64())?;
        }
        page.counter("jobs_fired", "Attempts at jobs.", events.jobs_fired)?;
        let help = "How much later than due a reminder's job was called, at each attempt.";
        page.histogram("reminder_lateness", help, &Unit::Seconds, &events.lateness)
    }
}

impl Page<'_> {
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        count(self.0.encode_descriptor(name, help, None, MetricType::Counter)?, value)
    }

    fn histogram(&mut self, name: &str, help: &str, unit: &Unit, times: &Times) -> fmt::Result {
        let bounds = LATENCY_BUCKETS.iter().map(|milliseconds| *milliseconds as f64 / 1e3);
        let buckets: Vec<_> = bounds.chain([f64::MAX]).zip(times.counts).collect();
        let total = times.counts.iter().sum();
        let mut metric = self.0.encode_descriptor(name, help, Some(unit), MetricType::Histogram)?;
        metric.encode_histogram::<[(&str, &str); 0]>(times.sum.as_secs_f64(), total, &buckets, None)
    }
}
