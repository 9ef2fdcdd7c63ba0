use http::Request;
use serde_json::{Value, json};
use todo_identity::EventKey;

use crate::world::{APP_TOKEN, World, job};

async fn scheduled(world: &World) -> (String, Value) {
    let fields = json!({"title": "Dentist", "due": "2099-11-27T09:00:00Z", "remind": ["-PT30M"]});
    let created = world.add(fields).await;
    assert_eq!(world.schedule(&created).await, 204);
    world.jobs().remove(0)
}

#[tokio::test]
async fn a_job_that_fires_again_and_again_reminds_once() {
    for world in World::each().await {
        let job = scheduled(&world).await;
        for _ in 0..10 {
            assert_eq!(world.fire(&job).await, 204);
        }
        let due = world.due().await;
        assert_eq!(due["source"], "tick-fire-reminder");
        assert_eq!(due["data"]["reminder_id"], json!(job.0));
        assert_eq!(due["data"]["due_date"], "2099-11-27T09:00:00+00:00");
        assert_eq!(due["data"]["payload"]["remind"], "-PT30M");
        let published = world.published("reminder.due").await;
        assert_eq!(json!(published.event_id), due["id"], "at once, not when the relay comes");
    }
}

#[tokio::test]
async fn jobs_that_fire_at_once_remind_once() {
    for world in World::each().await {
        let job = scheduled(&world).await;
        let statuses = futures::future::join_all((0..8).map(|_| world.fire(&job))).await;
        assert!(statuses.iter().all(|status| *status == 204), "{statuses:?}");
        world.due().await;
    }
}

#[tokio::test]
async fn a_reminder_of_what_is_done_moved_or_gone_is_not_due() {
    for world in World::each().await {
        for (fields, told) in [
            (json!({"completed": true}), "task.completed"),
            (json!({"due": "2099-12-24T09:00:00Z"}), "task.updated"),
            (json!({"remind": []}), "task.updated"),
        ] {
            let job = scheduled(&world).await;
            world.update(fields.clone(), told).await;
            assert_eq!(world.fire(&job).await, 204, "Dapr is not to try again");
            assert!(world.events("reminder.due").await.is_empty(), "{fields}");
            world.delete().await;
            world.database.as_owner("UPDATE users SET last_task_id = 0").await.unwrap();
            world.doubles.jobs.lock().unwrap().clear();
        }
        let job = scheduled(&world).await;
        world.delete().await;
        assert_eq!(world.fire(&job).await, 204);
        assert!(world.events("reminder.due").await.is_empty());
    }
}

#[tokio::test]
async fn a_job_of_a_moment_given_up_and_wanted_again_is_not_the_one_that_counts() {
    for world in World::each().await {
        let old = scheduled(&world).await;
        let completed = world.update(json!({"completed": true}), "task.completed").await;
        world.schedule(&completed).await;
        let reopened = world.update(json!({"completed": false}), "task.reopened").await;
        world.schedule(&reopened).await;
        assert_eq!(world.fire(&old).await, 204);
        assert!(world.events("reminder.due").await.is_empty());
        assert_eq!(world.fire(&world.jobs()[0]).await, 204);
        world.due().await;
    }
}

#[tokio::test]
async fn whoever_is_not_dapr_is_not_let_in() {
    for world in World::each().await {
        let (name, data) = scheduled(&world).await;
        assert_eq!(world.call(job(&name), &data).await, 401);
        for token in ["", "it is me", "it is me, Dapr!"] {
            assert_eq!(world.call(job(&name).header("dapr-api-token", token), &data).await, 403, "{token}");
        }
        assert!(world.events("reminder.due").await.is_empty());
    }
}

#[tokio::test]
async fn only_what_we_signed_is_done() {
    for world in World::each().await {
        let (name, data) = scheduled(&world).await;
        let others = EventKey::generate().unwrap();
        let mut unsigned = data.clone();
        unsigned.as_object_mut().unwrap().remove("signature");
        let foreign = todo_events::sign(&unsigned.to_string(), &others).unwrap();
        let mut bobs = data.clone();
        bobs["partitionkey"] = json!("bob");
        bobs["data"]["user_id"] = json!("bob");
        let created = world.events("task.created").await.remove(0);
        let created = todo_events::sign(&created.to_string(), &world.key).unwrap();
        let lies = [
            json!(null),
            json!({"task_id": 1}),
            unsigned,
            serde_json::from_slice(&foreign).unwrap(),
            bobs,
            serde_json::from_slice(&created).unwrap(),
        ];
        for lie in lies {
            assert_eq!(world.fire(&(name.clone(), lie.clone())).await, 422, "{lie}");
        }
        assert_eq!(world.fire(&("reminder-0".to_owned(), data)).await, 422, "another job's data");
        assert!(world.events("reminder.due").await.is_empty());
    }
}

#[tokio::test]
async fn nothing_but_a_job_is_answered_and_never_404() {
    for world in World::each().await {
        let (name, data) = scheduled(&world).await;
        for request in [
            Request::get(format!("/job/{name}")),
            Request::post("/job/"),
            Request::post("/"),
            Request::put(format!("/job/{name}")),
        ] {
            assert_eq!(world.call(request.header("dapr-api-token", APP_TOKEN), &data).await, 405);
        }
        assert_eq!(world.call(Request::get("/tick-fire-reminder/healthz"), &data).await, 200);
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_worth_trying_again() {
    for world in World::each().await {
        let job = scheduled(&world).await;
        world.database.database().close().await;
        assert_eq!(world.fire(&job).await, 503);
    }
}
