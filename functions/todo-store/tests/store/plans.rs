//! No statement without an index behind it, and the rule about parameters.

use todo_store::testing::{
    TestDatabase, in_relay, in_transaction, operator_statements, relay_statements, statements,
};
use todo_store::{Dialect, tasks};

use crate::{on_both_databases, task, titled};

on_both_databases! {
    no_statement_reads_a_whole_table,
    no_statement_of_the_relay_reads_a_whole_table,
    no_statement_of_an_operator_reads_a_whole_table,
    the_usual_orders_are_read_from_an_index_without_sorting,
    a_search_reads_the_index_of_words,
}

#[test]
fn parameters_appear_in_their_order() {
    let tenants = [Dialect::Postgres, Dialect::Sqlite].into_iter().flat_map(statements);
    for (name, text) in tenants.chain(relay_statements()).chain(operator_statements()) {
        let mut highest = 0;
        for number in numbers(&text) {
            assert!(number <= highest + 1, "{name}: ${number} stands before ${}: {text}", highest + 1);
            highest = highest.max(number);
        }
        assert!(highest > 0, "{name} has no parameter, not even the tenant: {text}");
    }
}

#[test]
fn every_statement_names_its_tenant() {
    for (name, text) in [Dialect::Postgres, Dialect::Sqlite].into_iter().flat_map(statements) {
        assert!(text.contains("user_id"), "{name}: {text}");
    }
}

fn numbers(text: &str) -> impl Iterator<Item = usize> {
    text.split('$').skip(1).map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    })
}

