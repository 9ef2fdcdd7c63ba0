//! The JSON Schema of a topic, from the types that its events are decoded into.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::{EventType, Topic, shapes};

/// The JSON Schema (2020-12) of the events of a topic in structured JSON. In `$defs` each type stands under its name.
///
/// What a schema cannot say is left to the decoder: that attributes and data agree, and that the signature verifies.
pub fn schema(topic: Topic) -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(Plain);
    let mut generator = settings.into_generator();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": topic.as_str(),
        "description": topic.purpose(),
    });
    let mut types = Map::new();
    for event_type in topic.types() {
        types.insert(event_type.to_string(), of_type(event_type, topic, &mut generator));
    }
    if types.is_empty() {
        let letter = (shapes::letter().schema)(&mut generator);
        schema["type"] = json!("object");
        schema["allOf"] = json!([letter]);
    } else {
        let choice = |event_type: EventType| json!({ "$ref": format!("#/$defs/{event_type}") });
        schema["oneOf"] = topic.types().into_iter().map(choice).collect();
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
        "description": event_type.purpose(),
        "type": "object",
        "allOf": [attributes],
        "properties": {
            "type": { "const": event_type.as_str() },
            "data": { "allOf": [data, { "properties": fixed }] },
        },
        "required": ["data"],
    })
}

/// The documentation of a variant, by its name in Rust. What is written there is for the readers of the documents too.
pub(crate) fn comment_of<T: JsonSchema>(variant: &str) -> String {
    let variant = variant.split('(').next().unwrap_or_default();
    let mut schema = schemars::schema_for!(T);
    Plain.transform(&mut schema);
    let variants = schema.get("oneOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_it = |choice: &&Value| choice["const"] == variant || choice["properties"].get(variant).is_some();
    let comment = variants.iter().find(is_it).and_then(|choice| choice["description"].as_str());
    comment.unwrap_or_default().to_owned()
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
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default().to_owned();
        // JSON knows greater integers than Rust.
        if format == "int64" {
            schema.insert("minimum".to_owned(), i64::MIN.into());
            schema.insert("maximum".to_owned(), i64::MAX.into());
        }
        if format == "uint64" {
            schema.insert("maximum".to_owned(), u64::MAX.into());
        }
        if format.starts_with("int") || format.starts_with("uint") {
            schema.remove("format");
        }
    }
}
