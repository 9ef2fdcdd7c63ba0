//! Through the host: `spin:postgres` and `spin:sqlite`. The host pools the connections; one is ours from `begin` until it is
//! dropped, and the host rolls back what was not committed.
//!
//! The interfaces' synchronous functions, not their asynchronous ones: a transaction is one statement after the other, so
//! nothing is lost by waiting in each, and a result that arrives as a list instead of a stream and a future costs less than
//! half. spin-sdk wraps only the asynchronous ones, so these are its bindings.

use std::borrow::Cow;

use spin_sdk::pg::wit::postgres as pg;
use spin_sdk::sqlite::wit::sqlite;

use crate::dialect::Access;
use crate::{Dialect, Error, Row, Value};

/// The database that a manifest gives a component when it does not say which.
const DEFAULT_DATABASE: &str = "default";

/// Where connections come from.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    /// By address.
    Postgres(String),
    /// The component's database `default`.
    Sqlite,
}

/// A connection inside a transaction.
pub(crate) enum Connection {
    Postgres(pg::Connection),
    Sqlite(sqlite::Connection),
}

impl Pool {
    pub(crate) async fn open(url: &str, dialect: Dialect) -> Result<Self, Error> {
        Ok(match dialect {
            Dialect::Postgres => Self::Postgres(url.to_owned()),
            Dialect::Sqlite => Self::Sqlite,
        })
    }

    pub(crate) async fn begin(&self, access: Access) -> Result<Connection, Error> {
        let mut connection = match self {
            Self::Postgres(address) => {
                Connection::Postgres(pg::Connection::open(address).map_err(Error::unavailable)?)
            }
            Self::Sqlite => {
                Connection::Sqlite(sqlite::Connection::open(DEFAULT_DATABASE).map_err(Error::unavailable)?)
            }
        };
        let begin = connection.dialect().begin(access);
        connection.execute(Cow::Borrowed(begin), Vec::new()).await?;
        Ok(connection)
    }
}

impl Connection {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    pub(crate) async fn rows(
        &mut self,
        statement: Cow<'static, str>,
        parameters: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        match self {
            Self::Postgres(connection) => {
                let parameters: Vec<_> = parameters.into_iter().map(pg::ParameterValue::from).collect();
                let found = connection.query(&statement, &parameters)?;
                found.rows.into_iter().map(row).collect()
            }
            Self::Sqlite(connection) => {
                let parameters: Vec<_> = parameters.into_iter().map(sqlite::Value::from).collect();
                let found = connection.execute(&statement, &parameters)?;
                found.rows.into_iter().map(|found| row(found.values)).collect()
            }
        }
    }

    pub(crate) async fn execute(
        &mut self,
        statement: Cow<'static, str>,
        parameters: Vec<Value>,
    ) -> Result<(), Error> {
        match self {
            Self::Postgres(connection) => {
                let parameters: Vec<_> = parameters.into_iter().map(pg::ParameterValue::from).collect();
                connection.execute(&statement, &parameters)?;
                Ok(())
            }
            Self::Sqlite(_) => self.rows(statement, parameters).await.map(drop),
        }
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        self.execute(Cow::Borrowed("COMMIT"), Vec::new()).await
    }
}

fn row<V>(values: Vec<V>) -> Result<Row, Error>
where
    Value: TryFrom<V, Error = Error>,
{
    values.into_iter().map(Value::try_from).collect::<Result<_, _>>().map(Row::new)
}

impl From<Value> for pg::ParameterValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Integer(Some(number)) => Self::Int64(number),
            Value::Text(Some(text)) => Self::Str(text),
            Value::Integer(None) | Value::Text(None) => Self::DbNull,
        }
    }
}

impl From<Value> for sqlite::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Integer(Some(number)) => Self::Integer(number),
            Value::Text(Some(text)) => Self::Text(text),
            Value::Integer(None) | Value::Text(None) => Self::Null,
        }
    }
}

impl TryFrom<pg::DbValue> for Value {
    type Error = Error;

    fn try_from(value: pg::DbValue) -> Result<Self, Error> {
        match value {
            pg::DbValue::Int64(number) => Ok(number.into()),
            pg::DbValue::Str(text) => Ok(text.into()),
            pg::DbValue::DbNull => Ok(Self::Text(None)),
            _ => Err(Error::Corrupt("column type")),
        }
    }
}

impl TryFrom<sqlite::Value> for Value {
    type Error = Error;

    fn try_from(value: sqlite::Value) -> Result<Self, Error> {
        match value {
            sqlite::Value::Integer(number) => Ok(number.into()),
            sqlite::Value::Text(text) => Ok(text.into()),
            sqlite::Value::Null => Ok(Self::Text(None)),
            _ => Err(Error::Corrupt("column type")),
        }
    }
}

impl From<pg::Error> for Error {
    fn from(error: pg::Error) -> Self {
        let code = match &error {
            pg::Error::QueryFailed(pg::QueryError::DbError(error)) => error.code.clone(),
            pg::Error::ConnectionFailed(_) => return Self::unavailable(error),
            _ => return Self::refused(error),
        };
        Self::from_sqlstate(&code, error)
    }
}

impl From<sqlite::Error> for Error {
    fn from(error: sqlite::Error) -> Self {
        // The interface has no codes; these words are SQLite's own and have not changed in twenty years.
        let text = error.to_string();
        if text.contains("locked") || text.contains("busy") {
            return Self::Busy(error.into());
        }
        match error {
            sqlite::Error::Io(_) => Self::refused(error),
            _ => Self::unavailable(error),
        }
    }
}
