//! What becomes of events, on both databases.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use event_push_update::PushUpdate;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use todo_delivery::{Server, Settings};
use todo_domain::{NewTask, TaskId};
use todo_events::{Event, Origin, sign};
use todo_identity::EventKey;
use todo_store::testing::TestDatabase;
use todo_store::{tasks, updates};

struct World {
    database: TestDatabase,
    server: Server,
    key: EventKey,
}

impl World {
    fn over(database: TestDatabase) -> Self {
        let key = EventKey::generate().unwrap();
        let settings = Settings { event_public_keys: key.public_jwks(), ..Settings::default() };
        let server = Server::over(database.database().clone(), &settings).unwrap();
        Self { database, server, key }
    }

    /// Both databases, where both are to be had.
    async fn each() -> Vec<Self> {
        let postgres = TestDatabase::postgres().await.unwrap();
        postgres.into_iter().chain([TestDatabase::sqlite().await.unwrap()]).map(Self::over).collect()
    }

    /// The events that wait in the outbox on a topic, in order.
    async fn outbox(&self, topic: &str) -> Vec<Value> {
        let rows = format!("SELECT body FROM outbox WHERE topic = '{topic}' ORDER BY sequence");
        let rows = self.database.as_owner(&rows).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(&row[0]).unwrap()).collect()
    }

    async fn deliver(&self, event: &Value) -> u16 {
        let event = sign(&event.to_string(), &self.key).unwrap();
        let request = Request::post("/").header("content-type", "application/cloudevents+json");
        let request = request.body(String::from_utf8(event).unwrap()).unwrap();
        self.server.serve::<PushUpdate, _>(request).await.status().as_u16()
    }

    /// What pages of `ada`'s have to hear.
    async fn messages(&self) -> Vec<(i64, Value)> {
        let mut tx = self.database.begin("ada").await.unwrap();
        let updates = updates::after(&mut tx, 0, 100).await.unwrap();
        updates.iter().map(|update| (update.offset, serde_json::from_str(&update.body).unwrap())).collect()
    }
}

fn titled(title: &str) -> NewTask {
    NewTask { title: title.to_owned(), ..NewTask::default() }
}

#[tokio::test]
async fn each_change_is_written_once_in_the_words_of_the_page() {
    for world in World::each().await {
        let mut tx = world.database.begin("ada").await.unwrap();
        tasks::add(&mut tx, titled("Call mum")).await.unwrap();
        tasks::complete(&mut tx, TaskId(1)).await.unwrap();
        tasks::delete(&mut tx, TaskId(1)).await.unwrap();
        tx.commit().await.unwrap();
        let events = world.outbox("task-updates").await;
        for event in &events {
            assert_eq!(world.deliver(event).await, 204);
            assert_eq!(world.deliver(event).await, 204);
        }
        let messages = world.messages().await;
        let told: Vec<_> =
            messages.iter().map(|(_, message)| message["update_type"].as_str().unwrap()).collect();
        assert_eq!(told, ["created", "completed", "deleted"]);
        let numbers: Vec<_> =
            events.iter().map(|event| event["sequence"].as_str().unwrap().to_owned()).collect();
        let offsets: Vec<_> = messages.iter().map(|(offset, _)| offset.to_string()).collect();
        assert_eq!(offsets, numbers, "a message stands where its event does");
        let (_, created) = &messages[0];
        assert_eq!((&created["type"], &created["task_id"]), (&json!("change"), &json!(1)));
        assert_eq!(created["task"]["title"], "Call mum");
        assert_eq!(messages[1].1["changes"]["completed"], true);
        assert_eq!(messages[2].1["task"], Value::Null, "nothing is left to be shown");
    }
}

#[tokio::test]
async fn a_reminder_is_written_with_what_a_page_shows_of_it() {
    for world in World::each().await {
        let mut tx = world.database.begin("ada").await.unwrap();
        let task = tasks::add(&mut tx, titled("Call mum")).await.unwrap();
        tx.commit().await.unwrap();
        let now = Timestamp::now();
        let due = Event::reminder_due("ada", "reminder-1", &task, "-PT5M", now, now);
        let mut event = Event::reminder_shown(&due, now).cloud_event(&Origin::of("event-send-reminder"));
        event["sequence"] = "3".into();
        assert_eq!(world.deliver(&event).await, 204);
        let expected = json!({
            "type": "reminder", "reminder_id": "reminder-1", "task_id": 1, "title": "Call mum", "due": null, "timezone": null,
            "remind_at": now.to_string(),
        });
        assert_eq!(world.messages().await, [(3, expected)]);
    }
}

#[tokio::test]
async fn the_twin_on_task_events_leaves_nothing() {
    for world in World::each().await {
        let mut tx = world.database.begin("ada").await.unwrap();
        tasks::add(&mut tx, titled("Call mum")).await.unwrap();
        tx.commit().await.unwrap();
        for event in world.outbox("task-events").await {
            assert_eq!(world.deliver(&event).await, 204);
        }
        assert_eq!(world.messages().await, []);
    }
}
