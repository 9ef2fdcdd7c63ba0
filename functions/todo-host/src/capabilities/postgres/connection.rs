//! A component's open connection, and how it goes back to its pool.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deadpool_postgres::Object;
use futures::{FutureExt, TryStreamExt, join};
use tokio_postgres::error::SqlState;
use tokio_postgres::{NoTls, RowStream, Statement};

use super::decode::{column, row, size_of_row};
use super::encode::{Parameter, check};
use super::error;
use super::pool::Client;
use super::session::Session;
use crate::bindings::postgres::{Column, Error, ParameterValue, Row};

/// A result larger than this is refused: it would not fit the component's memory anyway, and should not fill the host's.
const LARGEST_RESULT: usize = 16 * 1024 * 1024;
/// Prepared statements kept by each connection. Beyond it a component writes values into its statements.
const PREPARED: usize = 256;
/// Ends a transaction and undoes what a component set on the session.
const CLEAN: &str = "ROLLBACK; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; SELECT pg_advisory_unlock_all(); UNLISTEN *; DISCARD TEMP; CLOSE ALL";

/// A connection as the component holds it.
pub struct Connection {
    lease: Arc<Lease>,
}

/// A connection that is not open yet.
#[derive(Clone)]
pub struct ConnectionBuilder {
    /// The server's address, as a URL or in libpq's form.
    pub address: String,
    /// Certificates (PEM) that are trusted beside the public authorities.
    pub authority: Option<String>,
}

/// A connection on loan from its pool.
pub struct Lease {
    client: Option<Client>,
    session: Mutex<Session>,
    /// What the transaction is to begin with, not sent yet.
    setting: Mutex<Option<Setting>>,
    running: AtomicUsize,
}

/// A statement that makes settings, and its parameters.
type Setting = (String, Vec<ParameterValue>);

impl Connection {
    /// Holds `client` until it is dropped.
    pub fn new(client: Client) -> Self {
        let lease = Lease {
            client: Some(client),
            session: Mutex::default(),
            setting: Mutex::default(),
            running: AtomicUsize::new(0),
        };
        Self { lease: Arc::new(lease) }
    }

    /// The connection itself, for a call that outlives the borrow of the instance's table.
    pub fn lease(&self) -> Arc<Lease> {
        self.lease.clone()
    }
}

impl Lease {
    /// Runs a statement and reads all its rows.
    pub async fn query(
        &self,
        sql: &str,
        parameters: Vec<ParameterValue>,
    ) -> Result<(Vec<Column>, Vec<Row>), Error> {
        if self.postpone(sql, &parameters) {
            return Ok((Vec::new(), Vec::new()));
        }
        self.track(sql, async {
            let (connection, statement) = self.prepare(sql, &parameters).await?;
            let found = connection.query_raw(&statement, parameters.into_iter().map(Parameter)).await;
            let rows = collect(found.map_err(|failure| self.failed(&failure, sql))?).await;
            let rows =
                rows.map_err(|failure| failure.unwrap_or_else(|failure| self.failed(&failure, sql)))?;
            Ok((statement.columns().iter().map(column).collect(), rows))
        })
        .await
    }

    /// Runs a statement and answers how many rows it changed.
    pub async fn execute(&self, sql: &str, parameters: Vec<ParameterValue>) -> Result<u64, Error> {
        if self.postpone(sql, &parameters) {
            return Ok(0);
        }
        if lock(&self.session).waits_for_next(sql) && lock(&self.setting).is_none() {
            *lock(&self.setting) = Some((sql.to_owned(), parameters));
            // As many as a query without a table has.
            return Ok(1);
        }
        self.track(sql, async {
            let (connection, statement) = self.prepare(sql, &parameters).await?;
            let changed = connection.execute_raw(&statement, parameters.into_iter().map(Parameter)).await;
            changed.map_err(|failure| self.failed(&failure, sql))
        })
        .await
    }

    /// Whether the statement needs no answer of the server's: see [`Session`].
    fn postpone(&self, sql: &str, parameters: &[ParameterValue]) -> bool {
        let Some(client) = self.client.as_ref().filter(|_| parameters.is_empty()) else { return false };
        let mut session = lock(&self.session);
        if session.postpone(sql) {
            *lock(&self.setting) = None;
            return true;
        }
        if !session.ends_reading(sql) {
            return false;
        }
        // Sent by its first poll. Whatever the connection is asked next, by whomever, comes after it.
        let sent = pin!(client.connection.batch_execute(sql)).now_or_never();
        let sent = !matches!(sent, Some(Err(_)));
        if sent {
            session.note(sql);
        }
        sent
    }

