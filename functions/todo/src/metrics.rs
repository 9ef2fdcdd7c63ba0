//! `/metrics`: how things stand, in the text format of Prometheus. Numbers and names of functions only.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use live::Live;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use todo_host::{Counts, Functions};
use todo_sidecar::{ConsumerCounts, LATENCY_BUCKETS, Snapshot};
use todo_store::Database;
use todo_store::outbox::Backlog;

use crate::sidecar::Carrier;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where the numbers come from.
#[derive(Clone)]
pub struct Sources {
    /// The functions that run in this process.
    pub functions: Arc<Functions>,
    /// What carries their events.
    pub carrier: Carrier,
    /// Where events wait to be published.
    pub database: Database,
    /// Open pages.
    pub live: Live,
}

impl Sources {
    /// `GET /metrics`.
    pub fn router(self) -> Router {
        Router::new().route("/metrics", get(async move || self.answer().await))
    }

    async fn answer(&self) -> Response {
        let mut registry = Registry::with_prefix("todo");
        registry.register_collector(Box::new(self.measure().await));
        let mut body = String::new();
        match text::encode(&mut body, &registry) {
            Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response(),
            Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    async fn measure(&self) -> Measured {
        let functions = self.functions.counters();
        Measured {
            functions: functions.map(|(name, counters)| (name.to_owned(), counters.counts())).collect(),
            events: self.events().await,
            backlog: self.backlog().await,
            now: Timestamp::now(),
            sockets: self.live.sockets(),
        }
    }

    async fn events(&self) -> Option<Snapshot> {
        let measured = self.carrier.snapshot().await;
        measured.inspect_err(|error| tracing::warn!("cannot measure the sidecar: {error}")).ok()
    }

    /// Absent while the database is away: a number that is not known is not zero.
    async fn backlog(&self) -> Option<Backlog> {
        let measured = async { self.database.begin_relay().await?.backlog().await }.await;
        measured.inspect_err(|error| tracing::warn!("cannot measure the outbox: {error}")).ok()
    }
}

/// All numbers of one moment.
#[derive(Debug)]
struct Measured {
    functions: Vec<(String, Counts)>,
    events: Option<Snapshot>,
    backlog: Option<Backlog>,
    now: Timestamp,
    sockets: usize,
}

impl Collector for Measured {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.functions(&mut page)?;
        self.outbox(&mut page)?;
        self.consumers(&mut page)?;
        self.jobs(&mut page)?;
        page.gauge("live_sockets", "Open WebSockets of pages.", None, self.sockets as f64)
    }
}

impl Measured {
    fn functions(&self, page: &mut Page<'_>) -> fmt::Result {
        let mut each = |name, help, count: fn(&Counts) -> u64| {
            let values = self.functions.iter().map(|(function, counts)| (function.as_str(), count(counts)));
            page.counters(name, help, "function", values)
        };
        each("function_requests", "Requests that arrived at a function.", |counts| counts.requests)?;
        each("function_failures", "Requests the host had to answer for a function.", |counts| {
            counts.failures
        })?;
        each("function_traps", "Instances that ended by a trap, a timeout or too much memory.", |counts| {
            counts.traps
        })?;
        each("function_rejections", "Requests refused because too many were waiting.", |counts| {
            counts.rejections
        })?;
        each("function_cold_starts", "Instances started.", |counts| counts.cold_starts)
    }

    fn outbox(&self, page: &mut Page<'_>) -> fmt::Result {
        let Some(backlog) = self.backlog else { return Ok(()) };
        let since = |instant: Option<Timestamp>| {
            instant.map_or(0.0, |instant| self.now.duration_since(instant).as_secs_f64().max(0.0))
        };
        page.gauge("outbox_events", "Events that wait to be published.", None, backlog.events as f64)?;
        let help = "Age of the oldest event that waits to be published; 0 when none does.";
        page.gauge("outbox_oldest", help, Some(&Unit::Seconds), since(backlog.oldest))?;
        let help = "For how long publishing has failed; 0 while it works.";
        page.gauge("publishing_failing", help, Some(&Unit::Seconds), since(backlog.failing_since))
    }

    fn consumers(&self, page: &mut Page<'_>) -> fmt::Result {
        let Some(events) = &self.events else { return Ok(()) };
        page.counter("events_published", "Events that the sidecar took.", events.published)?;
        page.gauge("event_log_records", "Records in the sidecar's log.", None, events.log_size as f64)?;
        let help = "Events that a consumer has still to see.";
        let lag = events.consumers.iter().map(|(consumer, counts)| (consumer.as_str(), counts.lag));
        page.gauges("consumer_lag_events", help, "consumer", lag)?;
        let mut each = |name, help, count: fn(&ConsumerCounts) -> u64| {
            let values = events.consumers.iter().map(|(consumer, counts)| (consumer.as_str(), count(counts)));
            page.counters(name, help, "consumer", values)
        };
        each("deliveries", "Events a consumer took.", |counts| counts.delivered)?;
        each("delivery_retries", "Attempts that were followed by another.", |counts| counts.retries)?;
        each("dead_letters", "Events given up.", |counts| counts.dead_letters)?;
        let bounds = LATENCY_BUCKETS.iter().map(|milliseconds| *milliseconds as f64 / 1e3);
        let buckets: Vec<_> = bounds.chain([f64::MAX]).zip(events.latency).collect();
        let help = "From publishing an event to the consumer's answer.";
        page.histogram("delivery_latency", help, &Unit::Seconds, events.latency_sum.as_secs_f64(), &buckets)
    }

    fn jobs(&self, page: &mut Page<'_>) -> fmt::Result {
        let Some(events) = &self.events else { return Ok(()) };
        page.gauge(
            "jobs_pending",
            "Jobs that are set, reminders among them.",
            None,
            events.jobs_pending as f64,
        )?;
        page.counter("jobs_fired", "Attempts at jobs.", events.jobs_fired)?;
        let help = "How late the latest job was, or the overdue one is.";
        page.gauge("jobs_late", help, Some(&Unit::Seconds), events.jobs_late.as_secs_f64())
    }
}

/// One metric after the other.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: f64) -> fmt::Result {
        self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?.encode_gauge(&value)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        count(self.0.encode_descriptor(name, help, None, MetricType::Counter)?, value)
    }

    fn gauges<'v>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'v str, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (of, value) in values {
            family.encode_family(&[(label, of)])?.encode_gauge(&(value as f64))?;
        }
        Ok(())
    }

    fn counters<'v>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'v str, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (of, value) in values {
            count(family.encode_family(&[(label, of)])?, value)?;
        }
        Ok(())
    }

    fn histogram(
        &mut self,
        name: &str,
        help: &str,
        unit: &Unit,
        sum: f64,
        buckets: &[(f64, u64)],
    ) -> fmt::Result {
        let total = buckets.iter().map(|(_, count)| count).sum();
        let mut metric = self.0.encode_descriptor(name, help, Some(unit), MetricType::Histogram)?;
        metric.encode_histogram::<[(&str, &str); 0]>(sum, total, buckets, None)
    }
}

fn count(mut metric: MetricEncoder<'_>, value: u64) -> fmt::Result {
    metric.encode_counter::<[(&str, &str); 0], _, u64>(&value, None)
}
