//! A CloudEvent between its forms: structured JSON in the log, binary over HTTP.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::value::RawValue;

use crate::log::Record;

pub(crate) const STRUCTURED: &str = "application/cloudevents+json";
pub(crate) const BATCHED: &str = "application/cloudevents-batch+json";
/// What Knative makes of a Kafka record that is no CloudEvent.
const WRAPPED: &str = "dev.knative.kafka.event";

/// What the HTTP binding encodes in a header: everything but printable ASCII, and of that the space, `"` and `%`.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');

/// A CloudEvent 1.0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// All but `datacontenttype`, by name.
    attributes: BTreeMap<String, String>,
    content_type: Option<String>,
    data: Option<Vec<u8>>,
}

/// `daprd`'s envelope, of which nothing else is of use.
#[derive(serde::Deserialize)]
struct Raw {
    data_base64: String,
}

/// Why something is no CloudEvent.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not the JSON of an event.
    #[error("no CloudEvent in JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A context attribute that must be there is not.
    #[error("no CloudEvent: {0} is missing")]
    Missing(&'static str),
    /// An attribute or the data is not what it may be.
    #[error("no CloudEvent: {0}")]
    Invalid(String),
}

impl Event {
    /// Reads the structured form.
    ///
    /// # Errors
    /// When it is none.
    pub fn structured(body: &[u8]) -> Result<Self, EventError> {
        let mut members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(body)?;
        let data = members.remove("data");
        let encoded = members.remove("data_base64");
        let mut attributes = BTreeMap::new();
        for (name, value) in members {
            if let Some(value) = attribute(&name, value.get())? {
                attributes.insert(name, value);
            }
        }
        let content_type = attributes.remove("datacontenttype");
        let data = match (data, encoded) {
            (Some(data), None) => self::data(data.get(), content_type.as_deref())?,
            (None, Some(encoded)) => {
                let text: String = serde_json::from_str(encoded.get())?;
                Some(STANDARD.decode(text).map_err(|error| EventError::Invalid(error.to_string()))?)
            }
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(EventError::Invalid("data and data_base64 exclude each other".into()));
            }
        };
        // The default of the JSON format.
        let content_type = content_type.or_else(|| data.is_some().then(|| "application/json".into()));
        Self { attributes, content_type, data }.checked()
    }

    /// Reads an HTTP message in either form; `None` when it has nothing in it.
    ///
    /// # Errors
    /// When there is something, and it is no event.
    pub fn message(headers: &HeaderMap, body: &[u8]) -> Result<Option<Self>, EventError> {
        let content_type = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(is_structured) {
            return Self::structured(body).map(Some);
        }
        if !headers.contains_key("ce-specversion") {
            return match body.is_empty() {
                true => Ok(None),
                false => Err(EventError::Missing("specversion")),
            };
        }
        let mut attributes = BTreeMap::new();
        for (name, value) in headers {
            let Some(name) = name.as_str().strip_prefix("ce-") else { continue };
            let value =
                value.to_str().map_err(|_| EventError::Invalid(format!("header ce-{name} is not ASCII")))?;
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            attributes.insert(name.to_owned(), value);
        }
        let data = (!body.is_empty()).then(|| body.to_vec());
        Self { attributes, content_type: content_type.map(str::to_owned), data }.checked().map(Some)
    }

    /// What a record of the log is to a consumer: the event in it, or, as a `KafkaSource` does it, an event around it.
    pub(crate) fn of_record(record: &Record, consumer: &str, topic: &str, partition: u8) -> Self {
        if record.content_type.as_deref().is_some_and(is_structured) {
            match Self::structured(&record.body) {
                Ok(event) => return event,
                Err(error) => tracing::debug!(topic, offset = record.offset, "wrapped: {error}"),
            }
        }
        let source = format!("{consumer}#{topic}");
        let offset = record.offset.to_string();
        let event =
            Self::around(record.body.clone(), &source, &partition.to_string(), &offset, record.key.clone());
        Self { content_type: record.content_type.clone(), ..event }
    }

    /// The event in a record of the log, when its body is one as it is.
    pub(crate) fn in_record(record: &Record) -> Option<Self> {
        record.content_type.as_deref().filter(|content_type| is_structured(content_type))?;
        Self::structured(&record.body).ok()
    }

    /// What `daprd` hands over of a raw subscription is an event of its own around the record's bytes: the event in them or, as a
    /// `KafkaSource` does it, another one around them. `header` gives what `daprd` tells of the record.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn of_raw<'a>(
        body: &[u8],
        consumer: &str,
        header: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, EventError> {
        let raw: Raw = serde_json::from_slice(body)?;
        let body =
            STANDARD.decode(raw.data_base64).map_err(|error| EventError::Invalid(error.to_string()))?;
        Ok(Self::structured(&body).unwrap_or_else(|_| {
            let told = |name| header(name).unwrap_or_default();
            let source = format!("{consumer}#{}", told("__topic"));
            let key = header("__key").map(str::to_owned);
            Self::around(body, &source, told("__partition"), told("__offset"), key)
        }))
    }

    fn around(body: Vec<u8>, source: &str, partition: &str, offset: &str, key: Option<String>) -> Self {
        let mut attributes = BTreeMap::from([
            ("specversion".to_owned(), "1.0".to_owned()),
            ("id".into(), format!("partition:{partition}/offset:{offset}")),
            ("source".into(), format!("/apis/v1/namespaces/default/kafkasources/{source}")),
            ("subject".into(), format!("partition:{partition}#{offset}")),
            ("type".into(), WRAPPED.into()),
        ]);
        attributes.extend(key.map(|key| ("key".into(), key)));
        Self { attributes, content_type: None, data: Some(body) }
    }

    /// An event of the sidecar's own.
    pub(crate) fn new(kind: &str, source: String, data: Option<(String, Vec<u8>)>) -> Self {
        let attributes = BTreeMap::from([
            ("specversion".to_owned(), "1.0".to_owned()),
            ("id".into(), uuid::Uuid::new_v4().to_string()),
            ("type".into(), kind.into()),
            ("source".into(), source),
            ("time".into(), jiff::Timestamp::now().to_string()),
        ]);
        let (content_type, data) = data.unzip();
        Self { attributes, content_type, data }
    }

    fn checked(self) -> Result<Self, EventError> {
        for name in ["specversion", "id", "source", "type"] {
            if self.attribute(name).is_none_or(str::is_empty) {
                return Err(EventError::Missing(name));
            }
        }
        match self.attribute("specversion") {
            Some("1.0") => Ok(self),
            _ => Err(EventError::Invalid("specversion is to be 1.0".into())),
        }
    }

    /// An attribute or extension by its name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        match name {
            "datacontenttype" => self.content_type.as_deref(),
            name => self.attributes.get(name).map(String::as_str),
        }
    }

    /// What happened.
    pub fn kind(&self) -> &str {
        self.attribute("type").unwrap_or_default()
    }

    /// Sets an extension. Its name is lower-case letters and digits.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.attributes.insert(name.to_owned(), value.into());
    }

    /// The binary form's headers.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name: String, value: &str| {
            // Both can fail for what is no CloudEvents name or value; such an attribute stays behind.
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        };
        for (name, value) in &self.attributes {
            set(format!("ce-{name}"), &utf8_percent_encode(value, ENCODED).to_string());
        }
        if let Some(content_type) = &self.content_type {
            set("content-type".into(), content_type);
        }
        // Whoever receives it continues the trace without reading the event.
        if let Some(traceparent) = self.attribute("traceparent") {
            set("traceparent".into(), traceparent);
        }
        headers
    }

    /// The binary form's body.
    pub fn data(&self) -> &[u8] {
        self.data.as_deref().unwrap_or_default()
    }

    /// The structured form.
    pub fn to_structured(&self) -> Vec<u8> {
        let mut members: Vec<(String, Box<RawValue>)> =
            self.attributes.iter().filter_map(|(name, value)| Some((name.clone(), raw(value)?))).collect();
        members.extend(
            self.content_type.as_deref().and_then(|kind| Some(("datacontenttype".into(), raw(kind)?))),
        );
        if let Some(data) = &self.data {
            let as_json =
                self.content_type.as_deref().is_some_and(is_json).then(|| self::json(data)).flatten();
            members.extend(match as_json {
                Some(json) => Some(("data".into(), json)),
                None => raw(&STANDARD.encode(data)).map(|encoded| ("data_base64".into(), encoded)),
            });
        }
        let members: BTreeMap<String, Box<RawValue>> = members.into_iter().collect();
        serde_json::to_vec(&members).unwrap_or_default()
    }
}

