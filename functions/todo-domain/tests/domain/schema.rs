use serde_json::{Map, Value};
use todo_domain::{AddTask, CompleteTask, DeleteTask, ListTasks, TaskView, UpdateTask, arguments};

fn schemas() -> Vec<(&'static str, Map<String, Value>)> {
    vec![
        ("add_task", arguments::schema::<AddTask>()),
        ("list_tasks", arguments::schema::<ListTasks>()),
        ("complete_task", arguments::schema::<CompleteTask>()),
        ("delete_task", arguments::schema::<DeleteTask>()),
        ("update_task", arguments::schema::<UpdateTask>()),
    ]
}

#[test]
fn the_locked_parameters_are_there_and_required() {
    let required = [
        ("add_task", vec!["user_id", "title"]),
        ("list_tasks", vec!["user_id"]),
        ("complete_task", vec!["user_id", "task_id"]),
        ("delete_task", vec!["user_id", "task_id"]),
        ("update_task", vec!["user_id", "task_id"]),
    ];
    for ((name, schema), (_, required)) in schemas().into_iter().zip(required) {
        assert_eq!(schema["required"], serde_json::json!(required), "{name}");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["additionalProperties"], false, "{name}: an invented argument is refused");
    }
}

#[test]
fn every_parameter_is_explained() {
    for (name, schema) in schemas() {
        for (parameter, schema) in schema["properties"].as_object().unwrap() {
            assert!(schema["description"].as_str().is_some_and(|text| text.len() > 20), "{name} {parameter}");
        }
    }
}

#[test]
fn a_schema_stands_on_its_own_and_names_no_integer_formats() {
    let mut all = schemas();
    all.push(("task", arguments::schema::<TaskView>()));
    for (name, schema) in all {
        let text = Value::Object(schema).to_string();
        for word in ["$ref", "$defs", "\"format\"", "uint", "oneOf", "anyOf", "\\n"] {
            assert!(!text.contains(word), "{name} has {word}: {text}");
        }
    }
}

#[test]
fn a_choice_of_words_is_a_plain_enum() {
    let priority = &arguments::schema::<UpdateTask>()["properties"]["priority"];
    assert_eq!(priority["enum"], serde_json::json!(["low", "medium", "high", "urgent", null]));
    assert_eq!(priority["type"], serde_json::json!(["string", "null"]));
    assert!(priority["description"].as_str().is_some_and(|text| text.contains("null removes it")));
}

#[test]
fn only_what_can_be_cleared_accepts_null() {
    let schema = arguments::schema::<UpdateTask>();
    let nullable = |name: &str| schema["properties"][name].to_string().contains("null");
    for name in ["description", "due", "repeat", "repeat_from", "remind", "priority", "tags"] {
        assert!(nullable(name), "{name}");
    }
    for name in ["title", "completed", "task_id"] {
        assert!(!schema["properties"][name]["type"].to_string().contains("null"), "{name}");
    }
}
