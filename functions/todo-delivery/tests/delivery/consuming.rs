use axum::http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use todo_delivery::{Server, Settings};
use todo_events::sign;
use todo_identity::EventKey;

use crate::probe::{OneByOne, Probe};
use todo_delivery::testing::{Mood, World};

/// The titles of this person's tasks that the consumer made.
async fn effects(world: &World, user_id: &str) -> Vec<String> {
    let made = format!("SELECT title FROM tasks WHERE user_id = '{user_id}' AND title LIKE 'After %'");
    world.database.as_owner(&made).await.unwrap().concat()
}

async fn answered(server: &Server, request: Request<Full<axum::body::Bytes>>) -> u16 {
    server.serve::<Probe, _>(request).await.status().as_u16()
}

/// The event with something changed after it was signed.
fn forged(event: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut event: Value = serde_json::from_slice(event).unwrap();
    change(&mut event);
    event.to_string().into_bytes()
}

#[tokio::test]
async fn an_event_has_its_effect_once_however_often_it_comes() {
    let world = World::new().await;
    let event = world.event("ada", "Task").await;
    for _ in 0..10 {
        assert_eq!(world.deliver::<Probe>(event.clone()).await, 204);
    }
    assert_eq!(effects(&world, "ada").await, ["After Task"]);
}

#[tokio::test]
async fn an_event_that_comes_several_times_at_once_has_its_effect_once() {
    let world = World::new().await;
    let event = world.event("ada", "Task").await;
    let delivering = (0..10).map(|_| world.deliver::<Probe>(event.clone()));
    let statuses = futures::future::join_all(delivering).await;
    assert!(statuses.iter().all(|status| *status == 204), "{statuses:?}");
    assert_eq!(effects(&world, "ada").await, ["After Task"]);
}

#[tokio::test]
async fn a_failure_says_whether_to_deliver_again_and_leaves_nothing() {
    let world = World::new().await;
    let expected = [("impossible", 422), ("missing", 422), ("busy", 503), ("defect", 500)];
    for (title, status) in expected {
        let event = world.event("ada", title).await;
        assert_eq!(world.deliver::<Probe>(event.clone()).await, status, "{title}");
        assert_eq!(world.deliver::<Probe>(event).await, status, "{title} again: it is not in the inbox");
    }
    assert!(effects(&world, "ada").await.is_empty(), "all rolled back");
    let event = world.event("ada", "job").await;
    for (mood, status) in [(Mood::Answers(500), 503), (Mood::Answers(400), 500)] {
        world.mood(mood);
        assert_eq!(world.deliver::<Probe>(event.clone()).await, status);
    }
    world.mood(Mood::Answers(204));
    assert_eq!(world.deliver::<Probe>(event).await, 204, "in the end it is done");
    assert_eq!(effects(&world, "ada").await, ["After job"]);
    let event = world.event("ada", "job elsewhere").await;
    assert_eq!(world.deliver::<Probe>(event).await, 204, "any answer is the consumer's to judge");
}

#[tokio::test]
async fn what_is_not_true_is_refused_for_good() {
    let world = World::new().await;
    let event = world.event("ada", "Task").await;
    let another = EventKey::generate().unwrap();
    let unsigned = forged(&event, |event| drop(event.as_object_mut().unwrap().remove("signature")));
    let others_key = sign(&String::from_utf8(unsigned.clone()).unwrap(), &another).unwrap();
    let others_signature = serde_json::from_slice::<Value>(&world.event("ada", "Other").await).unwrap();
    let lies: [(&str, Vec<u8>); 8] = [
        ("unsigned", unsigned),
        ("another's key", others_key),
        (
            "another event's signature",
            forged(&event, |event| event["signature"] = others_signature["signature"].clone()),
        ),
        ("changed data", forged(&event, |event| event["data"]["payload"]["task"]["title"] = json!("Mine"))),
        (
            "another person",
            forged(&event, |event| {
                event["partitionkey"] = json!("bob");
                event["data"]["user_id"] = json!("bob");
            }),
        ),
        ("another person on the outside", forged(&event, |event| event["partitionkey"] = json!("bob"))),
        ("another id", forged(&event, |event| event["id"] = json!("0"))),
        (
            "against its schema",
            forged(&event, |event| drop(event["data"].as_object_mut().unwrap().remove("payload"))),
        ),
    ];
    for (what, event) in lies {
        assert_eq!(world.deliver::<Probe>(event).await, 422, "{what}");
    }
    for (content_type, body) in [
        ("application/cloudevents+json", "{"),
        ("application/cloudevents+json", "[]"),
        ("application/json", "{}"),
    ] {
        let request = Request::post("/").header("content-type", content_type).body(Full::from(body));
        assert_eq!(answered(&world.server, request.unwrap()).await, 422, "{content_type} {body}");
    }
    assert_eq!(world.deliver::<Probe>(vec![b' '; 2 << 20]).await, 422, "too large");
    for user_id in ["ada", "bob"] {
        assert!(effects(&world, user_id).await.is_empty());
    }
}

#[tokio::test]
async fn an_event_of_no_concern_is_done_at_once() {
    let world = World::new().await;
    let event = world.event("ada", "Task").await;
    for unwanted in ["task.deleted", "task.invented", "dev.knative.sources.ping"] {
        let event = forged(&event, |event| event["type"] = json!(unwanted));
        assert_eq!(world.deliver::<Probe>(event).await, 204, "{unwanted}");
    }
    assert!(effects(&world, "ada").await.is_empty());
}

