//! Jobs.

use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use http::StatusCode;
use serde_json::{Value, json};
use todo_sidecar::Settings;

use crate::world::{Call, ROUTES, World, takes};

async fn set(world: &World, name: &str, body: Value) {
    let (status, answer) = world.post(&format!("/v1.0/jobs/{name}"), body).await;
    assert_eq!(status, 204, "{answer}");
}

#[tokio::test]
async fn a_job_is_done_once_at_its_time_with_its_data() {
    let mut world = World::with(ROUTES, takes, |settings| settings.app_api_token = Some("app".into())).await;
    let started = Instant::now();
    set(&world, "remind-7", json!({"dueTime": "300ms", "data": {"reminder": 7, "for": "alice"}})).await;
    let call = world.call("jobs").await;
    let late = started.elapsed().saturating_sub(Duration::from_millis(300));
    assert!(started.elapsed() >= Duration::from_millis(295), "not before its time");
    assert!(late < Duration::from_millis(250), "{late:?}");
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/job/remind-7"));
    assert_eq!((call.header("content-type"), call.header("dapr-api-token")), ("application/json", "app"));
    assert_eq!(call.json(), json!({"reminder": 7, "for": "alice"}));
    world.until(|now| now.jobs_pending == 0 && now.jobs_fired == 1).await;
    let (status, answer) = world.get("/v1.0/jobs/remind-7").await;
    assert_eq!((status, answer["errorCode"].as_str()), (500, Some("DAPR_SCHEDULER_GET_JOB")));
}

#[tokio::test]
async fn a_job_in_the_past_is_done_at_once() {
    let mut world = World::new(takes).await;
    set(&world, "late", json!({"dueTime": "2020-01-01T00:00:00Z", "data": 1})).await;
    assert_eq!(world.call("jobs").await.json(), json!(1));
}

