//! Through sqlx, for chat, the migrations and the tests. sqlx keeps the prepared statements of each connection.

use std::borrow::Cow;
use std::str::FromStr;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgArguments, PgPoolOptions, PgRow, Postgres};
use sqlx::sqlite::{
    Sqlite, SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{
    Arguments, AssertSqlSafe, Column, ConnectOptions as _, Connection as _, Executor, PgPool, Row as _,
    SqliteConnection, SqlitePool, TypeInfo, ValueRef,
};

use crate::dialect::Access;
use crate::{Dialect, Error, Row, Value};

/// How long a writer of SQLite waits for the one before it.
const BUSY: Duration = Duration::from_secs(5);
/// How long a migration waits for others at the same file, who may have all of it to do.
const MIGRATING: Duration = Duration::from_secs(60);
/// How soon it tries to open the file again.
const AGAIN: Duration = Duration::from_millis(20);
/// How long to wait for a free connection before saying that the database is not available.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is asked whether it still lives; asking every time would cost a round trip.
const IDLE: Duration = Duration::from_secs(10);
const CONNECTIONS: u32 = 16;

/// Where connections come from.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// A connection inside a transaction; sqlx rolls back when it is dropped.
pub(crate) enum Connection {
    Postgres(sqlx::Transaction<'static, Postgres>),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
}

impl Pool {
    pub(crate) async fn open(url: &str, dialect: Dialect) -> Result<Self, Error> {
        Ok(match dialect {
            Dialect::Postgres => Self::Postgres(postgres_pool(url).await?),
            Dialect::Sqlite => {
                let options = SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE);
                Self::Sqlite(options.connect_with(sqlite_options(url)?).await?)
            }
        })
    }

    pub(crate) async fn begin(&self, access: Access) -> Result<Connection, Error> {
        Ok(match self {
            Self::Postgres(pool) => {
                Connection::Postgres(pool.begin_with(Dialect::Postgres.begin(access)).await?)
            }
            Self::Sqlite(pool) => Connection::Sqlite(pool.begin_with(Dialect::Sqlite.begin(access)).await?),
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite(pool) => pool.close().await,
        }
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
            Self::Postgres(transaction) => {
                let query = sqlx::query_with(AssertSqlSafe(statement), postgres_arguments(parameters)?);
                let rows = transaction.fetch_all(query).await?;
                rows.iter().map(postgres_row).collect()
            }
            Self::Sqlite(transaction) => {
                let query = sqlx::query_with(AssertSqlSafe(statement), sqlite_arguments(parameters)?);
                let rows = transaction.fetch_all(query).await?;
                rows.iter().map(sqlite_row).collect()
            }
        }
    }

    pub(crate) async fn execute(
        &mut self,
        statement: Cow<'static, str>,
        parameters: Vec<Value>,
    ) -> Result<(), Error> {
        match self {
            Self::Postgres(transaction) => {
                let query = sqlx::query_with(AssertSqlSafe(statement), postgres_arguments(parameters)?);
                transaction.execute(query).await?;
            }
            Self::Sqlite(transaction) => {
                let query = sqlx::query_with(AssertSqlSafe(statement), sqlite_arguments(parameters)?);
                transaction.execute(query).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Postgres(transaction) => transaction.commit().await?,
            Self::Sqlite(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

/// Brings the schema up to date, creating the SQLite file when there is none. Any number of processes may do it at once.
pub(crate) async fn migrate(url: &str, dialect: Dialect) -> Result<(), Error> {
    match dialect {
        // Under sqlx's advisory lock.
        Dialect::Postgres => {
            let pool = postgres_pool(url).await?;
            let migrated = sqlx::migrate!("migrations/postgres").run(&pool).await;
            pool.close().await;
            migrated.map_err(migration_error)
        }
        // sqlx takes no lock here, so that two would apply the same file: the write lock around all of them is ours.
        Dialect::Sqlite => {
            let mut connection = open_or_create(url).await?;
            let mut all = connection.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::migrate!("migrations/sqlite").run(&mut *all).await.map_err(migration_error)?;
            all.commit().await?;
            connection.close().await?;
            Ok(())
        }
    }
}

/// While somebody else turns a new file to WAL, SQLite refuses to open it at once, whatever the busy timeout says.
async fn open_or_create(url: &str) -> Result<SqliteConnection, Error> {
    let options = sqlite_options(url)?.create_if_missing(true).busy_timeout(MIGRATING);
    let patience = Instant::now() + MIGRATING;
    loop {
        match options.connect().await.map_err(Error::from) {
            Err(Error::Busy(_)) if Instant::now() < patience => tokio::time::sleep(AGAIN).await,
            opened => return opened,
        }
    }
}

async fn postgres_pool(url: &str) -> Result<PgPool, Error> {
    let options = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
    Ok(options.connect(url).await?)
}

fn sqlite_options(url: &str) -> Result<SqliteConnectOptions, Error> {
    Ok(SqliteConnectOptions::from_str(url)?
        .create_if_missing(false)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An answer that says "created" survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        // The functions' host checkpoints: here that would be part of somebody's turn.
        .pragma("wal_autocheckpoint", todo_sqlite::LAST_RESORT.to_string())
        .busy_timeout(BUSY))
}

fn postgres_arguments(parameters: Vec<Value>) -> Result<PgArguments, Error> {
    let mut arguments = PgArguments::default();
    for parameter in parameters {
        match parameter {
            Value::Integer(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
        }
        .map_err(Error::refused)?;
    }
    Ok(arguments)
}

fn sqlite_arguments(parameters: Vec<Value>) -> Result<SqliteArguments, Error> {
    let mut arguments = SqliteArguments::default();
    for parameter in parameters {
        match parameter {
            Value::Integer(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
        }
        .map_err(Error::refused)?;
    }
    Ok(arguments)
}

fn postgres_row(row: &PgRow) -> Result<Row, Error> {
    let columns = row.columns().iter().map(|column| {
        Ok(match column.type_info().name() {
            "INT8" => Value::Integer(row.try_get(column.ordinal())?),
            _ => Value::Text(row.try_get(column.ordinal())?),
        })
    });
    columns.collect::<Result<_, Error>>().map(Row::new)
}

fn sqlite_row(row: &SqliteRow) -> Result<Row, Error> {
    let columns = row.columns().iter().map(|column| {
        let value = row.try_get_raw(column.ordinal())?;
        Ok(match value.type_info().name() {
            "INTEGER" => Value::Integer(row.try_get(column.ordinal())?),
            _ => Value::Text(row.try_get(column.ordinal())?),
        })
    });
    columns.collect::<Result<_, Error>>().map(Row::new)
}

fn migration_error(error: sqlx::migrate::MigrateError) -> Error {
    match error {
        sqlx::migrate::MigrateError::Execute(error)
        | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => error.into(),
        other => Error::refused(other),
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(database) => database.code().map(Cow::into_owned).unwrap_or_default(),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed => {
                return Self::unavailable(error);
            }
            _ => return Self::refused(error),
        };
        match code.parse::<u32>() {
            // SQLite's primary code is the low byte: busy, locked; cannot open, read-only, no more disk.
            Ok(sqlite) if code.len() < 5 => match sqlite & 0xff {
                5 | 6 => Self::Busy(error.into()),
                8 | 10 | 13 | 14 => Self::unavailable(error),
                _ => Self::refused(error),
            },
            _ => Self::from_sqlstate(&code, error),
        }
    }
}
