//! The OpenTelemetry collector itself, with the files that are deployed: what it makes of our lines, spans and numbers. Loki, Tempo and
//! Prometheus behind it are this test; what scrapes is Prometheus's own code.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};
use todo_tests::{Engine, World};
use tokio::process::{Child, Command};

use crate::scrape::Scrape;
use crate::{Log, PATIENCE, built, collector, read, root, until_logged};

/// What the collector sends, by where it sends it to.
type Sent = Arc<Mutex<BTreeMap<&'static str, Vec<Value>>>>;

const LINES: &str = "/otlp/v1/logs";
const SPANS: &str = "/v1/traces";
const NUMBERS: &str = "/otlp/v1/metrics";
/// What people write, in these tests.
const MARKER: &str = "quokka";

/// Where lines of the log come from: each has a file of its own for the collector.
#[derive(Clone, Copy, Debug)]
enum Source {
    Laptop,
    Cluster,
}

impl Source {
    /// Writes lines into `folder` as they are written there, and answers the collector's file that finds them.
    fn write(self, lines: &str, folder: &Path) -> PathBuf {
        let files = root("charts/todo/observability/collector");
        match self {
            Self::Laptop => {
                std::fs::write(folder.join("todo.log"), lines).unwrap();
                files.join("laptop.yaml")
            }
            Self::Cluster => {
                let pods = folder.join("pods");
                let pod = pods.join("todo_chat-00001-deployment-7d9f8b6c5d-x2x4x_0f1e2d3c/function");
                std::fs::create_dir_all(&pod).unwrap();
                let lines =
                    lines.lines().map(|line| format!("2026-11-22T10:00:00.123456789Z stderr F {line}\n"));
                std::fs::write(pod.join("0.log"), lines.collect::<String>()).unwrap();
                // A node's folder is not ours to write in, and what is in it already is not sent again.
                let text = std::fs::read_to_string(files.join("cluster.yaml")).unwrap();
                let text = text.replace("/var/log/pods", pods.to_str().unwrap());
                let copy = folder.join("cluster.yaml");
                std::fs::write(&copy, text.replace("start_at: end", "start_at: beginning")).unwrap();
                copy
            }
        }
    }

    /// Whose line it is that names no component.
    fn process(self) -> &'static str {
        match self {
            Self::Laptop => "todo",
            Self::Cluster => "chat",
        }
    }
}

/// A running collector.
struct Collector {
    sent: Sent,
    /// Where it listens, at its usual ports.
    host: String,
    _process: Child,
    _folder: tempfile::TempDir,
}

impl Collector {
    /// Starts it with these lines to find; `None` where there is no collector.
    async fn on(source: Source, lines: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let found = source.write(lines, folder.path());
        Self::with(&[found], &[], folder).await
    }

