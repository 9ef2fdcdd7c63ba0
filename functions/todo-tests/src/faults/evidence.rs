//! What there is to be found once everything is up again: the tasks as their owners see them, the audit, the outbox, what was shown, and
//! what the webhook's receiver got.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde_json::{Value, json};
use todo_store::Database;
use todo_store::audit::Entry;
use todo_store::dead_letters::{Filter, Place};
use todo_store::rebuild::{Rebuilt, rebuild};
use todo_store::testing::rows_as_owner;

use crate::client::{Answer, Way};
use crate::history::History;
use crate::stage::Stage;

/// Rows or entries that are read at once.
const PAGE: usize = 200;

/// All of it.
#[derive(Debug, Default)]
pub struct Evidence {
    pub people: BTreeMap<String, Theirs>,
    /// Each in words.
    pub dead_letters: Vec<String>,
    /// Processes that ended although nobody killed them.
    pub ended: Vec<String>,
}

/// One person's.
#[derive(Clone, Debug)]
pub struct Theirs {
    /// The tasks as `list_tasks` shows them.
    pub listed: Vec<Value>,
    /// Oldest entry first.
    pub audit: Vec<Recorded>,
    pub rebuilt: Rebuilt,
    pub outbox: Vec<Written>,
    /// The number of the person's last event.
    pub last_event: i64,
    /// Task and second of each reminder that was shown in the app.
    pub notifications: Vec<(i64, i64)>,
    /// The events of which open pages were told, by their numbers.
    pub pushed: Vec<i64>,
    /// The events `reminder.due` that the webhook's receiver got.
    pub webhooks: BTreeSet<String>,
}

/// An event in the audit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    pub event_id: String,
    pub event_type: String,
    pub topic: String,
    pub source: String,
    pub sequence: i64,
    pub task_id: Option<i64>,
    /// In milliseconds since 1970.
    pub occurred_at: i64,
    /// The task as the event shows it.
    pub task: Option<Value>,
    /// The fields that were changed.
    pub changed: Vec<String>,
    /// In seconds since 1970, of a reminder.
    pub remind_at: Option<i64>,
}

/// An event in the outbox.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    pub event_id: String,
    pub event_type: String,
    pub sent: bool,
    pub problem: Option<String>,
}

impl Theirs {
    /// What was recorded of tasks, of that type.
    pub fn of_tasks(&self, event_type: &str) -> impl Iterator<Item = &Recorded> {
        self.audit.iter().filter(move |entry| entry.topic == "task-events" && entry.event_type == event_type)
    }

    /// The number of the task that somebody added under this title.
    pub fn created(&self, title: &str) -> Option<i64> {
        let mut added = self.of_tasks("task.created").filter(|entry| entry.source == "tool-add-task");
        added.find(|entry| entry.title() == Some(title))?.task_id
    }
}

impl Recorded {
    pub fn title(&self) -> Option<&str> {
        self.task.as_ref()?.get("title")?.as_str()
    }

    pub fn has_tag(&self, tag: &str) -> bool {
        let tags = self.task.as_ref().and_then(|task| task.get("tags")).and_then(Value::as_array);
        tags.is_some_and(|tags| tags.iter().any(|it| it == tag))
    }
}

/// Reads everything.
pub async fn gather(stage: &Stage, history: &History) -> anyhow::Result<Evidence> {
    let database = stage.database().await?;
    let mut evidence = Evidence { ended: stage.ended().to_vec(), ..Evidence::default() };
    for person in &history.people {
        evidence.people.insert(person.name.clone(), theirs(stage, &database, &person.name).await?);
    }
    let mut operator = database.begin_operator().await?;
    let letters = operator.dead_letters(&Filter::default(), Place::After(0), PAGE).await?;
    evidence.dead_letters = letters
        .iter()
        .map(|letter| format!("{} for {}: {}", letter.event_type, letter.consumer, letter.reason))
        .collect();
    Ok(evidence)
}

async fn theirs(stage: &Stage, database: &Database, name: &str) -> anyhow::Result<Theirs> {
    let audit = audit(database, name).await?;
    Ok(Theirs {
        listed: listed(stage, name).await?,
        rebuilt: rebuild(database, name, Timestamp::MAX).await?,
        outbox: outbox(database, name).await?,
        last_event: number(
            database,
            &format!(
                "SELECT CAST(COALESCE(SUM(last_event), 0) AS BIGINT) FROM users WHERE user_id = '{name}'"
            ),
        )
        .await?,
        notifications: notifications(database, name).await?,
        pushed: pushed(database, name).await?,
        webhooks: stage.webhook.received(),
        audit,
    })
}

