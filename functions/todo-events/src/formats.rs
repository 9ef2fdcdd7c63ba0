//! The texts and numbers that events are made of, each with its rule twice over: as code for the decoder and as JSON Schema for
//! the documents. The tests hold the two against each other.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};

/// What a JSON number can say exactly (2⁵³ − 1): RFC 8785 knows no other integers.
pub(crate) const GREATEST: u64 = 9_007_199_254_740_991;

/// A text that fits a rule.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $fits:expr, $schema:tt) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let fits: fn(&str) -> bool = $fits;
                if fits(&text) { Ok(Self(text)) } else { Err(D::Error::invalid_value(Unexpected::Other("text"), &$expected)) }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

text! {
    /// The CloudEvents version.
    SpecVersion, "1.0", |text| text == "1.0", { "const": "1.0" }
}

text! {
    /// The media type of data.
    JsonType, "application/json", |text| text == "application/json", { "const": "application/json" }
}

text! {
    /// A name that is given once: an event's, a reminder's, a call's.
    Id, "an id", |text| (1..=128).contains(&text.len()) && text.bytes().all(in_id),
    { "type": "string", "pattern": "^[A-Za-z0-9._:+-]{1,128}$" }
}

text! {
    /// A person, as the identity provider names them.
    UserId, "a user's id",
    |text| text.chars().count() <= 255 && !text.trim().is_empty() && !text.chars().any(char::is_control),
    { "type": "string", "maxLength": 255, "pattern": r"^\P{Cc}*[^\p{Cc}\s]\P{Cc}*$" }
}

text! {
    /// Who made the event.
    Source, "a function's name", |text| (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()),
    { "type": "string", "pattern": "^[!-~]{1,255}$" }
}

text! {
    /// A person's events in order: 1, 2, 3 …
    Sequence, "a number in digits", |text| number(text).is_some(), { "type": "string", "pattern": "^[1-9][0-9]{0,14}$" }
}

text! {
    /// A date, or RFC 3339 with the offset in force.
    DueDate, "a date or a time with an offset", is_due,
    {
        "type": "string",
        "anyOf": [{ "format": "date", "pattern": DATE }, { "format": "date-time", "pattern": DATE_TIME }],
    }
}

text! {
    /// A reminder as it was written: an instant, or an offset from the due date.
    RemindText, "a reminder", |text| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()),
    { "type": "string", "pattern": "^[!-~]{1,64}$" }
}

text! {
    /// Short text by whoever: a claimed name, a reason.
    ShortText, "at most 1,000 characters", |text| text.chars().count() <= 1_000, { "type": "string", "maxLength": 1_000 }
}

text! {
    /// A token, or a signature.
    Compact, "a compact JWS", |text| text.len() <= 16_384 && is_compact(text),
    { "type": "string", "maxLength": 16_384, "pattern": "^[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+$" }
}

/// `2026-11-27`
const DATE: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$";
/// `2026-11-27T09:00:00+01:00`
const DATE_TIME: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](Z|[+-][0-9]{2}:[0-9]{2})$";
/// `2026-11-27T08:00:00.123Z`
const INSTANT: &str = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]([.][0-9]{1,9})?Z$";

fn in_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._:+-".contains(&byte)
}

/// The number that a [`Sequence`] says.
pub(crate) fn number(text: &str) -> Option<u64> {
    let digits = !text.starts_with('0') && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn is_due(text: &str) -> bool {
    match text.get(10..).unwrap_or_default() {
        "" => has_shape(text, b"0000-00-00") && text.parse::<Date>().is_ok(),
        rest => {
            let offset = rest.get(9..).unwrap_or_default();
            let shaped = has_shape(text.get(..19).unwrap_or_default(), b"0000-00-00T00:00:00")
                && (offset == "Z" || has_shape(offset, b"+00:00") || has_shape(offset, b"-00:00"));
            shaped && instant_of(text).is_some()
        }
    }
}

fn is_instant(text: &str) -> bool {
    let Some(text) = text.strip_suffix('Z') else { return false };
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    has_shape(seconds, b"0000-00-00T00:00:00")
        && (1..=9).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// Hours beyond a day's and leap seconds are nobody's due time.
fn instant_of(text: &str) -> Option<Timestamp> {
    let offset_hours = text.get(20..22).map_or(Some(0), |hours| hours.parse::<u8>().ok());
    let offset_minutes = text.get(23..25).map_or(Some(0), |minutes| minutes.parse::<u8>().ok());
    let fits = offset_hours? < 24 && offset_minutes? < 60 && text.get(17..19) != Some("60");
    fits.then(|| text.parse().ok()).flatten()
}

/// A `0` in the shape stands for a digit, anything else for itself.
fn has_shape(text: &str, shape: &[u8]) -> bool {
    let fits = |(byte, expected): (u8, &u8)| {
        if *expected == b'0' { byte.is_ascii_digit() } else { byte == *expected }
    };
    text.len() == shape.len() && text.bytes().zip(shape).all(fits)
}

fn is_compact(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let in_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(in_part))
}

/// A moment: RFC 3339 in UTC, with `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant(pub Timestamp);

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = if is_instant(&text) && text.get(17..19) != Some("60") { text.parse().ok() } else { None };
        at.map(Self).ok_or_else(|| D::Error::invalid_value(Unexpected::Other("text"), &"RFC 3339 in UTC"))
    }
}

impl JsonSchema for Instant {
    fn schema_name() -> Cow<'static, str> {
        "Instant".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time", "pattern": INSTANT })
    }
}

/// A task's number: from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Number(pub i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let fits = number >= 1 && number.unsigned_abs() <= GREATEST;
        if fits {
            Ok(Self(number))
        } else {
            Err(D::Error::invalid_value(Unexpected::Other("number"), &"a number from 1"))
        }
    }
}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": GREATEST })
    }
}

/// An `Option` that must be said, as `null` if need be.
pub(crate) fn said<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}
