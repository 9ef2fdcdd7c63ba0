//! What a request for a job says.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::duration::{go, point_in_time};
use super::schedule::Schedule;

/// The body of `POST /v1.0/jobs/{name}`. Unknown fields are passed over, as Dapr does.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobRequest {
    #[serde(default)]
    pub name: String,
    pub schedule: Option<String>,
    #[serde(alias = "due_time")]
    pub due_time: Option<String>,
    pub repeats: Option<u32>,
    pub ttl: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub data: Option<Box<RawValue>>,
    #[serde(default)]
    pub overwrite: bool,
    #[serde(alias = "failure_policy")]
    pub failure_policy: Option<FailurePolicy>,
}

/// `null` is data too.
fn given<'de, D: Deserializer<'de>>(data: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(data).map(Some)
}

/// What happens when a function does not do its job. Kept and answered as it was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum FailurePolicy {
    Drop(Value),
    Constant(Constant),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Constant {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    #[serde(default, alias = "max_retries", skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
}

impl Default for FailurePolicy {
    /// Dapr's: thrice more, a second apart.
    fn default() -> Self {
        Self::Constant(Constant { interval: Some("1s".into()), max_retries: Some(3) })
    }
}

impl FailurePolicy {
    /// The wait before the next attempt at an occurrence, of which `attempts` have failed; none to give it up.
    pub fn wait(&self, attempts: u32) -> Option<i64> {
        match self {
            Self::Drop(_) => None,
            Self::Constant(Constant { max_retries: Some(most), .. }) if attempts > *most => None,
            Self::Constant(Constant { interval, .. }) => {
                let nanoseconds = interval.as_deref().and_then(go).unwrap_or(0);
                Some(i64::try_from(nanoseconds / 1_000_000).unwrap_or(i64::MAX))
            }
        }
    }
}

/// A request that makes sense.
pub(super) struct Plan {
    /// Milliseconds since 1970, as are all times of jobs.
    pub first: i64,
    pub expires_at: Option<i64>,
}

impl JobRequest {
    /// When the job is due first. The messages are Dapr's.
    pub fn plan(&self, now: Timestamp) -> Result<Plan, String> {
        if self.schedule.is_none() && self.repeats.is_some_and(|repeats| repeats > 1) {
            return Err("job must have a schedule to repeat".into());
        }
        if self.repeats == Some(0) {
            return Err("defined repeats must be greater than 0".into());
        }
        if self.schedule.is_none() && self.ttl.is_some() {
            return Err("job must have a schedule to have a ttl".into());
        }
        let schedule = self.schedule.as_deref().map(Schedule::job).transpose()?;
        let due = match &self.due_time {
            Some(text) => Some(point_in_time(text, now).ok_or("due time format not recognized")?),
            None => None,
        };
        let expires = match &self.ttl {
            Some(text) => Some(point_in_time(text, due.unwrap_or(now)).ok_or("ttl format not recognized")?),
            None => None,
        };
        if let (Some(due), Some(expires)) = (due, expires)
            && due > expires
        {
            return Err("ttl must be greater than due time".into());
        }
        // With a due time, that is the first occurrence; the schedule says what follows.
        let first = due.or_else(|| schedule.as_ref()?.next(now)).ok_or("the schedule never occurs")?;
        if let Some(FailurePolicy::Constant(Constant { interval: Some(interval), .. })) = &self.failure_policy
            && go(interval).is_none_or(|nanoseconds| nanoseconds < 0)
        {
            return Err(format!("invalid google.protobuf.Duration value \"{interval}\""));
        }
        Ok(Plan { first: first.as_millisecond(), expires_at: expires.map(Timestamp::as_millisecond) })
    }
}
