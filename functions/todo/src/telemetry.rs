//! Logs: for a person on a terminal, as JSON everywhere else; and spans for whoever collects them. Never a message's or a task's text.
//!
//! A line of JSON is flat: what is known of the request around it (`trace_id` above all) stands beside what the line itself says, so that
//! one query finds a trace's lines from every process.

mod spans;

use std::fmt;
use std::io::IsTerminal as _;
use std::sync::OnceLock;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

pub use spans::{Endpoint, Export, Flush, Spans};

use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// What `TODO_LOG` is when nobody says otherwise.
const DEFAULT: &str = "info";

/// The same on a terminal: a line for each event says as much as one for each call of a function.
const ON_A_TERMINAL: &str = "info,todo_host::function=warn";

/// What has to be sent before the process ends.
static UNSENT: OnceLock<Flush> = OnceLock::new();

/// Starts logging to stderr, and sending the spans of `service` where the configuration says.
pub fn start(config: &Config, service: &str) -> Outcome {
    let terminal = std::io::stderr().is_terminal();
    let filter = match (terminal, config.log.as_str()) {
        (true, DEFAULT) => ON_A_TERMINAL,
        (_, filter) => filter,
    };
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::usage(format!("TODO_LOG is not a filter of log levels: {error}; try `info`"))
    })?;
    let registry = tracing_subscriber::registry();
    let started = match collected(config, service)? {
        // Before everything else: what it leaves out costs nothing.
        None => registry.with(filter).with(lines(terminal)).try_init(),
        Some(spans) => {
            let spans = spans.with_filter(LevelFilter::INFO);
            registry.with(lines(terminal).with_filter(filter)).with(spans).try_init()
        }
    };
    started.map_err(|error| Failure::internal(format!("cannot start logging: {error}")))
}

/// Waits, not for long, until what [`start`] has begun to send is sent.
pub async fn finish() {
    if let Some(unsent) = UNSENT.get() {
        unsent.wait().await;
    }
}

fn lines<S>(terminal: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    match terminal {
        true => {
            let people = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
            people.compact().without_time().with_target(false).boxed()
        }
        false => Json::to(std::io::stderr).boxed(),
    }
}

fn collected(config: &Config, service: &str) -> Outcome<Option<Spans>> {
    let Some(url) = config.otlp_endpoint.clone() else { return Ok(None) };
    let endpoint = Endpoint { url, headers: config.otlp_headers.clone(), service: service.to_owned() };
    let (spans, export, flush) = Spans::to(&endpoint)?;
    tokio::spawn(export.run());
    // Only the first subscriber of a process is one.
    let _ = UNSENT.set(flush);
    Ok(Some(spans))
}

/// A line of JSON for each event.
pub struct Json<W>(W);

impl<W> Json<W> {
    /// Lines that go to a writer of this kind.
    pub fn to(writer: W) -> Self {
        Self(writer)
    }
}

/// The fields of a span, kept with it.
struct Fields(Map<String, Value>);

impl<S, W> Layer<S> for Json<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Fields(Map::new());
        line.0.insert("timestamp".into(), Timestamp::now().to_string().into());
        line.0.insert("level".into(), event.metadata().level().as_str().into());
        line.0.insert("target".into(), event.metadata().target().into());
        // From the outermost inward, so that who is nearest has the last word.
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            line.0.insert("span".into(), span.name().into());
            let extensions = span.extensions();
            let fields = extensions.get::<Fields>().into_iter().flat_map(|Fields(fields)| fields);
            let fields = fields.filter(|(name, _)| !spans::OF_EXPORT.contains(&name.as_str()));
            line.0.extend(fields.map(|(name, value)| (name.clone(), value.clone())));
        }
        event.record(&mut line);
        let mut text = Value::Object(line.0).to_string();
        text.push('\n');
        // There is no other place to say that it cannot be written.
        let _ = std::io::Write::write_all(&mut self.0.make_writer(), text.as_bytes());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().into(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().into(), value.into());
    }
}
