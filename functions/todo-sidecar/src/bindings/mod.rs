//! Output bindings: `/v1.0/bindings/{name}`. There is one, for e-mail, and only when a server is set.

mod email;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::context::Context;
use crate::reply::{Refusal, object};
pub(crate) use email::Mailer;

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    operation: String,
}

#[derive(Clone)]
pub(crate) struct Bindings {
    pub context: Arc<Context>,
    pub mailer: Option<Arc<Mailer>>,
}

pub(crate) async fn invoke(
    State(bindings): State<Bindings>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let request: Request = object(&body)?;
    send(&bindings, &name, request).await.map_err(|problem| {
        let message = format!("error invoking output binding {name}: {problem}");
        Refusal::new(500, "ERR_INVOKE_OUTPUT_BINDING", message)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

async fn send(bindings: &Bindings, name: &str, request: Request) -> Result<(), String> {
    if request.operation.is_empty() {
        return Err("operation field is missing from request".into());
    }
    let email = bindings.context.settings.email.as_ref().filter(|email| email.name == name);
    let (Some(_), Some(mailer)) = (email, &bindings.mailer) else {
        return Err(format!("couldn't find output binding {name}"));
    };
    if request.operation != "create" {
        let operation = request.operation;
        return Err(format!(
            "binding {name} does not support operation {operation}. supported operations:create"
        ));
    }
    mailer.send(&request.metadata.unwrap_or_default(), &request.data).await
}
