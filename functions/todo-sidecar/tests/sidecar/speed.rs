//! How fast it is; by hand: `cargo test -p todo-sidecar --release -- --ignored --nocapture how_fast`.

use std::time::Instant;

use todo_sidecar::Observation;

use crate::world::{World, takes};

const EVENTS: usize = 5_000;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn how_fast_it_is() {
    let world = World::new(takes).await;
    let mut observations = world.sidecar.observe();
    let mut latencies = Vec::new();
    for number in 0..500 {
        world.publish("events", &format!("user-{}", number % 16), &format!("e{number}")).await;
        loop {
            if let Observation::Delivered { about, latency, .. } = observations.recv().await.unwrap()
                && &*about.consumer == "first"
            {
                latencies.push(latency);
                break;
            }
        }
    }
    latencies.sort();
    println!("one by one: p50 {:?}, p99 {:?}", latencies[250], latencies[495]);
    drop(observations);
    let started = Instant::now();
    let (world_ref, next) = (&world, std::sync::atomic::AtomicUsize::new(0));
    let publishers = (0..32).map(|_| async {
        loop {
            let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if number >= EVENTS {
                return;
            }
            world_ref.publish("events", &format!("user-{}", number % 64), &format!("m{number}")).await;
        }
    });
    futures::future::join_all(publishers).await;
    let published = started.elapsed();
    world
        .until(|now| {
            now.consumers.get("second").is_some_and(|counts| counts.delivered == 500 + EVENTS as u64)
        })
        .await;
    println!("{EVENTS} published in {published:?}, delivered to two consumers in {:?}", started.elapsed());
}
