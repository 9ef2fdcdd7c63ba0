//! `/v1.0/healthz`, `/v1.0/healthz/outbound` and `/v1.0/metadata`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use http::StatusCode;
use serde_json::{Value, json};

use crate::context::Context;
use crate::reply::Refusal;

/// The release whose answers these are.
const DAPR: &str = "1.18.2";

pub(crate) async fn healthz(
    State(context): State<Arc<Context>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<StatusCode, Refusal> {
    if context.stop.is_cancelled() {
        return Err(Refusal::new(500, "ERR_HEALTH_NOT_READY", "dapr is not ready: [stopping]"));
    }
    let other = |(name, value): &(String, String)| name == "appid" && *value != context.settings.app_id;
    match query.iter().any(other) {
        true => Err(Refusal::new(500, "ERR_HEALTH_APPID_NOT_MATCH", "dapr app-id does not match")),
        false => Ok(StatusCode::NO_CONTENT),
    }
}

pub(crate) async fn outbound(State(context): State<Arc<Context>>) -> Result<StatusCode, Refusal> {
    match context.stop.is_cancelled() {
        true => Err(Refusal::new(500, "ERR_OUTBOUND_HEALTH_NOT_READY", "dapr outbound is not ready")),
        false => Ok(StatusCode::NO_CONTENT),
    }
}

pub(crate) async fn metadata(State(context): State<Arc<Context>>) -> Json<Value> {
    let settings = &context.settings;
    let component = |name: &str, kind: &str, capabilities: &[&str]| json!({ "name": name, "type": kind, "version": "v1", "capabilities": capabilities });
    let mut components = vec![
        component(&settings.pubsub, "pubsub.kafka", &["BULK_PUBSUB"]),
        component(&settings.state_store, "state.sqlite", &["ETAG", "TRANSACTIONAL", "TTL"]),
        component(&settings.secret_store, "secretstores.local.env", &[]),
    ];
    components.extend(
        settings.email.iter().map(|email| component(&email.name, "bindings.smtp", &["OUTPUT_BINDING"])),
    );
    Json(json!({
        "id": settings.app_id,
        "runtimeVersion": DAPR,
        "components": components,
        "extended": { "daprRuntimeVersion": DAPR, "embedded": "todo-sidecar" },
    }))
}
