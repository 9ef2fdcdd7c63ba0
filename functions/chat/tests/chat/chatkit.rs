//! The ChatKit server protocol.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::{Value, json};

use crate::script::{Move, Script, call, say};
use crate::world::{Replica, World};

fn input(text: &str) -> Value {
    json!({ "content": [{ "type": "input_text", "text": text }], "attachments": [], "inference_options": {} })
}

fn create(text: &str) -> Value {
    json!({ "type": "threads.create", "params": { "input": input(text) } })
}

fn add(thread: &str, text: &str) -> Value {
    json!({ "type": "threads.add_user_message", "params": { "thread_id": thread, "input": input(text) } })
}

/// The events of a streaming request; none has a name.
async fn stream(world: &World, replica: &Replica, body: Value) -> Vec<Value> {
    let events = world.stream(replica, body).await;
    assert!(events.iter().all(|(name, _)| name.is_empty()), "{events:?}");
    events.into_iter().map(|(_, data)| data).collect()
}

async fn plain(world: &World, replica: &Replica, kind: &str, params: Value) -> Value {
    world.answer(replica, "ada", json!({ "type": kind, "params": params })).await
}

fn kinds(events: &[Value]) -> Vec<String> {
    let kind = |event: &Value| match event["update"]["type"].as_str() {
        Some(update) => update.to_owned(),
        None => event["type"].as_str().unwrap().to_owned(),
    };
    events.iter().map(kind).collect()
}

#[tokio::test]
async fn a_thread_is_created_and_its_turn_streams() {
    let world = World::new().await;
    let moves = [call("add_task", json!({ "title": "Buy milk" })), Move::Say(vec!["Add", "ed."])];
    let replica = world.serve(Script::new(moves)).await;
    let events = stream(&world, &replica, create("add buy milk")).await;
    assert_eq!(
        kinds(&events),
        [
            "thread.created",
            "thread.item.done",
            "stream_options",
            "thread.item.added",
            "workflow.task.added",
            "workflow.task.updated",
            "thread.item.done",
            "thread.item.added",
            "assistant_message.content_part.added",
            "assistant_message.content_part.text_delta",
            "assistant_message.content_part.text_delta",
            "assistant_message.content_part.done",
            "thread.item.done",
        ]
    );
    let thread = &events[0]["thread"];
    assert_eq!((&thread["id"], &thread["title"]), (&json!("1"), &json!("add buy milk")));
    assert_eq!(thread["items"], json!({ "data": [], "has_more": false }));
    assert_eq!(events[1]["item"]["content"], json!([{ "type": "input_text", "text": "add buy milk" }]));
    let task = json!({
        "type": "custom", "title": "add_task", "status_indicator": "complete", "content": "Task 1 created: Buy milk",
    });
    assert_eq!(events[6]["item"]["workflow"]["tasks"], json!([task]));
    assert_eq!(events[12]["item"]["content"][0]["text"], "Added.");
}

#[tokio::test]
async fn items_have_the_same_ids_while_they_stream_and_when_they_are_listed() {
    let world = World::new().await;
    let moves = [
        Move::Call(
            "Let me see.",
            vec![("list_tasks", json!({})), ("list_tasks", json!({ "status": "pending" }))],
        ),
        call("list_tasks", json!({ "status": "completed" })),
        say("Nothing there."),
    ];
    let replica = world.serve(Script::new(moves)).await;
    let events = stream(&world, &replica, create("what is there?")).await;
    let done = events.iter().filter(|event| event["type"] == "thread.item.done");
    let streamed: Vec<Value> = done.map(|event| event["item"].clone()).collect();
    let listed = plain(&world, &replica, "items.list", json!({ "thread_id": "1", "order": "asc" })).await;
    let listed = listed["data"].as_array().unwrap();
    let named = |items: &[Value]| -> Vec<(String, String)> {
        items.iter().map(|item| (item["type"].to_string(), item["id"].to_string())).collect()
    };
    assert_eq!(named(listed), named(&streamed));
    assert_eq!(listed.len(), 4, "words on the way, three calls in one workflow, the answer: {listed:?}");
    assert_eq!(listed[2]["workflow"]["tasks"].as_array().unwrap().len(), 3);
    for (listed, streamed) in listed.iter().zip(&streamed) {
        assert_eq!(listed["content"], streamed["content"]);
        assert_eq!(listed["workflow"], streamed["workflow"]);
    }
}

