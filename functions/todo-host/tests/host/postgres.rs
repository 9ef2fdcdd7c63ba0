//! `spin:postgres`, where a server is to be had.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::{Value, json};
use todo_host::Limits;
use todo_store::testing::TestDatabase;

use crate::world::{SOON, World};

struct Postgres {
    world: World,
    database: TestDatabase,
}

impl Postgres {
    /// A component with one connection to a database of its own, or nothing where there is no server.
    async fn new(limits: Limits) -> Option<Self> {
        let database = TestDatabase::postgres().await.unwrap()?;
        let world = World::with(Limits { database_connections: 1, ..limits }).await;
        Some(Self { world, database })
    }

    async fn run(&self, sql: &str) -> Value {
        self.world.post("/postgres/run", &format!("{}\n{sql}", self.database.url)).await.1
    }

    async fn abandon(&self, sql: &str) -> StatusCode {
        self.world.post("/postgres/abandon", &format!("{}\n{sql}", self.database.url)).await.0
    }
}

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_went() {
    let Some(postgres) = Postgres::new(Limits::default()).await else { return };
    let (_, seen) = postgres.world.post("/postgres/types", &postgres.database.url).await;
    // What comes back differs where the interface has several kinds for one type, and where the server normalizes.
    let differing = [
        ("int2", "Int8(-8)", "Int16(-8)"),
        ("timestamptz", "Timestamp(1000000000)", "Datetime((2001, 9, 9, 1, 46, 40, 0))"),
    ];
    for value in seen.as_array().unwrap_or_else(|| panic!("{seen}")) {
        let (kind, sent) = (value["type"].as_str().unwrap(), value["sent"].as_str().unwrap());
        let received = value["received"]["Ok"][0][0].as_str().unwrap_or_else(|| panic!("{value}"));
        let value_of = |debug: &str| debug.split_once("::").map_or(debug, |(_, value)| value).to_owned();
        let expected = differing.iter().find(|(of, from, _)| *of == kind && value_of(sent) == *from);
        assert_eq!(
            value_of(received),
            expected.map_or(value_of(sent), |(_, _, to)| (*to).to_owned()),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_mistaken_parameter_is_told_before_the_server_sees_it() {
    let Some(postgres) = Postgres::new(Limits::default()).await else { return };
    let missing = postgres.run("select $1::int4").await;
    assert!(missing["error"].as_str().unwrap().contains("1 parameters and 0 were given"), "{missing}");
}

#[tokio::test]
async fn an_error_of_the_server_has_its_code_and_constraint() {
    let Some(postgres) = Postgres::new(Limits::default()).await else { return };
    let error = postgres
        .run("create table t (n int constraint positive check (n > 0));insert into t values (-1)")
        .await;
    let error = error["error"].as_str().unwrap();
    assert!(error.contains("23514") && error.contains("positive"), "{error}");
}

#[tokio::test]
async fn what_a_request_leaves_on_its_connection_is_gone_for_the_next() {
    let Some(postgres) = Postgres::new(Limits::default()).await else { return };
    postgres.run("create table kept (n int)").await;
    for left in [
        "begin;insert into kept values (1)",
        "set statement_timeout = 12345",
        "select set_config('app.user_id', 'alice', false)",
    ] {
        postgres.run(left).await;
        assert_eq!(postgres.abandon(left).await, StatusCode::INTERNAL_SERVER_ERROR);
    }
    let seen = postgres
        .run("select count(*)::int4, current_setting('statement_timeout'), coalesce(current_setting('app.user_id', true), '') from kept")
        .await;
    assert_eq!(seen, json!({ "rows": [["DbValue::Int32(0)", "DbValue::Str(\"0\")", "DbValue::Str(\"\")"]] }));
}

#[tokio::test]
async fn a_finished_transaction_gives_the_same_connection_back() {
    let Some(postgres) = Postgres::new(Limits::default()).await else { return };
    let first = postgres.run("begin;select pg_backend_pid();commit;select pg_backend_pid()").await;
    assert_eq!(first, postgres.run("select pg_backend_pid()").await);
}

#[tokio::test]
async fn a_transaction_is_one_although_its_begin_waits_for_its_first_statement() {
    let Some(postgres) = Postgres::new(Limits::default()).await else { return };
    postgres.run("create table t (n int)").await;
    postgres.run("begin;insert into t values (1);rollback").await;
    postgres.run("begin;insert into t values (2);commit").await;
    let refused = postgres.run("begin;insert into t values (3);select 1/0;commit").await;
    assert!(refused["error"].as_str().unwrap().contains("22012"), "{refused}");
    postgres.run("begin;commit").await;
    assert_eq!(postgres.run("select n from t").await, json!({ "rows": [["DbValue::Int32(2)"]] }));
}

#[tokio::test]
async fn a_transaction_that_only_reads_cannot_write_and_leaves_a_clean_connection() {
    let Some(postgres) = Postgres::new(Limits::default()).await else { return };
    postgres.run("create table t (n int)").await;
    let refused = postgres.run("begin read only;insert into t values (1);commit").await;
    assert!(refused["error"].as_str().unwrap().contains("25006"), "{refused}");
    for _ in 0..3 {
        let read =
            postgres.run("begin read only;select set_config('app.user_id', 'alice', true);commit").await;
        assert_eq!(read["error"], Value::Null, "{read}");
        let after = postgres.run("select coalesce(current_setting('app.user_id', true), ''), current_setting('transaction_read_only')");
        assert_eq!(after.await, json!({ "rows": [["DbValue::Str(\"\")", "DbValue::Str(\"off\")"]] }));
    }
}

#[tokio::test]
async fn settings_of_a_transaction_hold_in_it_and_only_there() {
    let Some(postgres) = Postgres::new(Limits::default()).await else { return };
    let set = "!select set_config('app.user_id', 'alice', true), set_config('work_mem', '77kB', true)";
    let inside = format!(
        "begin read only;{set};select current_setting('app.user_id'), current_setting('work_mem');commit"
    );
    let outside =
        "select coalesce(current_setting('app.user_id', true), ''), current_setting('work_mem') = '77kB'";
    for statements in
        [inside.trim_end_matches(";commit"), &inside, &format!("begin;{set};commit"), &format!("begin;{set}")]
    {
        let read = postgres.run(statements).await;
        assert_eq!(read["error"], Value::Null, "{read}");
        assert_eq!(
            postgres.run(outside).await,
            json!({ "rows": [["DbValue::Str(\"\")", "DbValue::Boolean(false)"]] })
        );
    }
    let read = postgres.run(inside.trim_end_matches(";commit")).await;
    assert_eq!(read, json!({ "rows": [["DbValue::Str(\"alice\")", "DbValue::Str(\"77kB\")"]] }));
}

#[tokio::test]
async fn a_setting_that_is_refused_fails_what_follows_it() {
    let Some(postgres) = Postgres::new(Limits::default()).await else { return };
    postgres.run("create table t (n int)").await;
    for begin in ["begin", "begin read only"] {
        let set = "!select set_config('role', 'a_role_that_nobody_made', true)";
        let refused = postgres.run(&format!("{begin};{set};insert into t values (1);commit")).await;
        assert!(refused["error"].as_str().unwrap().contains("22023"), "{refused}");
    }
    assert_eq!(postgres.run("select n from t").await, json!({ "rows": [] }));
}

#[tokio::test]
async fn a_statement_without_end_is_cancelled_on_the_server() {
    let Some(postgres) = Postgres::new(Limits { time: SOON, ..Limits::default() }).await else { return };
    let request = format!("{}\nselect pg_sleep(3600)", postgres.database.url);
    assert_eq!(postgres.world.post("/postgres/run", &request).await.0, StatusCode::GATEWAY_TIMEOUT);
    let started = Instant::now();
    let running = "select count(*)::int4 from pg_stat_activity where query = 'select pg_sleep(3600)' and state = 'active' and datname = current_database()";
    while postgres.run(running).await != json!({ "rows": [["DbValue::Int32(0)"]] }) {
        assert!(started.elapsed() < Duration::from_secs(20), "the statement still runs");
    }
}

#[tokio::test]
async fn a_server_that_is_not_listed_is_never_connected_to() {
    let world = World::new().await;
    let (_, refused) = world.post("/postgres/run", "postgres://db.example.test/x\nselect 1").await;
    assert!(refused["error"].as_str().unwrap().contains("allowed_outbound_hosts"), "{refused}");
}

#[tokio::test]
async fn a_server_that_is_away_is_an_error_of_the_connection() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let world = World::new().await;
    let (_, away) = world.post("/postgres/run", &format!("postgres://u@127.0.0.1:{port}/x\nselect 1")).await;
    assert!(away["error"].as_str().unwrap().contains("ConnectionFailed"), "{away}");
}
