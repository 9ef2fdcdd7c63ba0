//! Through the host: `spin:postgres` and `spin:sqlite`. The host pools the connections; one is ours from `begin` until it is
//! dropped, and the host rolls back what was not committed.

use std::borrow::Cow;

use spin_sdk::{pg, sqlite};

use crate::dialect::Access;
use crate::{Dialect, Error, Row, Value};

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
                let connection = pg::Connection::open(address.as_str()).await;
                Connection::Postgres(connection.map_err(Error::unavailable)?)
            }
            Self::Sqlite => {
                let connection = sqlite::Connection::open_default().await;
                Connection::Sqlite(connection.map_err(Error::unavailable)?)
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
                let mut result = connection.query(statement, parameters).await?;
                let mut rows = Vec::new();
                while let Some(row) = result.rows().next().await {
                    rows.push(Row::new(row.into_iter().map(Value::try_from).collect::<Result<_, _>>()?));
                }
                result.result().await?;
                Ok(rows)
            }
            Self::Sqlite(connection) => {
                let parameters = parameters.into_iter().map(sqlite::Value::from);
                let result = connection.execute(statement, parameters).await?;
                let rows = result.collect().await?.into_iter().map(|row| {
                    let values: Result<_, _> = row.values.into_iter().map(Value::try_from).collect();
                    values.map(Row::new)
                });
                rows.collect()
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
                connection.execute(statement, parameters).await?;
                Ok(())
            }
            Self::Sqlite(_) => self.rows(statement, parameters).await.map(drop),
        }
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        self.execute(Cow::Borrowed("COMMIT"), Vec::new()).await
    }
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
        use pg::{PgError, QueryError};
        let code = match &error {
            pg::Error::PgError(PgError::QueryFailed(QueryError::DbError(error))) => error.code.clone(),
            pg::Error::PgError(PgError::ConnectionFailed(_)) => return Self::unavailable(error),
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
