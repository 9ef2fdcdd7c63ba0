//! The JSON Schema of a topic, from the types that its events are decoded into.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::{EventType, Topic, shapes};

/// The JSON Schema (2020-12) of the events of a topic in structured JSON. In `$defs` each type stands under its name.
///
/// What a schema cannot say is left to the decoder: that attributes and data agree, and that the signature verifies.
pub fn schema(topic: Topic) -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(Plain);
    let mut generator = settings.into_generator();
    let types: Map<String, Value> = topic
        .types()
        .into_iter()
        .map(|kind| (kind.to_string(), of_type(kind, topic, &mut generator)))
        .collect();
    let mut schema =
        json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "title": topic.as_str() });
    if types.is_empty() {
        let letter = (shapes::letter().schema)(&mut generator);
        schema["type"] = json!("object");
        schema["allOf"] = json!([letter]);
    } else {
        let choices = types.keys().map(|name| json!({ "$ref": format!("#/$defs/{name}") }));
        schema["oneOf"] = choices.collect();
    }
    let definitions = generator.take_definitions(true);
    schema["$defs"] = types.into_iter().chain(definitions).collect::<Map<_, _>>().into();
    schema
}

fn of_type(event_type: EventType, topic: Topic, generator: &mut SchemaGenerator) -> Value {
    let attributes = (shapes::attributes(event_type).schema)(generator);
    let data = (shapes::data(event_type, topic).schema)(generator);
    let mut fixed = json!({ "event_type": { "const": event_type.as_str() } });
    if topic == Topic::TaskUpdates {
        fixed["update_type"] = json!({ "const": event_type.update_type() });
    }
    json!({
        "type": "object",
        "allOf": [attributes],
        "properties": {
            "type": { "const": event_type.as_str() },
            "data": { "allOf": [data, { "properties": fixed }] },
        },
        "required": ["data"],
    })
}

/// A doc comment is broken into lines for the reader of the source only, and the formats of Rust's integers are nobody else's.
#[derive(Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        if let Some(Value::String(text)) = schema.get_mut("description") {
            *text = text.replace('\n', " ");
        }
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        if format.starts_with("int") || format.starts_with("uint") {
            schema.remove("format");
        }
    }
}
