#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a benchmark that cannot go on panics")]
//! What the component costs: `add_task` and `list_tasks` through the component in the host, against the same handler
//! compiled natively, in one run, alternating; then how fast a function starts and how little it holds when idle.
//!
//! `cargo bench -p todo-tests --bench tools` measures everything (`-- --seconds 5` for longer measurements); words narrow it
//! down: `cargo bench -p todo-tests --bench tools -- calls sqlite tool-list-tasks`, or `-- start`.

mod load;
mod servers;
mod start;

use std::process::ExitCode;
use std::time::Duration;

use load::Load;
use servers::{Kind, Servers};
use todo_store::testing::TestDatabase;

/// Measurements of each kind; the median is shown.
const ROUNDS: usize = 3;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(ended) = start::asked() {
        return ended;
    }
    measure();
    ExitCode::SUCCESS
}

#[tokio::main]
async fn measure() {
    todo_agent::install_tls_provider();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let parts = named(&["calls", "start"], &arguments);
    if parts.contains(&"calls") {
        calls(&arguments).await;
    }
    if parts.contains(&"start") {
        start::measure().await;
    }
}

async fn calls(arguments: &[String]) {
    let seconds = seconds(arguments);
    println!("requests a second, median of {ROUNDS} × {seconds} s; × is component / native\n");
    println!(
        "{:<10} {:<12} {:>5}  {:>9} {:>10} {:>6}  {:>10} {:>10}",
        "database", "tool", "conn.", "native", "component", "×", "p99 native", "p99 comp."
    );
    for engine in named(&["sqlite", "postgres"], arguments) {
        for tool in named(&["tool-add-task", "tool-list-tasks"], arguments) {
            for connections in [1, 32] {
                compare(engine, tool, connections, Duration::from_secs(seconds)).await;
            }
        }
    }
}

/// Those of `names` that are among the arguments; all, if none is.
fn named(names: &[&'static str], arguments: &[String]) -> Vec<&'static str> {
    let given: Vec<_> =
        names.iter().copied().filter(|name| arguments.iter().any(|argument| argument == name)).collect();
    if given.is_empty() { names.to_vec() } else { given }
}

fn seconds(arguments: &[String]) -> u64 {
    let given = arguments.iter().position(|argument| argument == "--seconds");
    given.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(2)
}

async fn compare(engine: &str, tool: &str, connections: usize, time: Duration) {
    let Some((native, component)) = databases(engine).await else { return };
    let servers = Servers::start(&native, &component).await;
    let (mut of_native, mut of_component) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_native.push(Load::run(&servers, Kind::Native, tool, connections, time).await);
        of_component.push(Load::run(&servers, Kind::Component, tool, connections, time).await);
    }
    let (native, component) = (median(of_native), median(of_component));
    println!(
        "{engine:<10} {tool:<12} {connections:>5}  {:>9.0} {:>10.0} {:>6.2}  {:>10.1?} {:>10.1?}",
        native.rate(),
        component.rate(),
        component.rate() / native.rate(),
        native.p99(),
        component.p99(),
        tool = tool.trim_start_matches("tool-"),
    );
}

/// One database each, so that neither works on what the other wrote.
async fn databases(engine: &str) -> Option<(TestDatabase, TestDatabase)> {
    match engine {
        "sqlite" => Some((TestDatabase::sqlite().await.unwrap(), TestDatabase::sqlite().await.unwrap())),
        _ => Some((TestDatabase::postgres().await.unwrap()?, TestDatabase::postgres().await.unwrap()?)),
    }
}

fn median(mut loads: Vec<Load>) -> Load {
    loads.sort_by(|one, other| one.rate().total_cmp(&other.rate()));
    let middle = loads.len() / 2;
    loads.swap_remove(middle)
}
