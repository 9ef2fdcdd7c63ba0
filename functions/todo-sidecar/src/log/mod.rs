//! The log of events: topics in partitions, and where each consumer stands.

mod retention;
mod tails;

use rusqlite::{Connection, OptionalExtension, Row};

pub(crate) use retention::sweep;
pub(crate) use tails::{Position, Tails};

use crate::store::{Batch, Cursor};

/// Partitions of every topic. A person's events are in one of them, in order; sixteen people are served at once.
pub(crate) const PARTITIONS: u8 = 16;

/// A record as it is published.
#[derive(Clone, Debug)]
pub(crate) struct NewRecord {
    pub topic: String,
    /// Records with equal keys keep their order.
    pub key: Option<String>,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

/// A record of the log.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub offset: i64,
    pub key: Option<String>,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
    /// Microseconds since 1970.
    pub published_at: i64,
}

/// Appends a record and wakes its consumers once it is committed.
pub(crate) fn append(batch: &mut Batch<'_>, record: &NewRecord) -> rusqlite::Result<i64> {
    let partition = partition(record.key.as_deref());
    let now = jiff::Timestamp::now().as_microsecond();
    batch
        .sql
        .prepare_cached(
            "INSERT INTO log (topic, partition, key, content_type, body, published_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((&record.topic, partition, &record.key, &record.content_type, &record.body, now))?;
    let offset = batch.sql.last_insert_rowid();
    batch.appended(Position { topic: record.topic.as_str().into(), partition, offset });
    Ok(offset)
}

/// Without a key a record may go anywhere, so any partition will do.
fn partition(key: Option<&str>) -> u8 {
    let Some(key) = key else { return fastrand::u8(0..PARTITIONS) };
    // FNV-1a: the place of a key must be the same in every build, which the standard library's hasher does not promise.
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash % u64::from(PARTITIONS)) as u8
}

/// Up to `limit` records of a partition from `from` on.
pub(crate) fn read(
    sql: &Connection,
    topic: &str,
    partition: u8,
    from: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Record>> {
    sql.prepare_cached(
        "SELECT \"offset\", key, content_type, body, published_at FROM log
         WHERE topic = ?1 AND partition = ?2 AND \"offset\" >= ?3 ORDER BY \"offset\" LIMIT ?4",
    )?
    .query_map((topic, partition, from, limit as i64), record)?
    .collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        offset: row.get(0)?,
        key: row.get(1)?,
        content_type: row.get(2)?,
        body: row.get(3)?,
        published_at: row.get(4)?,
    })
}

/// Notes that a consumer is done with everything before `next`. It never goes back.
pub(crate) fn advance(sql: &Connection, cursor: &Cursor, next: i64) -> rusqlite::Result<()> {
    sql.prepare_cached(
        "INSERT INTO offsets (consumer, topic, partition, next_offset) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (consumer, topic, partition) DO UPDATE SET next_offset = max(next_offset, excluded.next_offset)",
    )?
    .execute((&*cursor.consumer, &*cursor.topic, cursor.partition, next))?;
    Ok(())
}

/// Where a consumer goes on; one that is new starts with the oldest record, or behind the newest when `latest`.
pub(crate) fn position(sql: &Connection, cursor: &Cursor, latest: bool) -> rusqlite::Result<i64> {
    let known = sql
        .prepare_cached(
            "SELECT next_offset FROM offsets WHERE consumer = ?1 AND topic = ?2 AND partition = ?3",
        )?
        .query_row((&*cursor.consumer, &*cursor.topic, cursor.partition), |row| row.get(0))
        .optional()?;
    if let Some(next) = known {
        return Ok(next);
    }
    let next = match latest {
        true => sql.query_row("SELECT coalesce(max(\"offset\"), 0) + 1 FROM log", [], |row| row.get(0))?,
        false => 1,
    };
    advance(sql, cursor, next)?;
    Ok(next)
}

/// Records of a partition that a consumer has still to see.
pub(crate) fn lag(sql: &Connection, topic: &str, partition: u8, next: i64) -> rusqlite::Result<u64> {
    sql.prepare_cached("SELECT count(*) FROM log WHERE topic = ?1 AND partition = ?2 AND \"offset\" >= ?3")?
        .query_row((topic, partition, next), |row| row.get::<_, i64>(0))
        .map(|count| count.max(0) as u64)
}

/// Records in the log.
pub(crate) fn size(sql: &Connection) -> rusqlite::Result<u64> {
    sql.query_row("SELECT count(*) FROM log", [], |row| row.get::<_, i64>(0)).map(|count| count.max(0) as u64)
}
