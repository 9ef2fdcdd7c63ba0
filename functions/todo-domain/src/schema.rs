//! JSON Schemas as language models and MCP clients read them best: flat, without references, without surprises.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// The JSON Schema (2020-12) of a tool's arguments or result: subschemas in place, a choice of words as a plain `enum`, no integer
/// formats (clients reject formats they do not know), no title.
pub fn schema<T: JsonSchema>() -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(Plain);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    schema.as_object().cloned().unwrap_or_default()
}

/// From the inside out: what a subschema became decides what its parent can become.
#[derive(Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        let Some(schema) = schema.as_object_mut() else { return };
        drop_integer_format(schema);
        unwrap_lines(schema);
        one_of_words(schema);
        any_of_words_or_null(schema);
    }
}

fn drop_integer_format(schema: &mut Map<String, Value>) {
    let format = schema.get("format").and_then(Value::as_str);
    if format.is_some_and(|name| name.starts_with("int") || name.starts_with("uint")) {
        schema.remove("format");
    }
}

/// A doc comment is broken into lines for the reader of the source only.
fn unwrap_lines(schema: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}

/// `oneOf` of constants, each with the variant's documentation, becomes `enum`.
fn one_of_words(schema: &mut Map<String, Value>) {
    let Some(choices) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let words: Option<Vec<Value>> = choices.iter().map(|choice| choice.get("const").cloned()).collect();
    if let Some(words) = words {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("enum".to_owned(), Value::Array(words));
    }
}

/// `anyOf` of such an `enum` and null becomes one `enum` with null in it.
fn any_of_words_or_null(schema: &mut Map<String, Value>) {
    let Some([choice, other]) = schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) else {
        return;
    };
    let words = choice.get("enum").and_then(Value::as_array);
    let (Some(words), true) = (words, *other == json!({"type": "null"})) else { return };
    let mut words = words.clone();
    words.push(Value::Null);
    schema.remove("anyOf");
    schema.insert("type".to_owned(), json!(["string", "null"]));
    schema.insert("enum".to_owned(), Value::Array(words));
}
