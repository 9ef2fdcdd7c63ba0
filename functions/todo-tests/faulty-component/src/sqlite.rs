//! What the tests ask of `spin:sqlite`.

use serde_json::{Value as Json, json};
use spin_sdk::http::{BoxBody, Response};
use spin_sdk::sqlite::{Connection, Value};

/// Every kind of value, there and back.
pub async fn types() -> Json {
    let values = [
        Value::Integer(i64::MIN),
        Value::Real(0.1),
        Value::Text("ünïcode\0".into()),
        Value::Blob(vec![0, 255]),
        Value::Null,
    ];
    let mut seen = Vec::new();
    for value in values {
        let sent = format!("{value:?}");
        match query("select ?1", vec![value]).await {
            Ok(rows) => seen.push(json!({ "sent": sent, "received": rows[0][0] })),
            Err(error) => seen.push(json!({ "sent": sent, "error": error })),
        }
    }
    seen.into()
}

/// Runs statements, divided by `;`, each on the same connection, and answers the last one's rows.
pub async fn run(sql: &str) -> Json {
    let connection = match Connection::open_default().await {
        Ok(connection) => connection,
        Err(error) => return json!({ "error": format!("{error:?}") }),
    };
    let mut rows = Vec::new();
    for statement in sql.split(';') {
        rows = match execute(&connection, statement, Vec::new()).await {
            Ok(rows) => rows,
            Err(error) => return json!({ "error": error }),
        };
    }
    json!({ "rows": rows })
}

/// Runs statements and then traps, the connection still open.
pub async fn abandon(sql: &str) -> Response<BoxBody> {
    let connection = Connection::open_default().await.expect("a connection");
    for statement in sql.split(';') {
        execute(&connection, statement, Vec::new()).await.expect("a result");
    }
    unreachable!("asked to")
}

async fn query(sql: &str, parameters: Vec<Value>) -> Result<Vec<Vec<String>>, String> {
    let connection = Connection::open_default().await.map_err(|error| format!("{error:?}"))?;
    execute(&connection, sql, parameters).await
}

async fn execute(
    connection: &Connection,
    sql: &str,
    parameters: Vec<Value>,
) -> Result<Vec<Vec<String>>, String> {
    let result = connection.execute(sql, parameters).await.map_err(|error| format!("{error:?}"))?;
    let rows = result.collect().await.map_err(|error| format!("{error:?}"))?;
    let row = |values: &[Value]| values.iter().map(|value| format!("{value:?}")).collect();
    Ok(rows.iter().map(|found| row(&found.values)).collect())
}
