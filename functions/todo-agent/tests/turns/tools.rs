//! Tool calls, and what goes back to the model.

use std::sync::atomic::Ordering;

use serde_json::json;
use todo_agent::{Item, ModelError, Run, Step, ToolOutcome};

use crate::talk::{Talk, call, call_raw, say};

#[tokio::test]
async fn an_answer_without_calls_ends_the_turn() {
    let mut talk = Talk::about([]);
    assert_eq!(talk.turn("hello", [say("Hi.")]).await, "Hi.");
    assert_eq!(talk.session, [Item::user("hello"), Item::assistant("Hi.")]);
    assert_eq!(talk.events, ["“Hi.”"]);
}

#[tokio::test]
async fn the_result_of_a_call_goes_back_to_the_model() {
    let mut talk = Talk::about([]);
    let add = call([("add_task", json!({ "title": "Buy milk" }))]);
    assert_eq!(talk.turn("add buy milk", [add, say("Added.")]).await, "Added.");
    assert_eq!(talk.titles(), ["Buy milk"]);
    let items = talk.last_request().items;
    let [Item::User { .. }, Item::ToolCall(made), Item::ToolResult { id, value, is_error: false, .. }] =
        items.as_slice()
    else {
        panic!("not message, call and result");
    };
    assert_eq!((&made.id, &value["task_id"]), (id, &json!(1)));
}

