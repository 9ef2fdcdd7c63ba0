#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]
//! What an operator sees of a running system: numbers, one trace through everything, and no word of what people write. A process of its own,
//! because a process has one log.

mod collector;
mod otelcol;
mod queries;
mod runbooks;
mod scrape;
mod watching;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use todo_store::Database;
use todo_tests::{Engine, World};
use tokio::sync::OnceCell;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::scrape::Scrape;

/// Everything that our own crates say, down to what only a developer wants to know.
const FILTER: &str = "info,chat=debug,component=debug,live=debug,todo=debug,todo_agent=debug,todo_delivery=debug,todo_domain=debug,\
                      todo_events=debug,todo_host=debug,todo_identity=debug,todo_language=debug,todo_mcp=debug,todo_sidecar=debug,\
                      todo_store=debug";
/// Far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The log of this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Begins to listen, once.
    fn open() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let open = || {
            let log = Self::default();
            let writer = log.clone();
            let lines = todo::telemetry::Json::to(move || writer.clone());
            let logs = tracing_subscriber::registry().with(EnvFilter::new(FILTER)).with(lines);
            let logs = logs.with(collector::collected());
            tracing::subscriber::set_global_default(logs).unwrap();
            log
        };
        LOG.get_or_init(open).clone()
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines of a trace.
    fn of_trace(&self, trace_id: &str) -> Vec<Value> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["trace_id"] == trace_id).collect()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Calls a tool in a trace, as `chat` does.
async fn call(world: &World, tool: &str, person: &str, traceparent: &str, mut arguments: Value) -> Value {
    arguments["user_id"] = json!(person);
    let name = tool.trim_start_matches("tool-").replace('-', "_");
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "todo-tests", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": name, "arguments": arguments, "_meta": meta});
    let request = world.function(tool, person).request("tools/call").header("traceparent", traceparent);
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    request.json(&body).send().await.unwrap().json().await.unwrap()
}

/// Gives the sidecar an event, whatever it is.
async fn publish(world: &World, topic: &str, event: &Value) {
    let told = std::fs::read(world.folder().join("sidecar.json")).unwrap();
    let told: Value = serde_json::from_slice(&told).unwrap();
    let query = "metadata.rawPayload=true&metadata.content-type=application%2Fcloudevents%2Bjson";
    let url = format!("{}/v1.0/publish/pubsub/{topic}?{query}", told["url"].as_str().unwrap());
    let request = reqwest::Client::new().post(url).header("dapr-api-token", told["token"].as_str().unwrap());
    assert!(request.body(event.to_string()).send().await.unwrap().status().is_success());
}

