//! From a change to its effects: one `add_task` after the other, each until its events are in the audit and its change is on an open
//! page. Times are from the tool's answer, which follows the commit; and, as an upper bound, from before the call.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use todo_store::Database;
use todo_store::testing::Watch;
use todo_tests::{Engine, Function, Platform, World};

use crate::Spread;
use crate::page::Page;
use crate::supply::Supply;

const WARM_UP: usize = 50;
const CHANGES: usize = 1_000;
/// Between two looks at the audit: the error of a measurement, and little enough work.
const LOOK: Duration = Duration::from_millis(1);
const PERSON: &str = "ada";

#[derive(Default)]
struct Seen {
    answered: Vec<Duration>,
    audited: Vec<Duration>,
    shown: Vec<Duration>,
    from_call: Vec<Duration>,
}

/// Measures on both databases, and on the real platform.
pub async fn measure(embedded: bool, platform: bool) {
    println!("\ncommit → effect, {CHANGES} changes one after the other; ms: p50, p99, max\n");
    println!(
        "{:<22} {:<26} {:<26} {:<26} {:<26}",
        "", "tool's answer", "answer → audit", "answer → open page", "call → both"
    );
    if embedded {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let Some(supply) = Supply::on(engine, None).await else { continue };
            run(&format!("embedded, {engine:?}"), &supply.world, &supply.database.url).await;
        }
    }
    if platform {
        // Its reason for not being there is on stderr.
        if let Some(platform) = Platform::start().await {
            on_platform(&platform).await;
        }
    }
}

async fn on_platform(platform: &Platform) {
    let world = World::with(Engine::Sqlite, |config| {
        config.database_url = Some(platform.database_url());
        config.dapr_http_endpoint = Some(platform.dapr_http_endpoint());
        config.dapr_app_listen = platform.dapr_app_listen();
    });
    let world = world.await.unwrap();
    run("daprd, Kafka, Postgres", &world, &platform.database_url()).await;
}

async fn run(name: &str, world: &World, database_url: &str) {
    let mut audit = Watch::open(&Database::open(database_url).await.unwrap()).await.unwrap();
    // As chat calls it, over a connection that stays.
    let function = world.function("tool-add-task", PERSON);
    let mut page = Page::open(&world.url(), PERSON, &world.token(PERSON)).await;
    let mut seen = Seen::default();
    let mut entries = 0;
    for change in 0..WARM_UP + CHANGES {
        if change == WARM_UP {
            seen = Seen::default();
        }
        // A function token lives for a minute.
        let function = function.renewed(&world.function_token("tool-add-task", PERSON));
        one(&function, &mut audit, &mut page, &mut entries, &mut seen).await;
    }
    let Seen { answered, audited, shown, from_call } = seen;
    let [answered, audited, shown, from_call] = [answered, audited, shown, from_call].map(Spread::of);
    println!("{name:<22} {answered} {audited} {shown} {from_call}");
}

async fn one(function: &Function, audit: &mut Watch, page: &mut Page, entries: &mut i64, seen: &mut Seen) {
    let called = Instant::now();
    let shown = async {
        let change: Value = page.hears().await;
        assert_eq!(change["type"], "change", "{change}");
        Instant::now()
    };
    let changed = async {
        let call = function.call(json!({"title": "measure", "due": "2030-01-31", "tags": ["bench"]})).await;
        let _ = call.result();
        let answered = Instant::now();
        // Both of its events.
        until_audited(audit, *entries + 2).await;
        (answered, Instant::now())
    };
    let (shown, (answered, audited)) = tokio::join!(shown, changed);
    *entries += 2;
    seen.answered.push(answered - called);
    seen.audited.push(audited - answered);
    seen.shown.push(shown.saturating_duration_since(answered));
    seen.from_call.push(shown.max(audited) - called);
}

async fn until_audited(audit: &mut Watch, entry: i64) {
    const LOOKS: &str = "SELECT 1 FROM audit WHERE user_id = 'ada' AND entry = $1";
    while !audit.finds(LOOKS, entry).await.unwrap() {
        // The runtime's clock ticks in milliseconds.
        tokio::task::spawn_blocking(|| std::thread::sleep(LOOK)).await.unwrap();
    }
}