#[tokio::test]
async fn a_call_that_failed_has_no_check_mark_while_it_streams_nor_when_it_is_listed() {
    let world = World::new().await;
    let replica =
        world.serve(Script::new([call("complete_task", json!({ "task_id": 7 })), say("No.")])).await;
    let events = stream(&world, &replica, create("complete 7")).await;
    let listed = plain(&world, &replica, "items.list", json!({ "thread_id": "1", "order": "asc" })).await;
    let updated = events.iter().find(|event| event["update"]["type"] == "workflow.task.updated").unwrap();
    let task = &updated["update"]["task"];
    assert_eq!(task["status_indicator"], "none", "{task}");
    assert_eq!(listed["data"][1]["workflow"]["tasks"], json!([task]));
}

#[tokio::test]
async fn a_question_streams_as_an_answer_of_its_own() {
    let world = World::new().await;
    let deletes = vec![("delete_task", json!({ "task_id": 1 })), ("delete_task", json!({ "task_id": 2 }))];
    let replica = world.serve(Script::new([Move::Call("One moment.", deletes)])).await;
    let events = stream(&world, &replica, create("delete everything")).await;
    let done: Vec<&Value> = events.iter().filter(|event| event["type"] == "thread.item.done").collect();
    assert_eq!(done.len(), 3, "{events:?}");
    assert_eq!(done[1]["item"]["content"][0]["text"], "One moment.");
    assert!(done[2]["item"]["content"][0]["text"].as_str().unwrap().contains("yes or no"));
}

#[tokio::test]
async fn a_message_is_added_to_a_thread_and_its_zone_is_read_from_the_metadata() {
    let world = World::new().await;
    let script = Script::new([]);
    let replica = world.serve(script.clone()).await;
    stream(&world, &replica, create("hello")).await;
    let mut body = add("1", "and now?");
    body["metadata"] = json!({ "timezone": "Asia/Tokyo", "other": [1] });
    let events = stream(&world, &replica, body).await;
    assert_eq!(kinds(&events)[..2], ["thread.item.done", "stream_options"]);
    let request = script.requests().pop().unwrap();
    assert_eq!(request.now.time_zone().iana_name(), Some("Asia/Tokyo"));
    assert_eq!(request.items.len(), 3);
}

