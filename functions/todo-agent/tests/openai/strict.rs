//! Checks a request as the official API does: its schema, the order of its messages, its tools.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use serde_json::Value;
use todo_agent::Api;

const CHAT_COMPLETIONS: &str = include_str!("chat_completions.schema.json");
const RESPONSES: &str = include_str!("responses.schema.json");

/// What is wrong with a request, in the order a reader would want to know it.
pub fn problems(api: Api, key: Option<&str>, headers: &HeaderMap, body: &Value) -> Vec<String> {
    let mut problems = header_problems(key, headers, body);
    problems.extend(schema_problems(api, body));
    if problems.is_empty() {
        problems.extend(match api {
            Api::ChatCompletions => chat_order(body),
            Api::Responses => responses_order(body),
        });
        problems.extend(tool_problems(api, body));
    }
    problems
}

fn header_problems(key: Option<&str>, headers: &HeaderMap, body: &Value) -> Vec<String> {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let accept = if body["stream"] == true { "text/event-stream" } else { "application/json" };
    let wanted = [
        ("authorization", bearer.as_deref()),
        ("content-type", Some("application/json")),
        ("accept", Some(accept)),
    ];
    let differs = |(name, wanted): &(&str, Option<&str>)| {
        headers.get(*name).map(|value| value.to_str().unwrap()) != *wanted
    };
    wanted.iter().filter(|header| differs(header)).map(|(name, _)| format!("header {name}")).collect()
}

fn schema_problems(api: Api, body: &Value) -> Vec<String> {
    let schema = match api {
        Api::ChatCompletions => CHAT_COMPLETIONS,
        Api::Responses => RESPONSES,
    };
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// The system message first and only there; every call answered once, directly behind its message.
fn chat_order(body: &Value) -> Option<String> {
    let mut open = BTreeSet::new();
    for (at, message) in body["messages"].as_array().unwrap().iter().enumerate() {
        let role = message["role"].as_str().unwrap();
        match role {
            "system" if at == 0 => continue,
            "tool" => {
                let id = message["tool_call_id"].as_str().unwrap();
                if !open.remove(id) {
                    return Some(format!("message {at} answers no preceding call"));
                }
                continue;
            }
            _ if at == 0 || role == "system" => return Some(format!("message {at} is {role}")),
            _ if !open.is_empty() => return Some(format!("calls without an answer before message {at}")),
            _ => {}
        }
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            if !is_object_text(&call["function"]["arguments"]) || !open.insert(call["id"].as_str().unwrap()) {
                return Some(format!("a call in message {at} is malformed or doubled"));
            }
        }
    }
    (!open.is_empty()).then(|| "calls without an answer at the end".to_owned())
}

/// Every call has exactly one output, somewhere behind it.
fn responses_order(body: &Value) -> Option<String> {
    let mut open = BTreeSet::new();
    for (at, item) in body["input"].as_array().unwrap().iter().enumerate() {
        let id = item["call_id"].as_str().unwrap_or_default();
        let fits = match item["type"].as_str().unwrap() {
            "function_call" => is_object_text(&item["arguments"]) && open.insert(id),
            "function_call_output" => open.remove(id),
            _ => true,
        };
        if !fits {
            return Some(format!("item {at} does not fit"));
        }
    }
    (!open.is_empty()).then(|| "No tool output found for function call".to_owned())
}

fn is_object_text(text: &Value) -> bool {
    serde_json::from_str::<Value>(text.as_str().unwrap()).is_ok_and(|arguments| arguments.is_object())
}

fn tool_problems(api: Api, body: &Value) -> Vec<String> {
    let tools = body["tools"].as_array().into_iter().flatten();
    let schemas = tools.map(|tool| match api {
        Api::ChatCompletions => &tool["function"]["parameters"],
        Api::Responses => &tool["parameters"],
    });
    let invalid = |schema: &&Value| schema["type"] != "object" || !jsonschema::meta::is_valid(schema);
    schemas.filter(invalid).map(|schema| format!("not a schema of an object: {schema}")).collect()
}
