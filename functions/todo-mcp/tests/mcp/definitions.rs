//! What clients and models are told about the tools, word for word, and that what is told is true.

use std::path::Path;

use serde_json::{Value, json};
use todo_mcp::{Tool, definition, function_of};
use tool_add_task::AddTask;
use tool_complete_task::CompleteTask;
use tool_delete_task::DeleteTask;
use tool_list_tasks::ListTasks;
use tool_update_task::UpdateTask;

use crate::world::World;

fn all() -> Vec<Value> {
    let tools = [
        definition::<AddTask>(),
        definition::<ListTasks>(),
        definition::<CompleteTask>(),
        definition::<DeleteTask>(),
        definition::<UpdateTask>(),
    ];
    tools.iter().map(|tool| serde_json::to_value(tool).unwrap()).collect()
}

/// Every schema inside a schema, itself included.
fn subschemas<'a>(schema: &'a Value, found: &mut Vec<&'a Value>) {
    match schema {
        Value::Object(fields) => {
            found.push(schema);
            fields.values().for_each(|value| subschemas(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| subschemas(value, found)),
        _ => {}
    }
}

/// With `UPDATE_GOLDEN=1` the files are written instead: read the difference before you commit it, models will.
#[test]
fn the_definitions_are_those_on_file() {
    for tool in all() {
        let name = tool["name"].as_str().unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&file, format!("{tool:#}\n")).unwrap();
        }
        let on_file: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(tool, on_file, "{}", file.display());
    }
}

#[test]
fn all_four_annotations_are_there_and_say_what_the_tool_does() {
    let hints: Vec<Value> = all().into_iter().map(|mut tool| tool["annotations"].take()).collect();
    let hint = |read_only: bool, destructive: bool, idempotent: bool| json!({"readOnlyHint": read_only, "destructiveHint": destructive, "idempotentHint": idempotent, "openWorldHint": false});
    let expected = [
        hint(false, false, false),
        hint(true, false, true),
        hint(false, false, true),
        hint(false, true, true),
        hint(false, true, true),
    ];
    assert_eq!(hints, expected);
}

#[test]
fn the_schemas_are_valid_in_the_2020_12_dialect() {
    for tool in all() {
        for key in ["inputSchema", "outputSchema"] {
            assert_eq!(tool[key]["$schema"], json!("https://json-schema.org/draft/2020-12/schema"));
            assert!(jsonschema::draft202012::meta::is_valid(&tool[key]), "{} {key}", tool["name"]);
        }
        assert_eq!(tool["inputSchema"]["type"], json!("object"));
        assert_eq!(tool["inputSchema"]["additionalProperties"], json!(false));
    }
}

#[test]
fn no_schema_has_a_format_or_a_reference_that_clients_stumble_over() {
    for tool in all() {
        let mut schemas = Vec::new();
        subschemas(&tool, &mut schemas);
        for schema in schemas {
            let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
            assert!(!format.contains("int"), "{} has format {format}", tool["name"]);
            assert!(schema.get("$ref").is_none(), "{} has a reference", tool["name"]);
        }
    }
}

#[test]
fn every_argument_is_described() {
    for tool in all() {
        assert!(tool["description"].as_str().is_some_and(|text| text.len() > 40));
        let properties = tool["inputSchema"]["properties"].as_object().unwrap();
        for (name, schema) in properties {
            assert!(
                schema["description"].as_str().is_some_and(|text| !text.is_empty()),
                "{} {name}",
                tool["name"]
            );
        }
    }
}

#[test]
fn the_parameters_of_the_contract_are_required_as_it_says() {
    let required: Vec<Value> =
        all().into_iter().map(|mut tool| tool["inputSchema"]["required"].take()).collect();
    let expected = [
        json!(["user_id", "title"]),
        json!(["user_id"]),
        json!(["user_id", "task_id"]),
        json!(["user_id", "task_id"]),
        json!(["user_id", "task_id"]),
    ];
    assert_eq!(required, expected);
}

async fn conforms<T: Tool>(world: &World, arguments: Value) {
    let tool = serde_json::to_value(definition::<T>()).unwrap();
    let mut sent = arguments.clone();
    sent["user_id"] = json!("ada");
    jsonschema::draft202012::validate(&tool["inputSchema"], &sent).unwrap();
    let answer = world.done::<T>(arguments).await;
    jsonschema::draft202012::validate(&tool["outputSchema"], &answer).unwrap();
}

#[tokio::test]
async fn the_answers_are_as_the_schemas_say() {
    let world = World::new().await;
    let everything = json!({
        "title": "Tea", "description": "Green", "due": "2026-11-27", "timezone": "Europe/Berlin", "repeat": "FREQ=DAILY",
        "repeat_from": "completion", "remind": ["-P1D"], "priority": "urgent", "tags": ["home"],
    });
    conforms::<AddTask>(&world, everything).await;
    conforms::<AddTask>(&world, json!({"title": "Bare"})).await;
    let cleared = json!({
        "task_id": 1, "description": null, "repeat": null, "repeat_from": null, "remind": null, "priority": null,
        "tags": null, "due": null,
    });
    conforms::<UpdateTask>(&world, cleared).await;
    conforms::<CompleteTask>(&world, json!({"task_id": 2})).await;
    conforms::<ListTasks>(&world, json!({"status": "all", "sort": "due", "order": "desc", "limit": 10}))
        .await;
    conforms::<DeleteTask>(&world, json!({"task_id": 1})).await;
}

#[test]
fn the_tools_are_named_after_their_functions() {
    let names = [AddTask::NAME, ListTasks::NAME, CompleteTask::NAME, DeleteTask::NAME, UpdateTask::NAME];
    let functions =
        ["tool-add-task", "tool-list-tasks", "tool-complete-task", "tool-delete-task", "tool-update-task"];
    assert_eq!(names.map(function_of), functions);
}