    /// Does `work`, after what has to be sent before it, and keeps account of it. A statement whose future is dropped still
    /// runs on the server, so it stays counted; one that failed may have left both what was before it and what it was
    /// meant to do.
    async fn track<R>(&self, sql: &str, work: impl Future<Output = Result<R, Error>>) -> Result<R, Error> {
        let (begin, setting, before) = {
            let mut session = lock(&self.session);
            let (begin, setting) = (session.begin(), lock(&self.setting).take());
            let before = *session;
            for statement in setting.iter().map(|(setting, _)| setting.as_str()).chain([sql]) {
                session.note(statement);
            }
            (begin, setting, before)
        };
        self.running.fetch_add(1, Ordering::Relaxed);
        let result = self.after(begin, setting, work).await;
        self.running.fetch_sub(1, Ordering::Relaxed);
        if result.is_err() {
            lock(&self.session).merge(before);
        }
        result
    }

    async fn after<R>(
        &self,
        begin: Option<&str>,
        setting: Option<Setting>,
        work: impl Future<Output = Result<R, Error>>,
    ) -> Result<R, Error> {
        // A statement that has yet to be prepared would be overtaken.
        if let Some((sql, parameters)) = &setting {
            self.prepare(sql, parameters).await?;
        }
        // The first poll of each sends: so they arrive in this order, and together.
        let (begun, set, result) = join!(self.begin(begin), self.set(setting), work);
        begun.and(set).and(result)
    }

    async fn set(&self, setting: Option<Setting>) -> Result<(), Error> {
        let Some((sql, parameters)) = setting else { return Ok(()) };
        let (connection, statement) = self.prepare(&sql, &parameters).await?;
        let set = connection.execute_raw(&statement, parameters.into_iter().map(Parameter)).await;
        set.map(drop).map_err(|failure| self.failed(&failure, &sql))
    }

    async fn begin(&self, begin: Option<&str>) -> Result<(), Error> {
        let (Some(begin), Some(client)) = (begin, &self.client) else { return Ok(()) };
        client.connection.batch_execute(begin).await.map_err(|failure| error::failed(&failure))
    }

    async fn prepare(&self, sql: &str, parameters: &[ParameterValue]) -> Result<(&Object, Statement), Error> {
        let client = self.client.as_ref().ok_or_else(|| Error::Other("the connection is closed".into()))?;
        let connection = &client.connection;
        if connection.statement_cache.size() > PREPARED {
            connection.statement_cache.clear();
        }
        let statement = connection.prepare_cached(sql).await.map_err(|failure| self.failed(&failure, sql))?;
        check(parameters, statement.params())?;
        Ok((connection, statement))
    }

    /// Forgets a prepared statement that a migration has made stale: the next request prepares it anew.
    fn failed(&self, failure: &tokio_postgres::Error, sql: &str) -> Error {
        let stale = [SqlState::FEATURE_NOT_SUPPORTED, SqlState::INVALID_SQL_STATEMENT_NAME];
        if let (Some(client), true) = (&self.client, failure.code().is_some_and(|code| stale.contains(code)))
        {
            client.connection.statement_cache.remove(sql, &[]);
        }
        error::failed(failure)
    }
}

/// Why a result was not read to its end: the component's mistake, or the server's answer.
type Unread = Result<Error, tokio_postgres::Error>;

async fn collect(stream: RowStream) -> Result<Vec<Row>, Unread> {
    let mut stream = std::pin::pin!(stream);
    let (mut rows, mut size) = (Vec::new(), 0);
    while let Some(next) = stream.try_next().await.map_err(Err)? {
        let next = row(&next).map_err(Ok)?;
        size += size_of_row(&next);
        if size > LARGEST_RESULT {
            return Err(Ok(Error::Other(format!(
                "the result is larger than {LARGEST_RESULT} bytes: ask for less"
            ))));
        }
        rows.push(next);
    }
    Ok(rows)
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        let abandoned = *self.running.get_mut() > 0;
        if !abandoned && lock(&self.session).is_clean() {
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if abandoned => drop(runtime.spawn(cancel(client))),
            Ok(runtime) => drop(runtime.spawn(clean(client))),
            Err(_) => drop(Object::take(client.connection)),
        }
    }
}

/// Returns `client` to its pool clean, or closes it.
async fn clean(client: Client) {
    if let Err(failure) = client.connection.batch_execute(CLEAN).await {
        tracing::warn!("closed a database connection that could not be cleaned: {}", error::text(&failure));
        drop(Object::take(client.connection));
    }
}

/// Stops the statement that `client` still runs, and closes it: nobody waits for the answer.
async fn cancel(client: Client) {
    let token = client.connection.cancel_token();
    drop(Object::take(client.connection));
    let cancelled = match client.tls {
        Some(tls) => token.cancel_query(tls).await,
        None => token.cancel_query(NoTls).await,
    };
    if let Err(failure) = cancelled {
        tracing::warn!("could not cancel an abandoned statement: {}", error::text(&failure));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
