//! A sidecar in a process of its own, killed under load.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use todo_sidecar::{Routes, Settings, Sidecar};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::world::{ROUTES, World, event, takes};

const KILLS: usize = 5;
const PUBLISHERS: usize = 8;

#[tokio::test]
#[ignore = "the process that is killed, not a test"]
async fn the_process_that_is_killed() {
    let (Ok(file), Ok(function_url)) = (std::env::var("SIDECAR_FILE"), std::env::var("SIDECAR_FUNCTIONS"))
    else {
        return;
    };
    let routes = Routes::parse(&[("routes.yaml", ROUTES)]).unwrap();
    let sidecar = Sidecar::open(Settings { routes, ..Settings::new(file, function_url) }).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on http://{}", listener.local_addr().unwrap());
    sidecar.serve(listener, std::future::pending()).await.unwrap();
}

async fn spawn(world: &World) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "kills::the_process_that_is_killed"])
        .env("SIDECAR_FILE", &world.settings.file)
        .env("SIDECAR_FUNCTIONS", &world.settings.function_url)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some((_, base)) = line.split_once("listening on ") {
            return (child, base.to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_delivered_in_order_however_often_the_process_is_killed() {
    let mut world = World::new(takes).await;
    world.stop().await;
    let (acknowledged, numbers) = (Mutex::new(BTreeSet::new()), AtomicUsize::new(0));
    for _ in 0..KILLS {
        let (mut child, base) = spawn(&world).await;
        world.base = base;
        let before = acknowledged.lock().unwrap().len();
        let enough = before + fastrand::usize(20..120);
        let publishing =
            join_all((0..PUBLISHERS).map(|publisher| publish(&world, publisher, &numbers, &acknowledged)));
        let killing = async {
            while acknowledged.lock().unwrap().len() < enough {
                tokio::task::yield_now().await;
            }
            child.kill().await.unwrap();
        };
        tokio::join!(publishing, killing);
    }
    let acknowledged = acknowledged.into_inner().unwrap();
    world.open(world.settings.clone()).await;
    world.until(|now| now.consumers["first"].lag == 0 && now.consumers["second"].lag == 0).await;
    for consumer in ["first", "second"] {
        let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for call in world.unseen(consumer) {
            by_key.entry(call.header("ce-partitionkey").into()).or_default().push(call.id().to_owned());
        }
        let seen: BTreeSet<&String> = by_key.values().flatten().collect();
        let lost: Vec<_> = acknowledged.iter().filter(|id| !seen.contains(id)).collect();
        assert!(lost.is_empty(), "{consumer} has never seen {lost:?}");
        for ids in by_key.values() {
            let mut first_times = Vec::new();
            ids.iter().for_each(|id| {
                if !first_times.contains(&id) {
                    first_times.push(id)
                }
            });
            assert!(first_times.is_sorted(), "{consumer}: {first_times:?}");
        }
    }
}

/// Publishes one person's events, one after the other, until the sidecar is gone.
async fn publish(
    world: &World,
    publisher: usize,
    numbers: &AtomicUsize,
    acknowledged: &Mutex<BTreeSet<String>>,
) {
    let key = format!("user-{publisher}");
    let url = world.url(&format!(
        "/v1.0/publish/pubsub/events?metadata.rawPayload=true\
         &metadata.content-type=application%2Fcloudevents%2Bjson&metadata.partitionKey={key}"
    ));
    loop {
        let id = format!("{:06}", numbers.fetch_add(1, Ordering::SeqCst));
        let Ok(answer) = world.client.post(&url).json(&event(&id, &key)).send().await else { return };
        assert_eq!(answer.status(), 204);
        acknowledged.lock().unwrap().insert(id);
    }
}
