//! Streams, torn where it hurts, and as servers that are not OpenAI's write them.

use serde_json::{Value, json};
use todo_agent::{Api, ModelError};

use crate::answers::{stream_of, written};
use crate::server::{Play, Server, WAYS, Way};
use crate::{ask, full_request, plain_request};

const CHAT: Way = Way { api: Api::ChatCompletions, stream: true };
const RESPONSES: Way = Way { api: Api::Responses, stream: true };

fn streaming() -> impl Iterator<Item = Way> {
    WAYS.into_iter().filter(|way| way.stream)
}

#[tokio::test]
async fn a_stream_may_be_torn_anywhere() {
    let text = "Für „Müller“: 3 × Brötchen 🥐\nund Käse";
    for way in streaming() {
        for size in [1, 2, 3, 5, 7, 61, usize::MAX] {
            let server = Server::playing(way, [Play::Stream(stream_of(way, text), size)]).await;
            let (answer, told) = ask(&server.model(), &plain_request()).await;
            assert_eq!(answer.unwrap().text, text, "{way:?} in pieces of {size}");
            assert_eq!(told.concat(), text);
        }
    }
}

fn chat_delta(delta: Value) -> Value {
    json!({ "choices": [{ "delta": delta }] })
}

async fn chat_calls(events: &[Value]) -> Vec<(String, String)> {
    let server = Server::playing(CHAT, [Play::Stream(written(CHAT, events), usize::MAX)]).await;
    let answer = ask(&server.model(), &full_request()).await.0.unwrap();
    answer.calls.into_iter().map(|call| (call.name, call.arguments)).collect()
}

#[tokio::test]
async fn calls_that_all_say_index_0_are_told_apart_by_their_ids() {
    let whole = |id: &str, title: &str| {
        let function = json!({ "name": "add_task", "arguments": format!("{{\"title\":\"{title}\"}}") });
        chat_delta(
            json!({ "tool_calls": [{ "index": 0, "id": id, "type": "function", "function": function }] }),
        )
    };
    let end = json!({ "choices": [{ "delta": {}, "finish_reason": "tool_calls" }] });
    let calls = chat_calls(&[whole("a", "one"), whole("b", "two"), end]).await;
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].1, "{\"title\":\"two\"}");
}

#[tokio::test]
async fn calls_without_an_index_are_calls_of_their_own() {
    let whole = |title: &str| {
        let function = json!({ "name": "add_task", "arguments": format!("{{\"title\":\"{title}\"}}") });
        chat_delta(json!({ "tool_calls": [{ "function": function }] }))
    };
    let end = json!({ "choices": [{ "finish_reason": "stop" }] });
    assert_eq!(chat_calls(&[whole("one"), whole("two"), end]).await.len(), 2);
}

#[tokio::test]
async fn a_refusal_is_an_answer() {
    let events = [
        chat_delta(json!({ "refusal": "I will not." })),
        json!({ "choices": [{ "finish_reason": "stop" }] }),
    ];
    let server = Server::playing(CHAT, [Play::Stream(written(CHAT, &events), usize::MAX)]).await;
    assert_eq!(ask(&server.model(), &plain_request()).await.0.unwrap().text, "I will not.");
}

#[tokio::test]
async fn a_last_event_without_output_leaves_the_items_that_came_before() {
    let item = json!({ "type": "function_call", "name": "list_tasks", "arguments": "{}", "call_id": "c", "id": "f" });
    let events = [
        json!({ "type": "response.output_item.done", "item": item }),
        json!({ "type": "response.completed", "response": { "status": "completed" } }),
    ];
    let server = Server::playing(RESPONSES, [Play::Stream(written(RESPONSES, &events), usize::MAX)]).await;
    assert_eq!(ask(&server.model(), &full_request()).await.0.unwrap().calls.len(), 1);
}

#[tokio::test]
async fn an_answer_that_hit_the_servers_limit_is_taken_as_far_as_it_goes() {
    let message = json!({ "type": "message", "content": [{ "type": "output_text", "text": "Half of it" }] });
    let response = json!({ "status": "incomplete", "output": [message], "incomplete_details": { "reason": "max_output_tokens" } });
    let events = [json!({ "type": "response.incomplete", "response": response })];
    let server = Server::playing(RESPONSES, [Play::Stream(written(RESPONSES, &events), usize::MAX)]).await;
    assert_eq!(ask(&server.model(), &plain_request()).await.0.unwrap().text, "Half of it");
}

#[tokio::test]
async fn an_error_told_within_a_stream_is_an_error() {
    let told = [
        (CHAT, json!({ "error": { "message": "quoted: buy milk", "code": "server_error" } })),
        (RESPONSES, json!({ "type": "error", "code": "server_error", "message": "quoted: buy milk" })),
        (
            RESPONSES,
            json!({ "type": "response.failed", "response": { "status": "failed", "error": { "code": "server_error" } } }),
        ),
    ];
    for (way, event) in told {
        let play = Play::Stream(written(way, std::slice::from_ref(&event)), usize::MAX);
        let server = Server::playing(way, [play.clone(), play.clone(), play]).await;
        let error = ask(&server.model(), &plain_request()).await.0.unwrap_err();
        assert!(matches!(&error, ModelError::Unavailable { attempts: 3, .. }), "{event}: {error}");
        assert!(error.to_string().contains("server_error") && !error.to_string().contains("milk"), "{error}");
    }
}
