//! `docs/asyncapi.yaml`: the catalogue as an AsyncAPI 3 document, for whoever wants to produce or consume without our code.

use serde_json::{Map, Value, json};
use todo_events::{EventType, Topic};

use crate::documents::{compare, docs};

const HEADER: &str = "# Written by: UPDATE_DOCS=1 cargo test -p todo-events\n";

/// Our part in a topic: the first sends, the second receives.
fn actions(topic: Topic) -> &'static [&'static str] {
    match topic {
        Topic::ToolCalls => &["receive"],
        Topic::ToolResults => &["send"],
        _ => &["send", "receive"],
    }
}

/// What a job carries is signed like an event and checked like one, but never on the topic.
fn published(topic: Topic) -> Vec<EventType> {
    topic.types().into_iter().filter(|event_type| *event_type != EventType::ReminderScheduled).collect()
}

fn reference(parts: &[&str]) -> Value {
    json!({ "$ref": format!("#/{}", parts.join("/")) })
}

/// The names of a topic's messages: its types, or for the dead letters the one that stands for all.
fn messages(topic: Topic) -> Vec<String> {
    match topic {
        Topic::DeadLetters => vec!["dead-letter".to_owned()],
        topic => published(topic).into_iter().map(|event_type| event_type.to_string()).collect(),
    }
}

fn channel(topic: Topic) -> Value {
    let messages: Map<String, Value> = messages(topic)
        .into_iter()
        .map(|name| (name.clone(), reference(&["components", "messages", &format!("{topic}.{name}")])))
        .collect();
    json!({ "address": topic.as_str(), "description": topic.purpose(), "messages": messages })
}

fn operation(topic: Topic, action: &str) -> Value {
    let messages =
        messages(topic).into_iter().map(|name| reference(&["channels", topic.as_str(), "messages", &name]));
    let scheme = if topic == Topic::ToolCalls { "usertoken" } else { "signature" };
    json!({
        "action": action,
        "channel": reference(&["channels", topic.as_str()]),
        "messages": messages.collect::<Value>(),
        "security": [reference(&["components", "securitySchemes", scheme])],
    })
}

fn message(topic: Topic, name: &str, summary: &str) -> Value {
    let schema = match topic {
        Topic::DeadLetters => format!("./schemas/{topic}.json"),
        topic => format!("./schemas/{topic}.json#/$defs/{name}"),
    };
    json!({
        "name": name,
        "summary": summary,
        "contentType": "application/cloudevents+json",
        "traits": [reference(&["components", "messageTraits", "record"])],
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": { "$ref": schema },
        },
    })
}

fn document() -> Value {
    let mut channels = Map::new();
    let mut operations = Map::new();
    let mut all_messages = Map::new();
    for topic in Topic::ALL {
        channels.insert(topic.to_string(), channel(topic));
        for action in actions(topic) {
            operations.insert(format!("{action}-{topic}"), operation(topic, action));
        }
        for name in messages(topic) {
            let summary = EventType::parse(&name).map_or_else(|| topic.purpose(), EventType::purpose);
            all_messages.insert(format!("{topic}.{name}"), message(topic, &name, &summary));
        }
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "todo",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every change of a person's tasks is a CloudEvent 1.0 in structured JSON on Kafka. See docs/specs/events.md.",
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": all_messages,
            "messageTraits": { "record": {
                "headers": {
                    "type": "object",
                    "properties": { "content-type": {
                        "type": "string",
                        "description": "A record without it is also understood, if its value is the event.",
                        "const": "application/cloudevents+json",
                    } },
                },
                "bindings": { "kafka": {
                    "key": { "type": "string", "description": "The person (partitionkey): their events stay in order." },
                    "bindingVersion": "0.5.0",
                } },
            } },
            "securitySchemes": {
                "signature": {
                    "type": "asymmetricEncryption",
                    "description": "The attribute `signature`: a compact EdDSA JWS (typ todo-event+jws) over {id, type, sub, data}, where sub is \
                        the person and data the base64url SHA-256 of the event's data in the form of RFC 8785. What does not verify is refused.",
                },
                "usertoken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The attribute `usertoken`: the person's token, as for the chat.",
                },
            },
        },
    })
}

fn written() -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(docs().join("asyncapi.yaml")).unwrap()).unwrap()
}

#[test]
fn the_document_is_what_the_catalogue_says() {
    let mut document = document();
    document.sort_all_objects();
    compare("asyncapi.yaml", &format!("{HEADER}{}", serde_saphyr::to_string(&document).unwrap()));
    assert_eq!(written(), document, "the YAML reads back as what was written");
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = written();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50, "{} references", found.len());
    for reference in found {
        let (file, pointer) = reference.split_once('#').unwrap_or((&reference, ""));
        let target = match file {
            "" => document.clone(),
            file => serde_json::from_str(&std::fs::read_to_string(docs().join(file)).unwrap()).unwrap(),
        };
        assert!(target.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_type_of_the_catalogue_is_on_its_channels_and_in_an_operation() {
    let document = written();
    for topic in Topic::ALL {
        let channel = &document["channels"][topic.as_str()];
        assert_eq!(channel["address"], topic.as_str());
        let names: Vec<_> = channel["messages"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(names.len(), messages(topic).len(), "{topic}");
        for event_type in published(topic) {
            assert!(names.contains(&event_type.to_string()), "{event_type} on {topic}");
        }
        let of_topic = format!("#/channels/{topic}");
        let operations = document["operations"].as_object().unwrap().values();
        let operations: Vec<_> =
            operations.filter(|operation| operation["channel"]["$ref"] == of_topic).collect();
        assert_eq!(operations.len(), actions(topic).len(), "{topic}");
        for operation in operations {
            assert_eq!(operation["messages"].as_array().unwrap().len(), names.len(), "{topic}");
            assert!(["send", "receive"].contains(&operation["action"].as_str().unwrap()));
            assert!(!operation["security"].as_array().unwrap().is_empty());
        }
    }
}
