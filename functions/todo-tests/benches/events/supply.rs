//! A system over a database that the benchmark can look into, and events for it.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use todo_events::{Event, Origin, sign};
use todo_identity::EventKey;
use todo_store::testing::TestDatabase;
use todo_tests::{Engine, World};

/// Events in one request to the sidecar.
const TOGETHER: usize = 250;

/// A world and its database.
pub struct Supply {
    pub world: World,
    pub database: TestDatabase,
    key: EventKey,
    http: reqwest::Client,
}

/// A signed event.
pub struct Signed {
    topic: &'static str,
    user_id: String,
    event: Box<serde_json::value::RawValue>,
}

impl Supply {
    /// On this database; `None` without a Postgres server. `knative` names other manifests than the repository's.
    pub async fn on(engine: Engine, knative: Option<&Path>) -> Option<Self> {
        let database = match engine {
            Engine::Sqlite => TestDatabase::sqlite().await.unwrap(),
            Engine::Postgres => TestDatabase::postgres().await.unwrap()?,
        };
        let key = EventKey::generate().unwrap();
        let world = World::with(Engine::Sqlite, |config| {
            config.database_url = Some(database.url.clone());
            config.event_key = Some(key.private_pem().to_owned());
            if let Some(knative) = knative {
                config.knative = knative.to_owned();
            }
        });
        Some(Self { world: world.await?, database, key, http: reqwest::Client::new() })
    }

    /// One number from the database.
    pub async fn count(&self, query: &str) -> usize {
        self.database.as_owner(query).await.unwrap()[0][0].parse().unwrap()
    }

    /// The event with its number, as it goes out.
    pub fn signed(&self, event: &Event, number: usize) -> Signed {
        let mut body = event.cloud_event(&Origin::of("tool-add-task"));
        body["sequence"] = number.to_string().into();
        self.sign(event.topic.as_str(), &event.user_id, &body.to_string())
    }

    /// The same from its JSON.
    pub fn sign(&self, topic: &str, user_id: &str, body: &str) -> Signed {
        let topic = ["task-events", "task-updates"].into_iter().find(|known| *known == topic).unwrap();
        let event = serde_json::from_slice(&sign(body, &self.key).unwrap()).unwrap();
        Signed { topic, user_id: user_id.to_owned(), event }
    }

    /// Publishes them in their order, through the sidecar.
    pub async fn publish(&self, events: &[Signed]) {
        for events in events.chunks(TOGETHER) {
            for topic in ["task-events", "task-updates"] {
                let entries: Vec<_> = events.iter().filter(|event| event.topic == topic).map(entry).collect();
                if !entries.is_empty() {
                    self.publish_entries(topic, &entries).await;
                }
            }
        }
    }

    async fn publish_entries(&self, topic: &str, entries: &[Value]) {
        let told = std::fs::read(self.world.folder().join("sidecar.json")).unwrap();
        let told: Value = serde_json::from_slice(&told).unwrap();
        let (url, token) = (told["url"].as_str().unwrap(), told["token"].as_str().unwrap());
        let query = "metadata.rawPayload=true&metadata.content-type=application%2Fcloudevents%2Bjson";
        let request = self.http.post(format!("{url}/v1.0/publish/bulk/pubsub/{topic}?{query}"));
        let answer = request.header("dapr-api-token", token).json(entries).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// What a running system says of itself, by the metric's name with its labels.
    pub async fn metric(&self, name: &str) -> f64 {
        let page = self.http.get(format!("{}/metrics", self.world.url())).send().await.unwrap();
        let page = page.text().await.unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{page}")).parse().unwrap()
    }
}

fn entry(signed: &Signed) -> Value {
    json!({
        "entryId": signed.event.get().len().to_string() + &uuid::Uuid::new_v4().to_string(),
        "event": signed.event,
        "contentType": "application/cloudevents+json",
        "metadata": {"partitionKey": signed.user_id},
    })
}

/// The person with this number.
pub fn person(number: usize) -> String {
    format!("person-{number}")
}

/// Now, in milliseconds: as the database keeps instants.
pub fn now() -> Timestamp {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap()
}
