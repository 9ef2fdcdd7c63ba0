//! The documents are what the code says. `UPDATE_DOCS=1` writes them again.

use std::path::PathBuf;

use serde_json::Value;
use todo_events::{Topic, schema};

pub fn docs() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"))
}

/// The schema as it stands in the documents.
pub fn written(topic: Topic) -> Value {
    let path = docs().join("schemas").join(format!("{topic}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap_or_default()).unwrap_or_default()
}

/// Compares a document with what the code says, or writes it.
pub fn compare(name: &str, expected: &str) {
    let path = docs().join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/{name} is not what the code says; run: UPDATE_DOCS=1 cargo test -p todo-events"
    );
}

#[test]
fn the_schemas_are_what_the_code_checks() {
    for topic in Topic::ALL {
        let mut schema = schema(topic);
        schema.sort_all_objects();
        compare(&format!("schemas/{topic}.json"), &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
    }
}

#[test]
fn the_schemas_are_schemas() {
    for topic in Topic::ALL {
        jsonschema::meta::validate(&schema(topic)).unwrap();
    }
}

#[test]
fn there_is_no_other_schema() {
    let names = std::fs::read_dir(docs().join("schemas")).unwrap();
    for name in names {
        let name = name.unwrap().file_name().into_string().unwrap();
        assert!(Topic::parse(name.trim_end_matches(".json")).is_some(), "docs/schemas/{name} is no topic's");
    }
}
