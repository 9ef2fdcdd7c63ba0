use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::doubles::Mood;
use crate::world::World;

const DUE: &str = "2099-11-27T09:00:00Z";

fn task() -> Value {
    json!({"title": "Dentist", "due": DUE, "remind": ["-PT30M", "2099-11-26T20:00:00Z"]})
}

#[tokio::test]
async fn each_reminder_of_a_new_task_gets_a_job() {
    for world in World::each().await {
        let created = world.add(task()).await;
        for _ in 0..10 {
            assert_eq!(world.schedule(&created).await, 204);
        }
        assert_eq!(world.moments(), ["2099-11-26T20:00:00Z", "2099-11-27T08:30:00Z"]);
        assert_eq!(world.doubles.asked.lock().unwrap().len(), 2, "ten deliveries ask once");
        assert_eq!(world.refusals(), Vec::<String>::new());
        for (name, data) in world.jobs() {
            assert!(!format!("{name}{data}").contains("Dentist"), "a scheduler needs no titles: {data}");
        }
    }
}

#[tokio::test]
async fn a_task_without_reminders_asks_nothing_of_the_sidecar() {
    for world in World::each().await {
        let created = world.add(json!({"title": "Milk"})).await;
        *world.doubles.jobs_mood.lock().unwrap() = Mood::Answers(500);
        assert_eq!(world.schedule(&created).await, 204);
    }
}

#[tokio::test]
async fn what_is_done_moved_or_gone_loses_its_jobs() {
    for world in World::each().await {
        let created = world.add(task()).await;
        world.schedule(&created).await;
        let moved = world.update(json!({"due": "2099-11-28T09:00:00Z"}), "task.updated").await;
        assert_eq!(world.schedule(&moved).await, 204);
        assert_eq!(world.moments(), ["2099-11-26T20:00:00Z", "2099-11-28T08:30:00Z"]);
        let completed = world.update(json!({"completed": true}), "task.completed").await;
        assert_eq!(world.schedule(&completed).await, 204);
        assert!(world.jobs().is_empty());
        let reopened = world.update(json!({"completed": false}), "task.reopened").await;
        assert_eq!(world.schedule(&reopened).await, 204);
        assert_eq!(world.jobs().len(), 2);
        let deleted = world.delete().await;
        for event in [&deleted, &created, &moved, &completed, &reopened] {
            assert_eq!(world.schedule(event).await, 204);
        }
        assert!(world.jobs().is_empty(), "late events bring nothing back");
        assert_eq!(world.count("scheduled_reminders").await, 0);
        assert_eq!(world.refusals(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn events_in_any_order_lead_to_the_same_jobs() {
    for world in World::each().await {
        let created = world.add(task()).await;
        let completed = world.update(json!({"completed": true}), "task.completed").await;
        let reopened = world.update(json!({"completed": false}), "task.reopened").await;
        let moved = world.update(json!({"due": "2099-11-28T09:00:00Z"}), "task.updated").await;
        for event in [&moved, &completed, &created, &reopened, &completed] {
            assert_eq!(world.schedule(event).await, 204);
            assert_eq!(world.moments(), ["2099-11-26T20:00:00Z", "2099-11-28T08:30:00Z"]);
        }
    }
}

#[tokio::test]
async fn two_schedulers_at_once_agree() {
    for world in World::each().await {
        let created = world.add(task()).await;
        let moved = world.update(json!({"due": "2099-11-28T09:00:00Z"}), "task.updated").await;
        let events = [&created, &moved, &created, &moved, &moved, &created, &moved, &created];
        let statuses = futures::future::join_all(events.map(|event| world.schedule(event))).await;
        assert!(statuses.iter().all(|status| *status == 204), "{statuses:?}");
        assert_eq!(world.moments(), ["2099-11-26T20:00:00Z", "2099-11-28T08:30:00Z"]);
        assert_eq!(world.count("scheduled_reminders").await, 2);
    }
}

#[tokio::test]
async fn a_sidecar_that_is_away_is_asked_again_and_holds_up_nobody() {
    for world in World::each().await {
        let created = world.add(task()).await;
        *world.doubles.jobs_mood.lock().unwrap() = Mood::Answers(500);
        assert_eq!(world.schedule(&created).await, 503);
        let completed = world.update(json!({"completed": true}), "task.completed").await;
        assert_eq!(world.schedule(&completed).await, 503);
        world.update(json!({"completed": false}), "task.reopened").await;
        *world.doubles.jobs_mood.lock().unwrap() = Mood::Takes;
        assert_eq!(world.schedule(&created).await, 204, "as it is now");
        assert_eq!(world.schedule(&completed).await, 204);
        assert_eq!(world.moments(), ["2099-11-26T20:00:00Z", "2099-11-27T08:30:00Z"]);
        assert_eq!(world.count("scheduled_reminders").await, 2);
    }
}

#[tokio::test]
async fn what_was_over_when_it_was_said_is_not_scheduled_and_what_is_late_is() {
    for world in World::each().await {
        let at = |minutes| (Timestamp::now() - SignedDuration::from_mins(minutes)).to_string();
        let mut created = world.add(json!({"title": "Late", "remind": [at(30), at(50)]})).await;
        assert_eq!(world.schedule(&created).await, 204);
        assert!(world.jobs().is_empty());
        // The same, said 40 minutes ago and delivered only now.
        created["time"] = json!(at(40));
        created["data"]["timestamp"] = created["time"].clone();
        assert_eq!(world.schedule(&created).await, 204);
        assert_eq!(world.moments().len(), 1);
        assert_eq!(world.fire(&world.jobs()[0]).await, 204);
        let late = world.due().await["data"]["payload"]["late_by_ms"].as_i64().unwrap();
        assert!((30 * 60_000..31 * 60_000).contains(&late), "{late}");
    }
}
