//! A turn with an OpenAI-compatible model, from the chat endpoint to the components, and a model that stays away.

use std::sync::{Arc, Mutex};

use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use todo_tests::{Engine, World};

/// Plays streamed answers one by one and keeps what it was asked.
async fn model(answers: Vec<Value>) -> (String, Arc<Mutex<Vec<Value>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (answers, kept) = (Arc::new(Mutex::new(answers.into_iter())), asked.clone());
    let answer = move |Json(request): Json<Value>| async move {
        assert_eq!(request["stream"], true, "words are wanted as they come");
        kept.lock().unwrap().push(request);
        let chunk = answers.lock().unwrap().next().unwrap();
        ([("content-type", "text/event-stream")], format!("data: {chunk}\n\ndata: [DONE]\n\n"))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async {
        axum::serve(listener, Router::new().route("/v1/chat/completions", post(answer))).await
    });
    (url, asked)
}

fn chunk(delta: Value, reason: &str) -> Value {
    json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "test",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_openai_compatible_model_changes_tasks_through_the_components() {
    let arguments = json!({"title": "buy milk", "due": "2027-01-31"}).to_string();
    let function = json!({"name": "add_task", "arguments": arguments});
    let call = json!([{"index": 0, "id": "call_1", "type": "function", "function": function}]);
    let answers = vec![
        chunk(json!({"role": "assistant", "tool_calls": call}), "tool_calls"),
        chunk(json!({"role": "assistant", "content": "Done: buy milk."}), "stop"),
    ];
    let (url, asked) = model(answers).await;
    let world = World::with(Engine::Sqlite, |config| {
        (config.openai_base_url, config.openai_api_key) = (Some(url), Some("test".into()));
    });
    let world = world.await.unwrap();
    let mut alice = world.person("alice");
    let reply = alice.says("please put milk on my list for the end of January").await;
    assert_eq!((reply.text.as_str(), reply.tools()), ("Done: buy milk.", vec!["add_task"]));
    let asked = asked.lock().unwrap().clone();
    assert!(!asked[0].to_string().contains("user_id"), "the model must not see user_id");
    let told = asked[1]["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(told["role"], "tool", "{told}");
    assert!(told["content"].as_str().unwrap().contains("buy milk"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_stays_away_is_told_in_words_and_the_conversation_is_kept() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let world = World::with(Engine::Sqlite, |config| {
        (config.openai_base_url, config.openai_api_key) = (Some(url), Some("test".into()));
    });
    let world = world.await.unwrap();
    let mut alice = world.person("alice");
    let reply = alice.says("add buy milk").await;
    assert!(reply.text.contains("model") && reply.tool_calls.is_empty(), "{reply:?}");
    let conversation = alice.conversation;
    alice.says("add buy milk").await;
    assert_eq!(alice.conversation, conversation);
}
