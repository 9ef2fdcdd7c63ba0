//! What outlives a process.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;

use axum::response::IntoResponse;
use http::StatusCode;
use todo_sidecar::Settings;

use crate::world::{Call, World, copy, takes};

#[tokio::test]
async fn a_consumer_goes_on_where_it_was() {
    let mut world = World::new(takes).await;
    for number in 0..5 {
        world.publish("events", "alice", &format!("e{number}")).await;
    }
    world.until(|now| now.consumers["first"].delivered == 5).await;
    world.restart().await;
    world.publish("events", "alice", "e5").await;
    world.until(|now| now.consumers["first"].delivered == 1).await;
    let seen: Vec<String> = world.unseen("first").iter().map(|call| call.id().to_owned()).collect();
    assert_eq!(seen, ["e0", "e1", "e2", "e3", "e4", "e5"], "each once: the stop was orderly");
}

#[tokio::test]
async fn what_was_published_while_a_consumer_failed_is_there_after_a_restart() {
    let mut world = World::new(|call: &Call| match call.function.as_str() {
        "second" => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => takes(call),
    })
    .await;
    world.publish("events", "alice", "e1").await;
    world.call("second").await;
    // It is waiting for its next attempt: the stop does not wait for that.
    world.restart().await;
    assert_eq!(world.call("second").await.id(), "e1");
}

#[tokio::test]
async fn an_event_whose_consumer_was_at_it_when_the_process_died_is_delivered_again() {
    let (sender, images) = sync_channel(1);
    let source: &'static Mutex<Option<std::path::PathBuf>> = Box::leak(Box::default());
    let mut world = World::new(move |call: &Call| {
        // The file as it is before the sidecar hears of the success.
        if call.function == "first"
            && let Some(from) = source.lock().unwrap().take()
        {
            let image = tempfile::tempdir().unwrap();
            copy(&from, image.path());
            sender.send(image).unwrap();
        }
        takes(call)
    })
    .await;
    world.publish("events", "alice", "e0").await;
    assert_eq!(world.call("first").await.id(), "e0");
    world.restart().await;
    *source.lock().unwrap() = Some(world.directory.path().to_owned());
    world.publish("events", "alice", "e1").await;
    assert_eq!(world.call("first").await.id(), "e1");
    let image = images.recv().unwrap();
    world.stop().await;
    world.open(Settings { file: image.path().join("sidecar.db"), ..world.settings.clone() }).await;
    assert_eq!(world.call("first").await.id(), "e1", "again, and nothing before it");
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_with_nothing_delivered() {
    let mut world = World::with(crate::world::ROUTES, takes, |settings| {
        settings.function_url = "http://127.0.0.1:1/{function}".into()
    })
    .await;
    for number in 0..50 {
        world.publish("other", &format!("user-{}", number % 5), &format!("{number:02}")).await;
    }
    let image = world.image();
    let (mut second, settings) = (World::new(takes).await, world.settings.clone());
    second.stop().await;
    let function_url = second.settings.function_url.clone();
    second.open(Settings { file: image.path().join("sidecar.db"), function_url, ..settings }).await;
    second.until(|now| now.consumers["second"].delivered == 50).await;
    let mut by_person: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for call in second.unseen("second") {
        by_person.entry(call.header("ce-partitionkey").into()).or_default().push(call.id().to_owned());
    }
    assert_eq!(by_person.values().map(Vec::len).sum::<usize>(), 50);
    assert!(by_person.values().all(|ids| ids.is_sorted()), "{by_person:?}");
    world.stop().await;
}

#[tokio::test]
async fn a_new_consumer_starts_with_the_oldest_or_behind_the_newest_as_it_says() {
    let mut world = World::new(takes).await;
    world.publish("events", "alice", "old").await;
    world.call("first").await;
    world.call("second").await;
    world.stop().await;
    let late = crate::world::ROUTES.replace("consumerGroup: first", "consumerGroup: late-first");
    let late = late.replace("consumerGroup: second", "consumerGroup: late-second");
    let (first, second) = late.split_once("name: second").unwrap();
    let late = format!(
        "{first}name: second{}",
        second.replacen("initialOffset: earliest", "initialOffset: latest", 1)
    );
    let routes = todo_sidecar::Routes::parse(&[("routes.yaml", &late)]).unwrap();
    world.open(Settings { routes, ..world.settings.clone() }).await;
    assert_eq!(world.call("first").await.id(), "old");
    world.publish("events", "alice", "new").await;
    assert_eq!(world.call("second").await.id(), "new");
}

#[tokio::test]
async fn the_log_forgets_what_everybody_has_passed_and_numbers_nothing_twice() {
    let mut world =
        World::with(crate::world::ROUTES, takes, |settings| settings.retention = std::time::Duration::ZERO)
            .await;
    world.publish("events", "alice", "e1").await;
    world.until(|now| now.consumers["first"].delivered == 1 && now.consumers["second"].delivered == 1).await;
    // It sweeps at the start.
    world.restart().await;
    world.until(|now| now.log_size == 0).await;
    world.restart().await;
    world.publish("events", "alice", "e2").await;
    world.call("first").await;
    assert_eq!(world.call("first").await.id(), "e2");
}

#[tokio::test]
async fn the_log_keeps_what_somebody_has_still_to_see() {
    let mut world = World::with(
        crate::world::ROUTES,
        |call: &Call| match call.function.as_str() {
            "second" => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            _ => takes(call),
        },
        |settings| settings.retention = std::time::Duration::ZERO,
    )
    .await;
    world.publish("events", "alice", "e1").await;
    world.until(|now| now.consumers["first"].delivered == 1).await;
    world.restart().await;
    assert_eq!(world.call("second").await.id(), "e1");
    assert_eq!(world.sidecar.snapshot().await.unwrap().log_size, 1);
}