/// An attribute's value as a string, as the CloudEvents type system writes it; `None` for null, which is as if it were not there.
fn attribute(name: &str, json: &str) -> Result<Option<String>, EventError> {
    match json.as_bytes().first() {
        Some(b'"') => Ok(Some(serde_json::from_str(json)?)),
        Some(b'n') => Ok(None),
        Some(b'{' | b'[') => Err(EventError::Invalid(format!("the attribute {name} is not a simple value"))),
        _ => Ok(Some(json.to_owned())),
    }
}

/// The JSON of `data` is kept as it was written, so that no number changes on the way.
fn data(json: &str, content_type: Option<&str>) -> Result<Option<Vec<u8>>, EventError> {
    let is_text = content_type.is_some_and(|kind| !is_json(kind)) && json.starts_with('"');
    Ok(match is_text {
        true => Some(serde_json::from_str::<String>(json)?.into_bytes()),
        false => Some(json.as_bytes().to_vec()),
    })
}

fn json(data: &[u8]) -> Option<Box<RawValue>> {
    serde_json::from_slice(data).ok()
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(text).ok()
}

pub(crate) fn is_structured(content_type: &str) -> bool {
    media_type(content_type) == STRUCTURED
}

fn is_json(content_type: &str) -> bool {
    let kind = media_type(content_type);
    kind.ends_with("/json") || kind.ends_with("+json")
}

fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
