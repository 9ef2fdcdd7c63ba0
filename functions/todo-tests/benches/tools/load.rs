//! Callers that send one request after the other for a while.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::servers::{Kind, Servers};

/// What the callers saw.
pub struct Load {
    latencies: Vec<Duration>,
    time: Duration,
}

impl Load {
    /// Calls `tool` on `connections` connections for `time`.
    pub async fn run(servers: &Servers, kind: Kind, tool: &str, connections: usize, time: Duration) -> Self {
        let (url, token) = (servers.url(kind, tool), servers.token(tool));
        call(&reqwest::Client::new(), &url, &token, tool).await;
        let start = Instant::now();
        let callers = (0..connections)
            .map(|_| tokio::spawn(caller(url.clone(), token.clone(), tool.to_owned(), start + time)));
        let mut latencies = Vec::new();
        for seen in futures::future::join_all(callers).await {
            latencies.extend(seen.unwrap());
        }
        latencies.sort();
        Self { latencies, time: start.elapsed() }
    }

    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.time.as_secs_f64()
    }

    /// The latency that one request in a hundred exceeds.
    pub fn p99(&self) -> Duration {
        self.latencies.get(self.latencies.len() * 99 / 100).copied().unwrap_or_default()
    }
}

async fn caller(url: String, token: String, tool: String, end: Instant) -> Vec<Duration> {
    let client = reqwest::Client::new();
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        call(&client, &url, &token, &tool).await;
        latencies.push(start.elapsed());
    }
    latencies
}

/// One call; fails loudly unless the tool succeeded.
pub async fn call(client: &reqwest::Client, url: &str, token: &str, tool: &str) {
    let name = tool.trim_start_matches("tool-").replace('-', "_");
    let arguments = match tool {
        "tool-add-task" => {
            json!({"user_id": "bench", "title": "measure", "due": "2027-01-31", "priority": "high", "tags": ["bench"]})
        }
        _ => json!({"user_id": "bench", "limit": 20}),
    };
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "0"},
        "io.modelcontextprotocol/clientCapabilities": {},
        "todo/call-id": uuid::Uuid::new_v4().to_string(),
    });
    let params = json!({"name": name, "arguments": arguments, "_meta": meta});
    let request = client
        .post(url)
        .bearer_auth(token)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", &name)
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert!(answer["result"]["isError"] != true && answer["error"].is_null(), "{answer}");
}
