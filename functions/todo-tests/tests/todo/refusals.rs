//! What the chat endpoint refuses, with a status and a sentence.

use serde_json::{Value, json};
use todo_tests::{Engine, World};

async fn world() -> World {
    World::on(Engine::Sqlite).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_token_is_challenged() {
    let world = world().await;
    let url = format!("{}/api/alice/chat", world.url());
    let response = reqwest::Client::new().post(url).json(&json!({"message": "hello"})).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_path_is_forbidden() {
    let world = world().await;
    let url = format!("{}/api/alice/chat", world.url());
    let request = reqwest::Client::new().post(url).bearer_auth(world.token("mallory"));
    let response = request.json(&json!({"message": "show my tasks"})).send().await.unwrap();
    assert_eq!(response.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_body_is_refused_with_a_sentence() {
    let world = world().await;
    let alice = world.person("alice");
    let wrong = [
        json!({}),
        json!({"message": ""}),
        json!({"message": "x".repeat(8001)}),
        json!({"message": 7}),
        json!({"message": "hello", "timezone": "Mars/Olympus"}),
        json!({"message": "hello", "conversation_id": "one"}),
        json!({"message": "hello", "model": "gpt"}),
    ];
    for body in wrong {
        let response = alice.posts(&body).await;
        assert_eq!(response.status(), 400, "{:.80}", body.to_string());
        let error: Value = response.json().await.unwrap();
        assert!(error["error"]["message"].as_str().is_some_and(|message| message.len() > 10), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_thousand_characters_are_accepted() {
    let world = world().await;
    let message = format!("add {}", "ü".repeat(7996));
    let response = world.person("alice").posts(&json!({"message": message})).await;
    assert!(response.status().is_success(), "{}", response.status());
}
