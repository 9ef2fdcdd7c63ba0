//! Turns in order, across replicas, restarts and crashes.

use std::time::Duration;

use chat::{Config, Limits};
use http::StatusCode;
use serde_json::json;
use todo_agent::{Item, Offline};

use crate::script::{Move, Script, call, say};
use crate::world::{Replica, World};

fn words(items: &[Item]) -> Vec<&str> {
    let words = items.iter().filter_map(|item| match item {
        Item::User { text } | Item::Assistant { text } => Some(text.as_str()),
        _ => None,
    });
    words.collect()
}

#[tokio::test]
async fn a_conversation_goes_on_in_another_process() {
    let world = World::new().await;
    let first =
        world.serve(Script::new([call("add_task", json!({ "title": "Buy milk" })), say("Added.")])).await;
    world.say(&first, None, "add buy milk").await;
    let script = Script::new([]);
    let second = world.serve(script.clone()).await;
    let answer = world.say(&second, Some(1), "and now?").await;
    assert_eq!(answer["conversation_id"], 1);
    let shown = script.shown().remove(0);
    assert_eq!(words(&shown), ["add buy milk", "Added.", "and now?"]);
    assert!(shown.iter().any(|item| matches!(item, Item::ToolResult { is_error: false, .. })));
}

#[tokio::test]
async fn two_messages_in_one_conversation_are_answered_one_after_the_other_by_two_replicas() {
    let world = World::new().await;
    let script = Script::new([say("Hello."), Move::SayWhenLet("First."), say("Second.")]);
    let (one, two) = (world.serve(script.clone()).await, world.serve(script.clone()).await);
    world.say(&one, None, "hello").await;
    let (first, second) = tokio::join!(world.say(&one, Some(1), "first"), async {
        script.waits().await;
        let (second, ()) = tokio::join!(world.say(&two, Some(1), "second"), async { script.go() });
        second
    });
    assert_eq!((&first["response"], &second["response"]), (&json!("First."), &json!("Second.")));
    assert_eq!(words(script.shown().last().unwrap()), ["hello", "Hello.", "first", "First.", "second"]);
}

#[tokio::test]
async fn a_message_that_waits_too_long_is_503() {
    let world = World::new().await;
    let script = Script::new([say("Hello."), Move::SayWhenLet("Late.")]);
    let limits = Limits { wait_for_turn: Duration::ZERO, ..Limits::default() };
    let replica = Replica::start(Config { limits, ..world.config(script.clone()) }).await;
    world.say(&replica, None, "hello").await;
    let (late, ()) = tokio::join!(world.say(&replica, Some(1), "first"), async {
        script.waits().await;
        let body = json!({ "message": "second", "conversation_id": 1 });
        let response = world.post(&replica, "ada", &body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key("retry-after"));
        script.go();
    });
    assert_eq!(late["response"], "Late.");
}

#[tokio::test]
async fn a_turn_is_renewed_for_as_long_as_it_lasts() {
    let world = World::new().await;
    let script = Script::new([say("Hello."), Move::SayWhenLet("First."), say("Second.")]);
    let limits = Limits { lease: Duration::from_millis(90), ..Limits::default() };
    let replica = Replica::start(Config { limits, ..world.config(script.clone()) }).await;
    world.say(&replica, None, "hello").await;
    let claims = async || {
        let rows = world.database.as_owner("SELECT turn_until FROM conversations").await.unwrap();
        rows[0][0].clone()
    };
    let (first, ()) = tokio::join!(world.say(&replica, Some(1), "first"), async {
        script.waits().await;
        let before = claims().await;
        while claims().await == before {
            tokio::task::yield_now().await;
        }
        script.go();
    });
    assert_eq!(first["response"], "First.");
}

#[tokio::test]
async fn a_crashed_turn_is_free_when_its_lease_has_run_out() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    world.say(&replica, None, "hello").await;
    // What a process leaves behind that died long ago, and one that died just now.
    world
        .database
        .as_owner("UPDATE conversations SET turn_owner = 'dead', turn_until = 1 RETURNING turn_owner")
        .await
        .unwrap();
    world.say(&replica, Some(1), "still there?").await;
}

