#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails may panic")]
//! What an operator sees of a running system: numbers, one trace through everything, and no word of what people write. A process of its own,
//! because a process has one log.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use todo_store::Database;
use todo_tests::{Engine, World};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;

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

/// The page for Prometheus, parsed: the type of each metric, and the value of each sample.
struct Scrape {
    types: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    async fn of(world: &World) -> Self {
        let page = reqwest::get(format!("{}/metrics", world.url())).await.unwrap();
        let kind = page.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        let page = page.text().await.unwrap();
        assert!(page.ends_with("# EOF\n"), "{page}");
        let mut scrape = Self { types: BTreeMap::new(), samples: BTreeMap::new() };
        for line in page.lines() {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                let name = if kind == "counter" { format!("{name}_total") } else { name.to_owned() };
                assert!(scrape.types.insert(name, kind.to_owned()).is_none(), "twice: {line}");
            } else if !line.starts_with('#') {
                let (sample, value) = line.rsplit_once(' ').unwrap();
                assert!(
                    scrape.samples.insert(sample.to_owned(), value.parse().unwrap()).is_none(),
                    "twice: {line}"
                );
            }
        }
        scrape
    }

    /// The sample of this name and these labels.
    fn value(&self, sample: &str) -> f64 {
        *self.samples.get(sample).unwrap_or_else(|| panic!("no {sample} in {:#?}", self.samples))
    }

    /// Scrapes until something is so.
    async fn until(world: &World, what: &str, is_so: impl Fn(&Self) -> bool) -> Self {
        let began = Instant::now();
        loop {
            let scrape = Self::of(world).await;
            if is_so(&scrape) {
                return scrape;
            }
            assert!(began.elapsed() < PATIENCE, "not until now: {what}; {:#?}", scrape.samples);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
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

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_sees_what_has_happened_and_the_documentation_lists_all_of_it() {
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
    let scrape = Scrape::until(&world, "everything delivered", |scrape| {
        let lag = |(name, value): (&String, &f64)| !name.starts_with("todo_consumer_lag") || *value == 0.0;
        scrape.value("todo_reminder_lateness_seconds_count") == 1.0
            && scrape.value("todo_dead_letters_total{consumer=\"event-record-audit\"}") == 1.0
            && scrape.value("todo_deliveries_total{consumer=\"event-send-reminder\"}") >= 1.0
            && scrape.value("todo_outbox_events") == 0.0
            && scrape.samples.iter().all(lag)
    })
    .await;
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
    ];
    for (sample, expected) in exactly {
        assert_eq!(scrape.value(sample), expected, "{sample}");
    }
    let at_least = [
        ("todo_model_duration_seconds_count{outcome=\"answered\"}", 2.0),
        ("todo_function_requests_total{function=\"event-record-audit\"}", 7.0),
        ("todo_function_duration_seconds_count{function=\"tool-add-task\"}", 2.0),
        ("todo_function_cold_starts_total{function=\"tool-add-task\"}", 1.0),
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
    assert_eq!(
        documented(),
        scrape.types.into_iter().collect(),
        "docs/specs/observability.md lists what there is"
    );
}

/// Names and types from the tables of the page.
fn documented() -> BTreeSet<(String, String)> {
    let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/specs/observability.md"));
    let rows = page.lines().filter(|line| line.starts_with("| `todo_"));
    let cell =
        |row: &str, number: usize| row.split('|').nth(number).unwrap().trim().trim_matches('`').to_owned();
    rows.map(|row| (cell(row, 1), cell(row, 2))).collect()
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
