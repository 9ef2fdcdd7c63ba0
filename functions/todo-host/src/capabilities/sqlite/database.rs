//! One SQLite file, its idle connections, and the queue of those who want to write.
//!
//! SQLite lets one connection write at a time and tells the others to come back; its own way of coming back is to sleep for longer and
//! longer, and whoever is awake at the right moment is next. So transactions that say at once that they will write
//! (`BEGIN IMMEDIATE`) stand in line here, and each begins the moment the one before it has ended.
//!
//! Who has the turn is to be done soon, because all others wait for it. So its statements run where the component runs, instead of
//! going to another thread and back: on a busy machine each way is a wait behind everybody else's work, and those behind in the line
//! would wait for all of them. Such a statement is short, or interrupted. Only the end of what was changed, which may wait for the disk,
//! has the runtime find another thread for its other work meanwhile.
//!
//! A statement that reads waits for nobody, and is mostly over sooner than another thread has been woken to run it: so it begins where
//! the component runs, too. One that takes longer is interrupted there and begins again on a thread of its own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::InterruptHandle;
use todo_sqlite::Checkpointer;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use super::confine::confine;
use super::statement::{Rows, read, run};
use crate::bindings::sqlite::{Error, Value};

/// How long a statement waits for another connection's write to end.
const BUSY: Duration = Duration::from_secs(5);
/// Between two attempts meanwhile: those of other processes and of chat are not in our line, and are short.
const AGAIN: Duration = Duration::from_micros(500);
/// How long a transaction may write for before its next long statement is interrupted: it holds up all others that want to.
const LONGEST_WRITE: Duration = Duration::from_secs(5);
/// How long a statement that reads may hold up what else the component's thread has to do: less than a component's own computing may.
const LONGEST_READ: Duration = Duration::from_millis(2);
/// Steps of SQLite's between two looks at the clock: some tenths of a millisecond.
const STEPS: i32 = 10_000;
/// Prepared statements kept by each connection: more than the distinct statements of a component.
const PREPARED: usize = 64;

/// An SQLite file.
pub struct Database {
    file: PathBuf,
    idle: Mutex<Vec<rusqlite::Connection>>,
    places: Arc<Semaphore>,
    writing: Arc<Turns>,
    checkpointer: Checkpointer,
}

/// What a statement answered, and whether no transaction is open after it.
type Done = (Result<Rows, Error>, bool);

/// Whose turn it is to write.
type Turns = tokio::sync::Mutex<()>;

/// A component's open connection. Its drop interrupts what still runs on it.
pub struct Connection {
    lease: Arc<Lease>,
}

/// A connection on loan from its database: it comes back clean, or not at all.
pub struct Lease {
    database: Arc<Database>,
    connection: Mutex<Option<rusqlite::Connection>>,
    interrupt: InterruptHandle,
    /// Held from the beginning of a transaction that writes to its end.
    turn: Mutex<Option<OwnedMutexGuard<()>>>,
    /// Whether the transaction has changed anything.
    changed: AtomicBool,
    _place: OwnedSemaphorePermit,
}

impl Database {
    /// The database in `file`, with at most `connections` open at once.
    pub fn new(file: PathBuf, connections: usize) -> Self {
        Self {
            checkpointer: Checkpointer::new(&file),
            file,
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(connections)),
            writing: Arc::default(),
        }
    }

    /// Opens a connection, waiting while all are in use.
    pub async fn connect(self: &Arc<Self>) -> Result<Connection, Error> {
        let place =
            self.places.clone().acquire_owned().await.map_err(|closed| Error::Io(closed.to_string()))?;
        let idle = lock(&self.idle).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let database = self.clone();
                blocking(move || database.open(true).map_err(|error| Error::Io(error.to_string()))).await?
            }
        };
        Ok(Connection {
            lease: Arc::new(Lease {
                database: self.clone(),
                interrupt: connection.get_interrupt_handle(),
                connection: Mutex::new(Some(connection)),
                turn: Mutex::default(),
                changed: AtomicBool::new(false),
                _place: place,
            }),
        })
    }

    /// Opens a connection for the first request to find, its schema read. What is in the way is that request's to wait for and to report.
    pub fn open_ahead(self: Arc<Self>) -> JoinHandle<()> {
        tokio::task::spawn_blocking(move || {
            // Opening it would make it.
            if self.file.exists()
                && let Ok(connection) = self.open(false)
                && connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).is_ok()
            {
                patient(&connection, true);
                lock(&self.idle).push(connection);
            }
        })
    }

    fn open(&self, waits: bool) -> rusqlite::Result<rusqlite::Connection> {
        let connection = rusqlite::Connection::open(&self.file)?;
        patient(&connection, waits);
        todo_sqlite::prepare(&connection)?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        confine(&connection)?;
        Ok(connection)
    }
}

