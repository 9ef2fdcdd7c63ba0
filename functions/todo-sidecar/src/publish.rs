//! Publishing: `/v1.0/publish/{pubsub}/{topic}`, one at a time or in bulk.
//!
//! Only raw payloads (`metadata.rawPayload=true`): otherwise Dapr rewrites the event's envelope, which breaks its signature, so
//! nobody here wants that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::context::Context;
use crate::log::{self, NewRecord};
use crate::observe::Observation;
use crate::reply::{Refusal, metadata};
use crate::store::StoreError;

type Parameters = Query<Vec<(String, String)>>;

/// The metadata that means something here. The rest is Kafka headers, which no consumer of ours sees.
#[derive(Clone, Default)]
struct Metadata {
    raw: bool,
    key: Option<String>,
    content_type: Option<String>,
}

pub(crate) async fn one(
    State(context): State<Arc<Context>>,
    Path((pubsub, topic)): Path<(String, String)>,
    Query(query): Parameters,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let topic = known(&context, &pubsub, &topic, &query)?;
    let metadata = Metadata::read(&pubsub, metadata(&query).collect())?;
    let record = metadata.record(&topic, body.to_vec());
    append(&context, &pubsub, &topic, vec![record]).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    entry_id: String,
    event: Box<RawValue>,
    #[serde(default)]
    content_type: String,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

pub(crate) async fn bulk(
    State(context): State<Arc<Context>>,
    Path((pubsub, topic)): Path<(String, String)>,
    Query(query): Parameters,
    body: Bytes,
) -> Result<Response, Refusal> {
    let topic = known(&context, &pubsub, &topic, &query)?;
    let refuse = |reason, message: String, error: Option<&str>| {
        let mut info = json!({ "appID": context.settings.app_id });
        if let Some(error) = error {
            info["error"] = error.into();
        }
        Refusal::new(400, "ERR_PUBSUB_EVENTS_SER", message.clone())
            .resource("pubsub", &pubsub, &message)
            .info(reason, info)
    };
    let entries: Vec<Entry> = serde_json::from_slice(&body).map_err(|error| {
        let message =
            format!("error when unmarshaling the request for topic {topic} pubsub {pubsub}: {error}");
        refuse("DAPR_PUBSUB_UNMARSHAL_EVENTS", message, None)
    })?;
    let mut seen = BTreeSet::new();
    let mut records = Vec::with_capacity(entries.len());
    for entry in &entries {
        let bytes = entry.bytes().map_err(|problem| {
            let what = "error when marshalling cloud event envelope for";
            let message = format!("{what} topic {topic} pubsub {pubsub}: {problem}");
            refuse("DAPR_PUBSUB_MARSHAL_ENVELOPE", message, Some(problem))
        })?;
        if entry.entry_id.is_empty() || !seen.insert(&entry.entry_id) {
            let problem = "entryId is duplicated or not present for entry";
            let message = format!(
                "error marshaling events to bytes for topic {topic} pubsub {pubsub}. error: {problem}"
            );
            return Err(refuse("DAPR_PUBSUB_MARSHAL_EVENTS", message, Some(problem)));
        }
        let own = entry.metadata.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
        let metadata = Metadata::read(&pubsub, metadata(&query).chain(own).collect())?;
        records.push(metadata.record(&topic, bytes));
    }
    append(&context, &pubsub, &topic, records).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The topic, when it and the component exist.
fn known(
    context: &Context,
    pubsub: &str,
    topic: &str,
    query: &[(String, String)],
) -> Result<Arc<str>, Refusal> {
    if pubsub != context.settings.pubsub {
        let message = format!("pubsub {pubsub} is not found");
        let info: BTreeMap<&str, &str> = metadata(query).collect();
        return Err(
            Refusal::new(404, "ERR_PUBSUB_NOT_FOUND", message).info("DAPR_PUBSUB_NOT_FOUND", json!(info))
        );
    }
    // A Kafka without automatic topics, which is what a cluster has.
    context.topics.get(topic).cloned().ok_or_else(|| {
        let reason = "kafka server: Request was for a topic or partition that does not exist on this broker";
        failed(pubsub, topic, reason)
    })
}

fn failed(pubsub: &str, topic: &str, reason: &str) -> Refusal {
    let message = format!("error when publishing to topic {topic} in pubsub {pubsub}: {reason}");
    Refusal::new(500, "ERR_PUBSUB_PUBLISH_MESSAGE", message.clone())
        .resource("pubsub", pubsub, &message)
        .info("DAPR_PUBSUB_PUBLISH_MESSAGE", json!({ "topic": topic, "error": reason }))
}

impl Metadata {
    fn read(pubsub: &str, given: BTreeMap<&str, &str>) -> Result<Self, Refusal> {
        let own = |name| given.get(name).map(|value: &&str| (*value).to_owned());
        let raw = boolean(given.get("rawPayload").copied().unwrap_or_default());
        let metadata = Self {
            raw: raw.map_err(|problem| metadata_refusal(pubsub, &problem, &given))?,
            key: own("partitionKey"),
            content_type: own("content-type"),
        };
        match metadata.raw {
            true => Ok(metadata),
            false => {
                let problem = "this sidecar publishes raw payloads only: set metadata.rawPayload=true";
                Err(metadata_refusal(pubsub, problem, &given))
            }
        }
    }

    fn record(self, topic: &str, body: Vec<u8>) -> NewRecord {
        NewRecord { topic: topic.to_owned(), key: self.key, content_type: self.content_type, body }
    }
}

/// What Go's `strconv.ParseBool` takes.
fn boolean(value: &str) -> Result<bool, String> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "" | "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(format!("rawPayload value must be a valid boolean: actual is '{value}'")),
    }
}

