//! Events that do not arrive, or not at once.

use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use todo_sidecar::Settings;

use crate::world::{Call, World, event, hangs, takes};

fn only(
    function: &'static str,
    status: u16,
    body: &'static str,
) -> impl Fn(&Call) -> axum::response::Response {
    move |call| match call.function == function {
        true => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        false => takes(call),
    }
}

#[tokio::test]
async fn a_transient_failure_is_retried_and_then_a_dead_letter() {
    for status in [408, 429, 500, 503] {
        let mut world = World::new(only("first", status, "the database is away")).await;
        world.publish("events", "alice", "e1").await;
        let letter = world.call("keeper").await;
        assert_eq!(world.unseen("first").len(), 4, "one attempt and three more");
        assert_eq!(letter.id(), "e1");
        assert_eq!(letter.header("ce-knativeerrorcode"), status.to_string());
        assert!(
            letter.header("ce-knativeerrordest").ends_with("/first/"),
            "{}",
            letter.header("ce-knativeerrordest")
        );
        let reason = STANDARD.decode(letter.header("ce-knativeerrordata")).unwrap();
        assert_eq!(reason, b"the database is away");
        assert_eq!(letter.header("ce-type"), "task.created");
        assert_eq!(letter.json(), event("e1", "alice")["data"]);
        let counts = world.until(|now| now.consumers["first"].lag == 0).await.consumers["first"];
        assert_eq!((counts.delivered, counts.retries, counts.dead_letters), (0, 3, 1));
    }
}

#[tokio::test]
async fn a_refusal_is_a_dead_letter_at_once_and_the_next_event_follows() {
    let mut world = World::new(|call: &Call| match (call.function.as_str(), call.id()) {
        ("first", "bad") => (StatusCode::UNPROCESSABLE_ENTITY, "x".repeat(10_000)).into_response(),
        _ => takes(call),
    })
    .await;
    world.publish("events", "alice", "bad").await;
    world.publish("events", "alice", "good").await;
    let letter = world.call("keeper").await;
    assert_eq!((letter.id(), letter.header("ce-knativeerrorcode")), ("bad", "422"));
    assert!(letter.header("ce-knativeerrordata").len() <= 1024);
    assert_eq!(world.call("first").await.id(), "bad");
    assert_eq!(world.call("first").await.id(), "good");
}

#[tokio::test]
async fn a_redirect_is_a_refusal() {
    let mut world = World::new(only("first", 307, "")).await;
    world.publish("events", "alice", "e1").await;
    assert_eq!(world.call("keeper").await.header("ce-knativeerrorcode"), "307");
}

#[tokio::test]
async fn retry_after_is_waited_for() {
    let mut world = World::new(|call: &Call| match (call.function.as_str(), call.before) {
        ("first", 0) => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")]).into_response(),
        _ => takes(call),
    })
    .await;
    let started = Instant::now();
    world.publish("events", "alice", "e1").await;
    world.call("first").await;
    world.call("first").await;
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_function_that_is_too_slow_is_asked_again() {
    let mut world = World::new(|call: &Call| match (call.function.as_str(), call.before) {
        ("first", 0) => hangs(),
        _ => takes(call),
    })
    .await;
    world.publish("events", "alice", "e1").await;
    assert_eq!(world.call("first").await.id(), "e1");
    assert_eq!(world.call("first").await.id(), "e1");
    world.until(|now| now.consumers["first"].delivered == 1).await;
}

#[tokio::test]
async fn a_function_that_is_not_there_is_retried_and_its_letter_has_no_code() {
    let mut world = World::new(takes).await;
    world.stop().await;
    let mut settings = world.settings.clone();
    let function_url = settings.function_url.clone();
    settings.function_url = "http://127.0.0.1:1/{function}".into();
    settings.routes.consumers.retain(|consumer| &*consumer.name == "first");
    world.open(settings.clone()).await;
    world.publish("events", "alice", "e1").await;
    let counts = world.until(|now| now.log_size == 2).await.consumers["first"];
    assert_eq!((counts.retries, counts.dead_letters), (3, 1));
    world.stop().await;
    let routes = todo_sidecar::Routes::parse(&[("routes.yaml", crate::world::ROUTES)]).unwrap();
    world.open(Settings { function_url, routes, ..settings }).await;
    let letter = world.call("keeper").await;
    assert!(!letter.headers.contains_key("ce-knativeerrorcode"));
    assert_eq!(STANDARD.decode(letter.header("ce-knativeerrordata")).unwrap(), b"cannot connect");
}