impl Connection {
    /// The connection itself, for a call that outlives the borrow of the instance's table.
    pub fn lease(&self) -> Arc<Lease> {
        self.lease.clone()
    }
}

impl Drop for Connection {
    /// Stops what still runs. The lease is held until here, so what is stopped is the component's own.
    fn drop(&mut self) {
        self.lease.interrupt.interrupt();
    }
}

impl Lease {
    /// Runs one statement to its end.
    pub async fn execute(self: Arc<Self>, sql: String, parameters: Vec<Value>) -> Result<Rows, Error> {
        if begins_to_write(&sql) && !self.has_turn() {
            self.take_turn().await;
        }
        let (rows, ended) = if self.waits_for_nothing(&sql) {
            self.run(&sql, &parameters)?
        } else if let Some(done) = self.run_in_turn(&sql, &parameters) {
            done?
        } else if self.has_turn() && may_block_here() {
            tokio::task::block_in_place(|| self.run(&sql, &parameters))?
        } else if let Some(rows) = self.read(&sql, &parameters) {
            return rows;
        } else {
            let lease = self.clone();
            blocking(move || lease.run(&sql, &parameters)).await?
        };
        if ended {
            self.end_turn();
        }
        rows
    }

    fn has_turn(&self) -> bool {
        lock(&self.turn).is_some()
    }

    /// Whoever has waited for so long asks SQLite, which then has the last word.
    async fn take_turn(&self) {
        let turn = tokio::time::timeout(BUSY, self.database.writing.clone().lock_owned()).await;
        *lock(&self.turn) = turn.ok();
        if let Some(connection) = lock(&self.connection).as_ref() {
            limit(connection, LONGEST_WRITE);
        }
    }

    fn end_turn(&self) {
        if let Some(turn) = lock(&self.turn).take() {
            lock(&self.connection).as_ref().map(unlimited);
            drop(turn);
            self.database.checkpointer.committed();
        }
    }

    /// Whether a statement touches neither a file nor a lock that another connection may hold, so that a thread of its own would cost
    /// more than it does: the beginning and the end of a transaction that only reads.
    fn waits_for_nothing(&self, sql: &str) -> bool {
        let quick = match sql {
            "BEGIN" | "BEGIN DEFERRED" => true,
            "COMMIT" | "ROLLBACK" => !self.changed.load(Ordering::Relaxed),
            _ => false,
        };
        // Who runs two statements at once on one connection has the second one wait.
        quick && self.connection.try_lock().is_ok()
    }

    /// Runs a statement of whoever has the turn, unless it may wait: for another process's lock, or, as the end of what was changed,
    /// for the disk. Telling tokio that a thread may block wakes another one, which costs more than most statements do.
    fn run_in_turn(&self, sql: &str, parameters: &[Value]) -> Option<Result<Done, Error>> {
        // Who runs two statements at once on one connection has the second one wait, and not here.
        let waits = begins_with(sql, "COMMIT") || self.connection.try_lock().is_err();
        if waits || !self.has_turn() || !others_work_here() {
            return None;
        }
        let begins = begins_to_write(sql);
        if begins {
            patient(lock(&self.connection).as_ref()?, false);
        }
        let done = self.run(sql, parameters);
        if begins {
            patient(lock(&self.connection).as_ref()?, true);
            // Nothing has begun when another process writes at this moment.
            return done.as_ref().is_ok_and(|(rows, _)| rows.is_ok()).then_some(done);
        }
        Some(done)
    }

