//! `docs/openapi.yaml` and `docs/openapi-functions.yaml`: every route and no other, schemas of the code's own types, examples that fit.
//! Whether answers are as they say is in [`crate::contract`].

use std::collections::BTreeSet;

use serde_json::{Value, json};
use todo_host::Manifest;

use crate::{files, read, root};

/// What people reach, and what the platform calls.
pub const PEOPLE: &str = "docs/openapi.yaml";
pub const FUNCTIONS: &str = "docs/openapi-functions.yaml";

pub fn document(name: &str) -> Value {
    serde_saphyr::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A schema of a document, which may point at others in it.
pub fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut whole = json!({ "components": document["components"] });
    whole["allOf"] = json!([schema]);
    jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&whole).unwrap()
}

/// Whether this is what the types of the code say: the parts of the first document that come from them.
fn from_the_code(document: &mut Value) {
    let list: Value = serde_json::from_str(&read("functions/todo-mcp/tests/golden/list_tasks.json")).unwrap();
    let mut arguments = list["inputSchema"].clone();
    let mut task = list["outputSchema"]["items"].clone();
    for schema in [&mut arguments, &mut task] {
        schema.as_object_mut().unwrap().remove("$schema");
    }
    // On the chat URL the person is the token's.
    let required = arguments["required"].as_array_mut().unwrap();
    required.retain(|name| name != "user_id");
    document["components"]["schemas"]["Task"] = task;
    document["components"]["schemas"]["ListTasksArguments"] = arguments;
    let page = read("functions/chat/src/page.rs");
    let mut names: Vec<_> = between(&page, "file!(\"/", "\"").filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    document["paths"]["/{file}"]["get"]["parameters"][0]["schema"]["enum"] = json!(names);
}

fn from_the_manifest(document: &mut Value) {
    let manifest = Manifest::load(root("spin.toml")).unwrap();
    let names: Vec<_> = manifest.components().iter().map(|component| component.id.clone()).collect();
    for server in document["servers"].as_array_mut().unwrap() {
        server["variables"]["function"]["enum"] = json!(names);
    }
}

/// What stands between these two, each time.
fn between<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(move |rest| rest.split(after).next())
}

fn compare(name: &str, change: fn(&mut Value)) {
    let mut expected = document(name);
    change(&mut expected);
    if document(name) != expected && std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root(name), serde_saphyr::to_string(&expected).unwrap()).unwrap();
    }
    let found = document(name);
    assert!(
        found == expected,
        "{name} is not what the code says; UPDATE_DOCS=1 cargo test --workspace --test documents writes it"
    );
}

#[test]
fn what_the_code_knows_is_in_the_document_as_the_code_has_it() {
    compare(PEOPLE, from_the_code);
    compare(FUNCTIONS, from_the_manifest);
}

/// The paths that our native functions give to `Router::route`, and the files of the page.
fn routes() -> BTreeSet<String> {
    let sources = files().into_iter().filter(|path| {
        let ours = ["functions/chat/src/", "functions/live/src/", "functions/todo/src/"];
        ours.iter().any(|folder| path.starts_with(folder)) && path.ends_with(".rs")
    });
    let mut routes = BTreeSet::new();
    for source in sources {
        let text = read(&source);
        let text = text.split("#[cfg(test)]").next().unwrap();
        routes.extend(between(text, ".route(\"", "\"").map(str::to_owned));
        routes.extend(between(text, "file!(\"", "\"").map(str::to_owned));
    }
    routes
}

fn documented(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let files = document["paths"]["/{file}"]["get"]["parameters"][0]["schema"]["enum"].as_array();
    let files = files.into_iter().flatten().map(|name| format!("/{}", name.as_str().unwrap()));
    paths.keys().filter(|path| *path != "/{file}").cloned().chain(files).collect()
}

#[test]
fn every_route_is_documented_and_every_documented_path_is_a_route() {
    let routes = routes();
    assert!(routes.len() > 25, "{routes:?}");
    assert_eq!(documented(&document(PEOPLE)), routes);
}

#[test]
fn every_response_that_is_pointed_at_is_there_and_every_schema_is_used() {
    for name in [PEOPLE, FUNCTIONS] {
        let document = document(name);
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for reference in &found {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{name}: {reference}"));
            assert!(document.pointer(pointer).is_some(), "{name}: {reference}");
        }
        for kind in ["schemas", "responses", "parameters"] {
            for component in document["components"][kind].as_object().into_iter().flat_map(|all| all.keys()) {
                assert!(found.contains(&format!("#/components/{kind}/{component}")), "{name}: {component}");
            }
        }
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
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
fn every_schema_is_one_and_every_example_fits() {
    for name in [PEOPLE, FUNCTIONS] {
        let document = document(name);
        for (schema, value) in document["components"]["schemas"].as_object().unwrap() {
            jsonschema::meta::validate(value).unwrap_or_else(|error| panic!("{name}: {schema}: {error}"));
        }
        for (path, item) in document["paths"].as_object().unwrap() {
            let content = &item["post"]["requestBody"]["content"]["application/json"];
            if content.is_null() {
                continue;
            }
            let valid = validator(&document, &content["schema"]);
            for (example, value) in content["examples"].as_object().into_iter().flatten() {
                let error = valid.validate(&value["value"]).err().map(|error| error.to_string());
                assert_eq!(error, None, "{name}: {path}: {example}");
            }
        }
    }
}

#[test]
fn a_chat_request_that_the_code_refuses_does_not_fit() {
    let document = document(PEOPLE);
    let chat =
        &document["paths"]["/api/{user_id}/chat"]["post"]["requestBody"]["content"]["application/json"];
    let valid = validator(&document, &chat["schema"]);
    let wrong = [
        json!({}),
        json!({"message": ""}),
        json!({"message": "x".repeat(8001)}),
        json!({"message": "hello", "model": "gpt"}),
        json!({"message": "hello", "conversation_id": 0}),
        json!({"type": "threads.explode"}),
        json!({"type": "threads.get_by_id", "params": {}}),
        json!({"type": "items.feedback", "params": {"thread_id": "1", "item_ids": [], "kind": "meh"}}),
        json!({"type": "tasks.list", "params": {"status": "lost"}}),
    ];
    for body in wrong {
        assert!(!valid.is_valid(&body), "{:.80}", body.to_string());
    }
}