async fn listed(stage: &Stage, name: &str) -> anyhow::Result<Vec<Value>> {
    let mut client = stage.person(name)?;
    let mut tasks = Vec::new();
    let mut arguments = json!({"status": "all", "sort": "created", "order": "asc", "limit": PAGE});
    loop {
        // Reading has no effect, so each page may be a call of its own.
        let call_id = uuid::Uuid::new_v4().to_string();
        match client.call(Way::Chat, "list_tasks", &arguments, &call_id).await {
            Answer::Done(Value::Array(page), cursor) => {
                tasks.extend(page);
                match cursor {
                    Some(cursor) => arguments["cursor"] = json!(cursor),
                    None => return Ok(tasks),
                }
            }
            other => bail!("the tasks of {name} cannot be listed: {other:?}"),
        }
    }
}

async fn audit(database: &Database, name: &str) -> anyhow::Result<Vec<Recorded>> {
    let mut recorded = Vec::new();
    let mut last = 0;
    loop {
        let page = database.begin_operator().await?.audit_entries(name, last, PAGE).await?;
        let Some(end) = page.last() else { return Ok(recorded) };
        last = end.entry;
        recorded.extend(page.iter().map(read));
    }
}

fn read(entry: &Entry) -> Recorded {
    let event: Value = serde_json::from_str(&entry.body).unwrap_or_default();
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let changed = event.pointer("/data/payload/changed").and_then(Value::as_array);
    let changed = changed.into_iter().flatten().filter_map(|field| field.as_str().map(str::to_owned));
    Recorded {
        event_id: entry.event_id.clone(),
        event_type: entry.event_type.clone(),
        topic: entry.topic.clone(),
        source: text("/source").unwrap_or_default(),
        sequence: entry.sequence,
        task_id: event.pointer("/data/task_id").and_then(Value::as_i64),
        occurred_at: entry.occurred_at,
        task: event.pointer("/data/payload/task").cloned(),
        changed: changed.collect(),
        remind_at: text("/data/payload/remind_at").and_then(|at| second(&at)),
    }
}

async fn outbox(database: &Database, name: &str) -> anyhow::Result<Vec<Written>> {
    let statement = format!(
        "SELECT event_id, event_type, CASE WHEN sent_at IS NULL THEN '' ELSE 'sent' END, COALESCE(problem, '') \
         FROM outbox WHERE user_id = '{name}' ORDER BY sequence"
    );
    let rows = rows_as_owner(database, &statement).await.map_err(anyhow::Error::from_boxed)?;
    let written = rows.into_iter().filter_map(|row| {
        let [event_id, event_type, sent, problem] = row.try_into().ok()?;
        let problem = Some(problem).filter(|problem| !problem.is_empty());
        Some(Written { event_id, event_type, sent: !sent.is_empty(), problem })
    });
    Ok(written.collect())
}

async fn notifications(database: &Database, name: &str) -> anyhow::Result<Vec<(i64, i64)>> {
    let statement = format!("SELECT task_id, body FROM notifications WHERE user_id = '{name}'");
    let rows = rows_as_owner(database, &statement).await.map_err(anyhow::Error::from_boxed)?;
    let shown = rows.into_iter().filter_map(|row| {
        let [task_id, body] = row.try_into().ok()?;
        let body: Value = serde_json::from_str(&body).ok()?;
        Some((task_id.parse().ok()?, second(body.get("remind_at")?.as_str()?)?))
    });
    Ok(shown.collect())
}

async fn pushed(database: &Database, name: &str) -> anyhow::Result<Vec<i64>> {
    let statement = format!("SELECT sequence FROM updates WHERE user_id = '{name}'");
    let rows = rows_as_owner(database, &statement).await.map_err(anyhow::Error::from_boxed)?;
    Ok(rows.into_iter().flatten().filter_map(|number| number.parse().ok()).collect())
}

/// The one number that a statement gives.
pub async fn number(database: &Database, statement: &str) -> anyhow::Result<i64> {
    let rows = rows_as_owner(database, statement).await.map_err(anyhow::Error::from_boxed)?;
    let number = rows.into_iter().flatten().next().context("no row")?;
    number.parse().with_context(|| format!("{number} is no number"))
}

fn second(instant: &str) -> Option<i64> {
    instant.parse::<Timestamp>().ok().map(Timestamp::as_second)
}
