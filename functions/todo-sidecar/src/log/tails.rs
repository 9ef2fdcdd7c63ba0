//! How consumers learn of new records without asking for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::watch;

/// A record's place.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub topic: Arc<str>,
    pub partition: u8,
    pub offset: i64,
}

/// The newest offset of every partition.
pub(crate) struct Tails(Mutex<Newest>);

type Newest = HashMap<(Arc<str>, u8), watch::Sender<i64>>;

impl Tails {
    pub fn load(sql: &Connection) -> rusqlite::Result<Self> {
        let mut statement =
            sql.prepare("SELECT topic, partition, max(\"offset\") FROM log GROUP BY topic, partition")?;
        let newest = statement.query_map([], |row| {
            Ok(((Arc::from(row.get::<_, String>(0)?), row.get(1)?), watch::Sender::new(row.get(2)?)))
        })?;
        Ok(Self(Mutex::new(newest.collect::<rusqlite::Result<_>>()?)))
    }

    /// The newest offset of a partition (0 when it is empty), now and whenever it changes.
    pub fn watch(&self, topic: &Arc<str>, partition: u8) -> watch::Receiver<i64> {
        let mut tails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tails.entry((topic.clone(), partition)).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    /// Tells of committed records.
    pub fn notify(&self, appended: &[Position]) {
        let mut tails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for position in appended {
            tails
                .entry((position.topic.clone(), position.partition))
                .or_insert_with(|| watch::Sender::new(0))
                .send_modify(|newest| *newest = (*newest).max(position.offset));
        }
    }
}
