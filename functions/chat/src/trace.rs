//! One trace from the request to the tools (W3C Trace Context), and one log line per request.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::{Instrument, field, info_span};
use uuid::Uuid;

/// Where a request stands in its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    trace_id: String,
    /// Our own span: the parent of whatever we call.
    span_id: String,
    /// The caller's span, if there is a caller.
    parent_id: Option<String>,
    flags: String,
}

impl Trace {
    /// Goes on with the caller's trace, or begins one. What is malformed is ignored, as the standard wants.
    fn of(traceparent: Option<&str>) -> Self {
        let span_id = format!("{:016x}", Uuid::new_v4().as_u64_pair().1);
        match traceparent.and_then(parse) {
            Some((trace_id, parent_id, flags)) => {
                Self { trace_id, span_id, parent_id: Some(parent_id), flags }
            }
            None => {
                let trace_id = Uuid::new_v4().simple().to_string();
                Self { trace_id, span_id, parent_id: None, flags: "01".to_owned() }
            }
        }
    }

    /// Whether whoever began the trace wants it collected.
    fn is_sampled(&self) -> bool {
        u8::from_str_radix(&self.flags, 16).is_ok_and(|flags| flags & 1 == 1)
    }

    /// The header for whatever we call.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{}", self.trace_id, self.span_id, self.flags)
    }
}

/// Wraps every request: a span with the trace id, the `Trace` for whoever calls further, one line at the end.
pub async fn of_request(mut request: Request, next: Next) -> Response {
    let header = request.headers().get("traceparent").and_then(|value| value.to_str().ok());
    let trace = Trace::of(header);
    // The route and not the path: a path holds a person's id.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    let span = info_span!(
        "request",
        trace_id = trace.trace_id,
        span_id = trace.is_sampled().then_some(trace.span_id.as_str()),
        parent_id = trace.parent_id.as_deref().filter(|_| trace.is_sampled()),
        method = %request.method(),
        route,
        status = field::Empty,
        milliseconds = field::Empty,
    );
    request.extensions_mut().insert(trace);
    let began = Instant::now();
    async {
        let response = next.run(request).await;
        let here = tracing::Span::current();
        here.record("status", response.status().as_u16());
        here.record("milliseconds", u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
        // Probes come every few seconds and tell nothing when they succeed.
        match matches!(route.as_str(), "/healthz" | "/readyz") && response.status().is_success() {
            true => tracing::debug!("answered"),
            false => tracing::info!("answered"),
        }
        response
    }
    .instrument(span)
    .await
}

/// Trace, parent, flags.
fn parse(traceparent: &str) -> Option<(String, String, String)> {
    let parts: Vec<&str> = traceparent.split('-').collect();
    let [version, trace, parent, flags, ..] = parts.as_slice() else { return None };
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let set = |part: &str| part.bytes().any(|byte| byte != b'0');
    let good =
        hex(version, 2) && *version != "ff" && hex(trace, 32) && set(trace) && hex(parent, 16) && set(parent);
    (good && hex(flags, 2)).then(|| ((*trace).to_owned(), (*parent).to_owned(), (*flags).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_trace_goes_on_with_a_span_of_our_own() {
        let theirs = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        let ours = Trace::of(Some(theirs)).traceparent();
        assert!(ours.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{ours}");
        assert!(ours.ends_with("-00") && !ours.contains("00f067aa0ba902b7"), "{ours}");
    }

    #[test]
    fn a_malformed_traceparent_begins_a_trace() {
        for malformed in ["", "00-0-0-0", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "zz"] {
            let trace = Trace::of(Some(malformed));
            assert!(parse(&trace.traceparent()).is_some(), "{malformed}");
        }
    }
}