#[tokio::test]
async fn the_last_message_can_be_tried_again_without_doing_anything_twice() {
    let world = World::new().await;
    let add = || call("add_task", json!({ "title": "Buy milk" }));
    let replica = world.serve(Script::new([add(), Move::Fail, add(), say("Added.")])).await;
    let events = stream(&world, &replica, create("add buy milk")).await;
    let item = events[1]["item"]["id"].clone();
    let params = json!({ "thread_id": "1", "item_id": item });
    let retry = json!({ "type": "threads.retry_after_item", "params": params });
    let events = stream(&world, &replica, retry).await;
    assert_eq!(events.last().unwrap()["item"]["content"][0]["text"], "Added.");
    assert_eq!(world.titles(&replica).await, ["Buy milk"]);
    let listed = plain(&world, &replica, "items.list", json!({ "thread_id": "1" })).await;
    let ids: BTreeSet<&str> =
        listed["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 4, "the message, the call once, both answers: {listed}");
    assert_eq!(events.last().unwrap()["item"]["id"], listed["data"][0]["id"]);
    let params = json!({ "thread_id": "1", "item_id": "another" });
    let (status, _) =
        world.ask(&replica, "ada", json!({ "type": "threads.retry_after_item", "params": params })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn threads_are_listed_in_pages_in_both_orders() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    for title in ["one", "two", "three"] {
        stream(&world, &replica, create(title)).await;
    }
    let ids = |page: &Value| -> Vec<String> {
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|thread| thread["id"].as_str().unwrap().to_owned())
            .collect()
    };
    for (order, first, second) in [("desc", ["3", "2"], ["1"]), ("asc", ["1", "2"], ["3"])] {
        let page = plain(&world, &replica, "threads.list", json!({ "limit": 2, "order": order })).await;
        assert_eq!((ids(&page), &page["has_more"]), (first.map(str::to_owned).to_vec(), &json!(true)));
        let params = json!({ "limit": 2, "order": order, "after": page["after"] });
        let page = plain(&world, &replica, "threads.list", params).await;
        assert_eq!((ids(&page), &page["has_more"]), (second.map(str::to_owned).to_vec(), &json!(false)));
        assert!(page.get("after").is_none());
    }
}

#[tokio::test]
async fn items_are_listed_in_pages_in_both_orders() {
    let world = World::new().await;
    let list = || call("list_tasks", json!({}));
    let moves = [list(), list(), say("First."), say("Second."), list(), say("Third.")];
    let replica = world.serve(Script::new(moves)).await;
    stream(&world, &replica, create("one")).await;
    stream(&world, &replica, add("1", "two")).await;
    stream(&world, &replica, add("1", "three")).await;
    let all =
        plain(&world, &replica, "items.list", json!({ "thread_id": "1", "limit": 100, "order": "asc" }))
            .await;
    let ids = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = ids(&all);
    assert_eq!(all.len(), 8, "three messages, three answers, two workflows");
    for (order, limit) in [("asc", 1), ("asc", 3), ("desc", 1), ("desc", 3)] {
        let (mut found, mut after) = (Vec::new(), Value::Null);
        loop {
            let params = json!({ "thread_id": "1", "limit": limit, "order": order, "after": after });
            let page = plain(&world, &replica, "items.list", params).await;
            assert!(ids(&page).len() <= limit);
            found.extend(ids(&page));
            after = page.get("after").cloned().unwrap_or_default();
            if page["has_more"] == false {
                break;
            }
        }
        if order == "desc" {
            found.reverse();
        }
        assert_eq!(found, all, "{order} by {limit}");
    }
}

#[tokio::test]
async fn a_conversation_longer_than_what_is_read_at_once_is_listed_whole() {
    let world = World::new().await;
    let lists = (0..40).map(|_| ("list_tasks", json!({}))).collect::<Vec<_>>();
    let calls = (0..4).map(|_| Move::Call("", lists.clone()));
    let replica = world.serve(Script::new(calls.chain([say("Listed.")]))).await;
    stream(&world, &replica, create("list and list")).await;
    for order in ["asc", "desc"] {
        let params = json!({ "thread_id": "1", "limit": 2, "order": order });
        let page = plain(&world, &replica, "items.list", params).await;
        let workflow = &page["data"][1];
        assert_eq!(workflow["workflow"]["tasks"].as_array().unwrap().len(), 160, "{order}");
        let params = json!({ "thread_id": "1", "limit": 2, "order": order, "after": page["after"] });
        let page = plain(&world, &replica, "items.list", params).await;
        assert_eq!((page["data"].as_array().unwrap().len(), &page["has_more"]), (1, &json!(false)));
    }
}

#[tokio::test]
async fn a_thread_is_read_renamed_and_deleted() {
    let world = World::new().await;
    let replica = world.serve(Script::new([say("Hello.")])).await;
    stream(&world, &replica, create("hi")).await;
    let thread = plain(&world, &replica, "threads.get_by_id", json!({ "thread_id": "1" })).await;
    assert_eq!(thread["items"]["data"].as_array().unwrap().len(), 2);
    assert_eq!(thread["status"], json!({ "type": "active" }));
    assert_eq!(thread["metadata"], json!({ "approval": false }));
    let renamed =
        plain(&world, &replica, "threads.update", json!({ "thread_id": "1", "title": " Greetings " })).await;
    assert_eq!(renamed["title"], "Greetings");
    let deleted = plain(&world, &replica, "threads.delete", json!({ "thread_id": "1" })).await;
    assert_eq!(deleted, json!({}));
    for (kind, params) in [
        ("threads.get_by_id", json!({ "thread_id": "1" })),
        ("items.list", json!({ "thread_id": "1" })),
        ("threads.update", json!({ "thread_id": "1", "title": "x" })),
        ("threads.delete", json!({ "thread_id": "nonsense" })),
        ("threads.add_user_message", json!({ "thread_id": "1", "input": input("hi") })),
        ("threads.custom_action", json!({ "thread_id": "1", "action": { "type": "x", "payload": {} } })),
    ] {
        let (status, answer) = world.ask(&replica, "ada", json!({ "type": kind, "params": params })).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{kind}: {answer}");
    }
}

#[tokio::test]
async fn another_persons_threads_are_not_there() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    stream(&world, &replica, create("hi")).await;
    let list = json!({ "type": "threads.list", "params": {} });
    assert_eq!(world.answer(&replica, "bob", list).await["data"], json!([]));
    let get = json!({ "type": "threads.get_by_id", "params": { "thread_id": "1" } });
    assert_eq!(world.ask(&replica, "bob", get).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_makes_no_sense_here_is_refused_in_words() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    stream(&world, &replica, create("hi")).await;
    let action = json!({ "thread_id": "1", "action": { "type": "x", "payload": {} } });
    for (kind, params) in [
        ("attachments.create", json!({ "name": "a", "size": 1, "mime_type": "text/plain" })),
        ("attachments.delete", json!({ "attachment_id": "a" })),
        ("input.transcribe", json!({ "audio_base64": "", "mime_type": "audio/webm" })),
        ("threads.sync_custom_action", action.clone()),
    ] {
        let (status, answer) = world.ask(&replica, "ada", json!({ "type": kind, "params": params })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{kind}");
        assert_eq!(answer["error"]["code"], "not_supported");
    }
    for (kind, params) in [
        ("threads.add_client_tool_output", json!({ "thread_id": "1", "result": 1 })),
        ("threads.add_structured_input", json!({ "thread_id": "1", "item_id": "a", "input": {} })),
        ("threads.custom_action", action),
    ] {
        let events = stream(&world, &replica, json!({ "type": kind, "params": params })).await;
        assert_eq!(kinds(&events), ["error"], "{kind}");
        assert_eq!(events[0]["allow_retry"], false);
    }
    let feedback = json!({ "thread_id": "1", "item_ids": ["a"], "kind": "positive" });
    assert_eq!(plain(&world, &replica, "items.feedback", feedback).await, json!({}));
    for body in [
        json!({ "type": "threads.fly", "params": {} }),
        json!({ "type": 1 }),
        json!({ "type": "threads.list" }),
    ] {
        let (status, answer) = world.ask(&replica, "ada", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    }
    let mut attached = create("hi");
    attached["params"]["input"]["attachments"] = json!(["a"]);
    assert_eq!(world.ask(&replica, "ada", attached).await.0, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn tasks_are_read_through_the_tool() {
    let world = World::new().await;
    let add = |title: &str| ("add_task", json!({ "title": title }));
    let replica =
        world.serve(Script::new([Move::Call("", vec![add("One"), add("Two"), add("Three")])])).await;
    stream(&world, &replica, create("add three")).await;
    let first =
        plain(&world, &replica, "tasks.list", json!({ "limit": 2, "sort": "created", "order": "asc" })).await;
    assert_eq!((first["data"][1]["title"].as_str(), &first["has_more"]), (Some("Two"), &json!(true)));
    let params = json!({ "limit": 2, "sort": "created", "order": "asc", "cursor": first["after"] });
    let rest = plain(&world, &replica, "tasks.list", params).await;
    assert_eq!((rest["data"][0]["title"].as_str(), &rest["after"]), (Some("Three"), &Value::Null));
    let wrong = json!({ "type": "tasks.list", "params": { "status": "lost" } });
    let (status, answer) = world.ask(&replica, "ada", wrong).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["error"]["message"].as_str().unwrap().contains("status"), "{answer}");
    let bobs = json!({ "type": "tasks.list", "params": { "user_id": "bob" } });
    assert_eq!(world.ask(&replica, "ada", bobs).await.0, StatusCode::FORBIDDEN);
}
