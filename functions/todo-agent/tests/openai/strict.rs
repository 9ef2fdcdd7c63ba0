//! Checks a request as the official API does: its schema, the order of its messages, its tools.
//!
//! The tests at the end are of the checks: a server that lets everything pass proves nothing.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use serde_json::{Value, json};
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

fn headers() -> HeaderMap {
    let header = |name: &'static str, value: &'static str| (name.parse().unwrap(), value.parse().unwrap());
    HeaderMap::from_iter([header("content-type", "application/json"), header("accept", "application/json")])
}

fn call(id: &str) -> Value {
    json!({ "id": id, "type": "function", "function": { "name": "list_tasks", "arguments": "{}" } })
}

fn chat(messages: Value) -> Value {
    json!({ "model": "m", "messages": messages, "stream": false })
}

#[test]
fn a_proper_chat_request_passes() {
    let messages = json!([
        { "role": "system", "content": "s" }, { "role": "user", "content": "u" },
        { "role": "assistant", "tool_calls": [call("a"), call("b")] },
        { "role": "tool", "tool_call_id": "b", "content": "" }, { "role": "tool", "tool_call_id": "a", "content": "" },
    ]);
    assert_eq!(problems(Api::ChatCompletions, None, &headers(), &chat(messages)), Vec::<String>::new());
}

#[test]
fn improper_chat_requests_do_not_pass() {
    let system = json!({ "role": "system", "content": "s" });
    let user = json!({ "role": "user", "content": "u" });
    let calling = json!({ "role": "assistant", "tool_calls": [call("a")] });
    let result = json!({ "role": "tool", "tool_call_id": "a", "content": "" });
    let improper = [
        json!([user, system]),
        json!([system, user, system]),
        json!([system, user, calling]),
        json!([system, user, result]),
        json!([system, calling, user, result]),
        json!([system, calling, result, result]),
        json!([system, { "role": "assistant", "tool_calls": [call("a"), call("a")] }, result]),
        json!([system, { "role": "user", "content": "u", "surprise": 1 }]),
        json!([system, { "role": "assistant" }]),
    ];
    for messages in improper {
        assert!(
            !problems(Api::ChatCompletions, None, &headers(), &chat(messages.clone())).is_empty(),
            "{messages}"
        );
    }
}

#[test]
fn improper_fields_headers_and_tools_do_not_pass() {
    let proper = chat(json!([{ "role": "system", "content": "s" }, { "role": "user", "content": "u" }]));
    let with = |name: &str, value: Value| {
        let mut body = proper.clone();
        body[name] = value;
        problems(Api::ChatCompletions, None, &headers(), &body)
    };
    let tool = |parameters: Value| json!([{ "type": "function", "function": { "name": "t", "parameters": parameters } }]);
    assert!(with("tools", tool(json!({ "type": "object" }))).is_empty());
    assert!(!with("tools", tool(json!({ "type": "object", "required": 7 }))).is_empty());
    assert!(!with("tools", tool(json!({ "type": "string" }))).is_empty());
    assert!(!with("tools", json!([])).is_empty());
    assert!(!with("tool_choice", json!("auto")).is_empty());
    assert!(!with("user_id", json!("me")).is_empty());
    assert!(!problems(Api::ChatCompletions, Some("key"), &headers(), &proper).is_empty());
    assert!(!problems(Api::ChatCompletions, None, &HeaderMap::new(), &proper).is_empty());
}

#[test]
fn improper_inputs_of_the_responses_api_do_not_pass() {
    let calling = json!({ "type": "function_call", "call_id": "a", "name": "list_tasks", "arguments": "{}" });
    let output = json!({ "type": "function_call_output", "call_id": "a", "output": "" });
    let checked = |input: Value| {
        let body = json!({ "model": "m", "instructions": "i", "store": false, "input": input });
        problems(Api::Responses, None, &headers(), &body)
    };
    assert!(checked(json!([calling, output])).is_empty());
    for input in
        [json!([calling]), json!([output]), json!([output, calling]), json!([calling, output, output])]
    {
        assert!(!checked(input.clone()).is_empty(), "{input}");
    }
}
