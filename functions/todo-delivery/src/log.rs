//! What the operator reads about a failure: one JSON line on standard error, never a title or a message.

use std::error::Error;

use serde_json::json;

/// Reports a failure of `function`. `traceparent` ties it to the trace of its request or event.
pub fn failed(function: &str, traceparent: Option<&str>, error: &dyn Error) {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    let trace_id = traceparent.and_then(|value| value.split('-').nth(1));
    eprintln!("{}", json!({"level": "error", "function": function, "trace_id": trace_id, "error": text}));
}
