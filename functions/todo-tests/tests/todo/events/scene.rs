//! A running system, the people in it, and what can be seen of both from outside.

use std::time::{Duration, Instant};

use jiff::{Timestamp, ToSpan};
use reqwest::StatusCode;
use serde_json::{Value, json};
use todo_identity::EventKey;
use todo_store::Database;
use todo_store::audit::Entry;
use todo_store::dead_letters::{Filter, Kept, Place};
use todo_store::rebuild::{Rebuilt, rebuild};
use todo_store::testing::in_transaction;
use todo_tests::{Platform, World};
use tokio::sync::{RwLockReadGuard, RwLockWriteGuard};

use super::stage::{self, On};
use super::{Page, Receivers};

/// Far beyond what anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(150);
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// Those of a task's events.
const CONSUMERS: [&str; 4] =
    ["event-repeat-task", "event-schedule-reminder", "event-record-audit", "event-push-update"];

/// Looks until it is there.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// An instant in so many seconds, as a person would write it.
pub fn in_seconds(seconds: i64) -> String {
    let whole = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    (whole + seconds.seconds()).to_string()
}

enum Stage {
    Own(Box<World>),
    Shared(&'static stage::Shared),
}

#[expect(dead_code, reason = "held until the scene ends")]
enum Turn {
    Any,
    WithOthers(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

pub struct Scene {
    stage: Stage,
    _turn: Turn,
    pub database: Database,
    pub receivers: &'static Receivers,
    http: reqwest::Client,
}

impl Scene {
    pub async fn on(on: On) -> Option<Self> {
        match on {
            On::Kafka => {
                let shared = stage::shared().await?;
                Some(Self::of(Stage::Shared(shared), Turn::WithOthers(stage::TURN.read().await)).await)
            }
            _ => Some(Self::of(Stage::Own(Box::new(stage::embedded(on).await?)), Turn::Any).await),
        }
    }

    /// The platform, while nobody else uses it.
    pub async fn alone_on_kafka() -> Option<Self> {
        let shared = stage::shared().await?;
        Some(Self::of(Stage::Shared(shared), Turn::Alone(stage::TURN.write().await)).await)
    }

    async fn of(stage: Stage, turn: Turn) -> Self {
        let world = match &stage {
            Stage::Own(world) => world,
            Stage::Shared(shared) => &shared.world,
        };
        let database = Database::open(&world.config().database_url()).await.unwrap();
        let receivers = Receivers::get().await;
        Self { stage, _turn: turn, database, receivers, http: reqwest::Client::new() }
    }

    pub fn world(&self) -> &World {
        match &self.stage {
            Stage::Own(world) => world,
            Stage::Shared(shared) => &shared.world,
        }
    }

    /// The real one, in a scene on Kafka.
    pub fn platform(&self) -> &'static Platform {
        match &self.stage {
            Stage::Shared(shared) => &shared.platform,
            Stage::Own(_) => panic!("this scene is embedded"),
        }
    }

    /// A person whom no other scene knows.
    pub fn somebody(&self, name: &str) -> Somebody<'_> {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        Somebody { scene: self, id: format!("{name}-{}", unique.split_at(8).0) }
    }

    /// The key that events are signed with here.
    pub fn event_key(&self) -> EventKey {
        EventKey::from_pem(self.world().event_variables().event_key.as_ref().unwrap()).unwrap()
    }

    /// Publishes bytes as functions do.
    pub async fn publish(&self, topic: &str, key: &str, body: Vec<u8>) {
        let path = format!(
            "publish/pubsub/{topic}?metadata.rawPayload=true&metadata.content-type=application%2Fcloudevents%2Bjson&metadata.partitionKey={key}"
        );
        let request =
            self.sidecar(reqwest::Method::POST, &path).header("content-type", "application/cloudevents+json");
        let answer = request.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "publishing on {topic}: {answer:?}");
    }

    /// Whether Dapr Jobs has it.
    pub async fn has_job(&self, name: &str) -> bool {
        let answer = self.sidecar(reqwest::Method::GET, &format!("jobs/{name}")).send().await.unwrap();
        answer.status() == StatusCode::OK
    }

    /// Hands an event to a function, as its sidecar or a Broker does.
    pub async fn hands(&self, function: &str, event: &Value) -> (StatusCode, Value) {
        let request = self.http.post(self.world().function_url(function));
        let request = request.header("content-type", "application/cloudevents+json");
        let answer = request.body(event.to_string()).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or_default())
    }

    fn sidecar(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let variables = self.world().event_variables();
        let url = format!("{}/v1.0/{path}", variables.dapr_url.as_ref().unwrap());
        let request = self.http.request(method, url);
        match &variables.dapr_api_token {
            Some(token) => request.header("dapr-api-token", token),
            None => request,
        }
    }

    /// Makes every consumer handle this event again when it comes again.
    pub async fn forgets(&self, entry: &Entry) {
        for consumer in CONSUMERS {
            let mut repair = self.database.begin_repair().await.unwrap();
            repair.forget_received(consumer, &entry.event_id).await.unwrap();
            repair.commit().await.unwrap();
        }
    }

    /// Dead letters, newest first.
    pub async fn dead_letters(&self) -> Vec<Kept> {
        let mut operator = self.database.begin_operator().await.unwrap();
        let filter = Filter { consumer: None, event_type: None };
        operator.dead_letters(&filter, Place::Before(i64::MAX), 1000).await.unwrap()
    }

    /// The dead letter of this event.
    pub async fn dead_letter(&self, event_id: &str) -> Kept {
        eventually("the event is a dead letter", async || {
            self.dead_letters().await.into_iter().find(|letter| letter.event_id == event_id)
        })
        .await
    }

    /// What came, as it was kept.
    pub async fn body_of(&self, letter: &Kept) -> String {
        let mut operator = self.database.begin_operator().await.unwrap();
        operator.dead_letter_body(letter.number).await.unwrap().unwrap()
    }
}

