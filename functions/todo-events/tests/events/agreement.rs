//! The decoder and the schemas accept the same. Each field of a sample of each type is taken away, made another type, given other
//! text, and joined by an unknown one; what both say then must be the same.

use jsonschema::Validator;
use serde_json::{Value, json};
use todo_events::{Incoming, Rejected, Topic};

use crate::documents;
use crate::samples::{self, Signer};

/// Fields that say the same, so that a changed one is refused for what it is and not for being different.
const PAIRS: [(&str, &str); 4] = [
    ("/id", "/data/event_id"),
    ("/type", "/data/event_type"),
    ("/time", "/data/timestamp"),
    ("/partitionkey", "/data/user_id"),
];

fn validator(topic: Topic) -> Validator {
    jsonschema::options().should_validate_formats(true).build(&documents::written(topic)).unwrap()
}

/// What each field is replaced with: every JSON type, and texts at the limits of every format.
fn values() -> Vec<Value> {
    let mut values = vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(7.0),
        json!(1.5),
        json!(70_000),
        json!(9_007_199_254_740_991_u64),
        json!(9_007_199_254_740_992_u64),
        json!(1e300),
        json!([]),
        json!(["a"]),
        json!([1]),
        json!({}),
        json!({"a": 1}),
    ];
    let texts = [
        "",
        " ",
        "a",
        "1",
        "41",
        "041",
        "0",
        "1.0",
        "0.3",
        "application/json",
        "text/plain",
        "alice",
        "josé|оля 🦀",
        "a\nb",
        "\u{85}",
        "\u{a0}",
        " x ",
        "2026-11-27",
        "2026-13-27",
        "2026-02-30",
        "26-11-27",
        "2026-11-27T09:00:00Z",
        "2026-11-27T09:00:00z",
        "2026-11-27 09:00:00Z",
        "2026-11-27T09:00Z",
        "2026-11-27T09:00:00.123456789Z",
        "2026-11-27T09:00:00.1234567891Z",
        "2026-11-27T09:00:00.Z",
        "2026-11-27T09:00:00+01:00",
        "2026-11-27T24:00:00Z",
        "2026-11-27T09:00:00+0100",
        "2026-11-27T09:00:00+24:00",
        "2026-11-27T09:00:00+01:60",
        "2026-11-27T09:00:00",
        "2026-11-27T09:00:60Z",
        "2026-12-31T23:59:60Z",
        "2026-12-31T23:59:60+00:00",
        "２026-11-27T09:00:00Z",
        "2026-11-27T09:00:00+01:00[Europe/Berlin]",
        "-PT30M",
        "in-app",
        "InApp",
        "urgent",
        "task.created",
        "tool.add_task.call",
        "shown",
        "created",
        "a.b.c",
        "a.b",
        "a..c",
        "a.b.c=",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "999999999999999",
        "9999999999999999",
        "task/7",
        "user/alice",
    ];
    values.extend(texts.into_iter().map(Value::from));
    values.extend([127, 128, 129, 255, 256, 1_000, 1_001].map(|length| json!("x".repeat(length))));
    values.extend([255, 256].map(|length| json!("é".repeat(length))));
    values
}

