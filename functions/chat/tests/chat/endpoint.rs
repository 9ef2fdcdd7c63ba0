//! The plain request and its answer.

use chat::{Config, Limits};
use http::StatusCode;
use serde_json::{Value, json};
use todo_agent::Offline;

use crate::script::{Move, Script, call, say};
use crate::world::{Replica, World};

#[tokio::test]
async fn a_message_is_answered_in_the_locked_shape() {
    let world = World::new().await;
    let replica =
        world.serve(Script::new([call("add_task", json!({ "title": "Buy milk" })), say("Added.")])).await;
    let answer = world.say(&replica, None, "add buy milk").await;
    assert_eq!(
        answer,
        json!({
            "conversation_id": 1,
            "response": "Added.",
            "tool_calls": [{
                "name": "add_task",
                "arguments": { "title": "Buy milk" },
                "result": { "task_id": 1, "status": "created", "title": "Buy milk" },
            }],
        })
    );
}

#[tokio::test]
async fn the_result_of_a_list_is_the_array() {
    let world = World::new().await;
    let moves =
        [call("add_task", json!({ "title": "Buy milk" })), call("list_tasks", json!({})), say("One task.")];
    let replica = world.serve(Script::new(moves)).await;
    let answer = world.say(&replica, None, "add buy milk and list").await;
    assert_eq!(answer["tool_calls"][1]["result"][0]["title"], "Buy milk", "{answer}");
}

#[tokio::test]
async fn the_offline_model_adds_a_task() {
    let world = World::new().await;
    let replica = world.serve(Offline).await;
    let answer = world.say(&replica, None, "add buy milk").await;
    assert_eq!(answer["tool_calls"][0]["name"], "add_task", "{answer}");
    assert_eq!(world.titles(&replica).await.len(), 1);
}

#[tokio::test]
async fn the_model_never_sees_user_id_and_is_told_the_persons_time() {
    let world = World::new().await;
    let script = Script::new([]);
    let replica = world.serve(script.clone()).await;
    world.answer(&replica, "ada", json!({ "message": "hello", "timezone": "Asia/Tokyo" })).await;
    let request = script.requests().remove(0);
    assert_eq!(request.now.time_zone().iana_name(), Some("Asia/Tokyo"));
    assert_eq!(request.tools.len(), 5);
    assert!(request.tools.iter().all(|tool| !tool.parameters.to_string().contains("user_id")));
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_said() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let wrong = [
        (json!({ "message": "" }), "empty"),
        (json!({ "message": " \n" }), "empty"),
        (json!({ "message": "x".repeat(8_001) }), "8001 characters"),
        (json!({ "text": "hello" }), "unknown field `text`"),
        (json!({ "message": "hello", "colour": 1 }), "unknown field `colour`"),
        (json!({}), "missing field `message`"),
        (json!({ "message": 1 }), "invalid type"),
        (json!({ "message": "hello", "conversation_id": 0 }), "conversation_id"),
        (json!({ "message": "hello", "conversation_id": "1" }), "invalid type"),
        (json!({ "message": "hello", "timezone": "Mars/Olympus" }), "timezone"),
        (json!(["hello"]), "object"),
    ];
    for (body, expected) in wrong {
        let (status, answer) = world.ask(&replica, "ada", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert_eq!(answer["error"]["code"], "invalid_request");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(expected), "{message}");
    }
    let list = json!({ "type": "threads.list", "params": {} });
    assert_eq!(
        world.answer(&replica, "ada", list).await["data"],
        json!([]),
        "a wrong body begins no conversation"
    );
}

#[tokio::test]
async fn a_message_of_8000_characters_is_taken() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    world.say(&replica, None, &"😀".repeat(8_000)).await;
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_large_is_refused() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let url = format!("{}/api/ada/chat", replica.url);
    let send = async |kind: &'static str, body: Vec<u8>| {
        let request = world.http.post(&url).bearer_auth(world.token("ada")).header("content-type", kind);
        let response = request.body(body).send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    let (status, answer) = send("application/json", b"{\"message\": ".to_vec()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["error"]["message"].as_str().unwrap().contains("line 1"), "{answer}");
    let (status, _) = send("text/plain", b"{\"message\": \"hello\"}".to_vec()).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let (status, answer) = send("application/json", vec![b' '; 300_000]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
}

#[tokio::test]
async fn an_unknown_conversation_and_somebody_elses_are_not_found() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let body = json!({ "message": "hello", "conversation_id": 7 });
    let (status, answer) = world.ask(&replica, "ada", body).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    let bobs = world.answer(&replica, "bob", json!({ "message": "hello" })).await["conversation_id"].clone();
    let body = json!({ "message": "hello", "conversation_id": bobs });
    let (status, _) = world.ask(&replica, "ada", body).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_model_that_stays_down_is_an_answer() {
    let world = World::new().await;
    let moves = [call("add_task", json!({ "title": "Buy milk" })), Move::Fail];
    let replica = world.serve(Script::new(moves)).await;
    let answer = world.say(&replica, None, "add buy milk").await;
    let response = answer["response"].as_str().unwrap();
    assert!(response.contains("not answering") && response.contains("Buy milk"), "{response}");
}

#[tokio::test]
async fn tools_that_are_away_are_503_before_anything_begins() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    world.functions_are_away(true);
    let response = world.post(&replica, "ada", &json!({ "message": "hello" })).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    world.functions_are_away(false);
    let list = json!({ "type": "threads.list", "params": {} });
    assert_eq!(world.answer(&replica, "ada", list).await["data"], json!([]));
}

#[tokio::test]
async fn one_person_has_only_so_many_turns_at_once() {
    let world = World::new().await;
    let script = Script::new([Move::SayWhenLet("first")]);
    let limits = Limits { turns_per_person: 1, ..Limits::default() };
    let replica = Replica::start(Config { limits, ..world.config(script.clone()) }).await;
    let (first, ()) = tokio::join!(world.say(&replica, None, "one"), async {
        script.waits().await;
        let response = world.post(&replica, "ada", &json!({ "message": "two" })).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(response.headers().contains_key("retry-after"));
        world.answer(&replica, "bob", json!({ "message": "hello" })).await;
        script.go();
    });
    assert_eq!(first["response"], "first");
    world.say(&replica, None, "two").await;
}

#[tokio::test]
async fn health_is_said_without_a_token() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    for path in ["/healthz", "/readyz"] {
        let response = world.http.get(format!("{}{path}", replica.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
    world.database.database().close().await;
    let response = world.http.get(format!("{}/readyz", replica.url)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_said_in_json() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let response = world.http.get(format!("{}/nowhere", replica.url)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(response.json::<Value>().await.unwrap()["error"]["code"], "not_found");
    let response = world.http.get(format!("{}/api/ada/chat", replica.url)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "POST");
}

#[tokio::test]
async fn only_configured_origins_may_call_from_a_page() {
    let world = World::new().await;
    let allowed_origins = vec!["https://app.example.com".to_owned()];
    let replica = Replica::start(Config { allowed_origins, ..world.config(Script::new([])) }).await;
    let allowed = async |origin: &str| {
        let request = world.http.request(http::Method::OPTIONS, format!("{}/api/ada/chat", replica.url));
        let request = request.header("origin", origin).header("access-control-request-method", "POST");
        let response = request.send().await.unwrap();
        response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(allowed("https://app.example.com").await.as_deref(), Some("https://app.example.com"));
    assert_eq!(allowed("https://evil.example.com").await, None);
}
