//! How many events a second the audit records, with nothing and with a million entries behind it; `event-record-audit` alone, and with
//! all consumers at work.

use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use todo_domain::{NewTask, TaskId};
use todo_events::Event;
use todo_store::Dialect;
use todo_tests::Engine;

use crate::supply::{Signed, Supply, now, person};

const PEOPLE: usize = 64;
const TASKS_PER_PERSON: usize = 50;
const BEHIND: usize = 1_000_000;

/// Measures on both databases.
pub async fn measure() {
    println!("\naudit: events a second, {PEOPLE} people, {} events\n", 2 * PEOPLE * TASKS_PER_PERSON);
    println!("{:<10} {:<18} {:>12} {:>12} {:>12}", "database", "consumers", "entries", "events/s", "");
    let alone = only("event-record-audit");
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let Some(supply) = Supply::on(engine, Some(alone.path())).await else { continue };
        run(engine, "audit alone", &supply, 0).await;
        fill(&supply).await;
        run(engine, "audit alone", &supply, 1).await;
        run(engine, "audit alone", &supply, 2).await;
        drop(supply);
        let Some(supply) = Supply::on(engine, None).await else { continue };
        run(engine, "all of them", &supply, 0).await;
    }
}

async fn run(engine: Engine, consumers: &str, supply: &Supply, round: usize) {
    const COUNT: &str = "SELECT COUNT(*) FROM audit WHERE event_type = 'task.created'";
    let before = supply.count("SELECT COUNT(*) FROM audit").await;
    let recorded = supply.count(COUNT).await;
    let events = events(supply, round);
    let started = Instant::now();
    supply.publish(&events).await;
    let published = started.elapsed();
    let end = recorded + events.len();
    // By the sidecar's numbers, because counting a million rows over and over would be what is measured.
    while supply.metric("todo_consumer_lag_events{consumer=\"event-record-audit\"}").await > 0.0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rate = events.len() as f64 / started.elapsed().as_secs_f64();
    assert_eq!(supply.count(COUNT).await, end);
    let database = format!("{engine:?}");
    println!("{database:<10} {consumers:<18} {before:>12} {rate:>12.0}   (published in {published:.1?})");
}

/// The twins of new tasks, of one person after the other.
fn events(supply: &Supply, round: usize) -> Vec<Signed> {
    let mut signed = Vec::with_capacity(2 * PEOPLE * TASKS_PER_PERSON);
    for task in 0..TASKS_PER_PERSON {
        for number in 0..PEOPLE {
            let id = round * TASKS_PER_PERSON + task + 1;
            let new = NewTask { title: "Water the plants".to_owned(), ..NewTask::default() };
            let new = new.numbered(TaskId(i64::try_from(id).unwrap()), now());
            let twins = Event::created(&person(number), &new, now());
            signed.extend((2 * id - 1..).zip(&twins).map(|(number, event)| supply.signed(event, number)));
        }
    }
    signed
}

/// A million entries, of these people and a thousand others. The triggers would check each one for minutes, and are left out.
async fn fill(supply: &Supply) {
    let started = Instant::now();
    let rows = format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {BEHIND}) INSERT INTO audit \
         SELECT 'old-' || (n % 1000), n, 'old-' || n, 't', 't', n, 1, 1, '{{}}', 'h', 'h' FROM n"
    );
    match supply.database.dialect() {
        Dialect::Sqlite => drop(supply.database.as_owner(&rows).await.unwrap()),
        Dialect::Postgres => {
            let statements =
                ["ALTER TABLE audit DISABLE TRIGGER USER", &rows, "ALTER TABLE audit ENABLE TRIGGER USER"];
            supply.database.as_owner_in_turn(&statements).await.unwrap();
        }
    }
    eprintln!("filled in {:.1?}", started.elapsed());
}

/// Manifests that bring events to one consumer.
fn only(consumer: &str) -> TempDir {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knative");
    let folder = tempfile::tempdir().unwrap();
    let files = ["topics.yaml", "broker.yaml", &format!("{consumer}.yaml")];
    for file in files {
        std::fs::copy(all.join(file), folder.path().join(file)).unwrap();
    }
    let listed = files.map(|file| format!("  - {file}\n")).concat();
    let kustomization =
        format!("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n{listed}");
    std::fs::write(folder.path().join("kustomization.yaml"), kustomization).unwrap();
    folder
}
