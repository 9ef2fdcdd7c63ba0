//! `docs/reference/`: what tools say of themselves and what events there are, for people to read. `UPDATE_DOCS=1` writes it.

use std::fmt::Write as _;

use serde_json::Value;
use todo_events::{EventType, Topic};
use todo_sidecar::{Routes, Sink};

use crate::{read, root};

const WRITTEN_BY: &str = "<!-- Written by: UPDATE_DOCS=1 cargo test --workspace --test documents -->\n";

/// In the order in which the code has them.
const TOOLS: [&str; 5] = ["add_task", "list_tasks", "complete_task", "delete_task", "update_task"];

fn compare(name: &str, expected: &str) {
    let path = root("docs/reference").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/reference/{name} is not what the code says; UPDATE_DOCS=1 cargo test --workspace --test documents writes it"
    );
}

/// A cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The type of a schema in a few words.
fn kind(schema: &Value) -> String {
    let null = |value: &&Value| !value.is_null();
    if let Some(constant) = schema.get("const") {
        return format!("`{constant}`").replace('"', "");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values =
            values.iter().filter(null).map(|value| format!("`{}`", value.as_str().unwrap_or_default()));
        return values.collect::<Vec<_>>().join(", ");
    }
    let types: Vec<_> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).filter(|it| *it != "null").collect(),
        Value::String(name) => vec![name.as_str()],
        _ => Vec::new(),
    };
    match types.first() {
        Some(&"array") => format!("array of {}", kind(&schema["items"])),
        Some(name) => (*name).to_owned(),
        None => String::new(),
    }
}

fn is_nullable(schema: &Value) -> bool {
    schema["type"].as_array().is_some_and(|types| types.iter().any(|it| it == "null"))
}

/// The properties of an object, a row each.
fn properties(schema: &Value, text: &mut String) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    text.push_str("\n| name | type | | |\n|---|---|---|---|\n");
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let needed = if required.iter().any(|it| it == name) { "required" } else { "" };
        let said = property["description"].as_str().unwrap_or_default();
        writeln!(text, "| `{name}` | {} | {needed} | {} |", kind(property), cell(said)).unwrap();
    }
}

fn tool(name: &str, text: &mut String) {
    let tool: Value =
        serde_json::from_str(&read(&format!("functions/todo-mcp/tests/golden/{name}.json"))).unwrap();
    let function = todo_mcp::function_of(name);
    writeln!(text, "\n## {name}\n\n{}\n", tool["description"].as_str().unwrap()).unwrap();
    let hints =
        [("readOnlyHint", "read only"), ("destructiveHint", "destructive"), ("idempotentHint", "idempotent")];
    let hints =
        hints.map(
            |(hint, word)| {
                if tool["annotations"][hint] == true { word.to_owned() } else { format!("not {word}") }
            },
        );
    writeln!(text, "Function [`{function}`](../../functions/{function}); {}.", hints.join(", ")).unwrap();
    text.push_str("\n### Arguments\n");
    properties(&tool["inputSchema"], text);
    let nullable =
        tool["inputSchema"]["properties"].as_object().unwrap().values().filter(|it| is_nullable(it)).count();
    if nullable > 0 && name == "update_task" {
        text.push_str("\n`null` clears a field; a field that is left out stays as it is.\n");
    }
    text.push_str("\n### Result\n\n");
    let output = &tool["outputSchema"];
    match output["type"].as_str() {
        Some("array") => {
            text.push_str("An array; each element:\n");
            properties(&output["items"], text);
        }
        _ => {
            writeln!(text, "{}", output["description"].as_str().unwrap_or_default()).unwrap();
            properties(output, text);
        }
    }
    for (name, nested) in output["properties"].as_object().into_iter().flatten() {
        if nested["type"] == "object" {
            writeln!(text, "\n`{name}`:").unwrap();
            properties(nested, text);
        }
    }
}

#[test]
fn the_reference_of_tools_is_what_they_say_of_themselves() {
    let mut text = format!(
        "{WRITTEN_BY}# MCP tools\n\nWhat `tools/list` answers, word for word; how to call them is in [MCP tools](../specs/mcp-tools.md) and, for \
         clients from outside, [MCP gateway](../specs/mcp-gateway.md), where `user_id` may be left out. The rules of the values are in \
         [tasks](../specs/tasks.md).\n"
    );
    for name in TOOLS {
        tool(name, &mut text);
    }
    compare("mcp-tools.md", &text);
}