/// A person in a scene.
pub struct Somebody<'a> {
    scene: &'a Scene,
    pub id: String,
}

/// A reminder's job, as it was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub name: String,
    pub task: i64,
    pub at: i64,
    pub fired: bool,
}

impl Somebody<'_> {
    /// Calls a tool, such as `add_task`, and gives its result.
    pub async fn calls(&self, tool: &str, arguments: Value) -> Value {
        let function = format!("tool-{}", tool.replace('_', "-"));
        self.scene.world().function(&function, &self.id).call(arguments).await.result().clone()
    }

    /// Adds a task, and gives its number.
    pub async fn adds(&self, title: &str, mut more: Value) -> i64 {
        more["title"] = json!(title);
        self.calls("add_task", more).await["task_id"].as_i64().unwrap()
    }

    pub async fn completes(&self, task: i64) -> Value {
        self.calls("complete_task", json!({"task_id": task})).await
    }

    pub async fn deletes(&self, task: i64) {
        self.calls("delete_task", json!({"task_id": task})).await;
    }

    pub async fn updates(&self, task: i64, mut change: Value) {
        change["task_id"] = json!(task);
        self.calls("update_task", change).await;
    }

    /// All tasks, oldest first.
    pub async fn tasks(&self) -> Vec<Value> {
        self.scene.world().person(&self.id).tasks().await
    }

    /// The numbers of the pending tasks with this title.
    pub async fn pending(&self, title: &str) -> Vec<i64> {
        let tasks = self.tasks().await;
        let meant = tasks.iter().filter(|task| task["title"] == title && task["completed"] == false);
        meant.map(|task| task["id"].as_i64().unwrap()).collect()
    }

    /// The next task of this title, once it is there.
    pub async fn next_of(&self, title: &str) -> i64 {
        eventually("the next task", async || self.pending(title).await.first().copied()).await
    }

    pub async fn audit(&self) -> Vec<Entry> {
        let mut operator = self.scene.database.begin_operator().await.unwrap();
        operator.audit_entries(&self.id, 0, 10_000).await.unwrap()
    }

    /// The events of a topic in the audit, as `type` and task's number.
    pub async fn recorded(&self, topic: &str) -> Vec<String> {
        let audit = self.audit().await;
        audit.iter().filter(|entry| entry.topic == topic).map(|entry| entry.event_type.clone()).collect()
    }

    /// The jobs that are noted and not given up, by task and time.
    pub async fn jobs(&self) -> Vec<Job> {
        let mut tx = self.scene.database.begin(&self.scene.world().tenant(&self.id)).await.unwrap();
        let statement = format!(
            "SELECT job, CAST(task_id AS TEXT), CAST(remind_at AS TEXT), CAST(COALESCE(fired_at, 0) AS TEXT), \
             CAST(COALESCE(scheduled_at, 0) AS TEXT) FROM scheduled_reminders \
             WHERE user_id = '{}' AND cancelled_at IS NULL ORDER BY task_id, remind_at",
            self.id
        );
        let rows = in_transaction(&mut tx, &statement).await.unwrap();
        let scheduled = rows.into_iter().filter(|row| row[4] != "0");
        scheduled
            .map(|row| Job {
                name: row[0].clone(),
                task: row[1].parse().unwrap(),
                at: row[2].parse().unwrap(),
                fired: row[3] != "0",
            })
            .collect()
    }

    /// The jobs of a task that wait, once there are so many.
    pub async fn waiting_jobs(&self, task: i64, number: usize) -> Vec<Job> {
        eventually(&format!("{number} jobs wait for task {task}"), async || {
            let jobs: Vec<_> =
                self.jobs().await.into_iter().filter(|job| job.task == task && !job.fired).collect();
            (jobs.len() == number).then_some(jobs)
        })
        .await
    }

    /// An open page of theirs; without `since` it begins with everything.
    pub async fn opens_a_page(&self, since: Option<i64>) -> Page {
        let query = since.map(|since| format!("?since={since}")).unwrap_or_default();
        let world = self.scene.world();
        Page::open(&format!("{}/api/{}/live{query}", world.url(), self.id), &world.token(&self.id)).await
    }

    /// Waits until every event is in the audit, and holds everything against it: the chain, the numbers, the tasks.
    pub async fn is_accounted_for(&self) -> Rebuilt {
        let rebuilt = eventually("every event is in the audit", async || {
            let rebuilt = rebuild(&self.scene.database, &self.id, Timestamp::MAX).await.unwrap();
            (rebuilt.unrecorded == 0 && rebuilt.chain.missing.is_empty()).then_some(rebuilt)
        })
        .await;
        assert!(rebuilt.is_same(), "{rebuilt:?}");
        let audit = self.audit().await;
        let mut ids: Vec<_> = audit.iter().map(|entry| &entry.event_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), audit.len(), "each event is recorded once");
        rebuilt
    }
}
