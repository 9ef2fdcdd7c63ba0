//! Stopping.

use std::time::Duration;

use chat::{Config, Limits};
use http::StatusCode;
use serde_json::json;

use crate::script::{Move, Script, call, say};
use crate::world::{Replica, World};

#[tokio::test]
async fn a_turn_under_way_finishes_before_the_process_ends() {
    let world = World::new().await;
    let script = Script::new([Move::SayWhenLet("Finished.")]);
    let mut replica = world.serve(script.clone()).await;
    let request = world.post(&replica, "ada", &json!({ "message": "hello" }));
    let answer =
        tokio::spawn(async move { request.send().await.unwrap().json::<serde_json::Value>().await.unwrap() });
    script.waits().await;
    replica.stop();
    script.go();
    assert_eq!(answer.await.unwrap()["response"], "Finished.");
    replica.ended().await;
}

#[tokio::test]
async fn a_turn_that_does_not_finish_is_cut_short_and_goes_on_elsewhere_without_doing_anything_twice() {
    let world = World::new().await;
    let moves = [call("add_task", json!({ "title": "Buy milk" })), Move::SayWhenLet("never")];
    let script = Script::new(moves);
    let limits = Limits { drain: Duration::ZERO, ..Limits::default() };
    let mut first = Replica::start(Config { limits, ..world.config(script.clone()) }).await;
    let request = world.post(&first, "ada", &json!({ "message": "add buy milk" }));
    let response = tokio::spawn(async move { request.send().await.unwrap().status() });
    script.waits().await;
    first.stop();
    first.ended().await;
    assert_eq!(response.await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);

    let second =
        world.serve(Script::new([call("add_task", json!({ "title": "Buy milk" })), say("Added.")])).await;
    let answer = world.say(&second, Some(1), "add buy milk").await;
    assert_eq!(answer["tool_calls"][0]["result"]["task_id"], 1);
    assert_eq!(world.titles(&second).await, ["Buy milk"], "the same words go on with the same turn");
    let items = json!({ "type": "items.list", "params": { "thread_id": "1", "order": "asc" } });
    let items = world.answer(&second, "ada", items).await;
    let kinds: Vec<&str> =
        items["data"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["user_message", "workflow", "assistant_message"]);
}
