//! `spin:sqlite`.

use std::time::{Duration, Instant};

use futures::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};
use todo_host::Limits;

use crate::world::{SOON, World};

async fn run(world: &World, sql: &str) -> Value {
    world.post("/sqlite/run", sql).await.1
}

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_went() {
    let world = World::new().await;
    let (_, seen) = world.get("/sqlite/types").await;
    let seen = seen.as_array().unwrap();
    assert_eq!(seen.len(), 5);
    for value in seen {
        assert_eq!(value["sent"], value["received"]);
    }
}

#[tokio::test]
async fn the_database_is_set_up_for_concurrent_use() {
    let world = World::new().await;
    run(&world, "create table a (id integer primary key)").await;
    run(&world, "create table b (a references a)").await;
    let dangling = run(&world, "insert into b values (1)").await;
    assert!(dangling["error"].as_str().unwrap().contains("FOREIGN KEY"), "{dangling}");
    assert!(world.folder.path().join("todo.db-wal").exists());
}

#[tokio::test]
async fn a_transaction_is_on_one_connection() {
    let world = World::new().await;
    run(&world, "create table t (n)").await;
    let inside =
        run(&world, "begin immediate;insert into t values (1);select count(*) from t;commit;select n from t")
            .await;
    assert_eq!(inside, json!({ "rows": [["Value::Integer(1)"]] }));
}

#[tokio::test]
async fn a_transaction_left_open_is_rolled_back() {
    let world = World::with(Limits { database_connections: 1, ..Limits::default() }).await;
    run(&world, "create table t (n)").await;
    assert_eq!(run(&world, "begin immediate;insert into t values (1)").await, json!({ "rows": [] }));
    assert_eq!(run(&world, "select n from t").await, json!({ "rows": [] }));
    let (status, _) = world.post("/sqlite/abandon", "begin immediate;insert into t values (1)").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        run(&world, "begin immediate;select n from t;commit;select n from t").await,
        json!({ "rows": [] })
    );
}

#[tokio::test]
async fn writers_wait_for_each_other() {
    let world = World::new().await;
    run(&world, "create table t (n)").await;
    let writes = (0..20).map(|_| run(&world, "begin immediate;insert into t values (1);commit"));
    for written in join_all(writes).await {
        assert_eq!(written, json!({ "rows": [] }));
    }
    assert_eq!(run(&world, "select count(*) from t").await, json!({ "rows": [["Value::Integer(20)"]] }));
}

#[tokio::test]
async fn a_statement_without_end_is_interrupted() {
    let world = World::with(Limits { time: SOON, database_connections: 1, ..Limits::default() }).await;
    run(&world, "create table t (n)").await;
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    assert_eq!(world.post("/sqlite/run", endless).await.0, StatusCode::GATEWAY_TIMEOUT);
    // The only connection comes back, so the statement has ended.
    let started = Instant::now();
    while run(&world, "select n from t").await != json!({ "rows": [] }) {
        assert!(started.elapsed() < Duration::from_secs(20), "the statement still runs");
    }
}

#[tokio::test]
async fn a_statement_that_reads_for_long_reads_all_of_it() {
    let world = World::new().await;
    run(&world, "create table t (n);insert into t values (1)").await;
    let long = "select count(*), t.n from t, (with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000) select i from n)";
    assert_eq!(
        run(&world, &format!("begin;{long};commit;{long}")).await,
        json!({ "rows": [["Value::Integer(1000000)", "Value::Integer(1)"]] })
    );
}

#[tokio::test]
async fn a_component_stays_in_its_file() {
    let world = World::new().await;
    let other = world.folder.path().join("other.db");
    for sql in [
        format!("attach '{}' as other", other.display()),
        format!("vacuum into '{}'", other.display()),
        "pragma journal_mode = delete".to_owned(),
        "create temp table t (n)".to_owned(),
        "select load_extension('x')".to_owned(),
    ] {
        let refused = run(&world, &sql).await;
        assert!(refused["error"].is_string(), "{sql}: {refused}");
    }
    assert!(!other.exists());
}

#[tokio::test]
async fn full_text_search_works_in_spite_of_that() {
    let world = World::new().await;
    let found = run(
        &world,
        "create virtual table t using fts5(title);insert into t values ('buy milk'), ('sell cows');\
         select title from t where t match 'milk'",
    )
    .await;
    assert_eq!(found, json!({ "rows": [["Value::Text(\"buy milk\")"]] }));
}

#[tokio::test]
async fn a_database_that_was_not_granted_is_refused() {
    let world = World::load(|builder| builder.sqlite("other", "unused.db")).await;
    assert_eq!(run(&world, "select 1").await, json!({ "rows": [["Value::Integer(1)"]] }));
    let manifest = crate::world::manifest();
    let functions = todo_host::Functions::builder(manifest)
        .variables(crate::world::variables())
        .cache(crate::world::cache())
        .load()
        .await
        .unwrap();
    let world = World { functions: functions.into(), folder: world.folder };
    let refused = run(&world, "select 1").await;
    assert!(refused["error"].as_str().unwrap().contains("AccessDenied"), "{refused}");
}

#[tokio::test]
async fn a_result_too_large_for_anybody_is_refused() {
    let world = World::new().await;
    let large = run(&world, "select zeroblob(20000000)").await;
    assert!(large["error"].as_str().unwrap().contains("larger than"), "{large}");
}
