//! The same turn as a stream.

use http::StatusCode;
use serde_json::{Value, json};

use crate::script::{Move, Script, call, say};
use crate::world::World;

fn names(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn a_turn_streams_in_the_order_it_happens() {
    let world = World::new().await;
    let moves = [call("add_task", json!({ "title": "Buy milk" })), Move::Say(vec!["Add", "ed."])];
    let replica = world.serve(Script::new(moves)).await;
    let events = world.stream(&replica, json!({ "message": "add buy milk" })).await;
    assert_eq!(names(&events), ["conversation", "tool_call", "tool_result", "delta", "delta", "done"]);
    assert_eq!(events[0].1, json!({ "conversation_id": 1 }));
    let id = events[1].1["id"].clone();
    assert_eq!(events[1].1, json!({ "id": id, "name": "add_task", "arguments": { "title": "Buy milk" } }));
    let result = json!({ "task_id": 1, "status": "created", "title": "Buy milk" });
    assert_eq!(events[2].1, json!({ "id": id, "name": "add_task", "result": result, "is_error": false }));
    assert_eq!(events[3].1, json!({ "text": "Add" }));
    assert_eq!(
        events[5].1,
        json!({
            "conversation_id": 1,
            "response": "Added.",
            "tool_calls": [{ "name": "add_task", "arguments": { "title": "Buy milk" }, "result": result }],
        })
    );
}

#[tokio::test]
async fn a_mistake_of_the_model_streams_as_an_error_of_its_call() {
    let world = World::new().await;
    let replica = world
        .serve(Script::new([call("complete_task", json!({ "task_id": 9 })), say("No such task.")]))
        .await;
    let events = world.stream(&replica, json!({ "message": "complete 9" })).await;
    assert_eq!(events[2].1["is_error"], json!(true));
    assert!(events[2].1["result"]["error"].as_str().unwrap().contains("no task 9"), "{:?}", events[2]);
}

#[tokio::test]
async fn what_is_wrong_before_the_turn_is_a_status() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    for (body, status) in [
        (json!({ "message": "" }), StatusCode::BAD_REQUEST),
        (json!({ "message": "hello", "conversation_id": 9 }), StatusCode::NOT_FOUND),
    ] {
        let request = world.post(&replica, "ada", &body).header("accept", "text/event-stream");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}

#[tokio::test]
async fn a_question_before_deleting_streams_as_an_approval() {
    let world = World::new().await;
    let add = |title| ("add_task", json!({ "title": title }));
    let moves = [
        Move::Call("", vec![add("One"), add("Two")]),
        say("Added."),
        Move::Call(
            "",
            vec![("delete_task", json!({ "task_id": 1 })), ("delete_task", json!({ "task_id": 2 }))],
        ),
        say("Both are gone."),
    ];
    let replica = world.serve(Script::new(moves)).await;
    world.say(&replica, None, "add one and two").await;
    let events =
        world.stream(&replica, json!({ "message": "delete everything", "conversation_id": 1 })).await;
    assert_eq!(names(&events), ["conversation", "approval", "done"]);
    assert_eq!(events[1].1["calls"].as_array().unwrap().len(), 2);
    assert_eq!(world.titles(&replica).await, ["One", "Two"], "nothing is deleted before the yes");
    let answer = world.say(&replica, Some(1), "yes").await;
    assert_eq!(answer["response"], "Both are gone.");
    assert_eq!(answer["tool_calls"].as_array().unwrap().len(), 2);
    assert!(world.titles(&replica).await.is_empty());
}

#[tokio::test]
async fn a_turn_goes_on_when_its_client_has_gone() {
    let world = World::new().await;
    let script = Script::new([Move::SayWhenLet("Here I am."), say("Again.")]);
    let replica = world.serve(script.clone()).await;
    let request =
        world.post(&replica, "ada", &json!({ "message": "hello" })).header("accept", "text/event-stream");
    let response = request.send().await.unwrap();
    script.waits().await;
    drop(response);
    script.go();
    // The next message waits for the turn before it, and the model sees how that ended.
    world.say(&replica, Some(1), "are you there?").await;
    let shown = serde_json::to_string(script.shown().last().unwrap()).unwrap();
    assert!(shown.contains("Here I am."), "{shown}");
}
