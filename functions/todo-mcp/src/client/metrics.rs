//! The calls of tools, counted by whoever makes them.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::{CallError, CallOutcome};

/// Upper bounds, in seconds: from a list out of memory to a function that has to be woken.
const DURATIONS: [f64; 12] = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// What stands for the name of a tool that is not there, which could be any text.
const UNKNOWN: &str = "unknown";

type Durations = Family<[(&'static str, String); 1], Histogram, fn() -> Histogram>;

/// The counters of one process. Cloning shares them.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    calls: Family<[(&'static str, String); 2], Counter>,
    durations: Durations,
}

impl Default for Metrics {
    fn default() -> Self {
        let durations: fn() -> Histogram = || Histogram::new(DURATIONS);
        Self { calls: Family::default(), durations: Family::new_with_constructor(durations) }
    }
}

impl Metrics {
    pub fn register(&self, registry: &mut Registry) {
        let help = "Calls of tools, by how they ended.";
        registry.register("tool_calls", help, self.calls.clone());
        let help = "How long calls of tools took, further attempts included.";
        registry.register_with_unit("tool_call_duration", help, Unit::Seconds, self.durations.clone());
    }

    pub fn called(&self, tool: &str, outcome: &Result<CallOutcome, CallError>, took: Duration) {
        let (tool, outcome) = match outcome {
            Ok(outcome) if outcome.is_error => (tool, "mistake"),
            Ok(_) => (tool, "done"),
            Err(CallError::UnknownTool(_)) => (UNKNOWN, "mistake"),
            Err(CallError::Refused { .. }) => (tool, "refused"),
            Err(_) => (tool, "failed"),
        };
        self.calls.get_or_create(&[("tool", tool.to_owned()), ("outcome", outcome.to_owned())]).inc();
        self.durations.get_or_create(&[("tool", tool.to_owned())]).observe(took.as_secs_f64());
    }
}
