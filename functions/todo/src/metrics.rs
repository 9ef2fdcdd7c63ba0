//! `/metrics`: how things stand, in the text format of Prometheus. Numbers and names of functions only.

#[cfg(feature = "system")]
pub mod system;

use std::fmt;
use std::sync::Arc;

use http::header::{CONTENT_TYPE, FORWARDED};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use todo_host::{Counts, Functions};

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
    /// What only the system's other parts know.
    #[cfg(feature = "system")]
    pub system: system::Sources,
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
            #[cfg(feature = "system")]
            system: self.system.measure().await,
        }
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
    #[cfg(feature = "system")]
    system: system::Measured,
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
        #[cfg(feature = "system")]
        self.system.encode(&mut page)?;
        Ok(())
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
}

/// One metric after the other.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, unit: Option<&Unit>, value: f64) -> fmt::Result {
        self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?.encode_gauge(&value)
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
