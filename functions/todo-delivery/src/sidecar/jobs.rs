//! Jobs: what Dapr does at a time, by calling `POST /job/<name>` on the function that does them (see [`crate::Job`]).

use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Sidecar, SidecarError, succeeded};

/// A second apart for a day: whatever keeps the function from doing its job is mended until then, or never.
const RETRIES: u32 = 24 * 60 * 60;

/// Characters that mean nothing in a path stay as they are, so that a name is the same in every log.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Sidecar {
    /// Has `data` brought to the function at this time (RFC 3339), or at once when it is over. A job of the same name is replaced.
    pub async fn put_job(&self, name: &str, due_time: &str, data: &Value) -> Result<(), SidecarError> {
        let job = json!({
            "dueTime": due_time,
            "data": data,
            "overwrite": true,
            "failurePolicy": { "constant": { "interval": "1s", "maxRetries": RETRIES } },
        });
        let answer = self.send(Method::POST, &path(name), "application/json", job.to_string()).await?;
        succeeded(&answer)
    }

    /// Removes a job. One that is gone is fine.
    pub async fn cancel_job(&self, name: &str) -> Result<(), SidecarError> {
        let answer = self.send(Method::DELETE, &path(name), "application/json", "").await?;
        if answer.status() == StatusCode::NOT_FOUND { Ok(()) } else { succeeded(&answer) }
    }
}

fn path(name: &str) -> String {
    format!("/v1.0/jobs/{}", utf8_percent_encode(name, SEGMENT))
}
