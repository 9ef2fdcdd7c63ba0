//! The manifests' shapes. Field names are Knative's; see `sources.knative.dev/v1` and `eventing.knative.dev/v1`.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The rest of it is meaningful to Kubernetes alone.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    pub name: String,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// What every document starts with.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    pub api_version: String,
    pub kind: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "apiVersion and kind were read before; they stand here because no other field may"
)]
pub(super) struct Manifest<S> {
    api_version: String,
    kind: String,
    pub metadata: Metadata,
    pub spec: S,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "read so that they may be written; the embedded log needs no servers")]
pub(super) struct KafkaSource {
    pub consumer_group: String,
    pub topics: Vec<String>,
    #[serde(default)]
    pub initial_offset: InitialOffset,
    #[serde(default)]
    pub ordering: Ordering,
    pub delivery: Option<Delivery>,
    pub sink: Destination,
    bootstrap_servers: Vec<String>,
    consumers: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum InitialOffset {
    Earliest,
    #[default]
    Latest,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Ordering {
    #[default]
    Ordered,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "read so that they may be written; the embedded log needs no servers")]
pub(super) struct KafkaSink {
    pub topic: String,
    bootstrap_servers: Vec<String>,
    num_partitions: Option<u32>,
    replication_factor: Option<u32>,
    content_mode: Option<ContentMode>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ContentMode {
    Structured,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "read so that it may be written")]
pub(super) struct Broker {
    config: Option<Reference>,
    pub delivery: Option<Delivery>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Trigger {
    pub broker: String,
    pub filter: Option<Attributes>,
    #[serde(default)]
    pub filters: Vec<Dialect>,
    pub subscriber: Destination,
    pub delivery: Option<Delivery>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attributes {
    pub attributes: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Dialect {
    #[serde(default)]
    pub exact: BTreeMap<String, String>,
    #[serde(default)]
    pub prefix: BTreeMap<String, String>,
    #[serde(default)]
    pub suffix: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PingSource {
    pub schedule: String,
    pub timezone: Option<String>,
    pub content_type: Option<String>,
    pub data: Option<String>,
    pub sink: Destination,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Destination {
    #[serde(rename = "ref")]
    pub reference: Reference,
    pub uri: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the namespace and version are Kubernetes' business")]
pub(super) struct Reference {
    api_version: String,
    pub kind: String,
    pub name: String,
    namespace: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Delivery {
    pub dead_letter_sink: Option<Destination>,
    pub retry: Option<u32>,
    pub backoff_policy: Option<super::Backoff>,
    pub backoff_delay: Option<String>,
    pub timeout: Option<String>,
    pub retry_after_max: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "apiVersion and kind were read before")]
pub(super) struct Kustomization {
    api_version: String,
    kind: String,
    pub resources: Vec<String>,
}
