//! What the tests ask of `spin:postgres`. The first line of a request's body is the server's address.

use serde_json::{Value as Json, json};
use spin_sdk::http::{BoxBody, Response};
use spin_sdk::pg::{Connection, Interval, ParameterValue as V, RangeBoundKind};

fn parameters() -> Vec<(&'static str, V)> {
    let (inclusive, exclusive) = (RangeBoundKind::Inclusive, RangeBoundKind::Exclusive);
    vec![
        ("bool", V::Boolean(true)),
        ("int2", V::Int8(-8)),
        ("int2", V::Int16(i16::MIN)),
        ("int4", V::Int32(i32::MIN)),
        ("int8", V::Int64(i64::MIN)),
        ("float4", V::Floating32(0.5)),
        ("float8", V::Floating64(0.1)),
        ("text", V::Str("ünïcode".into())),
        ("varchar", V::Str("short".into())),
        ("bytea", V::Binary(vec![0, 255])),
        ("date", V::Date((2028, 2, 29))),
        ("time", V::Time((23, 59, 58, 123_456_000))),
        ("timestamp", V::Datetime((1999, 12, 31, 23, 59, 59, 1000))),
        ("timestamptz", V::Datetime((2026, 3, 29, 1, 30, 0, 0))),
        ("timestamptz", V::Timestamp(1_000_000_000)),
        ("uuid", V::Uuid("67e55044-10b1-426f-9247-bb680e5fe0c8".into())),
        ("jsonb", V::Jsonb(br#"{"a": [1, null]}"#.to_vec())),
        ("json", V::Jsonb(br#"{"a":1}"#.to_vec())),
        ("numeric", V::Decimal("-12345678901234567.890".into())),
        ("int4range", V::RangeInt32((Some((1, inclusive)), Some((5, exclusive))))),
        ("int8range", V::RangeInt64((None, Some((5, exclusive))))),
        ("numrange", V::RangeDecimal((Some(("1.5".into(), exclusive)), Some(("2.5".into(), inclusive))))),
        ("int4[]", V::ArrayInt32(vec![Some(1), None])),
        ("int8[]", V::ArrayInt64(vec![Some(i64::MAX), None])),
        ("numeric[]", V::ArrayDecimal(vec![Some("1.10".into()), None])),
        ("text[]", V::ArrayStr(vec![Some("a".into()), None, Some(String::new())])),
        ("interval", V::Interval(Interval { micros: 1, days: 2, months: 3 })),
        ("text", V::DbNull),
    ]
}

/// Every kind of parameter, there and back.
pub async fn types(address: &str) -> Json {
    let connection = match Connection::open(address).await {
        Ok(connection) => connection,
        Err(error) => return json!({ "error": format!("{error:?}") }),
    };
    let mut seen = Vec::new();
    for (name, parameter) in parameters() {
        let sent = format!("{parameter:?}");
        let received = execute(&connection, &format!("select $1::{name}"), vec![parameter]).await;
        seen.push(json!({ "type": name, "sent": sent, "received": received }));
    }
    seen.into()
}

/// Runs statements, divided by `;`, each on the same connection, and answers the last one's rows. One that begins with `!` is run for the
/// number of rows that it changes.
pub async fn run(request: &str) -> Json {
    let (address, sql) = request.split_once('\n').unwrap_or_default();
    let connection = match Connection::open(address).await {
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
pub async fn abandon(request: &str) -> Response<BoxBody> {
    let (address, sql) = request.split_once('\n').unwrap_or_default();
    let connection = Connection::open(address).await.expect("a connection");
    for statement in sql.split(';') {
        execute(&connection, statement, Vec::new()).await.expect("a result");
    }
    unreachable!("asked to")
}

async fn execute(connection: &Connection, sql: &str, parameters: Vec<V>) -> Result<Vec<Vec<String>>, String> {
    if let Some(sql) = sql.strip_prefix('!') {
        let changed = connection.execute(sql, parameters).await.map_err(|error| format!("{error:?}"))?;
        return Ok(vec![vec![changed.to_string()]]);
    }
    let result = connection.query(sql, parameters).await.map_err(|error| format!("{error:?}"))?;
    let (_, rows, ended) = result.into_inner();
    let rows = rows.collect().await;
    ended.await.map_err(|error| format!("{error:?}"))?;
    Ok(rows.iter().map(|row| row.iter().map(|value| format!("{value:?}")).collect()).collect())
}
