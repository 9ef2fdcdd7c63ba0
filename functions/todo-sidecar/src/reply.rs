//! Dapr's answers: errors in its two JSON forms.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::store::StoreError;

/// An error as Dapr answers it. Codes and texts are those of Dapr 1.18 (`pkg/messages`, `pkg/api/errors`).
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Vec<Value>,
}

impl Refusal {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code, message: message.into(), details: Vec::new() }
    }

    /// `google.rpc.ResourceInfo`; stands before the error's info.
    pub fn resource(mut self, kind: &str, name: &str, description: &str) -> Self {
        self.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.ResourceInfo",
            "resource_type": kind,
            "resource_name": name,
            "owner": "",
            "description": description,
        }));
        self
    }

    /// `google.rpc.BadRequest`; stands before the others.
    pub fn field(mut self, field: &str, description: &str) -> Self {
        self.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "field_violations": [{ "field": field, "description": description }],
        }));
        self
    }

    /// `google.rpc.ErrorInfo`.
    pub fn info(mut self, reason: &str, metadata: Value) -> Self {
        self.details.push(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "domain": "dapr.io",
            "reason": reason,
            "metadata": metadata,
        }));
        self
    }

    /// A body that cannot be read.
    pub fn malformed(error: impl std::fmt::Display) -> Self {
        Self::new(400, "ERR_MALFORMED_REQUEST", format!("failed deserializing HTTP body: {error}"))
    }
}

/// For what Dapr has no words: its own store never fails like ours.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!("{error}");
        Self::new(500, "ERR_INTERNAL", "the sidecar's file cannot be used now")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({ "errorCode": self.code, "message": self.message });
        if let (Some(body), false) = (body.as_object_mut(), self.details.is_empty()) {
            body.insert("details".into(), self.details.into());
        }
        (self.status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}

/// Reads a JSON object. Serde takes a list for one too, its items for the fields; Dapr does not.
pub(crate) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    match body.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice(body).map_err(Refusal::malformed),
        _ => Err(Refusal::malformed("not a JSON object")),
    }
}

/// The query's `metadata.` parameters, without that prefix.
pub(crate) fn metadata(query: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    query.iter().filter_map(|(name, value)| Some((name.strip_prefix("metadata.")?, value.as_str())))
}