/// A schema, behind its reference and with what all of it say.
fn resolved(document: &Value, schema: &Value) -> Value {
    let mut whole = match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap().clone(),
        None => schema.clone(),
    };
    if let (Some(said), Some(object)) = (schema["description"].as_str(), whole.as_object_mut()) {
        object.insert("description".to_owned(), said.into());
    }
    whole
}

/// The object that `data` is, of a type of event.
fn data(document: &Value, event_type: EventType) -> Value {
    let definition = &document["$defs"][event_type.as_str()];
    let parts = definition["properties"]["data"]["allOf"].as_array().unwrap();
    let part = parts.iter().find(|part| part["$ref"].is_string()).unwrap();
    resolved(document, part)
}

/// Fields of `data`, and of the `payload` in it, that are not the same everywhere.
fn fields(document: &Value, event_type: EventType, text: &mut String) {
    const EVERYWHERE: [&str; 4] = ["event_id", "event_type", "user_id", "timestamp"];
    let data = data(document, event_type);
    let mut rows = Vec::new();
    for (name, property) in data["properties"].as_object().unwrap() {
        let property = resolved(document, property);
        if name == "payload" {
            let inner = property["properties"].as_object().cloned().unwrap_or_default();
            rows.extend(
                inner.iter().map(|(inner, schema)| (format!("payload.{inner}"), resolved(document, schema))),
            );
        } else if !EVERYWHERE.contains(&name.as_str()) {
            rows.push((name.clone(), property));
        }
    }
    text.push_str("\n| `data` | type | |\n|---|---|---|\n");
    for (name, schema) in rows {
        let said = schema["description"].as_str().unwrap_or_default();
        writeln!(text, "| `{name}` | {} | {} |", kind(&schema), cell(said)).unwrap();
    }
}

fn readers(routes: &Routes, topic: Topic) -> Vec<String> {
    let reads = routes
        .consumers
        .iter()
        .filter(|consumer| consumer.topics.iter().any(|read| **read == *topic.as_str()));
    let names = reads.filter_map(|consumer| match &consumer.sink {
        Sink::Function { name, .. } => Some(format!("[`{name}`](../../functions/{name})")),
        Sink::Topic(_) => None,
    });
    names.collect()
}

fn topic(topic: Topic, routes: &Routes, text: &mut String) {
    let file = format!("docs/schemas/{topic}.json");
    let document: Value = serde_json::from_str(&read(&file)).unwrap();
    writeln!(text, "\n## {topic}\n\n{}", topic.purpose()).unwrap();
    let readers = match topic {
        Topic::ToolCalls => {
            "the tool that the type names, through a Broker with a Trigger for each".to_owned()
        }
        Topic::ToolResults => "whoever called".to_owned(),
        topic => readers(routes, topic).join(", "),
    };
    writeln!(text, "Read by {readers}. Schema: [`{topic}.json`](../schemas/{topic}.json).").unwrap();
    // The five calls and the five results are alike.
    let mut told = std::collections::BTreeSet::new();
    for event_type in topic.types() {
        let name = event_type.as_str();
        let alike =
            name.split_once('.').filter(|(of, _)| *of == "tool").and_then(|(_, rest)| rest.rsplit_once('.'));
        let heading = alike.map_or_else(|| name.to_owned(), |(_, last)| format!("tool.<name>.{last}"));
        if !told.insert(heading.clone()) {
            continue;
        }
        writeln!(text, "\n### {heading}\n\n{}", event_type.purpose()).unwrap();
        fields(&document, event_type, text);
    }
    if topic == Topic::DeadLetters {
        text.push_str("\nThe event as it was, and beside its attributes:\n\n| attribute | |\n|---|---|\n");
        for (name, schema) in document["$defs"]["LetterAttributes"]["properties"].as_object().unwrap() {
            if let Some(said) = schema["description"].as_str() {
                writeln!(text, "| `{name}` | {} |", cell(said)).unwrap();
            }
        }
    }
}

#[test]
fn the_catalogue_of_events_is_what_the_code_knows() {
    let routes = Routes::load(root("knative")).unwrap();
    let mut text = format!(
        "{WRITTEN_BY}# Events\n\nEvery type of event, by topic. What all of them have in common (the attributes, the signature, `event_id`, \
         `event_type`, `user_id`, `timestamp` in `data`) and how they travel is in [events](../specs/events.md); for programs there are \
         [AsyncAPI](../asyncapi.yaml) and the JSON Schemas.\n"
    );
    for each in Topic::ALL {
        topic(each, &routes, &mut text);
    }
    compare("events.md", &text);
}