    /// Runs a statement that only reads, unless it takes long or would wait for a lock. Whether a transaction is open stays as it is.
    fn read(&self, sql: &str, parameters: &[Value]) -> Option<Result<Rows, Error>> {
        // `COMMIT` only reads as well, as SQLite sees it.
        if self.has_turn() || !begins_with(sql, "SELECT") {
            return None;
        }
        let connection = self.connection.try_lock().ok()?;
        let connection = connection.as_ref()?;
        limit(connection, LONGEST_READ);
        patient(connection, false);
        let rows = read(connection, sql, parameters);
        patient(connection, true);
        unlimited(connection);
        rows
    }

    /// Runs one statement to its end.
    fn run(&self, sql: &str, parameters: &[Value]) -> Result<Done, Error> {
        let connection = lock(&self.connection);
        let connection = connection.as_ref().ok_or(Error::InvalidConnection)?;
        let (rows, changes) = run(connection, sql, parameters);
        let ended = connection.is_autocommit();
        self.changed.store(!ended && (changes || self.changed.load(Ordering::Relaxed)), Ordering::Relaxed);
        Ok((rows, ended))
    }

    /// The row id of the last insert on this connection.
    pub async fn last_insert_rowid(self: Arc<Self>) -> Result<i64, Error> {
        self.with(|connection| Ok(connection.last_insert_rowid())).await
    }

    /// The number of rows that the last statement changed.
    pub async fn changes(self: Arc<Self>) -> Result<u64, Error> {
        self.with(|connection| Ok(connection.changes())).await
    }

    async fn with<R: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&rusqlite::Connection) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        blocking(move || match lock(&self.connection).as_ref() {
            Some(connection) => work(connection),
            None => Err(Error::InvalidConnection),
        })
        .await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let connection = lock(&self.connection).take();
        if let Some(connection) = connection.filter(clean) {
            lock(&self.database.idle).push(connection);
        }
    }
}

fn begins_to_write(sql: &str) -> bool {
    begins_with(sql, "BEGIN IMMEDIATE")
}

fn begins_with(sql: &str, words: &str) -> bool {
    sql.get(..words.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(words))
}

/// A runtime with one thread has no other to go on with its work.
fn may_block_here() -> bool {
    Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread
}

/// Whether other threads go on with the runtime's work meanwhile without being told to. One at a time has the turn.
fn others_work_here() -> bool {
    may_block_here() && Handle::current().metrics().num_workers() > 1
}

/// Whether statements wait for another connection's lock. Like the limit below it cannot fail for a connection of our own.
fn patient(connection: &rusqlite::Connection, patient: bool) {
    let _ = connection.busy_handler(patient.then_some(wait));
}

/// Interrupts statements that still run after `time`.
fn limit(connection: &rusqlite::Connection, time: Duration) {
    let deadline = Instant::now() + time;
    let _ = connection.progress_handler(STEPS, Some(move || Instant::now() > deadline));
}

/// Takes that limit away.
fn unlimited(connection: &rusqlite::Connection) {
    let _ = connection.progress_handler(0, None::<fn() -> bool>);
}

/// What SQLite calls while another connection writes; false ends the waiting.
fn wait(times: i32) -> bool {
    std::thread::sleep(AGAIN);
    AGAIN.saturating_mul(times.unsigned_abs()) < BUSY
}

/// Ends a transaction that was left open. What cannot be ended is closed, which ends it too.
fn clean(connection: &rusqlite::Connection) -> bool {
    unlimited(connection);
    connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok()
}

async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, Error> + Send + 'static,
) -> Result<R, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panicked) => Err(Error::Io(panicked.to_string())),
    }
}

/// A panic while the lock was held leaves nothing half-done behind it: the values are moved in and out whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