fn soon() -> String {
    (Timestamp::now() + SignedDuration::from_secs(2)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What Prometheus reads after a little of everything: turns, tools, a reminder, a dead letter. Once for all tests that ask.
async fn happened() -> &'static Scrape {
    static HAPPENED: OnceCell<Scrape> = OnceCell::const_new();
    HAPPENED.get_or_init(happening).await
}

async fn happening() -> Scrape {
    Log::open();
    let world = World::on(Engine::Sqlite).await.unwrap();
    let mut ada = world.person("ada");
    ada.says("add water the plants").await;
    ada.says("complete task 1").await;
    let reminding = json!({"title": "Call mum", "remind": [soon()]});
    let answer = world.function("tool-add-task", "ada").call(reminding).await;
    let _ = answer.result();
    publish(&world, "task-events", &json!({"specversion": "1.0", "id": "1", "type": "x", "source": "x"}))
        .await;
    Scrape::until(&world, "everything delivered", |scrape| {
        let lag = |(name, value): (&String, &f64)| !name.starts_with("todo_consumer_lag") || *value == 0.0;
        let kept = "todo_dead_letters_waiting{consumer=\"event-record-audit\"}";
        scrape.value("todo_reminder_lateness_seconds_count") == 1.0
            && scrape.value("todo_dead_letters_total{consumer=\"event-record-audit\"}") == 1.0
            && scrape.samples.get(kept) == Some(&1.0)
            && scrape.value("todo_deliveries_total{consumer=\"event-send-reminder\"}") >= 1.0
            && scrape.value("todo_outbox_events") == 0.0
            && scrape.samples.iter().all(lag)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_sees_what_has_happened_and_the_documentation_lists_all_of_it() {
    let scrape = happened().await;
    let exactly = [
        ("todo_chat_turns_total{outcome=\"answered\"}", 2.0),
        ("todo_chat_turn_duration_seconds_count", 2.0),
        ("todo_model_tokens_total{kind=\"input\"}", 0.0),
        ("todo_tool_calls_total{tool=\"add_task\",outcome=\"done\"}", 1.0),
        ("todo_tool_calls_total{tool=\"complete_task\",outcome=\"done\"}", 1.0),
        ("todo_tool_call_duration_seconds_count{tool=\"add_task\"}", 1.0),
        ("todo_function_failures_total{function=\"tool-add-task\"}", 0.0),
        ("todo_function_traps_total{function=\"tool-add-task\"}", 0.0),
        ("todo_function_rejections_total{function=\"tool-add-task\"}", 0.0),
        // Two events of each task.
        ("todo_publishes_total{function=\"tool-add-task\"}", 4.0),
        ("todo_publishes_total{function=\"tool-complete-task\"}", 2.0),
        ("todo_publish_failures_total{function=\"tool-add-task\"}", 0.0),
        ("todo_outbox_oldest_seconds", 0.0),
        ("todo_publishing_failing_seconds", 0.0),
        ("todo_delivery_retries_total{consumer=\"event-record-audit\"}", 0.0),
        ("todo_jobs_pending", 0.0),
        ("todo_jobs_fired_total", 1.0),
        ("todo_live_sockets", 0.0),
        ("todo_reminders_overdue_seconds", 0.0),
        // From 0, though there was none.
        ("todo_chat_turns_total{outcome=\"failed\"}", 0.0),
        ("todo_model_duration_seconds_count{outcome=\"failed\"}", 0.0),
    ];
    for (sample, expected) in exactly {
        assert_eq!(scrape.value(sample), expected, "{sample}");
    }
    let at_least = [
        ("todo_model_duration_seconds_count{outcome=\"answered\"}", 2.0),
        ("todo_function_requests_total{function=\"event-record-audit\"}", 7.0),
        ("todo_function_duration_seconds_count{function=\"tool-add-task\"}", 2.0),
        ("todo_function_cold_starts_total{function=\"tool-add-task\"}", 1.0),
        ("todo_function_instances{function=\"tool-add-task\"}", 1.0),
        ("todo_function_memory_bytes{function=\"tool-add-task\"}", 65_536.0),
        ("process_resident_memory_bytes", 1_048_576.0),
        ("todo_events_published_total", 8.0),
        ("todo_event_log_records", 8.0),
        ("todo_deliveries_total{consumer=\"event-record-audit\"}", 7.0),
        ("todo_delivery_latency_seconds_count", 14.0),
    ];
    for (sample, least) in at_least {
        assert!(scrape.value(sample) >= least, "{sample} is {}", scrape.value(sample));
    }
    let late = scrape.value("todo_reminder_lateness_seconds_sum");
    assert!((0.0..5.0).contains(&late), "{late}");
    assert!((0.0..5.0).contains(&scrape.value("todo_jobs_late_seconds")));
    for (sum, count) in scrape.samples.iter().map(|(name, value)| (value, name.replacen("_sum", "_count", 1)))
    {
        assert!(*sum >= 0.0, "{count}");
    }
    let documented: BTreeSet<_> = documented().into_iter().map(|row| (row.name, row.kind)).collect();
    let exported = scrape.types.clone().into_iter().collect();
    assert_eq!(documented, exported, "docs/specs/observability.md lists what there is");
}

/// A metric, as the page of the specification has it.
struct Documented {
    name: String,
    kind: String,
    /// What stands between backticks beside its labels: these, and values they can have.
    spans: Vec<String>,
}

fn documented() -> Vec<Documented> {
    let page = read("docs/specs/observability.md");
    let rows = page.lines().filter(|line| line.starts_with("| `todo_") || line.starts_with("| `process_"));
    let row = |row: &str| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        Documented {
            name: cells[1].trim_matches('`').to_owned(),
            kind: cells[2].to_owned(),
            spans: cells[3].split('`').skip(1).step_by(2).map(str::to_owned).collect(),
        }
    };
    rows.map(row).collect()
}

/// A path in the repository.
fn root(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

/// A program that `ci/observability build` made, the latest; `None` without it, where it is not required.
fn built(program: &str) -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("CACHE").or_else(|| Some(variable("XDG_CACHE_HOME")?.join("todo-deploy")));
    let cache = cache.or_else(|| Some(variable("HOME")?.join(".cache/todo-deploy")))?;
    let built = std::fs::read_dir(cache).into_iter().flatten().filter_map(Result::ok);
    let built = built.map(|entry| entry.path().join(program)).filter(|path| path.is_file());
    let found = built.max_by_key(|path| path.metadata().and_then(|it| it.modified()).ok());
    let required = std::env::var("TODO_TEST_REQUIRE").is_ok_and(|it| it.contains(program));
    assert!(found.is_some() || !required, "there is no {program}; `ci/observability build` makes it");
    if found.is_none() {
        eprintln!("skipped: there is no {program}; `ci/observability build` makes it");
    }
    found
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_not_for_those_who_come_through_a_proxy() {
    let world = World::on(Engine::Sqlite).await.unwrap();
    let url = format!("{}/metrics", world.url());
    for header in ["x-forwarded-for", "forwarded"] {
        let asked = reqwest::Client::new().get(&url).header(header, "for=192.0.2.1").send();
        assert_eq!(asked.await.unwrap().status(), 404, "{header}");
    }
    assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_message_to_every_consumer() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let log = Log::open();
    let world = World::on(Engine::Sqlite).await.unwrap();
    let ada = world.person("ada");
    let request = ada.request().header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let answer = request.json(&json!({"message": "add water the plants"})).send().await.unwrap();
    assert!(answer.status().is_success());
    let events = until_audited(&world, "ada", &["task.created", "task.created"]).await;
    for event in events {
        assert!(event["traceparent"].as_str().unwrap().starts_with(&format!("00-{TRACE}-")), "{event}");
    }
    until_logged(
        &log,
        TRACE,
        &["tool-add-task", "event-record-audit", "event-schedule-reminder", "event-push-update"],
    )
    .await;
    let lines = log.of_trace(TRACE);
    let says = |target: &str, message: &str| {
        let said = lines.iter().any(|line| {
            line["target"].as_str().unwrap().starts_with(target)
                && line["message"].as_str().unwrap().contains(message)
        });
        assert!(said, "{target}: {message}; {lines:#?}");
    };
    says("chat::trace", "answered");
    says("todo::sidecar", "task.created → event-record-audit");
    says("todo::sidecar", "task.created → event-push-update");
    assert!(
        lines.iter().any(|line| line["route"] == "/api/{user_id}/chat" && line["status"] == 200),
        "{lines:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_is_in_the_trace_of_whoever_asked_for_it() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let log = Log::open();
    let world = World::on(Engine::Sqlite).await.unwrap();
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let reminding = json!({"title": "Call mum", "remind": [soon()]});
    let answer = call(&world, "tool-add-task", "ada", &traceparent, reminding).await;
    assert!(answer["result"]["isError"] != true, "{answer}");
    let wanted = ["task.created", "task.created", "reminder.due", "reminder.shown", "reminder.sent"];
    for event in until_audited(&world, "ada", &wanted).await {
        assert!(event["traceparent"].as_str().unwrap().starts_with(&format!("00-{TRACE}-")), "{event}");
    }
    let functions = [
        "tool-add-task",
        "event-schedule-reminder",
        "tick-fire-reminder",
        "event-send-reminder",
        "event-record-audit",
    ];
    until_logged(&log, TRACE, &functions).await;
    let fired = |line: &Value| line["message"].as_str().unwrap().contains("a reminder's job fired");
    assert!(log.of_trace(TRACE).iter().any(fired));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_people_write_is_in_the_log() {
    const MARKER: &str = "zyzzyva";
    let log = Log::open();
    let world = World::on(Engine::Sqlite).await.unwrap();
    let mut ada = world.person("eve");
    let said = [
        "add feed the zyzzyva tomorrow at 9am, remind me 30 minutes before, #zyzzyva",
        "add buy zyzzyva food every monday",
        "show my tasks about zyzzyva",
        "rename task 1 to wash the zyzzyva",
        "complete feed the zyzzyva",
        "complete task 2",
        "delete tasks 1 and 2",
        "no, zyzzyva",
        "delete task 1",
        "what is a zyzzyva?",
    ];
    for message in said {
        ada.says(message).await;
    }
    for wrong in [
        json!({"message": "add zyzzyva", "conversation_id": 999}),
        json!({"message": "zyzzyva ".repeat(2_000)}),
        json!({"message": ["zyzzyva"]}),
        json!({"message": "add zyzzyva", "zyzzyva": true}),
        json!({"message": "add zyzzyva", "timezone": "Zyzzyva/Zyzzyva"}),
        json!({"type": "zyzzyva"}),
    ] {
        assert!(ada.posts(&wrong).await.status().is_client_error(), "{wrong}");
    }
    let add = world.function("tool-add-task", "eve");
    for wrong in [
        json!({"title": "zyzzyva", "due": "zyzzyva"}),
        json!({"title": "zyzzyva", "zyzzyva": 1}),
        json!({"title": "zyzzyva", "user_id": "zyzzyva"}),
        json!({"title": ["zyzzyva"]}),
    ] {
        add.call(wrong).await;
    }
    let forged = json!({
        "specversion": "1.0", "id": "zyzzyva", "type": "task.created", "source": "zyzzyva", "subject": "zyzzyva",
        "partitionkey": "eve", "data": {"title": "zyzzyva"},
    });
    publish(&world, "task-events", &forged).await;
    publish(&world, "task-updates", &json!({"zyzzyva": "zyzzyva"})).await;
    publish(
        &world,
        "tool-calls",
        &json!({"specversion": "1.0", "id": "1", "type": "tool.add_task.call", "source": "x",
        "usertoken": "zyzzyva", "data": {"arguments": {"title": "zyzzyva"}}}),
    )
    .await;
    Scrape::until(&world, "everything delivered", |scrape| {
        let quiet = |(name, value): (&String, &f64)| !name.starts_with("todo_consumer_lag") || *value == 0.0;
        scrape.samples.iter().all(quiet)
            && scrape.value("todo_outbox_events") == 0.0
            && scrape.value("todo_dead_letters_total{consumer=\"event-record-audit\"}") >= 2.0
            && scrape.value("todo_deliveries_total{consumer=\"event-repeat-task\"}") >= 2.0
    })
    .await;
    let text = log.text();
    let heard: BTreeSet<_> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .collect::<Vec<_>>()
        .iter()
        .filter_map(|line| {
            line["target"].as_str().map(|target| target.split("::").next().unwrap_or_default().to_owned())
        })
        .collect();
    for speaks in ["chat", "todo", "todo_host", "component"] {
        assert!(heard.contains(speaks), "{speaks} says nothing: {heard:?}");
    }
    let told: Vec<_> = text.lines().filter(|line| line.to_lowercase().contains(MARKER)).collect();
    assert!(told.is_empty(), "{told:#?}");
    let collected = collector::text_with("agent.tool").await;
    assert!(!collected.to_lowercase().contains(MARKER), "{collected}");
}

/// The events of a person that were recorded, once those wanted are among them.
async fn until_audited(world: &World, person: &str, wanted: &[&str]) -> Vec<Value> {
    let url = format!("sqlite:{}", world.folder().join("todo.db").display());
    let database = Database::open(&url).await.unwrap();
    let began = Instant::now();
    loop {
        let mut operator = database.begin_operator().await.unwrap();
        let entries = operator.audit_entries(person, 0, 100).await.unwrap();
        let mut missing = wanted.to_vec();
        for entry in &entries {
            if let Some(at) = missing.iter().position(|kind| *kind == entry.event_type) {
                missing.remove(at);
            }
        }
        if missing.is_empty() {
            return entries.iter().map(|entry| serde_json::from_str(&entry.body).unwrap()).collect();
        }
        assert!(began.elapsed() < PATIENCE, "not recorded: {missing:?}");
        drop(operator);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until each of these functions has said something in this trace.
async fn until_logged(log: &Log, trace_id: &str, functions: &[&str]) {
    let began = Instant::now();
    loop {
        let lines = log.of_trace(trace_id);
        let silent = functions.iter().find(|name| !lines.iter().any(|line| line["component"] == **name));
        let Some(silent) = silent else { return };
        assert!(began.elapsed() < PATIENCE, "{silent} says nothing: {lines:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
