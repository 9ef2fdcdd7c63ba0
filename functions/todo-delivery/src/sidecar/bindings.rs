//! Output bindings: what Dapr hands on to other systems.

use std::time::Duration;

use http::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Sidecar, SidecarError, succeeded};

impl Sidecar {
    /// Runs the operation `create` of a binding.
    pub async fn create(
        &self,
        binding: &str,
        data: &str,
        metadata: &Value,
        deadline: Duration,
    ) -> Result<(), SidecarError> {
        let path = format!("/v1.0/bindings/{}", utf8_percent_encode(binding, NON_ALPHANUMERIC));
        let request = json!({ "operation": "create", "data": data, "metadata": metadata });
        let answer =
            self.send_within(deadline, Method::POST, &path, "application/json", request.to_string()).await?;
        succeeded(&answer)
    }
}
