//! Kafka is away while tools are called.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Scene;

/// Of the outage; `TODO_TEST_OUTAGE_SECONDS` makes it longer.
const SECONDS: u64 = 10;
/// Between two calls.
const PACE: Duration = Duration::from_millis(50);
/// Far more than a tool needs, and less than one that waited for a broker would.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn tools_answer_while_kafka_is_away_and_nothing_is_lost() {
    let Some(scene) = Scene::alone_on_kafka().await else { return };
    let ada = scene.somebody("ada");
    ada.adds("Before", json!({})).await;
    scene.platform().kill("kafka").await;
    let mut answered = answers_for(&ada, outage()).await;
    scene.platform().start_again("kafka").await;
    answered.sort_unstable();
    let slow = answered[answered.len() * 99 / 100];
    eprintln!("{} calls during the outage, p99 {slow:?}", answered.len());
    assert!(slow < ANSWERED_WITHIN, "tools waited for Kafka: {slow:?}");
    ada.is_accounted_for().await;
    assert_eq!(ada.recorded("task-events").await.len(), answered.len() + 1);
}

/// How long each call took.
async fn answers_for(ada: &super::Somebody<'_>, outage: Duration) -> Vec<Duration> {
    let (begun, mut pace, mut answered) = (Instant::now(), tokio::time::interval(PACE), Vec::new());
    while begun.elapsed() < outage {
        pace.tick().await;
        let asked = Instant::now();
        ada.adds("During", json!({})).await;
        answered.push(asked.elapsed());
    }
    answered
}

fn outage() -> Duration {
    let named = std::env::var("TODO_TEST_OUTAGE_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(named.unwrap_or(SECONDS))
}
