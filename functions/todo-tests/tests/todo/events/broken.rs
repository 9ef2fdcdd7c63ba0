//! Events that come again, in another order, late, corrupted, forged, or in another's name: the tasks, the audit, the successors and the
//! reminders are as if they had not.

use serde_json::{Value, json};
use todo_events::sign;
use todo_identity::EventKey;
use todo_store::audit::Entry;
use uuid::Uuid;

use super::scene::{Job, in_seconds};
use super::{Somebody, everywhere};

/// How many places of an event are corrupted.
const REGIONS: usize = 24;

everywhere! {
    async fn events_that_come_ten_times_have_one_effect(scene: Scene) {
        let ada = scene.somebody("ada");
        let before = Before::of(&ada).await;
        for entry in &before.history {
            for _ in 0..10 {
                scene.publish(&entry.topic, &ada.id, entry.body.clone().into_bytes()).await;
            }
        }
        before.still_holds(&ada).await;
    }

    async fn events_that_are_handled_again_in_any_order_come_to_the_same(scene: Scene) {
        let ada = scene.somebody("ada");
        let before = Before::of(&ada).await;
        let mut order: Vec<_> = before.history.iter().collect();
        for _ in 0..3 {
            order.sort_by_key(|_| Uuid::new_v4());
            for entry in &order {
                scene.forgets(entry).await;
                scene.publish(&entry.topic, &ada.id, entry.body.clone().into_bytes()).await;
            }
        }
        before.still_holds(&ada).await;
    }

    async fn an_event_that_comes_after_its_task_is_gone_wakes_nothing(scene: Scene) {
        let ada = scene.somebody("ada");
        let before = Before::of(&ada).await;
        let gone = ada
            .adds("Gone", json!({"due": in_seconds(86_400), "repeat": "FREQ=DAILY", "remind": ["-PT1H"]}))
            .await;
        ada.waiting_jobs(gone, 1).await;
        ada.deletes(gone).await;
        ada.is_accounted_for().await;
        let subject = format!("\"task/{gone}\"");
        let late: Vec<_> =
            ada.audit().await.into_iter().filter(|entry| entry.body.contains(&subject)).collect();
        for entry in late.iter().filter(|entry| entry.event_type == "task.created") {
            scene.forgets(entry).await;
            scene.publish(&entry.topic, &ada.id, entry.body.clone().into_bytes()).await;
        }
        before.still_holds(&ada).await;
        assert!(ada.jobs().await.iter().all(|job| job.task != gone), "a reminder of what is gone");
        assert_eq!(ada.pending("Gone").await, [0_i64; 0]);
    }

    async fn corrupted_events_change_nothing_wherever_they_are_corrupted(scene: Scene) {
        let ada = scene.somebody("ada");
        let before = Before::of(&ada).await;
        let completed = before.history.iter().find(|entry| entry.event_type == "task.completed").unwrap();
        scene.forgets(completed).await;
        for region in 0..REGIONS {
            for change in [0x01, 0x80] {
                let mut body = completed.body.clone().into_bytes();
                let place = body.len() * region / REGIONS;
                body[place] ^= change;
                scene.publish(&completed.topic, &ada.id, body).await;
            }
        }
        for cut in [0, 1, completed.body.len() / 2] {
            let body = completed.body.as_bytes()[..cut].to_vec();
            scene.publish(&completed.topic, &ada.id, body).await;
        }
        before.still_holds(&ada).await;
    }

    async fn forged_events_and_those_of_another_tenant_are_dead_letters_and_change_nothing(scene: Scene) {
        let (ada, mallory) = (scene.somebody("ada"), scene.somebody("mallory"));
        let before = Before::of(&ada).await;
        let deleted = before.as_if_deleted();
        let forged = sign(&named(&deleted, &ada.id).to_string(), &EventKey::generate().unwrap()).unwrap();
        let mut unsigned = named(&deleted, &ada.id);
        unsigned.as_object_mut().unwrap().remove("signature");
        // Signed for mallory, and then made to be ada's.
        let hers = sign(&named(&deleted, &mallory.id).to_string(), &scene.event_key()).unwrap();
        let stolen = String::from_utf8(hers).unwrap().replace(&mallory.id, &ada.id);
        for body in [forged, unsigned.to_string().into_bytes(), stolen.into_bytes()] {
            let id = serde_json::from_slice::<Value>(&body).unwrap()["id"].as_str().unwrap().to_owned();
            scene.publish("task-events", &ada.id, body).await;
            let letter = scene.dead_letter(&id).await;
            assert_eq!((letter.user_id, letter.status), (None, Some(422)), "{}", letter.reason);
        }
        // Truly mallory's, about a number that is only ada's: it is not there.
        let foreign = sign(&named(&deleted, &mallory.id).to_string(), &scene.event_key()).unwrap();
        scene.publish("task-events", &ada.id, foreign).await;
        before.still_holds(&ada).await;
        assert!(mallory.tasks().await.is_empty());
    }
}

/// How things stood before anything was wrong.
struct Before {
    history: Vec<Entry>,
    tasks: Vec<Value>,
    jobs: Vec<Job>,
}

impl Before {
    /// A history with a successor, a reminder, a change and a deletion in it.
    async fn of(person: &Somebody<'_>) -> Self {
        let rent = person
            .adds("Rent", json!({"due": in_seconds(86_400), "repeat": "FREQ=WEEKLY", "remind": ["-PT1H"]}))
            .await;
        person.updates(rent, json!({"description": "by transfer"})).await;
        person.completes(rent).await;
        let next = person.next_of("Rent").await;
        person.waiting_jobs(next, 1).await;
        let short = person.adds("Short", json!({})).await;
        person.deletes(short).await;
        person.is_accounted_for().await;
        Self { history: person.audit().await, tasks: person.tasks().await, jobs: person.jobs().await }
    }

    /// Once what was published has been dealt with: what is published now, and has every effect, comes after it.
    async fn still_holds(&self, person: &Somebody<'_>) {
        let marker = person
            .adds("Marker", json!({"due": in_seconds(86_400), "repeat": "FREQ=WEEKLY", "remind": ["-PT1H"]}))
            .await;
        person.completes(marker).await;
        let next = person.next_of("Marker").await;
        person.waiting_jobs(next, 1).await;
        person.is_accounted_for().await;
        let (tasks, audit) = (person.tasks().await, person.audit().await);
        assert_eq!(tasks[..self.tasks.len()], self.tasks);
        assert_eq!(tasks[self.tasks.len()..].iter().filter(|task| task["title"] == "Marker").count(), 2);
        assert_eq!(tasks.len(), self.tasks.len() + 2, "somebody made another task");
        assert_eq!(audit[..self.history.len()], self.history);
        let mut jobs = person.jobs().await;
        jobs.retain(|job| self.tasks.iter().any(|task| task["id"] == job.task));
        assert_eq!(jobs, self.jobs);
    }

    /// An event that would delete the task that is pending.
    fn as_if_deleted(&self) -> Value {
        let entry = self
            .history
            .iter()
            .find(|entry| entry.event_type == "task.deleted" && entry.topic == "task-events");
        let mut event: Value = serde_json::from_str(&entry.unwrap().body).unwrap();
        event["data"]["payload"]["task"]["title"] = json!("Deleted by somebody else");
        event
    }
}

/// The event as a new one of this person's.
fn named(event: &Value, person: &str) -> Value {
    let mut event = event.clone();
    let id = Uuid::now_v7().to_string();
    (event["id"], event["data"]["event_id"]) = (json!(id), json!(id));
    (event["partitionkey"], event["data"]["user_id"]) = (json!(person), json!(person));
    event
}