#[tokio::test]
async fn several_events_in_one_request_have_their_effects_once_and_in_order() {
    let world = World::new().await;
    let mut events = Vec::new();
    for (user_id, title) in [("ada", "One"), ("bob", "Two"), ("ada", "Three")] {
        events.push(world.event(user_id, title).await);
    }
    assert_eq!(world.deliver::<Probe>(events[0].clone()).await, 204);
    events.push(events[1].clone());
    for _ in 0..2 {
        assert_eq!(world.deliver_together::<Probe>(&events).await, 204);
    }
    assert_eq!(effects(&world, "ada").await, ["After One", "After Three"]);
    assert_eq!(effects(&world, "bob").await, ["After Two"]);
    assert_eq!(world.deliver_together::<Probe>(&[]).await, 204);
}

#[tokio::test]
async fn when_one_of_several_events_fails_none_of_that_person_is_done() {
    let world = World::new().await;
    let mut events = Vec::new();
    for (user_id, title) in [("bob", "One"), ("ada", "Two"), ("ada", "impossible")] {
        events.push(world.event(user_id, title).await);
    }
    assert_eq!(world.deliver_together::<Probe>(&events).await, 422);
    assert!(effects(&world, "ada").await.is_empty());
    for (event, status) in events.iter().zip([204, 204, 422]) {
        assert_eq!(world.deliver::<Probe>(event.clone()).await, status, "one by one");
    }
    assert_eq!(effects(&world, "ada").await, ["After Two"]);
    assert_eq!(effects(&world, "bob").await, ["After One"]);
}

#[tokio::test]
async fn among_several_events_nothing_that_is_not_true_is_believed() {
    let world = World::new().await;
    let event = world.event("ada", "Task").await;
    let lie = forged(&event, |event| event["data"]["payload"]["task"]["title"] = json!("Mine"));
    assert_eq!(world.deliver_together::<Probe>(&[event.clone(), lie]).await, 422);
    assert_eq!(world.deliver_together::<Probe>(&[event.clone(), b"{}".to_vec()]).await, 422);
    assert_eq!(world.deliver_together::<Probe>(&[b"{".to_vec()]).await, 422);
    let of_no_concern = forged(&event, |event| event["type"] = json!("task.invented"));
    assert!(effects(&world, "ada").await.is_empty());
    assert_eq!(world.deliver_together::<Probe>(&[of_no_concern, event]).await, 204);
    assert_eq!(effects(&world, "ada").await, ["After Task"]);
}

#[tokio::test]
async fn who_acts_in_steps_takes_one_event_at_a_time() {
    let world = World::new().await;
    let event = world.event("ada", "Task").await;
    assert_eq!(world.deliver_together::<OneByOne>(&[event.clone(), event]).await, 415);
}

#[tokio::test]
async fn a_database_that_is_away_is_worth_waiting_for() {
    let world = World::new().await;
    let event = world.event("ada", "Task").await;
    world.database.database().close().await;
    assert_eq!(world.deliver::<Probe>(event).await, 503);
}

#[tokio::test]
async fn without_keys_nothing_is_believed_and_nothing_is_lost() {
    let world = World::new().await;
    let event = world.event("ada", "Task").await;
    let settings = Settings { event_public_keys: String::new(), ..world.settings.clone() };
    let server = Server::over(world.database.database().clone(), &settings).unwrap();
    let request = Request::post("/").header("content-type", "application/cloudevents+json");
    assert_eq!(answered(&server, request.body(Full::from(event)).unwrap()).await, 500);
}

#[tokio::test]
async fn what_a_consumer_changes_is_told_in_its_name_and_in_the_same_trace() {
    let world = World::new().await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let event = forged(&world.event("ada", "Task").await, |event| event["traceparent"] = json!(trace));
    world.database.as_owner("UPDATE users SET publisher = NULL, publishing_until = NULL").await.unwrap();
    assert_eq!(world.deliver::<Probe>(event).await, 204);
    world.until_published().await;
    assert_eq!(world.numbers(), [1, 2, 3, 4], "the consumer's, and before them what waited");
    let body = world.database.as_owner("SELECT body FROM outbox WHERE sequence = 3").await.unwrap();
    let body: Value = serde_json::from_str(&body[0][0]).unwrap();
    assert_eq!((&body["source"], &body["traceparent"]), (&json!("event-probe"), &json!(trace)));
}

#[tokio::test]
async fn who_asks_whether_it_is_alive_is_told() {
    let world = World::new().await;
    let ask = async |method: Method, path: &str| {
        let request = Request::builder().method(method).uri(path).body(Full::default()).unwrap();
        answered(&world.server, request).await
    };
    assert_eq!(ask(Method::GET, "/healthz").await, 200);
    assert_eq!(ask(Method::GET, "/event-probe/healthz").await, 200);
    assert_eq!(ask(Method::GET, "/").await, StatusCode::METHOD_NOT_ALLOWED.as_u16());
    assert_eq!(ask(Method::DELETE, "/healthz").await, StatusCode::METHOD_NOT_ALLOWED.as_u16());
}