#[tokio::test]
async fn other_words_after_a_crash_close_the_turn_and_repeat_nothing() {
    let world = World::new().await;
    let crashed = Script::new([call("add_task", json!({ "title": "Buy milk" })), Move::SayWhenLet("never")]);
    let limits = Limits { drain: Duration::ZERO, ..Limits::default() };
    let mut first = Replica::start(Config { limits, ..world.config(crashed.clone()) }).await;
    let request = world.post(&first, "ada", &json!({ "message": "add buy milk" }));
    let sent = tokio::spawn(request.send());
    crashed.waits().await;
    first.stop();
    first.ended().await;
    sent.await.unwrap().unwrap();

    let script = Script::new([say("All right.")]);
    let second = world.serve(script.clone()).await;
    world.say(&second, Some(1), "never mind").await;
    let shown = script.shown().remove(0);
    assert_eq!(words(&shown), ["add buy milk", "never mind"]);
    let lost = shown.iter().find_map(|item| match item {
        Item::ToolResult { value, is_error: true, .. } => Some(value.to_string()),
        _ => None,
    });
    assert!(lost.unwrap().contains("lost"), "{shown:?}");
    assert_eq!(world.titles(&second).await, ["Buy milk"]);
}

#[tokio::test]
async fn a_turn_that_takes_too_long_ends_with_words_in_the_conversation() {
    let world = World::new().await;
    let script = Script::new([call("add_task", json!({ "title": "Buy milk" })), Move::SayWhenLet("never")]);
    let limits = Limits { turn: Duration::from_secs(2), ..Limits::default() };
    let replica = Replica::start(Config { limits, ..world.config(script.clone()) }).await;
    let (status, answer) = world.ask(&replica, "ada", json!({ "message": "add buy milk" })).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::GATEWAY_TIMEOUT, &json!("timeout")));
    world.say(&replica, Some(1), "what happened?").await;
    let shown = script.shown().pop().unwrap();
    assert!(words(&shown)[1].starts_with("That took too long"), "{shown:?}");
    assert!(shown.iter().any(|item| matches!(item, Item::ToolResult { is_error: false, .. })), "{shown:?}");
}

#[tokio::test]
async fn an_approval_waits_through_a_restart() {
    let world = World::new().await;
    let first = world.serve(Offline).await;
    world.say(&first, None, "add buy milk").await;
    world.say(&first, Some(1), "add buy bread").await;
    let asked = world.say(&first, Some(1), "delete all tasks").await;
    assert!(asked["response"].as_str().unwrap().contains("yes"), "{asked}");
    assert_eq!(world.titles(&first).await.len(), 2);
    let second = world.serve(Offline).await;
    let answer = world.say(&second, Some(1), "yes").await;
    assert_eq!(answer["tool_calls"].as_array().unwrap().len(), 2, "{answer}");
    assert!(world.titles(&second).await.is_empty());
}

#[tokio::test]
async fn a_message_that_was_only_thought_of_twice_is_two_messages() {
    let world = World::new().await;
    let add = || call("add_task", json!({ "title": "Buy milk" }));
    let replica = world.serve(Script::new([add(), say("Added."), add(), say("Added again.")])).await;
    world.say(&replica, None, "add buy milk").await;
    world.say(&replica, Some(1), "add buy milk").await;
    assert_eq!(
        world.titles(&replica).await,
        ["Buy milk", "Buy milk"],
        "only a turn that was cut short is gone on with"
    );
}

#[tokio::test]
async fn the_trace_goes_on_to_the_events() {
    let world = World::new().await;
    let replica =
        world.serve(Script::new([call("add_task", json!({ "title": "Buy milk" })), say("Added.")])).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = world.post(&replica, "ada", &json!({ "message": "add buy milk" }));
    let request = request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    let events = world.events_written().await;
    assert!(!events.is_empty());
    for event in events {
        assert!(event["traceparent"].as_str().unwrap().contains(trace), "{event}");
    }
}
