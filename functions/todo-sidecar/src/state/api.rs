//! The requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::operation::{Delete, Entry, Options, Set, StateError};
use crate::context::Context;
use crate::reply::{Refusal, metadata, object};
use crate::store::Batch;

type Shared = State<Arc<Context>>;
type Parameters = Query<Vec<(String, String)>>;

pub(crate) async fn get(
    State(context): Shared,
    Path((store, key)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let stored = stored_key(&context, &store, &key)?;
    let entry = context.store.read(move |sql| Entry::read(sql, &stored, now())).await?;
    let Some(entry) = entry else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let mut response = ([(CONTENT_TYPE, "application/json")], entry.value).into_response();
    if let Ok(etag) = entry.etag.parse() {
        response.headers_mut().insert(ETAG, etag);
    }
    if let Some(Ok(time)) = entry.expires_at.map(|at| expiry(at).parse()) {
        response.headers_mut().insert("metadata.ttlexpiretime", time);
    }
    Ok(response)
}

pub(crate) async fn save(
    State(context): Shared,
    Path(store): Path<String>,
    Query(query): Parameters,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    known(&context, &store)?;
    let malformed = |message: String| Refusal::new(400, "ERR_MALFORMED_REQUEST", message);
    let mut sets: Vec<Set> = serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))?;
    for set in &mut sets {
        if set.key.is_empty() {
            return Err(malformed("\"key\" is a required field".into()));
        }
        set.key = stored_key(&context, &store, &set.key)?;
        set.metadata.extend(metadata(&query).map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    // Each by itself, as Dapr does it: one that fails leaves the others in place.
    let mut failed = None;
    for set in sets {
        let result = context.store.write(move |batch| set.apply(batch.sql, now())).await;
        failed = failed.or(result.err());
    }
    match failed {
        None => Ok(StatusCode::NO_CONTENT),
        Some(error) => {
            let message = format!("failed saving state in state store {store}: {error}");
            Err(Refusal::new(status(&error), "ERR_STATE_SAVE", message))
        }
    }
}

pub(crate) async fn delete(
    State(context): Shared,
    Path((store, key)): Path<(String, String)>,
    Query(query): Parameters,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let option = |name: &str| {
        query.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let delete = Delete {
        key: stored_key(&context, &store, &key)?,
        etag: headers.get(IF_MATCH).and_then(|etag| etag.to_str().ok()).map(str::to_owned),
        options: Options { concurrency: option("concurrency"), consistency: option("consistency") },
    };
    context.store.write(move |batch| delete.apply(batch.sql, now())).await.map_err(|error| {
        let message = format!("failed deleting state with key {key}: {error}");
        Refusal::new(status(&error), "ERR_STATE_DELETE", message)
    })?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct BulkGet {
    #[serde(default)]
    keys: Vec<String>,
}

pub(crate) async fn bulk_get(
    State(context): Shared,
    Path(store): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    known(&context, &store)?;
    let request: BulkGet = object(&body)?;
    let mut keys = Vec::with_capacity(request.keys.len());
    for key in request.keys {
        keys.push((stored_key(&context, &store, &key)?, key));
    }
    let entries = context.store.read(move |sql| {
        let now = now();
        keys.into_iter()
            .map(|(stored, key)| Ok((key, Entry::read(sql, &stored, now)?)))
            .collect::<rusqlite::Result<Vec<_>>>()
    });
    let items: Vec<Value> = entries.await?.into_iter().map(|(key, entry)| item(&key, entry)).collect();
    Ok(axum::Json(items).into_response())
}

fn item(key: &str, entry: Option<Entry>) -> Value {
    let Some(entry) = entry else { return json!({ "key": key }) };
    let data: Value = serde_json::from_str(&entry.value).unwrap_or_default();
    let mut item = json!({ "key": key, "data": data, "etag": entry.etag });
    if let (Some(item), Some(at)) = (item.as_object_mut(), entry.expires_at) {
        item.insert("metadata".into(), json!({ "ttlExpireTime": expiry(at) }));
    }
    item
}

#[derive(Deserialize)]
struct Transaction {
    #[serde(default)]
    operations: Vec<Operation>,
}

#[derive(Deserialize)]
struct Operation {
    #[serde(default)]
    operation: String,
    request: Option<Box<RawValue>>,
}

enum Step {
    Set(Set),
    Delete(Delete),
}

pub(crate) async fn transaction(
    State(context): Shared,
    Path(store): Path<String>,
    Query(query): Parameters,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    known(&context, &store)?;
    let request: Transaction = object(&body)?;
    let shared: BTreeMap<String, String> =
        metadata(&query).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut steps = Vec::with_capacity(request.operations.len());
    for operation in request.operations {
        steps.push(step(&context, &store, &shared, operation)?);
    }
    let done = context.store.write(move |batch: &mut Batch<'_>| -> Result<(), StateError> {
        let now = now();
        steps.iter().try_for_each(|step| match step {
            Step::Set(set) => set.apply(batch.sql, now),
            Step::Delete(delete) => delete.apply(batch.sql, now),
        })
    });
    // A mismatch is 500 here, and 409 only for single operations: that is how Dapr answers.
    done.await.map_err(|error| {
        Refusal::new(
            500,
            "ERR_STATE_TRANSACTION",
            format!("error while executing state transaction: {error}"),
        )
    })?;
    Ok(StatusCode::NO_CONTENT)
}

fn step(
    context: &Context,
    store: &str,
    shared: &BTreeMap<String, String>,
    operation: Operation,
) -> Result<Step, Refusal> {
    let request = operation.request.as_deref().map_or("{}", RawValue::get);
    match operation.operation.as_str() {
        "upsert" => {
            let mut set: Set = object(request.as_bytes())?;
            set.key = stored_key(context, store, &set.key)?;
            set.metadata.extend(shared.clone());
            Ok(Step::Set(set))
        }
        "delete" => {
            let mut delete: Delete = object(request.as_bytes())?;
            delete.key = stored_key(context, store, &delete.key)?;
            Ok(Step::Delete(delete))
        }
        other => {
            let message = format!("operation type {other} not supported");
            Err(Refusal::new(400, "ERR_NOT_SUPPORTED_STATE_OPERATION", message))
        }
    }
}

fn known(context: &Context, store: &str) -> Result<(), Refusal> {
    if store == context.settings.state_store {
        return Ok(());
    }
    let message = format!("state store {store} is not found");
    let info = json!({ "appID": context.settings.app_id });
    Err(Refusal::new(400, "ERR_STATE_STORE_NOT_FOUND", message).info("DAPR_STATE_NOT_FOUND", info))
}

/// The key as it is stored: Dapr puts the app's id before it, with a separator that no key may hold.
fn stored_key(context: &Context, store: &str, key: &str) -> Result<String, Refusal> {
    known(context, store)?;
    if key.contains("||") {
        let problem = format!("input key/keyPrefix '{key}' can't contain '||'");
        let message = format!("api error: code = InvalidArgument desc = {problem}");
        let refusal = Refusal::new(400, "ERR_MALFORMED_REQUEST", message.clone());
        return Err(refusal
            .field(key, &message)
            .resource("state", store, "")
            .info("DAPR_STATE_ILLEGAL_KEY", Value::Null));
    }
    Ok(format!("{}||{key}", context.settings.app_id))
}

fn status(error: &StateError) -> u16 {
    match error {
        StateError::Mismatch => 409,
        StateError::Invalid(_) | StateError::Store(_) => 500,
    }
}

fn expiry(at: i64) -> String {
    // To the second, as Dapr does.
    Timestamp::from_second(at.div_euclid(1_000)).map(|time| time.to_string()).unwrap_or_default()
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