/// Enough rows of several people for the planners to choose as they would in earnest.
async fn fill(database: &TestDatabase) {
    for user_id in ["ada", "bob", "cleo"] {
        let mut tx = database.begin(user_id).await.unwrap();
        for n in 0..300_usize {
            let new = match n % 7 {
                0 => task(
                    serde_json::json!({"title": format!("Water plants {n}"), "due": "2026-11-27", "tags": ["work"], "priority": "high"}),
                ),
                _ => titled(&format!("Task {n}")),
            };
            tasks::add(&mut tx, new).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    database.as_owner("ANALYZE").await.unwrap();
}

/// The plan as the database tells it, a line each.
async fn plan(database: &TestDatabase, statement: &str) -> Vec<String> {
    let mut tx = database.begin("ada").await.unwrap();
    match database.dialect() {
        Dialect::Sqlite => details(in_transaction(&mut tx, &explain(statement)).await.unwrap()),
        Dialect::Postgres => {
            let mut plan = Vec::new();
            for step in explain_prepared(statement) {
                plan.extend(in_transaction(&mut tx, &step).await.unwrap().concat());
            }
            plan
        }
    }
}

/// The same for a statement of the relay's.
async fn relay_plan(database: &TestDatabase, statement: &str) -> Vec<String> {
    let mut relay = database.database().begin_relay().await.unwrap();
    match database.dialect() {
        Dialect::Sqlite => details(in_relay(&mut relay, &explain(statement)).await.unwrap()),
        Dialect::Postgres => {
            let mut plan = Vec::new();
            for step in explain_prepared(statement) {
                plan.extend(in_relay(&mut relay, &step).await.unwrap().concat());
            }
            plan
        }
    }
}

/// The same for a statement of an operator's, who is the owner. Each under a name of its own, because the connections are pooled.
async fn operator_plan(database: &TestDatabase, number: usize, statement: &str) -> Vec<String> {
    match database.dialect() {
        Dialect::Sqlite => details(database.as_owner(&explain(statement)).await.unwrap()),
        Dialect::Postgres => {
            let [generic, indexes, prepare, explain, _] = explain_prepared(statement);
            let named = |step: &str| step.replace("explained", &format!("explained_{number}"));
            let steps = [&generic, &indexes, &*named(&prepare), &*named(&explain)];
            database.as_owner_in_turn(&steps).await.unwrap().concat()
        }
    }
}

fn explain(statement: &str) -> String {
    format!("EXPLAIN QUERY PLAN {statement}")
}

fn details(rows: Vec<Vec<String>>) -> Vec<String> {
    rows.into_iter().map(|row| row[3].clone()).collect()
}

/// The plan for any value, as a prepared statement has it; and the server finds the types of the parameters by itself, as it must for
/// the components.
fn explain_prepared(statement: &str) -> [String; 5] {
    let nulls = vec!["NULL"; numbers(statement).max().unwrap()].join(", ");
    [
        "SET LOCAL plan_cache_mode = force_generic_plan".to_owned(),
        "SET LOCAL enable_seqscan = off".to_owned(),
        format!("PREPARE explained AS {statement}"),
        format!("EXPLAIN (COSTS OFF) EXECUTE explained ({nulls})"),
        "DEALLOCATE explained".to_owned(),
    ]
}

async fn no_statement_reads_a_whole_table(database: TestDatabase) {
    fill(&database).await;
    for (name, statement) in statements(database.dialect()) {
        reads_by_index(&database, &name, &statement, &plan(&database, &statement).await);
    }
}

async fn no_statement_of_the_relay_reads_a_whole_table(database: TestDatabase) {
    fill(&database).await;
    for (name, statement) in relay_statements() {
        reads_by_index(&database, &name, &statement, &relay_plan(&database, &statement).await);
    }
}

async fn no_statement_of_an_operator_reads_a_whole_table(database: TestDatabase) {
    fill(&database).await;
    for (number, (name, statement)) in operator_statements().iter().enumerate() {
        reads_by_index(&database, name, statement, &operator_plan(&database, number, statement).await);
    }
}

fn reads_by_index(database: &TestDatabase, name: &str, statement: &str, plan: &[String]) {
    let text = plan.join("\n");
    let whole = |line: &&String| match database.dialect() {
        Dialect::Postgres => line.contains("Seq Scan"),
        Dialect::Sqlite => {
            let harmless =
                ["VIRTUAL TABLE INDEX", "VALUES CLAUSE", "CONSTANT ROW", "SCAN old", "SCAN (subquery"];
            line.starts_with("SCAN ") && !harmless.iter().any(|harmless| line.contains(harmless))
        }
    };
    assert_eq!(plan.iter().find(whole), None, "{name}:\n{statement}\n{text}");
    if database.dialect() == Dialect::Postgres {
        let scans = ["Index Scan", "Index Only Scan"].map(|scan| text.matches(scan).count());
        let conditions = text.matches("Index Cond").count();
        assert_eq!(scans.iter().sum::<usize>(), conditions, "{name} reads a whole index:\n{text}");
    }
}

async fn the_usual_orders_are_read_from_an_index_without_sorting(database: TestDatabase) {
    fill(&database).await;
    let usual = ["by Created Asc", "by Created Desc", "by Due Asc", "by Priority Desc", "by Completed Desc"];
    for (name, statement) in statements(database.dialect()) {
        if name.starts_with("LIST all") && usual.iter().any(|order| name.contains(order)) {
            let plan = plan(&database, &statement).await.join("\n");
            assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{name}:\n{statement}\n{plan}");
        }
    }
}

async fn a_search_reads_the_index_of_words(database: TestDatabase) {
    let plan = match database.dialect() {
        Dialect::Sqlite => {
            let search = "SELECT rowid FROM task_words WHERE task_words MATCH $1";
            plan(&database, search).await.join("\n")
        }
        Dialect::Postgres => plan_of_the_search_function(&database).await,
    };
    assert!(plan.contains("tasks_search") || plan.contains("VIRTUAL TABLE INDEX"), "{plan}");
}

/// The plan of its body for any query, as the owner, since that is who it runs as.
async fn plan_of_the_search_function(database: &TestDatabase) -> String {
    let fill = "INSERT INTO tasks (user_id, task_id, title, repeat_from, remind, tags, words, created_at, updated_at) \
                SELECT 'ada', n, 'x', 'due', '[]', '[]', 'task number ' || n, 1, 1 FROM generate_series(1, 20000) AS n";
    database.as_owner("INSERT INTO users (user_id, created_at) VALUES ('ada', 1)").await.unwrap();
    database.as_owner(fill).await.unwrap();
    database.as_owner("ANALYZE").await.unwrap();
    let body = database.as_owner("SELECT prosrc FROM pg_proc WHERE proname = 'task_search'").await.unwrap();
    let prepare = format!("PREPARE search(TEXT) AS {}", body[0][0].replace("query::", "$1::"));
    let generic = "SET LOCAL plan_cache_mode = force_generic_plan";
    let bind = "SELECT set_config('app.user_id', 'ada', true), set_config('enable_seqscan', 'off', true)";
    let plan = database.as_owner_in_turn(&[bind, generic, &prepare, "EXPLAIN EXECUTE search('')"]).await;
    plan.unwrap().concat().join("\n")
}
