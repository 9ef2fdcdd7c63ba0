//! A database, the keys, the doubles, and the three functions between them.

use std::sync::Arc;

use event_schedule_reminder::ScheduleReminder;
use event_send_reminder::SendReminder;
use http::Request;
use http::request::Builder;
use serde_json::{Value, json};
use tick_fire_reminder::FireReminder;
use todo_delivery::{Server, Settings};
use todo_domain::{AddTask, TaskId, UpdateTask, arguments};
use todo_events::{Event, sign};
use todo_identity::EventKey;
use todo_store::tasks;
use todo_store::testing::TestDatabase;

use crate::doubles::{API_TOKEN, Doubles, SECRET, listen};

pub const APP_TOKEN: &str = "it is me, Dapr";

pub struct World {
    pub database: TestDatabase,
    pub key: EventKey,
    pub doubles: Arc<Doubles>,
    pub settings: Settings,
    server: Server,
}

impl World {
    /// One on each database there is, where reminders go only into the app.
    pub async fn each() -> Vec<Self> {
        Self::each_with(|_| Vec::new()).await
    }

    /// One on each, where reminders go everywhere.
    pub async fn each_with_all_channels() -> Vec<Self> {
        Self::each_with(|doubles| {
            vec![
                ("reminder_webhook_url", format!("{}/hook", doubles.url)),
                ("reminder_webhook_secret", SECRET.to_owned()),
                ("reminder_email_binding", "mail".to_owned()),
                ("reminder_email_to", "{user_id}@example.org".to_owned()),
            ]
        })
        .await
    }

    pub async fn each_with(variables: impl Fn(&Doubles) -> Vec<(&'static str, String)>) -> Vec<Self> {
        let postgres = TestDatabase::postgres().await.unwrap();
        let databases = postgres.into_iter().chain([TestDatabase::sqlite().await.unwrap()]);
        let mut worlds = Vec::new();
        for database in databases {
            let key = EventKey::generate().unwrap();
            let doubles = listen(&key.public_jwks()).await;
            let own = [(Server::APP_API_TOKEN, APP_TOKEN.to_owned())].into_iter().chain(variables(&doubles));
            let settings = Settings {
                database_url: database.url.clone(),
                dapr_url: doubles.url.clone(),
                dapr_api_token: API_TOKEN.to_owned(),
                event_key: key.private_pem().to_owned(),
                event_public_keys: key.public_jwks(),
                variables: own.collect(),
            };
            let server = Server::over(database.database().clone(), &settings).unwrap();
            worlds.push(Self { database, key, doubles, settings, server });
        }
        worlds
    }

    /// Ada's next task, by the arguments of `add_task`; gives its event.
    pub async fn add(&self, fields: Value) -> Value {
        let new = arguments::parse::<AddTask>(of_ada(fields)).unwrap().validate().unwrap();
        let mut tx = self.database.begin("ada").await.unwrap();
        tasks::add(&mut tx, new).await.unwrap();
        tx.commit().await.unwrap();
        self.newest("task.created").await
    }

    /// Changes Ada's first task, by the arguments of `update_task`; gives the last event of this type.
    pub async fn update(&self, mut fields: Value, event_type: &str) -> Value {
        fields["task_id"] = 1.into();
        let (id, change) = arguments::parse::<UpdateTask>(of_ada(fields)).unwrap().validate().unwrap();
        let mut tx = self.database.begin("ada").await.unwrap();
        tasks::update(&mut tx, id, change).await.unwrap();
        tx.commit().await.unwrap();
        self.newest(event_type).await
    }

    pub async fn delete(&self) -> Value {
        let mut tx = self.database.begin("ada").await.unwrap();
        tasks::delete(&mut tx, TaskId(1)).await.unwrap();
        tx.commit().await.unwrap();
        self.newest("task.deleted").await
    }

    /// The events of this type in the outbox, oldest first, unsigned.
    pub async fn events(&self, event_type: &str) -> Vec<Value> {
        let statement = format!(
            "SELECT body FROM outbox WHERE event_type = '{event_type}' AND topic <> 'task-updates' ORDER BY sequence"
        );
        let rows = self.database.as_owner(&statement).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(&row[0]).unwrap()).collect()
    }

    async fn newest(&self, event_type: &str) -> Value {
        self.events(event_type).await.pop().unwrap()
    }

