//! How often and how patiently an event is delivered.

use std::time::Duration;

use serde::Deserialize;

use super::manifest;

/// The longest wait between two attempts: exponential growth must not mean never.
const LONGEST: Duration = Duration::from_secs(600);

/// The delivery rules of a `KafkaSource` or `Trigger`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Attempts after the first.
    pub retry: u32,
    /// How the wait grows.
    pub backoff: Backoff,
    /// The first wait.
    pub delay: Duration,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// The longest wait that a `Retry-After` may ask for; zero ignores the header.
    pub retry_after_max: Duration,
}

/// How the wait between attempts grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Backoff {
    /// `delay`, then twice that, three times …
    Linear,
    /// `delay`, then twice that, four times …
    Exponential,
}

impl Default for Policy {
    /// What Knative's Kafka data plane does when a manifest says nothing, but with a timeout that ends this year.
    fn default() -> Self {
        Self {
            retry: 10,
            backoff: Backoff::Exponential,
            delay: Duration::from_millis(200),
            timeout: Duration::from_secs(30),
            retry_after_max: Duration::from_secs(300),
        }
    }
}

impl Policy {
    pub(super) fn of(spec: &manifest::Delivery) -> Result<Self, String> {
        let default = Self::default();
        let duration = |field: &str, text: &Option<String>, default| match text {
            None => Ok(default),
            Some(text) => period(text).ok_or_else(|| {
                format!("{field} `{text}` is no ISO 8601 duration; write one such as PT0.2S or PT1M")
            }),
        };
        Ok(Self {
            retry: spec.retry.unwrap_or(default.retry),
            backoff: spec.backoff_policy.unwrap_or(default.backoff),
            delay: duration("backoffDelay", &spec.backoff_delay, default.delay)?,
            timeout: duration("timeout", &spec.timeout, default.timeout)?,
            retry_after_max: duration("retryAfterMax", &spec.retry_after_max, default.retry_after_max)?,
        })
    }

    /// The wait after the `attempt`th attempt (1 is the first), with up to a quarter more so that consumers which failed
    /// together do not come back together.
    pub fn wait(&self, attempt: u32) -> Duration {
        let factor = match self.backoff {
            Backoff::Linear => attempt,
            Backoff::Exponential => 2_u32.saturating_pow(attempt.saturating_sub(1)),
        };
        let wait = self.delay.saturating_mul(factor).min(LONGEST);
        wait + wait.mul_f64(fastrand::f64() / 4.0)
    }
}

fn period(text: &str) -> Option<Duration> {
    if !text.starts_with('P') {
        return None;
    }
    let span: jiff::Span = text.parse().ok()?;
    Duration::try_from(span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_grows_as_the_policy_says() {
        let policy = |backoff| Policy { backoff, delay: Duration::from_millis(100), ..Policy::default() };
        for (backoff, attempt, least) in
            [(Backoff::Linear, 3, 300), (Backoff::Exponential, 1, 100), (Backoff::Exponential, 4, 800)]
        {
            let wait = policy(backoff).wait(attempt).as_millis();
            assert!((least..=least + least / 4).contains(&wait), "{backoff:?} {attempt}: {wait} ms");
        }
        assert!(policy(Backoff::Exponential).wait(4_000_000_000) <= LONGEST.mul_f64(1.25));
    }

    #[test]
    fn durations_are_iso_8601_and_nothing_else() {
        assert_eq!(period("PT0.2S"), Some(Duration::from_millis(200)));
        assert_eq!(period("P1DT1M"), Some(Duration::from_secs(86_460)));
        for text in ["5s", "", "P", "PT-1S", "1"] {
            assert_eq!(period(text), None, "{text}");
        }
    }
}
