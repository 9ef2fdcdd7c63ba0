//! `/v1.0/jobs/{name}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::request::JobRequest;
use super::table::{self, Job, Written};
use super::timer::Agenda;
use crate::context::Context;
use crate::reply::{Refusal, object};
use crate::store::StoreError;

/// Longer names are refused, as Dapr's Scheduler does.
const LONGEST_NAME: usize = 253;

#[derive(Clone)]
pub(crate) struct Jobs {
    pub context: Arc<Context>,
    pub agenda: Arc<Agenda>,
}

pub(crate) async fn set(
    State(Jobs { context, agenda }): State<Jobs>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let metadata = errand(&context);
    let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
    let request: JobRequest = object(body)?;
    if !request.name.is_empty() {
        let message = "Set the job name in the url only";
        let info = json!({ "appID": context.settings.app_id });
        return Err(
            Refusal::new(400, "DAPR_SCHEDULER_JOB_NAME", message).info("DAPR_SCHEDULER_JOB_NAME", info)
        );
    }
    let name = name.trim().to_owned();
    if request.schedule.is_none() && request.due_time.is_none() {
        let code = "DAPR_SCHEDULER_SCHEDULE_EMPTY";
        return Err(Refusal::new(400, code, "Schedule is empty").info(code, metadata));
    }
    let refuse = |status, grpc: &str, problem: &str| {
        let message = format!("failed to schedule job due to: rpc error: code = {grpc} desc = {problem}");
        let code = "DAPR_SCHEDULER_SCHEDULE_JOB";
        Refusal::new(status, code, message).info(code, metadata.clone())
    };
    check_name(&name).map_err(|problem| refuse(500, "Unknown", &problem))?;
    let invalid = |problem| refuse(500, "Unknown", &format!("job failed validation: {problem}"));
    let plan = request.plan(Timestamp::now()).map_err(invalid)?;
    if request.data.is_none() {
        // Dapr accepts it and then never does it, because no data has no JSON: better to hear of that here.
        return Err(refuse(400, "InvalidArgument", "a job without data is never done; write \"data\": null"));
    }
    let (first, taken) = (plan.first, format!("job already exists: '{name}'"));
    let written = context.store.write(move |batch| -> Result<Written, StoreError> {
        Ok(table::set(batch.sql, &name, &request, &plan)?)
    });
    match written.await? {
        Written::Set { generation, replaced } => {
            agenda.remove(replaced);
            agenda.add(first, generation);
        }
        Written::Taken => return Err(refuse(409, "AlreadyExists", &taken)),
    }
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn read(
    State(Jobs { context, .. }): State<Jobs>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let wanted = name.clone();
    match context.store.read(move |sql| table::by_name(sql, &wanted)).await? {
        Some(job) => Ok(Json(answer(&job)).into_response()),
        None => {
            let message =
                format!("failed to get job due to: rpc error: code = NotFound desc = job not found: {name}");
            let code = "DAPR_SCHEDULER_GET_JOB";
            Err(Refusal::new(500, code, message).info(code, errand(&context)))
        }
    }
}

pub(crate) async fn delete(
    State(Jobs { context, agenda }): State<Jobs>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refusal> {
    let deleted =
        context.store.write(move |batch| -> Result<_, StoreError> { Ok(table::delete(batch.sql, &name)?) });
    agenda.remove(deleted.await?);
    Ok(StatusCode::NO_CONTENT)
}

fn errand(context: &Context) -> Value {
    json!({ "appID": context.settings.app_id, "namespace": "default" })
}

fn check_name(name: &str) -> Result<(), String> {
    let problem = if name.is_empty() {
        return Err("job name cannot be empty".into());
    } else if name.len() > LONGEST_NAME {
        format!("must be at most {LONGEST_NAME} characters")
    } else if name.contains(['/', '\\', '#', '?']) {
        "must not contain '/', '\\', '#' or '?'".into()
    } else if name.chars().any(char::is_control) {
        "must not contain control characters".into()
    } else if matches!(name, "." | "..") {
        "must not be a path traversal sequence".into()
    } else {
        return Ok(());
    };
    Err(format!("job name is invalid {name:?}: {problem}"))
}

/// A job as Dapr answers it: what was asked for, with the data in a protobuf `Any`.
fn answer(job: &Job) -> Value {
    let mut answer = json!({ "name": job.name });
    let mut set = |name: &str, value: Option<Value>| {
        if let (Some(object), Some(value)) = (answer.as_object_mut(), value) {
            object.insert(name.into(), value);
        }
    };
    set("schedule", job.schedule.clone().map(Value::from));
    set("repeats", job.repeats.map(Value::from));
    set("dueTime", job.due_time.clone().map(Value::from));
    set("ttl", job.ttl.clone().map(Value::from));
    let data = job.data.as_deref().and_then(|data| serde_json::from_str::<Value>(data).ok());
    set(
        "data",
        data.map(|value| json!({ "@type": "type.googleapis.com/google.protobuf.Value", "value": value })),
    );
    set("failurePolicy", serde_json::from_str(&job.failure_policy).ok());
    answer
}

/// The data as a function gets it.
pub(super) fn body(job: &Job) -> Vec<u8> {
    job.data
        .as_deref()
        .and_then(|data| serde_json::from_str::<Box<RawValue>>(data).ok())
        .map_or_else(Vec::new, |data| data.get().as_bytes().to_vec())
}
