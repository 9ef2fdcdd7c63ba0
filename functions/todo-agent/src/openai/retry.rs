//! What went wrong with one request, and whether to send it again.

use std::time::Duration;

use crate::{ModelError, OpenAiSettings};

/// The failure of one request. `Display` goes to the log: no text of the server's, which may quote the conversation.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Failure {
    /// No answer began: the connection was refused, lost or never stood.
    #[error("no connection ({0})")]
    Connection(&'static str),
    /// The connection was lost, or the stream ended, before the answer did.
    #[error("the answer broke off")]
    Cut,
    /// An HTTP error, or an error told within a stream.
    #[error("status {status}{}", code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default())]
    Status { status: u16, code: Option<String>, retry_after: Option<Duration> },
    /// A limit in time was passed.
    #[error("time ran out for {0}")]
    TimedOut(&'static str),
    /// Not what the API says an answer is.
    #[error("unreadable: {0}")]
    Garbled(String),
}

/// OpenAI's 429 for an account without money left: no wait helps.
const OUT_OF_QUOTA: &str = "insufficient_quota";

impl Failure {
    /// An error told within a stream, which has a code in place of a status.
    pub fn told(code: Option<String>) -> Self {
        let limited = code.as_deref().is_some_and(|code| code.contains("rate_limit") || code == OUT_OF_QUOTA);
        Self::Status {
            status: if limited { 429 } else { 500 },
            code: code.and_then(|code| plain_code(&code)),
            retry_after: None,
        }
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Cut => true,
            Self::Status { status, code, .. } => {
                matches!(status, 408 | 429 | 500..) && code.as_deref() != Some(OUT_OF_QUOTA)
            }
            // The person has waited long enough, and a server that times out is not helped by more work.
            Self::TimedOut(_) | Self::Garbled(_) => false,
        }
    }

    pub fn into_error(self, attempts: u32) -> ModelError {
        let reason = self.to_string();
        match self {
            Self::Connection(_) | Self::Cut => ModelError::Unavailable { attempts, reason },
            Self::Status { status: 429, .. } => ModelError::Busy { attempts, reason },
            Self::Status { status: 408 | 500.., .. } => ModelError::Unavailable { attempts, reason },
            Self::Status { .. } => ModelError::Refused { reason },
            Self::TimedOut(_) => ModelError::TimedOut { reason },
            Self::Garbled(_) => ModelError::Garbled { reason },
        }
    }
}

/// A code as it may be logged: servers put short names there, and only those are let through.
pub(crate) fn plain_code(code: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!code.is_empty() && code.len() <= 64 && code.chars().all(plain)).then(|| code.to_owned())
}

/// How long to wait before asking again; `None` when asking again is pointless, too often or too late.
pub(crate) fn wait(settings: &OpenAiSettings, attempts: u32, failure: &Failure) -> Option<Duration> {
    if attempts > settings.retries || !failure.is_transient() {
        return None;
    }
    let asked_for = match failure {
        Failure::Status { retry_after, .. } => *retry_after,
        _ => None,
    };
    let doubled = settings.backoff.saturating_mul(1 << (attempts - 1).min(16));
    let backoff = doubled.min(settings.longest_wait);
    // Between half and all of it, so that many turns that failed together do not come back together.
    let jittered = backoff.mul_f64(0.5 + 0.5 * fastrand::f64());
    let wait = jittered.max(asked_for.unwrap_or_default());
    (wait <= settings.longest_wait).then_some(wait)
}

/// `retry-after-ms`, or `Retry-After` in seconds. Its other form, a date, no model server sends.
pub(crate) fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<Duration> {
    let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|milliseconds| milliseconds / 1000.0)
        .or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds).ok()
}
