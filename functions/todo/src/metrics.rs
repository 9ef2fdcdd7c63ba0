//! `/metrics`: how things stand, in the text format of Prometheus. Numbers and names of functions only.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::header::{CONTENT_TYPE, FORWARDED};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use live::Live;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use todo_host::{Counts, Functions};
use todo_sidecar::{ConsumerCounts, LATENCY_BUCKETS, Snapshot, Times};
use todo_store::Database;
use todo_store::outbox::Backlog;

use crate::sidecar::Carrier;

/// What all names begin with.
const PREFIX: &str = "todo";

/// What a proxy says of whom it speaks for, beside the standard's `Forwarded`.
const X_FORWARDED_FOR: &str = "x-forwarded-for";

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where the numbers come from: whatever of it is in this process.
#[derive(Clone, Default)]
pub struct Sources {
    /// What counts itself: turns, the model, the calls of tools.
    pub counted: Arc<Registry>,
    /// The functions that run in this process.
    pub functions: Option<Arc<Functions>>,
    /// What carries their events.
    pub carrier: Option<Carrier>,
    /// Where events wait to be published, and dead letters for a decision.
    pub database: Option<Database>,
    /// Open pages.
    pub live: Option<Live>,
}

/// The answer to who came through a proxy: Knative's gateway and an ingress say so of everybody.
fn elsewhere() -> Response<String> {
    let mut response =
        Response::new("Metrics are for whoever asks this process itself, not through a proxy.\n".to_owned());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A registry for what counts itself.
pub fn registry() -> Registry {
    Registry::with_prefix(PREFIX)
}

impl Sources {
    /// `GET /metrics`.
    pub fn router(self) -> Router {
        Router::new()
            .route("/metrics", get(async move |headers: HeaderMap| self.clone().response(&headers).await))
    }

    /// The answer to whoever asks with these headers: not for those whom a proxy lets in. Prometheus asks each process itself.
    pub fn response(self, headers: &HeaderMap) -> impl Future<Output = Response<String>> + Send + use<> {
        let from_outside = headers.contains_key(FORWARDED) || headers.contains_key(X_FORWARDED_FOR);
        async move { if from_outside { elsewhere() } else { self.text().await } }
    }

    async fn text(self) -> Response<String> {
        let mut response = Response::new(String::new());
        match self.page().await {
            Ok(page) => {
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS));
                *response.body_mut() = page;
            }
            Err(fmt::Error) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
        }
        response
    }

    async fn page(&self) -> Result<String, fmt::Error> {
        let mut measured = registry();
        measured.register_collector(Box::new(self.measure().await));
        let mut page = String::new();
        text::encode_registry(&mut page, &self.counted)?;
        text::encode_registry(&mut page, &measured)?;
        text::encode_registry(&mut page, &process())?;
        text::encode_eof(&mut page)?;
        Ok(page)
    }

    async fn measure(&self) -> Measured {
        Measured {
            functions: self.functions.clone(),
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

/// What every process tells, under the name that other programs use for it.
fn process() -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Process));
    registry
}

/// This process, as Linux sees it. Where there is no `/proc`, nothing is told.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(memory) = resident_memory() else { return Ok(()) };
        let help = "Memory of this process that is not swapped out.";
        Page(encoder).gauge("process_resident_memory", help, Some(&Unit::Bytes), memory as f64)
    }
}

fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1_024)
}

/// All numbers of one moment.
struct Measured {
    functions: Option<Arc<Functions>>,
    events: Option<Snapshot>,
    /// The log and the jobs are ours, and not Kafka's and Dapr's to tell.
    embedded: bool,
    backlog: Option<Backlog>,
    now: Timestamp,
    sockets: Option<usize>,
}

/// Without what is in it: a collector must be able to be shown.
impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measured").finish_non_exhaustive()
    }
}

impl Collector for Measured {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page(encoder);
        self.functions(&mut page)?;
        self.backlog(&mut page)?;
        self.consumers(&mut page)?;
        self.jobs(&mut page)?;
        let Some(sockets) = self.sockets else { return Ok(()) };
        page.gauge("live_sockets", "Open WebSockets of pages.", None, sockets as f64)
    }
}

impl Measured {
    fn functions(&self, page: &mut Page<'_>) -> fmt::Result {
        let Some(functions) = &self.functions else { return Ok(()) };
        let mut each = |name, help, count: fn(&Counts) -> u64| {
            let values =
                functions.counters().map(|(function, counters)| (function, count(&counters.counts())));
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
        each("function_cold_starts", "Instances started.", |counts| counts.cold_starts)?;
        each("publishes", "Events that a function gave to the sidecar, or tried to.", |counts| {
            counts.publishes
        })?;
        each("publish_failures", "Events that the sidecar did not take, or not in time.", |counts| {
            counts.publish_failures
        })?;
        let mut now = |name, help, unit: Option<&Unit>, amount: fn(&Counts) -> u64| {
            let values =
                functions.counters().map(|(function, counters)| (function, amount(&counters.counts())));
            page.gauges(name, help, unit, "function", values)
        };
        now("function_instances", "Instances that live at the moment.", None, |counts| counts.instances)?;
        now("function_memory", "Linear memory of those instances.", Some(&Unit::Bytes), |counts| {
            counts.memory
        })?;
        let durations = functions.counters().map(|(function, counters)| (function, counters.durations()));
        let help = "From a request's arrival at a function to the beginning of its answer.";
        page.histograms("function_duration", help, &Unit::Seconds, "function", durations)
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
        unit: Option<&Unit>,
        label: &str,
        values: impl Iterator<Item = (&'v str, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
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

    fn histogram(&mut self, name: &str, help: &str, unit: &Unit, times: &Times) -> fmt::Result {
        let bounds = LATENCY_BUCKETS.iter().map(|milliseconds| *milliseconds as f64 / 1e3);
        let buckets: Vec<_> = bounds.chain([f64::MAX]).zip(times.counts).collect();
        let total = times.counts.iter().sum();
        let mut metric = self.0.encode_descriptor(name, help, Some(unit), MetricType::Histogram)?;
        metric.encode_histogram::<[(&str, &str); 0]>(times.sum.as_secs_f64(), total, &buckets, None)
    }

    fn histograms<'v>(
        &mut self,
        name: &str,
        help: &str,
        unit: &Unit,
        label: &str,
        values: impl Iterator<Item = (&'v str, &'v Histogram)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, Some(unit), MetricType::Histogram)?;
        for (of, histogram) in values {
            histogram.encode(family.encode_family(&[(label, of)])?)?;
        }
        Ok(())
    }
}

fn count(mut metric: MetricEncoder<'_>, value: u64) -> fmt::Result {
    metric.encode_counter::<[(&str, &str); 0], _, u64>(&value, None)
}
