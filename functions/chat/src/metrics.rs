//! What is counted here: turns, and what the model takes and costs. (The calls of tools count themselves, `todo_mcp::Tools`.)

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use todo_agent::{Model, ModelAnswer, ModelError, ModelRequest};
use tokio::time::Instant;

use crate::error::Problem;
use crate::turn::Ended;

/// Upper bounds, in seconds: from the offline model to the limit of a turn.
const DURATIONS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

type Label = [(&'static str, &'static str); 1];
type Durations = Family<Label, Histogram, fn() -> Histogram>;

/// The counters of one process. Cloning shares them.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    turns: Family<Label, Counter>,
    turn_durations: Histogram,
    model_durations: Durations,
    tokens: Family<Label, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let durations: fn() -> Histogram = || Histogram::new(DURATIONS);
        Self {
            turns: Family::default(),
            turn_durations: durations(),
            model_durations: Family::new_with_constructor(durations),
            tokens: Family::default(),
        }
    }
}

impl Metrics {
    pub fn register(&self, registry: &mut Registry) {
        let Self { turns, turn_durations, model_durations, tokens } = self.clone();
        // From 0, because the first failure of a series that was not there before is no increase.
        for outcome in ["answered", "asked", "refused", "failed", "rejected"] {
            drop(turns.get_or_create(&[("outcome", outcome)]));
        }
        for outcome in ["answered", "failed"] {
            drop(model_durations.get_or_create(&[("outcome", outcome)]));
        }
        for kind in ["input", "output"] {
            drop(tokens.get_or_create(&[("kind", kind)]));
        }
        registry.register("chat_turns", "Messages of people, by what became of them.", turns);
        let help = "From a message to the end of its turn.";
        registry.register_with_unit("chat_turn_duration", help, Unit::Seconds, turn_durations);
        let help = "How long the language model took for an answer, by whether there was one.";
        registry.register_with_unit("model_duration", help, Unit::Seconds, model_durations);
        registry.register("model_tokens", "Tokens that the language model read and wrote.", tokens);
    }

    /// A message was not taken on: there are too many, of this person or of all.
    pub fn not_admitted(&self, problem: &Problem) {
        let name = if problem.status == StatusCode::TOO_MANY_REQUESTS { "rejected" } else { "failed" };
        self.turns.get_or_create(&[("outcome", name)]).inc();
    }

    /// A turn came to its end.
    pub fn ended(&self, outcome: &Result<Ended, Problem>, took: Duration) {
        let name = match outcome {
            Ok(ended) if ended.approval.is_some() => "asked",
            Ok(_) => "answered",
            Err(problem) if problem.is_transient() => "failed",
            Err(_) => "refused",
        };
        self.turns.get_or_create(&[("outcome", name)]).inc();
        self.turn_durations.observe(took.as_secs_f64());
    }
}

/// A model whose answers are measured.
pub(crate) struct Measured {
    pub model: Arc<dyn Model>,
    pub metrics: Metrics,
}

impl Model for Measured {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn answer<'a>(
        &'a self,
        request: &'a ModelRequest,
        on_delta: &'a mut (dyn FnMut(&str) + Send),
    ) -> BoxFuture<'a, Result<ModelAnswer, ModelError>> {
        async move {
            let began = Instant::now();
            let answer = self.model.answer(request, on_delta).await;
            let outcome = if answer.is_ok() { "answered" } else { "failed" };
            let Metrics { model_durations, tokens, .. } = &self.metrics;
            model_durations.get_or_create(&[("outcome", outcome)]).observe(began.elapsed().as_secs_f64());
            if let Ok(answer) = &answer {
                tokens.get_or_create(&[("kind", "input")]).inc_by(answer.usage.input_tokens);
                tokens.get_or_create(&[("kind", "output")]).inc_by(answer.usage.output_tokens);
            }
            answer
        }
        .boxed()
    }
}
