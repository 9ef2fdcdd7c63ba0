//! One statement: its parameters in, its rows out.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, Statement, ToSql};

use crate::bindings::sqlite::{Error, RowResult, Value};

/// A result larger than this is refused: it would not fit the component's memory anyway, and should not fill the host's.
const LARGEST_RESULT: usize = 16 * 1024 * 1024;

/// The columns' names and the rows.
pub type Rows = (Vec<String>, Vec<RowResult>);

/// Why a statement did not run to its end.
enum Failure {
    Sqlite(rusqlite::Error),
    Result(String),
}

/// Runs `sql` to its end on `connection`, and says whether it is one that changes anything.
pub fn run(
    connection: &rusqlite::Connection,
    sql: &str,
    parameters: &[Value],
) -> (Result<Rows, Error>, bool) {
    match connection.prepare_cached(sql) {
        Ok(mut statement) => {
            let changes = !statement.readonly();
            (rows(&mut statement, parameters).map_err(Error::from), changes)
        }
        Err(error) => (Err(Failure::Sqlite(error).into()), false),
    }
}

/// Runs `sql` if it only reads, and answers nothing if it does not, or was interrupted, or met a lock: nothing has happened then.
pub fn read(
    connection: &rusqlite::Connection,
    sql: &str,
    parameters: &[Value],
) -> Option<Result<Rows, Error>> {
    let mut statement = connection.prepare_cached(sql).ok().filter(|statement| statement.readonly())?;
    match rows(&mut statement, parameters) {
        Err(Failure::Sqlite(error)) if is_for_later(&error) => None,
        done => Some(done.map_err(Error::from)),
    }
}

fn is_for_later(error: &rusqlite::Error) -> bool {
    let later = [ErrorCode::OperationInterrupted, ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked];
    error.sqlite_error_code().is_some_and(|code| later.contains(&code))
}

fn rows(statement: &mut Statement<'_>, parameters: &[Value]) -> Result<Rows, Failure> {
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut found = Vec::new();
    let mut size = 0;
    let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
    while let Some(row) = rows.next()? {
        let values = (0..columns.len())
            .map(|column| value(row.get_ref(column)?))
            .collect::<Result<Vec<_>, Failure>>()?;
        size += values.iter().map(size_of_value).sum::<usize>();
        if size > LARGEST_RESULT {
            return Err(Failure::Result(format!(
                "the result is larger than {LARGEST_RESULT} bytes: ask for less"
            )));
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

fn value(value: ValueRef<'_>) -> Result<Value, Failure> {
    Ok(match value {
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => return Err(Failure::Result("a text in the result is not UTF-8".into())),
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

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
                Self::DatabaseFull
            }
            Failure::Sqlite(error) => Self::Io(error.to_string()),
            Failure::Result(reason) => Self::Io(reason),
        }
    }
}