#[tokio::test]
async fn calls_that_only_read_run_side_by_side() {
    let mut talk = Talk::about(["Buy milk"]);
    let twice = call([("list_tasks", json!({})), ("list_tasks", json!({ "status": "pending" }))]);
    talk.turn("what is there", [twice, say("Milk.")]).await;
    assert_eq!(talk.tasks.most_at_once.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn calls_that_change_something_run_in_the_models_order() {
    let mut talk = Talk::about([]);
    let title = |title| ("add_task", json!({ "title": title }));
    let lines = [call([title("one"), title("two"), title("three")]), say("Three.")];
    talk.turn("add one, two and three", lines).await;
    assert_eq!(talk.titles(), ["one", "two", "three"]);
    assert_eq!(talk.tasks.most_at_once.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_failing_tool_does_not_end_the_turn() {
    let mut talk = Talk::about([]);
    let missing = call([("complete_task", json!({ "task_id": 7 }))]);
    assert_eq!(talk.turn("complete 7", [missing, say("There is no task 7.")]).await, "There is no task 7.");
    assert!(matches!(talk.last_request().items.last(), Some(Item::ToolResult { is_error: true, .. })));
}

#[tokio::test]
async fn an_unknown_tool_is_the_models_error() {
    let mut talk = Talk::about([]);
    talk.turn("hello", [call([("drop table", json!({}))]), say("Sorry.")]).await;
    assert!(talk.made().is_empty());
    let items = talk.last_request().items;
    assert!(matches!(&items[1], Item::ToolCall(call) if call.name == "unknown_tool"));
    assert!(
        matches!(&items[2], Item::ToolResult { value, is_error: true, .. } if value.to_string().contains("add_task"))
    );
}

#[tokio::test]
async fn malformed_arguments_are_the_models_error() {
    for arguments in ["{\"title\": \"Buy", "[1]", "\"add\"", "null"] {
        let mut talk = Talk::about([]);
        talk.turn("add milk", [call_raw([("add_task", arguments)]), say("Sorry.")]).await;
        assert!(talk.made().is_empty(), "{arguments} reached a tool");
        assert!(matches!(talk.last_request().items.last(), Some(Item::ToolResult { is_error: true, .. })));
    }
}

#[tokio::test]
async fn no_arguments_at_all_are_an_empty_object() {
    let mut talk = Talk::about(["Buy milk"]);
    talk.turn("list", [call_raw([("list_tasks", "")]), say("Milk.")]).await;
    assert_eq!(talk.made(), ["list_tasks"]);
}

#[tokio::test]
async fn a_user_id_from_the_model_is_dropped_and_never_offered() {
    let mut talk = Talk::about([]);
    let add = call([("add_task", json!({ "title": "Buy milk", "user_id": "mallory" }))]);
    talk.turn("add milk", [add, say("Added.")]).await;
    assert_eq!(talk.tasks.made.lock().unwrap()[0].arguments, json!({ "title": "Buy milk" }));
    let offered = serde_json::to_string(&talk.last_request().tools).unwrap();
    assert!(!offered.contains("user_id"), "{offered}");
}

#[tokio::test]
async fn a_date_without_a_zone_is_read_in_the_persons() {
    let mut talk = Talk::about([]);
    let lines = [
        call([
            ("add_task", json!({ "title": "one", "due": "2026-11-27" })),
            ("add_task", json!({ "title": "two", "due": "2026-11-27", "timezone": "Asia/Tokyo" })),
            ("add_task", json!({ "title": "three" })),
        ]),
        say("Three."),
    ];
    talk.turn("add them", lines).await;
    let made = talk.tasks.made.lock().unwrap();
    let zones = [0, 1, 2].map(|at: usize| made[at].arguments["timezone"].clone());
    assert_eq!(zones, [json!("Europe/Berlin"), json!("Asia/Tokyo"), json!(null)]);
}

#[tokio::test]
async fn every_call_has_an_id_of_its_own_in_all_turns() {
    let mut talk = Talk::about([]);
    let list = || call([("list_tasks", json!({})), ("list_tasks", json!({}))]);
    talk.turn("list", [list(), list(), say("Nothing.")]).await;
    talk.turn("again", [list(), say("Nothing.")]).await;
    let ids: std::collections::BTreeSet<String> =
        talk.tasks.made.lock().unwrap().iter().map(|call| call.id.clone()).collect();
    assert_eq!(ids.len(), 6);
}

#[tokio::test]
async fn words_beside_calls_are_kept_but_are_not_the_answer() {
    let mut talk = Talk::about([]);
    let mut add = call([("add_task", json!({ "title": "Buy milk" }))]).unwrap();
    add.text = "On it.".to_owned();
    assert_eq!(talk.turn("add milk", [Ok(add), say("Added.")]).await, "Added.");
    assert_eq!(talk.session[1], Item::assistant("On it."));
}

#[tokio::test]
async fn a_run_goes_on_elsewhere_from_every_step() {
    let mut talk = Talk::about(["Buy milk", "Call Ann"]);
    let mut run = talk.begin("complete both");
    let answers = [
        call([("complete_task", json!({ "task_id": 1 })), ("complete_task", json!({ "task_id": 2 }))]),
        say("Both are done."),
    ];
    let mut answers = answers.into_iter().map(Result::unwrap);
    loop {
        run = Run::restore(serde_json::to_value(&run).unwrap()).unwrap();
        match run.next(&talk.agent) {
            Step::CallModel(_) => run.model_answered(&talk.agent, answers.next().unwrap()).unwrap(),
            // One call a round, as if the process died in between: the next round asks only for what is missing.
            Step::CallTools(calls) => {
                let outcome = todo_agent::Tools::call(&talk.tasks, &calls[0]).await;
                run.tool_answered(&calls[0].id, outcome).unwrap();
            }
            Step::Interrupted(_) => panic!("nothing to approve"),
            Step::Done(answer) => break assert_eq!(answer.text, "Both are done."),
        }
    }
    assert_eq!(talk.made().len(), 2);
}

#[tokio::test]
async fn a_run_of_another_version_is_not_restored() {
    let mut talk = Talk::about([]);
    let mut stored = serde_json::to_value(talk.begin("hello")).unwrap();
    assert!(Run::restore(stored.clone()).is_some());
    stored["version"] = json!(0);
    assert!(Run::restore(stored).is_none());
}

#[test]
fn a_run_refuses_what_it_did_not_ask_for() {
    let mut talk = Talk::about([]);
    let mut run = talk.begin("hello");
    assert!(run.tool_answered("x", todo_agent::ToolOutcome::ok(json!({}))).is_err());
    run.model_answered(&talk.agent, say("Hi.").unwrap()).unwrap();
    assert!(run.model_answered(&talk.agent, say("Hi.").unwrap()).is_err());
    assert!(run.model_failed(&ModelError::Garbled { reason: "late".into() }).is_err());
}

#[tokio::test]
async fn tokens_are_added_up() {
    let mut talk = Talk::about([]);
    talk.turn("hello", [say("Hi.")]).await;
    talk.turn("hello", [say("Hi.")]).await;
    assert_eq!((talk.usage.input_tokens, talk.usage.output_tokens), (20, 4));
}

#[test]
fn a_result_stored_without_a_cursor_is_read_as_the_last_page() {
    let stored = json!({ "type": "tool_result", "id": "t-1", "value": [], "is_error": false });
    let item = Item::result("t-1", ToolOutcome::ok(json!([])));
    assert_eq!(serde_json::from_value::<Item>(stored.clone()).unwrap(), item);
    assert_eq!(serde_json::to_value(item).unwrap(), stored);
    let page = Item::result("t-1", ToolOutcome::page(json!([]), Some("further".into())));
    let stored = serde_json::to_value(&page).unwrap();
    assert_eq!(stored["next_cursor"], "further");
    assert_eq!(serde_json::from_value::<Item>(stored).unwrap(), page);
}
