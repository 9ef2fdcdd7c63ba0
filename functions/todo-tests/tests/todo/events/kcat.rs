//! Interoperation with a client that is not ours: kcat reads what we write to Kafka, and we read what it writes.

use std::process::{Command, Stdio};

use serde_json::Value;
use todo_events::Incoming;
use todo_identity::EventVerifier;

use super::{On, Scene, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn kcat_reads_valid_cloud_events_with_their_key_and_content_type() {
    let Some(scene) = scene().await else { return };
    let ada = scene.somebody("ada");
    ada.adds("Seen from outside", serde_json::json!({})).await;
    for topic in ["task-events", "task-updates"] {
        let message = eventually("kcat reads it", async || read(&scene, topic, &ada.id).pop()).await;
        assert_eq!(content_type(&message), "application/cloudevents+json", "{message}");
        let keys = scene.world().event_variables().event_public_keys.clone().unwrap();
        let event = Incoming::from_json(message["payload"].as_str().unwrap().as_bytes()).unwrap();
        let (tenant, event) = event.verify(&EventVerifier::new(&keys).unwrap()).unwrap();
        assert_eq!(
            (tenant.user_id(), event.event_type.as_str(), event.topic.as_str()),
            (&*ada.id, "task.created", topic)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_kcat_writes_makes_a_task_and_kcat_reads_the_result() {
    let Some(scene) = scene().await else { return };
    let ada = scene.somebody("ada");
    let call = super::calls::call(&ada, &scene.world().token(&ada.id), "From kcat");
    write(&scene, "tool-calls", &ada.id, &call);
    ada.next_of("From kcat").await;
    let result = eventually("the result", async || read(&scene, "tool-results", &ada.id).pop()).await;
    assert_eq!(content_type(&result), "application/cloudevents+json", "{result}");
    let event: Value = serde_json::from_str(result["payload"].as_str().unwrap()).unwrap();
    assert_eq!(event["type"], "tool.add_task.result");
    assert_eq!(event["data"]["payload"]["call_id"], call["id"]);
    assert_eq!(event["data"]["payload"]["result"]["title"], "From kcat");
}

/// A scene on Kafka; `None` without kcat, or without a platform.
async fn scene() -> Option<Scene> {
    if Command::new("kcat").arg("-V").output().is_err() {
        let required = std::env::var("TODO_TEST_REQUIRE").is_ok_and(|it| it.contains("kcat"));
        assert!(!required, "kcat is required: install the Debian package kcat");
        eprintln!("skipped: there is no kcat; install the Debian package kcat");
        return None;
    }
    Scene::on(On::Kafka).await
}

/// kcat lists names and values in turn, and Dapr adds some of its own.
fn content_type(message: &Value) -> &str {
    let headers = message["headers"].as_array().unwrap();
    let header = headers.chunks(2).find(|header| header[0] == "content-type").unwrap();
    header[1].as_str().unwrap()
}

/// This person's messages on a topic, as kcat tells of them.
fn read(scene: &Scene, topic: &str, person: &str) -> Vec<Value> {
    let brokers = scene.platform().kafka_brokers();
    let output = Command::new("kcat")
        .args(["-C", "-b", &brokers, "-t", topic, "-o", "beginning", "-e", "-q", "-J"])
        .output();
    let output = String::from_utf8_lossy(&output.unwrap().stdout).into_owned();
    // What other tests have damaged on purpose kcat passes on as it is, and that need not be JSON.
    let messages = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.filter(|message| message["key"] == person).collect()
}

fn write(scene: &Scene, topic: &str, person: &str, event: &Value) {
    let brokers = scene.platform().kafka_brokers();
    let mut kcat = Command::new("kcat")
        .args([
            "-P",
            "-b",
            &brokers,
            "-t",
            topic,
            "-k",
            person,
            "-H",
            "content-type=application/cloudevents+json",
        ])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut kcat.stdin.take().unwrap(), event.to_string().as_bytes()).unwrap();
    assert!(kcat.wait().unwrap().success());
}
