//! One statement: its parameters in, its rows out.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, Statement, ToSql};

use crate::bindings::sqlite::{Error, RowResult, Value};

/// A result larger than this is refused: it would not fit the component's memory anyway, and should not fill the host's.
const LARGEST_RESULT: usize = 16 * 1024 * 1024;

/// The columns' names and the rows.
pub type Rows = (Vec<String>, Vec<RowResult>);

/// Runs `sql` to its end on `connection`, and says whether it is one that changes anything.
pub fn run(
    connection: &rusqlite::Connection,
    sql: &str,
    parameters: Vec<Value>,
) -> (Result<Rows, Error>, bool) {
    match connection.prepare_cached(sql) {
        Ok(mut statement) => {
            let changes = !statement.readonly();
            (rows(&mut statement, parameters), changes)
        }
        Err(error) => (Err(failed(error)), false),
    }
}

fn rows(statement: &mut Statement<'_>, parameters: Vec<Value>) -> Result<Rows, Error> {
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut found = Vec::new();
    let mut size = 0;
    let mut rows = statement.query(rusqlite::params_from_iter(parameters)).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let values = (0..columns.len())
            .map(|column| row.get_ref(column).map_err(failed).and_then(read))
            .collect::<Result<Vec<_>, _>>()?;
        size += values.iter().map(size_of_value).sum::<usize>();
        if size > LARGEST_RESULT {
            return Err(Error::Io(format!("the result is larger than {LARGEST_RESULT} bytes: ask for less")));
        }
        found.push(RowResult { values });
    }
    Ok((columns, found))
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(integer) => ValueRef::Integer(*integer),
            Self::Real(real) => ValueRef::Real(*real),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
            Self::Null => ValueRef::Null,
        }))
    }
}

fn read(value: ValueRef<'_>) -> Result<Value, Error> {
    Ok(match value {
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => return Err(Error::Io("a text in the result is not UTF-8".into())),
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
        ValueRef::Null => Value::Null,
    })
}

/// The bytes a value takes in the answer, roughly.
fn size_of_value(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Blob(bytes) => bytes.len(),
        _ => 0,
    }
    .saturating_add(size_of::<Value>())
}

fn failed(error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::DatabaseFull,
        _ => Error::Io(error.to_string()),
    }
}