fn metadata_refusal(pubsub: &str, problem: &str, given: &BTreeMap<&str, &str>) -> Refusal {
    let message = format!("failed deserializing metadata. Error: {problem}");
    Refusal::new(400, "ERR_PUBSUB_REQUEST_METADATA", message.clone())
        .resource("pubsub", pubsub, &message)
        .info("DAPR_PUBSUB_METADATA_DESERIALIZATION", json!(given))
}

impl Entry {
    /// The event's bytes: JSON as it was written, text without its quotes, anything else from base64.
    fn bytes(&self) -> Result<Vec<u8>, &'static str> {
        let kind = self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let mismatch = "mismatch between contentType and event";
        if kind.ends_with("/json") || kind.ends_with("+json") {
            return Ok(self.event.get().as_bytes().to_vec());
        }
        let Ok(Value::String(text)) = serde_json::from_str(self.event.get()) else { return Err(mismatch) };
        match kind.as_str() {
            "application/octet-stream" => STANDARD.decode(text).map_err(|_| mismatch),
            kind if kind.starts_with("text/") => Ok(text.into_bytes()),
            _ => Err(mismatch),
        }
    }
}

async fn append(
    context: &Context,
    pubsub: &str,
    topic: &Arc<str>,
    records: Vec<NewRecord>,
) -> Result<(), Refusal> {
    let kinds: Vec<Arc<str>> = match context.observers.listened() {
        true => records.iter().map(|record| kind(&record.body)).collect(),
        false => records.iter().map(|_| Arc::from("")).collect(),
    };
    let written = context.store.write(move |batch| -> Result<(), StoreError> {
        for record in &records {
            log::append(batch, record)?;
        }
        Ok(())
    });
    written.await.map_err(|error| failed(pubsub, topic, &error.to_string()))?;
    for kind in kinds {
        context.observers.tell(Observation::Published { topic: topic.clone(), kind });
    }
    Ok(())
}

fn kind(body: &[u8]) -> Arc<str> {
    #[derive(Deserialize)]
    struct Kind {
        r#type: String,
    }
    serde_json::from_slice::<Kind>(body).map_or_else(|_| "".into(), |event| event.r#type.into())
}