    /// The one `reminder.due`.
    pub async fn due(&self) -> Value {
        let due = self.events("reminder.due").await;
        assert_eq!(due.len(), 1);
        due.into_iter().next().unwrap()
    }

    /// Brings an event to `event-schedule-reminder`, and gives the status.
    pub async fn schedule(&self, event: &Value) -> u16 {
        let request = self.delivery(event);
        self.server.serve::<ScheduleReminder, _>(request).await.status().as_u16()
    }

    /// Brings an event to `event-send-reminder`, and gives the status.
    pub async fn send(&self, event: &Value) -> u16 {
        let request = self.delivery(event);
        self.server.serve::<SendReminder, _>(request).await.status().as_u16()
    }

    /// The same, of a function with other variables.
    pub async fn send_with(&self, event: &Value, variables: Vec<(&'static str, String)>) -> u16 {
        let settings = Settings { variables: variables.into_iter().collect(), ..self.settings.clone() };
        let server = Server::over(self.database.database().clone(), &settings).unwrap();
        server.serve::<SendReminder, _>(self.delivery(event)).await.status().as_u16()
    }

    fn delivery(&self, event: &Value) -> Request<String> {
        let event = sign(&event.to_string(), &self.key).unwrap();
        let request = Request::post("/").header("content-type", "application/cloudevents+json");
        request.body(String::from_utf8(event).unwrap()).unwrap()
    }

    /// The jobs that wait: name and data.
    pub fn jobs(&self) -> Vec<(String, Value)> {
        self.doubles.jobs.lock().unwrap().clone().into_iter().collect()
    }

    /// When they are due, in order.
    pub fn moments(&self) -> Vec<String> {
        let at =
            |(_, data): (String, Value)| data["data"]["payload"]["remind_at"].as_str().unwrap().to_owned();
        let mut moments: Vec<_> = self.jobs().into_iter().map(at).collect();
        moments.sort();
        moments
    }

    /// The time of a job has come: Dapr calls `tick-fire-reminder`. Gives the status.
    pub async fn fire(&self, (name, data): &(String, Value)) -> u16 {
        self.call(job(name).header("dapr-api-token", APP_TOKEN), data).await
    }

    /// Calls `tick-fire-reminder`.
    pub async fn call(&self, request: Builder, data: &Value) -> u16 {
        let request = request.body(data.to_string()).unwrap();
        self.server.job::<FireReminder, _>(request).await.status().as_u16()
    }

    /// Adds a task whose reminder is due now, and takes it so far that only sending is left. Gives `reminder.due`.
    pub async fn due_task(&self) -> Value {
        let at = (jiff::Timestamp::now() - jiff::SignedDuration::from_secs(5)).to_string();
        let fields = json!({"title": "Dentist <3", "due": "2099-11-27T09:00:00Z", "remind": [at]});
        let created = self.add(fields).await;
        assert_eq!(self.schedule(&created).await, 204);
        assert_eq!(self.fire(&self.jobs()[0]).await, 204);
        self.due().await
    }

    /// The channels of the events of this type, in order.
    pub async fn channels(&self, event_type: &str) -> Vec<(String, u64)> {
        let told = |event: Value| {
            let payload = &event["data"]["payload"];
            (payload["channel"].as_str().unwrap().to_owned(), payload["attempts"].as_u64().unwrap())
        };
        self.events(event_type).await.into_iter().map(told).collect()
    }

    pub async fn count(&self, table: &str) -> usize {
        self.database.as_owner(&format!("SELECT user_id FROM {table}")).await.unwrap().len()
    }

    /// Waits until the sidecar was given an event of this type.
    pub async fn published(&self, event_type: &str) -> Event {
        loop {
            let published = self.doubles.published.lock().unwrap().clone();
            if let Some(event) = published.into_iter().find(|event| event.event_type.as_str() == event_type) {
                return event;
            }
            tokio::task::yield_now().await;
        }
    }

    /// What the doubles found wrong with what they were sent.
    pub fn refusals(&self) -> Vec<String> {
        self.doubles.refusals.lock().unwrap().clone()
    }
}

pub fn job(name: &str) -> Builder {
    Request::post(format!("/tick-fire-reminder/job/{name}")).header("content-type", "application/json")
}

fn of_ada(mut fields: Value) -> Value {
    fields["user_id"] = "ada".into();
    fields
}
