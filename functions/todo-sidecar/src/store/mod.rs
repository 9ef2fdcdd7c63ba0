//! One SQLite file: a thread that writes, and connections that read beside it.

mod readers;
mod schema;
mod writer;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use todo_sqlite::Checkpointer;

use crate::log::Tails;
use crate::settings::Durability;
use readers::Readers;
pub(crate) use writer::Batch;
use writer::Writer;

/// Why the sidecar's file did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no: the disk is full, the file is not ours, or another process holds it.
    #[error("the sidecar's file: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The sidecar was stopped.
    #[error("the sidecar has stopped")]
    Stopped,
}

/// Where a consumer stands in one partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    pub consumer: Arc<str>,
    pub topic: Arc<str>,
    pub partition: u8,
}

#[derive(Clone)]
pub(crate) struct Store {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    tails: Arc<Tails>,
}

impl Store {
    /// Opens or creates the file and brings its schema up to date.
    pub fn open(file: &Path, durability: Durability) -> Result<Self, StoreError> {
        let connection = schema::open(file, durability)?;
        let tails = Arc::new(Tails::load(&connection)?);
        let writer = Writer::start(connection, Checkpointer::new(file), tails.clone());
        Ok(Self { writer: Arc::new(writer), readers: Arc::new(Readers::new(file)), tails })
    }

    /// Runs `work` in a transaction that it shares with whatever else is waiting to be written; what an error leaves behind is
    /// undone, and no answer comes before the commit.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.write(work).await
    }

    /// Remembers that `cursor`'s consumer is done with everything before `next`. Durable within 100 ms, or with the next write.
    pub fn advance(&self, cursor: Cursor, next: i64) {
        self.writer.advance(cursor, next);
    }

    /// Reads what is committed, off the async threads.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = self.readers.clone();
        tokio::task::spawn_blocking(move || readers.read(query)).await.map_err(|_| StoreError::Stopped)?
    }

    /// Reads what is committed, and holds up the thread meanwhile.
    pub fn read_here<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.readers.read(query)
    }

    pub fn tails(&self) -> &Tails {
        &self.tails
    }

    /// Writes what is still waiting and lets go of the file. Writes fail from now on.
    pub async fn close(&self) {
        let writer = self.writer.clone();
        let _ = tokio::task::spawn_blocking(move || writer.stop()).await;
        self.readers.close();
    }
}
