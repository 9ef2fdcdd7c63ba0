//! The offline model in the loop.

use serde_json::json;
use todo_agent::{Item, Model, ModelRequest, Offline, ToolCall, ToolOutcome};

use crate::talk::{Talk, now};

#[tokio::test]
async fn it_adds_and_says_so() {
    let mut talk = Talk::about([]);
    let answer = talk.turn_with(&Offline, "add buy milk").await;
    assert_eq!(talk.made(), ["add_task"]);
    assert!(answer.to_lowercase().contains("buy milk"), "{answer}");
    assert_eq!(Offline.name(), "offline");
}

#[tokio::test]
async fn it_tells_its_words_to_whoever_watches() {
    let mut talk = Talk::about([]);
    let answer = talk.turn_with(&Offline, "hello").await;
    assert_eq!(talk.events, [format!("“{answer}”")]);
}

async fn asked_to_delete_all() -> Talk {
    let mut talk = Talk::about(["Buy milk", "Call Ann"]);
    let question = talk.turn_with(&Offline, "delete all my tasks").await;
    assert!(
        question.contains("“Buy milk” (task 1)") && question.contains("“Call Ann” (task 2)"),
        "{question}"
    );
    assert_eq!(talk.titles().len(), 2);
    talk
}

#[tokio::test]
async fn after_a_yes_it_says_what_it_deleted() {
    let mut talk = asked_to_delete_all().await;
    let answer = talk.turn_with(&Offline, "yes").await;
    assert!(talk.titles().is_empty());
    assert!(answer.contains("Buy milk") && answer.contains("Call Ann"), "{answer}");
}

#[tokio::test]
async fn after_a_no_it_leaves_everything() {
    let mut talk = asked_to_delete_all().await;
    let answer = talk.turn_with(&Offline, "no").await;
    assert_eq!(talk.titles().len(), 2);
    assert!(answer.contains("left everything"), "{answer}");
}

#[tokio::test]
async fn after_something_else_it_does_that() {
    let mut talk = asked_to_delete_all().await;
    talk.turn_with(&Offline, "add pay rent").await;
    assert_eq!(talk.titles().len(), 3);
    assert!(talk.titles()[2].eq_ignore_ascii_case("pay rent"));
}

#[tokio::test]
async fn it_goes_on_after_an_approval_as_after_any_turn() {
    let mut talk = asked_to_delete_all().await;
    talk.turn_with(&Offline, "yes").await;
    talk.turn_with(&Offline, "add pay rent").await;
    assert_eq!(talk.titles().len(), 1);
    assert!(matches!(talk.session.last(), Some(Item::Assistant { .. })));
}

#[tokio::test]
async fn after_a_yes_to_a_question_out_of_sight_it_says_what_it_deleted() {
    let mut talk = asked_to_delete_all().await;
    talk.agent.settings.max_history_items = 0;
    let answer = talk.turn_with(&Offline, "yes").await;
    assert!(talk.titles().is_empty());
    assert!(answer.contains("Buy milk") && answer.contains("Call Ann"), "{answer}");
}

#[tokio::test]
async fn it_looks_through_the_next_page_for_a_title_that_the_first_has_not() {
    let arguments = json!({ "status": "pending" });
    let page = ToolOutcome::page(json!([{ "id": 1, "title": "Call Ann" }]), Some("further".into()));
    let request = ModelRequest {
        instructions: String::new(),
        items: vec![
            Item::user("complete buy milk"),
            Item::ToolCall(ToolCall { id: "turn1-1".into(), name: "list_tasks".into(), arguments }),
            Item::result("turn1-1", page),
        ],
        tools: Vec::new(),
        may_call_tools: true,
        now: now(),
    };
    let answer = Offline.answer(&request, &mut |_| {}).await.unwrap();
    let [call] = answer.calls.as_slice() else { panic!("not one call: {answer:?}") };
    assert_eq!(call.name, "list_tasks");
    assert!(call.arguments.contains(r#""cursor":"further""#), "{call:?}");
}
