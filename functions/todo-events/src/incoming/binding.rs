//! CloudEvents 1.0 over HTTP: structured and binary mode, and how Knative wraps Kafka records that it does not recognise.
//!
//! `cloudevents-sdk` is not used: it leaves out the decoding of header values, rewrites `time` and `source` as it parses them, and
//! brings chrono and url into every component. What remains of the binding is this page:
//!
//! - *structured*: the media type is `application/cloudevents+json`; the body is the event;
//! - *batched*: `application/cloudevents-batch+json`; the body is an array of events;
//! - *binary*: `ce-<attribute>` headers, `Content-Type` is the data's, the body is the data;
//! - a header's value is first unquoted (`"a\"b"`), then percent-decoded once (§3.1.3.2); what is not UTF-8 then is refused;
//! - a KafkaSource posts a record without the CloudEvents media type as `dev.knative.kafka.event`: when its data is an event, that is the
//!   event, once.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{Data, Incoming};
use crate::Malformed;

const STRUCTURED: &str = "application/cloudevents+json";
const BATCHED: &str = "application/cloudevents-batch+json";
const PREFIX: &str = "ce-";
/// Knative's type for a Kafka record that is not a CloudEvent by its headers.
const WRAPPED: &str = "dev.knative.kafka.event";

impl Incoming {
    /// Reads the CloudEvent of an HTTP request in either mode.
    ///
    /// # Errors
    ///
    /// [`Malformed`] when it is none; see there whose fault that is.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Malformed> {
        match media_type(headers).as_deref() {
            Some(STRUCTURED) => Self::from_json(body),
            Some(BATCHED) => Err(Malformed::Batch),
            content_type if headers.contains_key("ce-specversion") => {
                Self { attributes: attributes(headers, content_type)?, data: data(body) }
                    .well_formed()?
                    .unwrapped()
            }
            _ => Err(Malformed::NotAnEvent),
        }
    }

    /// Whether a request is in the mode that [`Incoming::read_batch`] reads.
    pub fn is_batch(headers: &HeaderMap) -> bool {
        media_type(headers).as_deref() == Some(BATCHED)
    }

    /// Reads the CloudEvents of a request in batched mode, in their order.
    ///
    /// # Errors
    ///
    /// [`Malformed`] when one of them is none.
    pub fn read_batch(body: &[u8]) -> Result<Vec<Self>, Malformed> {
        let events: Vec<Map<String, Value>> = serde_json::from_slice(body).map_err(|_| Malformed::Json)?;
        events.into_iter().map(|event| structured(event)?.unwrapped()).collect()
    }

    /// Reads a CloudEvent in structured JSON.
    ///
    /// # Errors
    ///
    /// [`Malformed`] when it is none.
    pub fn from_json(body: &[u8]) -> Result<Self, Malformed> {
        let event: Map<String, Value> = serde_json::from_slice(body).map_err(|_| Malformed::Json)?;
        structured(event)?.unwrapped()
    }

    fn well_formed(self) -> Result<Self, Malformed> {
        let there = |name| self.attribute(name).is_some_and(|text| !text.is_empty());
        let fits =
            self.attribute("specversion") == Some("1.0") && ["id", "type", "source"].into_iter().all(there);
        if fits { Ok(self) } else { Err(Malformed::Attributes) }
    }

    fn unwrapped(self) -> Result<Self, Malformed> {
        match &self.data {
            Data::Json(Value::Object(event))
                if self.event_type() == WRAPPED && event.contains_key("specversion") =>
            {
                structured(event.clone())
            }
            _ => Ok(self),
        }
    }
}

fn structured(mut event: Map<String, Value>) -> Result<Incoming, Malformed> {
    let data = match (event.remove("data"), event.remove("data_base64")) {
        (None, None) => Data::None,
        (Some(json), None) => Data::Json(json),
        (None, Some(encoded)) => {
            let bytes = encoded.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
            data(&bytes.ok_or(Malformed::Json)?)
        }
        (Some(_), Some(_)) => return Err(Malformed::TwiceData),
    };
    Incoming { attributes: event, data }.well_formed()
}

fn data(body: &[u8]) -> Data {
    match serde_json::from_slice(body) {
        _ if body.is_empty() => Data::None,
        Ok(json) => Data::Json(json),
        Err(_) => Data::Bytes(body.to_vec()),
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// Without parameters, in lower case.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn attributes(headers: &HeaderMap, content_type: Option<&str>) -> Result<Map<String, Value>, Malformed> {
    let mut attributes = Map::new();
    for name in headers.keys() {
        let Some(attribute) = name.as_str().strip_prefix(PREFIX) else { continue };
        let mut values = headers.get_all(name).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Err(Malformed::Header) };
        attributes.insert(attribute.to_owned(), decoded(value)?.into());
    }
    if let Some(content_type) = content_type {
        attributes.insert("datacontenttype".to_owned(), content_type.into());
    }
    Ok(attributes)
}

fn decoded(value: &HeaderValue) -> Result<String, Malformed> {
    let value = std::str::from_utf8(value.as_bytes()).map_err(|_| Malformed::Header)?;
    let value = unquoted(value.trim());
    percent_decode_str(&value).decode_utf8().map(Cow::into_owned).map_err(|_| Malformed::Header)
}

/// RFC 9110 §5.6.4: in a quoted string, a backslash stands before a character that is meant literally.
fn unquoted(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.into();
    };
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        text.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    text.into()
}
