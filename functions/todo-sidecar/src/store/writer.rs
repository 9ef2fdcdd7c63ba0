//! The one thread that writes.
//!
//! Whatever is waiting when a transaction begins is committed together (group commit), so that a hundred publishers at once pay
//! for one commit. Each piece of work has a savepoint of its own: one that fails takes nothing else with it. Positions of
//! consumers are only noted, and go with the next commit or within [`LINGER`].

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use todo_sqlite::Checkpointer;
use tokio::sync::oneshot;

use super::{Cursor, StoreError};
use crate::log::{self, Position, Tails};

/// How long a consumer's position may stay in memory. After a crash, what it did meanwhile is delivered to it again.
const LINGER: Duration = Duration::from_millis(100);
/// Pieces of work in one transaction: the first of them waits for the last.
const TOGETHER: usize = 512;

type Work = Box<dyn FnOnce(&mut Batch<'_>) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

enum Order {
    Work(Work),
    /// There are positions to be written.
    Advance,
    Stop,
}

/// Where consumers are, as far as it is not written yet.
type Positions = Mutex<HashMap<Cursor, i64>>;

pub(super) struct Writer {
    orders: Sender<Order>,
    positions: Arc<Positions>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What is written together.
pub(crate) struct Batch<'a> {
    pub sql: &'a Connection,
    appended: Vec<Position>,
}

impl Batch<'_> {
    /// Consumers that wait there are woken after the commit.
    pub fn appended(&mut self, position: Position) {
        self.appended.push(position);
    }

    fn savepoint<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.run("SAVEPOINT work").map_err(E::from)?;
        let before = self.appended.len();
        let result = work(self);
        if result.is_err() {
            self.appended.truncate(before);
            self.run("ROLLBACK TO work").map_err(E::from)?;
        }
        self.run("RELEASE work").map_err(E::from)?;
        result
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.sql.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

impl Writer {
    pub fn start(connection: Connection, checkpointer: Checkpointer, tails: Arc<Tails>) -> Self {
        let (orders, waiting) = channel();
        let positions = Arc::<Positions>::default();
        let ours = positions.clone();
        let thread = std::thread::Builder::new()
            .name("sidecar-writer".into())
            .spawn(move || Loop { checkpointer, connection, tails, positions: ours }.run(&waiting))
            .ok();
        Self { orders, positions, thread: Mutex::new(thread) }
    }

    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let work: Work = Box::new(move |batch| {
            let result = batch.savepoint(work);
            Box::new(move |committed| {
                let _ = sender.send(committed.map_err(E::from).and(result));
            })
        });
        self.orders.send(Order::Work(work)).map_err(|_| StoreError::Stopped)?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Stopped.into()))
    }

    pub fn advance(&self, cursor: Cursor, next: i64) {
        let mut positions = lock(&self.positions);
        let is_first = positions.is_empty();
        positions.insert(cursor, next);
        drop(positions);
        // The others go with the first: waking the thread for each costs more than the rest of a step.
        if is_first {
            // After a stop the position is lost, and what it stands for is delivered again.
            let _ = self.orders.send(Order::Advance);
        }
    }

    pub fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

struct Loop {
    /// Gone before the connection: the last one that closes takes the log away.
    checkpointer: Checkpointer,
    connection: Connection,
    tails: Arc<Tails>,
    positions: Arc<Positions>,
}

impl Loop {
    fn run(mut self, orders: &Receiver<Order>) {
        let mut flush_at: Option<Instant> = None;
        loop {
            let first = match flush_at {
                None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => orders.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            match first {
                Ok(Order::Advance) => _ = flush_at.get_or_insert_with(|| Instant::now() + LINGER),
                Ok(Order::Work(work)) => {
                    let (written, stop) = self.together(work, orders);
                    flush_at = again(written);
                    if stop {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => flush_at = again(self.transaction(Vec::new())),
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => {
                    self.transaction(Vec::new());
                    return;
                }
            }
        }
    }

    /// One transaction of `first` and of what is waiting behind it: whether it was written, and whether there is to be no other.
    fn together(&mut self, first: Work, orders: &Receiver<Order>) -> (bool, bool) {
        let mut works = vec![first];
        let mut stop = false;
        while works.len() < TOGETHER && !stop {
            match orders.try_recv() {
                Ok(Order::Work(work)) => works.push(work),
                Ok(Order::Advance) => {}
                Ok(Order::Stop) => stop = true,
                Err(_) => break,
            }
        }
        (self.transaction(works), stop)
    }

    /// Whether all of it is written.
    fn transaction(&mut self, works: Vec<Work>) -> bool {
        let positions = std::mem::take(&mut *lock(&self.positions));
        if works.is_empty() && positions.is_empty() {
            return true;
        }
        let mut batch = Batch { sql: &self.connection, appended: Vec::new() };
        let begun = batch.run("BEGIN IMMEDIATE");
        let mut answers = Vec::with_capacity(works.len());
        if begun.is_ok() {
            answers.extend(works.into_iter().map(|work| work(&mut batch)));
        }
        let committed = begun.and_then(|()| {
            for (cursor, next) in &positions {
                log::advance(batch.sql, cursor, *next)?;
            }
            batch.run("COMMIT")
        });
        match committed {
            Ok(()) => {
                self.tails.notify(&batch.appended);
                answers.into_iter().for_each(|answer| answer(Ok(())));
                self.checkpointer.committed();
                true
            }
            Err(error) => {
                tracing::error!("the sidecar cannot write: {error}");
                let _ = batch.run("ROLLBACK");
                let mut newer = lock(&self.positions);
                for (cursor, next) in positions {
                    newer.entry(cursor).or_insert(next);
                }
                drop(newer);
                // Whoever is not answered hears that the store has stopped.
                let reason = error.to_string();
                answers.into_iter().for_each(|answer| answer(Err(failed(&reason))));
                false
            }
        }
    }
}

/// When to write positions that were not.
fn again(written: bool) -> Option<Instant> {
    (!written).then(|| Instant::now() + LINGER)
}

/// Nothing that holds the lock can panic halfway.
fn lock(positions: &Positions) -> MutexGuard<'_, HashMap<Cursor, i64>> {
    positions.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(reason: &str) -> StoreError {
    StoreError::Sqlite(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR),
        Some(reason.to_owned()),
    ))
}
