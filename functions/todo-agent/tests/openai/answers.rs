//! Answers as the official server writes them, for each API, whole and streamed.

use serde_json::{Value, json};
use todo_agent::Api;

use crate::server::{Play, Way};

/// The tokens every answer says it cost.
pub const TOKENS: (u64, u64) = (21, 8);

/// Words, as a whole or in pieces of a few characters.
pub fn says(way: Way, text: &str) -> Play {
    plays(way, events(way, text, &[]))
}

/// Calls: names and raw arguments.
pub fn calls(way: Way, calls: &[(&str, &str)]) -> Play {
    plays(way, events(way, "", calls))
}

/// The bytes of a stream that says `text`.
pub fn stream_of(way: Way, text: &str) -> Vec<u8> {
    written(way, &events(Way { stream: true, ..way }, text, &[]))
}

fn plays(way: Way, events: Vec<Value>) -> Play {
    match (way.stream, events.as_slice()) {
        (true, events) => Play::Stream(written(way, events), usize::MAX),
        (false, [whole]) => {
            Play::Body(200, vec![("content-type", "application/json".into())], whole.to_string().into())
        }
        (false, _) => unreachable!("a whole answer is one value"),
    }
}

/// A whole answer is a list of one.
fn events(way: Way, text: &str, calls: &[(&str, &str)]) -> Vec<Value> {
    match (way.api, way.stream) {
        (Api::ChatCompletions, false) => vec![completion(text, calls)],
        (Api::ChatCompletions, true) => chunks(text, calls),
        (Api::Responses, false) => vec![response(text, calls)],
        (Api::Responses, true) => response_events(text, calls),
    }
}

/// Server-sent events with all the format allows: comments, both line ends, fields in any order.
pub fn written(way: Way, events: &[Value]) -> Vec<u8> {
    let mut text = String::from(": keep-alive\r\n\r\n");
    for event in events {
        match (way.api, event["type"].as_str()) {
            (Api::Responses, Some(kind)) => text.push_str(&format!("event: {kind}\ndata: {event}\n\n")),
            _ => text.push_str(&format!("data: {event}\r\n\r\n")),
        }
    }
    if way.api == Api::ChatCompletions {
        text.push_str("data: [DONE]\n\n");
    }
    text.into_bytes()
}

fn completion(text: &str, calls: &[(&str, &str)]) -> Value {
    let tool_calls: Vec<Value> = calls.iter().enumerate().map(|(at, call)| chat_call(at, *call)).collect();
    let mut message = json!({ "role": "assistant", "content": text, "refusal": null, "annotations": [] });
    let finish = match tool_calls.is_empty() {
        true => "stop",
        false => {
            message["content"] = Value::Null;
            message["tool_calls"] = tool_calls.into();
            "tool_calls"
        }
    };
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_790_000_000, "model": "test-model-1",
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }],
        "usage": chat_usage(), "service_tier": "default", "system_fingerprint": null,
    })
}

fn chat_call(at: usize, (name, arguments): (&str, &str)) -> Value {
    json!({ "id": format!("call_{at}"), "type": "function", "function": { "name": name, "arguments": arguments } })
}

fn chat_usage() -> Value {
    json!({ "prompt_tokens": TOKENS.0, "completion_tokens": TOKENS.1, "total_tokens": TOKENS.0 + TOKENS.1 })
}

/// The first chunk of a call has its id and name; its arguments come in pieces, those of parallel calls by turns.
fn chunks(text: &str, calls: &[(&str, &str)]) -> Vec<Value> {
    let mut deltas = vec![
        json!({ "role": "assistant", "content": if calls.is_empty() { json!("") } else { Value::Null } }),
    ];
    deltas.extend(pieces(text).into_iter().map(|piece| json!({ "content": piece })));
    let begun = calls.iter().enumerate().map(|(at, (name, _))| {
        let mut call = chat_call(at, (name, ""));
        call["index"] = at.into();
        json!({ "tool_calls": [call] })
    });
    deltas.extend(begun);
    let parts: Vec<Vec<String>> = calls.iter().map(|(_, arguments)| pieces(arguments)).collect();
    for round in 0..parts.iter().map(Vec::len).max().unwrap_or(0) {
        let part = |(at, parts): (usize, &Vec<String>)| {
            Some(json!({ "index": at, "function": { "arguments": parts.get(round)? } }))
        };
        deltas.extend(parts.iter().enumerate().filter_map(part).map(|call| json!({ "tool_calls": [call] })));
    }
    let finish = if calls.is_empty() { "stop" } else { "tool_calls" };
    let mut chunks: Vec<Value> = deltas
        .into_iter()
        .map(|delta| chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]), Value::Null))
        .collect();
    chunks.push(chunk(json!([{ "index": 0, "delta": {}, "finish_reason": finish }]), Value::Null));
    chunks.push(chunk(json!([]), chat_usage()));
    chunks
}

fn chunk(choices: Value, usage: Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "test-model-1",
        "choices": choices, "usage": usage, "obfuscation": "x7",
    })
}

/// Two characters each, so that words, escapes and numbers are torn.
fn pieces(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(2).map(|piece| piece.iter().collect()).collect()
}

fn response(text: &str, calls: &[(&str, &str)]) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_790_000_000, "status": "completed", "error": null,
        "incomplete_details": null, "model": "test-model-1", "output": output(text, calls),
        "usage": { "input_tokens": TOKENS.0, "output_tokens": TOKENS.1, "total_tokens": TOKENS.0 + TOKENS.1 },
    })
}

/// A reasoning item first, as reasoning models give one.
fn output(text: &str, calls: &[(&str, &str)]) -> Vec<Value> {
    let mut items = vec![json!({ "id": "rs_1", "type": "reasoning", "summary": [] })];
    if !text.is_empty() {
        items.push(json!({
            "id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
            "content": [{ "type": "output_text", "text": text, "annotations": [] }],
        }));
    }
    items.extend(calls.iter().enumerate().map(|(at, (name, arguments))| json!({
        "id": format!("fc_{at}"), "type": "function_call", "status": "completed", "call_id": format!("call_{at}"),
        "name": name, "arguments": arguments,
    })));
    items
}

fn response_events(text: &str, calls: &[(&str, &str)]) -> Vec<Value> {
    let mut begun = response("", &[]);
    begun["status"] = "in_progress".into();
    begun["usage"] = Value::Null;
    let mut events = vec![
        json!({ "type": "response.created", "response": begun }),
        json!({ "type": "response.of_a_kind_yet_to_be_invented", "surprise": true }),
    ];
    for (at, item) in output(text, calls).into_iter().enumerate() {
        events.push(json!({ "type": "response.output_item.added", "output_index": at, "item": item }));
        if item["type"] == "message" {
            events.extend(pieces(text).into_iter().map(|piece| json!({
                "type": "response.output_text.delta", "item_id": "msg_1", "output_index": at, "content_index": 0, "delta": piece,
            })));
        }
        if let Some(arguments) = item["arguments"].as_str() {
            events.extend(pieces(arguments).into_iter().map(|piece| json!({
                "type": "response.function_call_arguments.delta", "item_id": item["id"], "output_index": at, "delta": piece,
            })));
        }
        events.push(json!({ "type": "response.output_item.done", "output_index": at, "item": item }));
    }
    events.push(json!({ "type": "response.completed", "response": response(text, calls) }));
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = number.into();
    }
    events
}
