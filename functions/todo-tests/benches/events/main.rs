#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a benchmark that cannot go on panics")]
//! How fast a change becomes its effects: the whole system as `todo up` runs it, components in the host.
//!
//! `cargo bench -p todo-tests --bench events` measures everything; name sections to measure only those:
//! `cargo bench -p todo-tests --bench events -- latency audit reminders fanout`. `platform` is `latency` with a real `daprd`, Kafka and
//! Postgres; it is left out where they are not built.

mod audit;
mod fanout;
mod latency;
mod page;
mod reminders;
mod supply;

use std::time::Duration;

const SECTIONS: [&str; 5] = ["latency", "platform", "audit", "reminders", "fanout"];

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    todo_agent::install_tls_provider();
    // cargo passes `--bench`.
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let Some(unknown) = named.iter().find(|name| !SECTIONS.contains(&name.as_str())) {
        panic!("no section {unknown}; there are {}", SECTIONS.join(", "));
    }
    let wanted = |section: &str| named.is_empty() || named.iter().any(|name| name == section);
    if wanted("latency") || wanted("platform") {
        latency::measure(wanted("latency"), wanted("platform")).await;
    }
    if wanted("audit") {
        audit::measure().await;
    }
    if wanted("reminders") {
        reminders::measure().await;
    }
    if wanted("fanout") {
        fanout::measure().await;
    }
}

/// Half of them, 99 in 100 of them, and all of them took no longer.
struct Spread {
    p50: Duration,
    p99: Duration,
    max: Duration,
}

impl Spread {
    fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort();
        let at = |share: usize| durations[(durations.len() * share / 100).min(durations.len() - 1)];
        Self { p50: at(50), p99: at(99), max: at(100) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [p50, p99, max] = [self.p50, self.p99, self.max].map(|time| time.as_secs_f64() * 1e3);
        write!(f, "{p50:>8.1} {p99:>8.1} {max:>8.1}")
    }
}