/// The pointers to all members, at any depth.
fn members(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                let pointer = format!("{at}/{name}");
                members(member, &pointer, found);
                found.push(pointer);
            }
        }
        Value::Array(list) => {
            for (index, member) in list.iter().enumerate() {
                members(member, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn twins(pointer: &str) -> Vec<&str> {
    let pair = PAIRS.iter().find(|(one, other)| *one == pointer || *other == pointer);
    pair.map_or(vec![pointer], |(one, other)| vec![one, other])
}

fn replaced(event: &Value, pointer: &str, value: &Value) -> Value {
    let mut event = event.clone();
    for pointer in twins(pointer) {
        if let Some(place) = event.pointer_mut(pointer) {
            *place = value.clone();
        }
    }
    event
}

fn removed(event: &Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let mut event = event.clone();
    event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
    event
}

fn extended(event: &Value, pointer: &str) -> Option<Value> {
    let mut event = event.clone();
    let object = event.pointer_mut(pointer)?.as_object_mut()?;
    object.insert("unexpected".to_owned(), json!("x"));
    Some(event)
}

/// What the decoder says of the shape alone: contradictions between fields are beyond a schema.
fn decodes(event: &Value) -> bool {
    let read = Incoming::from_json(event.to_string().as_bytes()).map(|incoming| incoming.unverified());
    matches!(read, Ok(Ok(_) | Err(Rejected::Contradiction(_))))
}

/// Types that both topics of a task's change know are told apart by `update_type`: without it the event is the other topic's.
fn accepted_by_schema(topic: Topic, event: &Value, validators: &[(Topic, Validator)]) -> bool {
    let valid =
        |on: Topic| validators.iter().any(|(topic, validator)| *topic == on && validator.is_valid(event));
    match topic {
        Topic::TaskEvents | Topic::TaskUpdates => valid(Topic::TaskEvents) || valid(Topic::TaskUpdates),
        topic => valid(topic),
    }
}

#[test]
fn every_sample_fits_its_schema() {
    let signer = Signer::new();
    for (topic, event) in samples::all(&signer) {
        let validator = validator(topic);
        let errors: Vec<_> = validator.iter_errors(&event).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{topic} {}: {errors:?}", event["type"]);
        assert!(decodes(&event), "{topic} {}", event["type"]);
    }
}

#[test]
fn no_topic_takes_the_events_of_another() {
    let signer = Signer::new();
    let validators = Topic::ALL.map(|topic| (topic, validator(topic)));
    for (topic, event) in samples::all(&signer) {
        for (other, validator) in &validators {
            let expected = *other == topic || *other == Topic::DeadLetters;
            assert_eq!(validator.is_valid(&event), expected, "{} of {topic} on {other}", event["type"]);
        }
    }
}

#[test]
fn the_decoder_and_the_schemas_refuse_the_same() {
    let signer = Signer::new();
    let validators = Topic::ALL.map(|topic| (topic, validator(topic)));
    let values = values();
    let (mut accepted, mut refused) = (0, 0);
    // The five tools' calls and results have one shape.
    let one_tool = |event: &Value| {
        event["type"].as_str().is_some_and(|name| !name.starts_with("tool.") || name.contains("add_task"))
    };
    for (topic, event) in samples::all(&signer).into_iter().filter(|(_, event)| one_tool(event)) {
        // Known types stay known: every other one is refused by both in a test of its own.
        let mut pointers = vec![String::new()];
        members(&event, "", &mut pointers);
        for pointer in &pointers {
            let mut mutants: Vec<Value> = extended(&event, pointer).into_iter().collect();
            if !pointer.is_empty() {
                mutants.push(removed(&event, pointer));
                if !twins(pointer).contains(&"/type") {
                    mutants.extend(values.iter().map(|value| replaced(&event, pointer, value)));
                }
            }
            for mutant in mutants {
                let (decoder, schema) = (decodes(&mutant), accepted_by_schema(topic, &mutant, &validators));
                let at = mutant.pointer(pointer);
                assert_eq!(decoder, schema, "decoder, schema: {topic} {} {pointer} = {at:?}", event["type"]);
                if decoder { accepted += 1 } else { refused += 1 }
            }
        }
    }
    assert!(accepted > 1_000 && refused > 10_000, "{accepted} accepted, {refused} refused");
}

#[test]
fn an_unknown_type_is_refused_by_both() {
    let signer = Signer::new();
    for (topic, event) in samples::all(&signer) {
        for name in [json!("task.exploded"), json!(""), json!(null), json!(7)] {
            let mutant = replaced(&event, "/type", &name);
            assert!(!decodes(&mutant) && !validator(topic).is_valid(&mutant), "{topic} {name}");
        }
    }
}