#[tokio::test]
async fn a_job_is_read_as_it_was_set() {
    let world = World::new(takes).await;
    let body = json!({"schedule": "@every 1h", "repeats": 5, "dueTime": "2099-01-01T00:00:00Z", "ttl": "PT24H", "data": {"a": 1},
                      "failurePolicy": {"constant": {"interval": "2s", "maxRetries": 9}}});
    set(&world, "long", body.clone()).await;
    let (status, answer) = world.get("/v1.0/jobs/long").await;
    let mut expected = body;
    expected["name"] = json!("long");
    expected["data"] = json!({"@type": "type.googleapis.com/google.protobuf.Value", "value": {"a": 1}});
    assert_eq!((status, answer), (200, expected));
    set(&world, "plain", json!({"due_time": "1h", "data": null})).await;
    let answer = world.get("/v1.0-alpha1/jobs/plain").await.1;
    assert_eq!(answer["failurePolicy"], json!({"constant": {"interval": "1s", "maxRetries": 3}}));
    assert_eq!(answer["data"], json!({"@type": "type.googleapis.com/google.protobuf.Value", "value": null}));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_daprs_words() {
    let world = World::new(takes).await;
    let failed = "DAPR_SCHEDULER_SCHEDULE_JOB";
    for (body, status, code, message) in [
        (json!({}), 400, "DAPR_SCHEDULER_SCHEDULE_EMPTY", "Schedule is empty"),
        (
            json!({"name": "x", "dueTime": "1s"}),
            400,
            "DAPR_SCHEDULER_JOB_NAME",
            "Set the job name in the url only",
        ),
        (json!({"dueTime": 5}), 400, "ERR_MALFORMED_REQUEST", "failed deserializing HTTP body: "),
        (
            json!({"dueTime": "soon"}),
            500,
            failed,
            "desc = job failed validation: due time format not recognized",
        ),
        (json!({"schedule": "@every x"}), 500, failed, "failed to parse duration @every x"),
        (json!({"schedule": "* * * * *"}), 500, failed, "expected 6 fields, found 5"),
        (json!({"dueTime": "1h", "repeats": 2}), 500, failed, "job must have a schedule to repeat"),
        (json!({"schedule": "@daily", "repeats": 0}), 500, failed, "defined repeats must be greater than 0"),
        (json!({"dueTime": "1h", "ttl": "1h"}), 500, failed, "job must have a schedule to have a ttl"),
        (json!({"schedule": "@daily", "ttl": "x"}), 500, failed, "ttl format not recognized"),
        (json!({"dueTime": "1h"}), 400, failed, "a job without data is never done"),
    ] {
        let (given, answer) = world.post("/v1.0/jobs/j", body.clone()).await;
        assert_eq!((given, answer["errorCode"].as_str()), (status, Some(code)), "{body} {answer}");
        assert!(answer["message"].as_str().unwrap().contains(message), "{answer}");
    }
    assert_eq!(world.post("/v1.0/jobs/a%2Fb", json!({"dueTime": "1h"})).await.0, 500);
    assert_eq!(world.sidecar.snapshot().await.unwrap().jobs_pending, 0);
}

#[tokio::test]
async fn a_job_is_replaced_only_when_asked() {
    let mut world = World::new(takes).await;
    set(&world, "j", json!({"dueTime": "1h", "data": "first"})).await;
    let (status, answer) = world.post("/v1.0/jobs/j", json!({"dueTime": "0s", "data": "second"})).await;
    assert_eq!((status, answer["errorCode"].as_str()), (409, Some("DAPR_SCHEDULER_SCHEDULE_JOB")));
    set(&world, "j", json!({"dueTime": "0s", "data": "third", "overwrite": true})).await;
    assert_eq!(world.call("jobs").await.json(), json!("third"));
    world.until(|now| now.jobs_pending == 0).await;
    assert!(world.unseen("jobs").is_empty());
}

#[tokio::test]
async fn a_deleted_job_is_not_done_and_deleting_twice_is_fine() {
    let mut world = World::new(takes).await;
    set(&world, "gone", json!({"dueTime": "200ms", "data": "gone"})).await;
    for _ in 0..2 {
        assert_eq!(world.send(world.client.delete(world.url("/v1.0/jobs/gone"))).await.0, 204);
    }
    set(&world, "after", json!({"dueTime": "400ms", "data": "after"})).await;
    assert_eq!(world.call("jobs").await.json(), json!("after"), "the other would have come before it");
    assert!(world.unseen("jobs").is_empty());
}

#[tokio::test]
async fn a_repeating_job_keeps_its_rhythm_and_ends_after_its_repeats() {
    let mut world = World::new(takes).await;
    set(&world, "tick", json!({"schedule": "@every 100ms", "repeats": 3, "data": 1})).await;
    let started = Instant::now();
    for _ in 0..3 {
        world.call("jobs").await;
    }
    assert!(started.elapsed() >= Duration::from_millis(250), "{:?}", started.elapsed());
    world.until(|now| now.jobs_pending == 0 && now.jobs_fired == 3).await;
}

#[tokio::test]
async fn a_job_ends_with_its_time_to_live() {
    let world = World::new(takes).await;
    set(&world, "tick", json!({"schedule": "@every 100ms", "ttl": "350ms", "data": 1})).await;
    let fired = world.until(|now| now.jobs_pending == 0).await.jobs_fired;
    assert!((1..=3).contains(&fired), "{fired}");
}

#[tokio::test]
async fn failures_are_handled_by_the_jobs_policy() {
    let retry = |retries| json!({"constant": {"interval": "0.01s", "maxRetries": retries}});
    for (policy, attempts) in [(json!({"drop": {}}), 1), (retry(2), 3), (retry(0), 1)] {
        let world = World::new(|_: &Call| StatusCode::INTERNAL_SERVER_ERROR.into_response()).await;
        set(&world, "j", json!({"dueTime": "0s", "data": 1, "failurePolicy": policy})).await;
        let fired = world.until(|now| now.jobs_pending == 0).await.jobs_fired;
        assert_eq!(fired, attempts, "{policy}");
    }
}

#[tokio::test]
async fn a_failed_occurrence_is_tried_again_until_it_succeeds() {
    let mut world = World::new(|call: &Call| match call.before {
        0 | 1 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => takes(call),
    })
    .await;
    set(
        &world,
        "j",
        json!({"dueTime": "0s", "data": 1, "failurePolicy": {"constant": {"interval": "0.01s"}}}),
    )
    .await;
    for _ in 0..3 {
        world.call("jobs").await;
    }
    world.until(|now| now.jobs_pending == 0).await;
}

#[tokio::test]
async fn a_function_that_does_not_know_the_job_ends_it() {
    let world = World::new(|_: &Call| StatusCode::NOT_FOUND.into_response()).await;
    set(&world, "j", json!({"dueTime": "0s", "data": 1})).await;
    assert_eq!(world.until(|now| now.jobs_pending == 0).await.jobs_fired, 1);
}

#[tokio::test]
async fn a_job_that_was_due_while_nobody_ran_is_done_at_the_start() {
    let mut world = World::new(takes).await;
    set(&world, "j", json!({"dueTime": "50ms", "data": "missed"})).await;
    set(&world, "later", json!({"dueTime": "1h", "data": "later"})).await;
    let (image, settings) = (world.image(), world.settings.clone());
    // The first sidecar does it; its image, which is like after a kill, has still to.
    assert_eq!(world.call("jobs").await.json(), json!("missed"));
    world.stop().await;
    world.open(Settings { file: image.path().join("sidecar.db"), ..settings }).await;
    assert_eq!(world.call("jobs").await.json(), json!("missed"));
    world.until(|now| now.jobs_pending == 1 && now.jobs_late < Duration::from_secs(20)).await;
}

#[tokio::test]
async fn a_function_that_is_not_there_costs_a_job_no_attempt() {
    let mut world = World::new(takes).await;
    world.stop().await;
    let settings = world.settings.clone();
    world.open(Settings { function_url: "http://127.0.0.1:1/{function}".into(), ..settings.clone() }).await;
    set(&world, "j", json!({"dueTime": "0s", "data": "kept", "failurePolicy": {"drop": {}}})).await;
    world.until(|now| now.jobs_fired == 1).await;
    assert_eq!(world.sidecar.snapshot().await.unwrap().jobs_pending, 1);
    world.stop().await;
    world.open(settings).await;
    assert_eq!(world.call("jobs").await.json(), json!("kept"));
}

#[tokio::test]
async fn what_is_set_while_the_job_is_being_done_stays() {
    let mut world = World::new(|call: &Call| match (call.json(), call.before) {
        // The job sets itself anew before it is done, as a moved reminder does.
        (Value::String(data), _) if data == "old" => StatusCode::ACCEPTED.into_response(),
        _ => takes(call),
    })
    .await;
    set(&world, "j", json!({"dueTime": "0s", "data": "old"})).await;
    set(&world, "j", json!({"dueTime": "1h", "data": "new", "overwrite": true})).await;
    let (status, answer) = world.get("/v1.0/jobs/j").await;
    assert_eq!((status, &answer["data"]["value"]), (200, &json!("new")));
    world.restart().await;
    assert_eq!(world.get("/v1.0/jobs/j").await.1["data"]["value"], json!("new"));
}