    /// Starts it to scrape a system, as what Prometheus is told beside one.
    async fn scraping(world: &World) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut config: Value =
            serde_saphyr::from_str(&read("charts/todo/observability/prometheus/prometheus.yaml")).unwrap();
        // A collector has no rules.
        config.as_object_mut().unwrap().remove("rule_files");
        config["global"]["scrape_interval"] = json!("1s");
        let target = world.url().trim_start_matches("http://").to_owned();
        config["scrape_configs"][0]["static_configs"][0]["targets"] = json!([target]);
        let scrape = folder.path().join("scrape.json");
        std::fs::write(&scrape, config.to_string()).unwrap();
        // What it scrapes goes to us; what Prometheus takes is not for reading.
        let exported = folder.path().join("exported.json");
        let pipelines = json!({"metrics": {"exporters": ["otlp_http/loki"]}});
        std::fs::write(&exported, json!({"service": {"pipelines": pipelines}}).to_string()).unwrap();
        let files = root("charts/todo/observability/collector");
        let files = [files.join("laptop.yaml"), files.join("scrape.yaml"), exported];
        Self::with(&files, &[("SCRAPE", &scrape)], folder).await
    }

    /// Starts it with collector.yaml and these files.
    async fn with(files: &[PathBuf], paths: &[(&str, &Path)], folder: tempfile::TempDir) -> Option<Self> {
        let program = built("otelcol")?;
        let sent = Sent::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let receive = |path| {
            post(async move |State(sent): State<Sent>, Json(request): Json<Value>| {
                sent.lock().unwrap().entry(path).or_default().push(request);
                (StatusCode::OK, Json(json!({})))
            })
        };
        let router = [LINES, SPANS, NUMBERS]
            .into_iter()
            .fold(Router::new(), |router, path| router.route(path, receive(path)))
            .with_state(sent.clone());
        tokio::spawn(async { axum::serve(listener, router).await });

        // The files say ports, but not of which of this machine's addresses.
        let host = format!("127.77.{}.{}", port >> 8, port & 255);
        // As a test reads it.
        let readable = "yaml:exporters: {otlp_http/loki: {encoding: json, compression: none}, otlp_http/tempo: {encoding: json, compression: none}}";
        let process = Command::new(program)
            .arg("--config")
            .arg(root("charts/todo/observability/collector/collector.yaml"))
            .args(files.iter().flat_map(|file| [OsStr::new("--config"), file.as_os_str()]))
            .args(["--config", readable])
            .envs(paths.iter().copied())
            .env("LOGS", folder.path())
            .env("LISTEN", &host)
            .env("LOKI_ENDPOINT", format!("http://127.0.0.1:{port}/otlp"))
            .env("TEMPO_ENDPOINT", format!("http://127.0.0.1:{port}"))
            .stderr(std::fs::File::create(folder.path().join("collector.err")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let started = Self { sent, host, _process: process, _folder: folder };
        started.healthy().await;
        Some(started)
    }

    async fn healthy(&self) {
        let began = Instant::now();
        let url = format!("http://{}:13133", self.host);
        while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
            let said = || read_lossy(&self._folder.path().join("collector.err"));
            assert!(began.elapsed() < PATIENCE, "the collector does not start: {}", said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it sent there, once it is enough.
    async fn until(&self, path: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let sent = self.sent.lock().unwrap().get(path).cloned().unwrap_or_default();
            if enough(&sent) {
                return sent;
            }
            assert!(began.elapsed() < PATIENCE, "only {sent:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn read_lossy(file: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(file).unwrap_or_default()).into_owned()
}

/// OTLP's list of attributes as a map.
fn attributes(list: &Value) -> BTreeMap<&str, &Value> {
    let all = list.as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter()
        .map(|one| (one["key"].as_str().unwrap(), one["value"].as_object().unwrap().values().next().unwrap()))
        .collect()
}

/// A line as it is sent: the labels of its stream, and itself.
fn records(sent: &[Value]) -> Vec<(BTreeMap<&str, &Value>, &Value)> {
    let resources = sent.iter().flat_map(|request| request["resourceLogs"].as_array().unwrap());
    resources
        .flat_map(|resource| {
            let scopes = resource["scopeLogs"].as_array().unwrap().iter();
            let records = scopes.flat_map(|scope| scope["logRecords"].as_array().unwrap());
            records.map(|record| (attributes(&resource["resource"]["attributes"]), record))
        })
        .collect()
}

/// A list in the collector's file, between `keep_keys(log.attributes, [` and `])` or so.
fn listed(after: &str) -> BTreeSet<String> {
    let file = read("charts/todo/observability/collector/collector.yaml");
    let list = file.split_once(after).unwrap().1.split_once(']').unwrap().0;
    list.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_collector_gives_loki_our_lines_with_few_labels_and_nothing_that_nobody_listed() {
    const TRACE: &str = "5cf92f3577b34da6a3ce929d0e0e4737";
    let log = Log::open();
    let world = World::on(Engine::Sqlite).await.unwrap();
    let request = world.person("ada").request();
    let request = request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let answer = request.json(&json!({"message": "add water the plants"})).send().await.unwrap();
    assert!(answer.status().is_success());
    until_logged(&log, TRACE, &["tool-add-task", "event-record-audit"]).await;

    // As people's words would stand there, had somebody logged them; and what is no line of ours.
    let ours = log.text();
    let field = |message: &str| {
        format!(
            r#"{{"timestamp":"2026-11-22T10:00:00.5Z","level":"WARN","target":"chat",{message}"title":"{MARKER}"}}"#
        )
    };
    let (with_message, without) = (field(r#""message":"a title","#), field(""));
    let strange =
        format!("thread 'main' panicked: {MARKER}\n{{\"level\": {MARKER}\n{with_message}\n{without}\n");
    for source in [Source::Laptop, Source::Cluster] {
        let Some(collector) = Collector::on(source, &format!("{ours}{strange}")).await else { return };
        let wanted = ours.lines().count() + 2;
        let sent = collector.until(LINES, |sent| records(sent).len() >= wanted).await;
        assert_eq!(records(&sent).len(), wanted, "{source:?}");
        assert!(!Value::from(sent.clone()).to_string().contains(MARKER), "{source:?}: {sent:#?}");
        only_what_is_listed(&sent);
        for service in [source.process(), "tool-add-task", "event-record-audit"] {
            let of_service = records(&sent)
                .into_iter()
                .find(|(stream, record)| stream["service.name"] == service && record["traceId"] == TRACE);
            let (stream, record) = of_service.unwrap_or_else(|| panic!("{source:?}: no line of {service}"));
            as_it_was_logged(&stream, record, &log.of_trace(TRACE));
        }
    }
}

fn only_what_is_listed(sent: &[Value]) {
    let (labels, fields) = (listed("keys: ["), listed("keep_keys(log.attributes, ["));
    for (stream, record) in records(sent) {
        // Of what Kubernetes knows of a pod Loki makes no more labels than it is told to.
        let known = |name: &str| labels.contains(name) || name.starts_with("k8s.");
        let unknown: Vec<_> = stream.keys().filter(|name| !known(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(stream["service.namespace"], "todo");
        let attributes = attributes(&record["attributes"]);
        let unknown: Vec<_> = attributes.keys().filter(|name| !fields.contains(**name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

fn as_it_was_logged(stream: &BTreeMap<&str, &Value>, record: &Value, lines: &[Value]) {
    let when: i128 = record["timeUnixNano"].as_str().unwrap().parse().unwrap();
    let is_it = |line: &&Value| {
        let logged: Timestamp = line["timestamp"].as_str().unwrap().parse().unwrap();
        line["message"] == record["body"]["stringValue"] && logged.as_nanosecond() == when
    };
    let line = lines.iter().find(is_it).unwrap_or_else(|| panic!("nobody logged {record}"));
    assert_eq!(record["severityText"], line["level"]);
    assert_eq!(stream["level"].as_str(), Some(&*line["level"].as_str().unwrap().to_lowercase()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_collector_passes_our_spans_on_with_their_ids() {
    const TRACE: &str = "6df92f3577b34da6a3ce929d0e0e4738";
    Log::open();
    let world = World::on(Engine::Sqlite).await.unwrap();
    let request = world.person("ada").request();
    let request = request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let answer = request.json(&json!({"message": "add water the plants"})).send().await.unwrap();
    assert!(answer.status().is_success());
    let names = ["POST /api/{user_id}/chat", "agent.tool", "tool-add-task", "event-record-audit"];
    let ours = collector::until_collected(TRACE, &names).await;

    let Some(collector) = Collector::on(Source::Laptop, "").await else { return };
    for request in collector::requests(TRACE) {
        let url = format!("http://{}:4318/v1/traces", collector.host);
        let answer = reqwest::Client::new().post(url).json(&request).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
    let spans = |sent: &[Value]| -> BTreeMap<String, Value> {
        let resources = sent.iter().flat_map(|request| request["resourceSpans"].as_array().unwrap().clone());
        let scopes = resources.flat_map(|resource| resource["scopeSpans"].as_array().unwrap().clone());
        let spans = scopes.flat_map(|scope| scope["spans"].as_array().unwrap().clone());
        let of_trace = spans.filter(|span| span["traceId"] == TRACE);
        of_trace.map(|span| (span["name"].as_str().unwrap().to_owned(), span)).collect()
    };
    let sent = collector
        .until(SPANS, |sent| {
            let spans = spans(sent);
            names.iter().all(|name| spans.contains_key(*name))
        })
        .await;
    for (name, span) in spans(&sent) {
        let (_, ours) = &ours[&name];
        for field in ["spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano"] {
            assert_eq!(span[field], ours[field], "{name}: {field}");
        }
        assert_eq!(attributes(&span["attributes"]), attributes(&ours["attributes"]), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_every_number_as_it_is_told() {
    Log::open();
    let world = World::on(Engine::Sqlite).await.unwrap();
    world.person("ada").says("add water the plants").await;
    let told = Scrape::of(&world).await;
    let Some(collector) = Collector::scraping(&world).await else { return };
    let numbers = |sent: &[Value]| -> BTreeMap<String, Value> {
        let resources =
            sent.iter().flat_map(|request| request["resourceMetrics"].as_array().unwrap().clone());
        let scopes = resources.flat_map(|resource| resource["scopeMetrics"].as_array().unwrap().clone());
        let metrics = scopes.flat_map(|scope| scope["metrics"].as_array().unwrap().clone());
        metrics.map(|metric| (metric["name"].as_str().unwrap().to_owned(), metric)).collect()
    };
    let sent = collector.until(NUMBERS, |sent| numbers(sent).contains_key("up")).await;
    let read = numbers(&sent);
    assert_eq!(read["up"]["gauge"]["dataPoints"][0]["asDouble"], 1.0);
    let has_samples = |name: &str| told.samples.keys().any(|sample| sample.starts_with(name));
    for (name, kind) in told.types.iter().filter(|(name, _)| has_samples(name)) {
        let kind = if kind == "counter" { "sum" } else { kind };
        let points = read.get(name).and_then(|number| number[kind]["dataPoints"].as_array());
        assert!(points.is_some_and(|points| !points.is_empty()), "{name} is no {kind}: {:?}", read.get(name));
    }
    let turns = read["todo_chat_turns_total"]["sum"]["dataPoints"].as_array().unwrap();
    let answered =
        turns.iter().find(|point| attributes(&point["attributes"])["outcome"] == "answered").unwrap();
    assert_eq!(answered["asDouble"], 1.0);
    assert_eq!(attributes(&answered["attributes"])["app"], "todo");
}
