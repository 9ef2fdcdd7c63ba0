//! What the operator reads: lines of JSON with `level`, `message`, `function` and `trace_id`, which the host puts into its log. Never a
//! title or a message.

use std::error::Error;

use serde_json::{Value, json};

/// Reports a failure of `function`. `traceparent` ties it to the trace of its request or event.
pub fn failed(function: &str, traceparent: Option<&str>, error: &dyn Error) {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    eprintln!("{}", line("error", function, traceparent, &text));
}

/// Tells what `function` has done, where nobody else can know to which trace it belongs.
pub fn done(function: &str, traceparent: Option<&str>, what: &str) {
    println!("{}", line("info", function, traceparent, what));
}

fn line(level: &str, function: &str, traceparent: Option<&str>, message: &str) -> Value {
    let trace_id = traceparent.and_then(|value| value.split('-').nth(1));
    json!({"level": level, "function": function, "trace_id": trace_id, "message": message})
}
