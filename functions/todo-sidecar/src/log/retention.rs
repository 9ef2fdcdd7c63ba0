//! Forgetting what everybody has seen.

use std::sync::Arc;
use std::time::Duration;

use crate::log::PARTITIONS;
use crate::store::{Store, StoreError};

/// Records deleted in one transaction: publishers wait for it.
const AT_ONCE: usize = 1_000;

/// Deletes records that are older than `age` and that every one of their topic's consumers has passed; a topic without
/// consumers forgets by age alone. Returns how many were deleted.
pub(crate) async fn sweep(
    store: &Store,
    readers: &[(Arc<str>, Vec<Arc<str>>)],
    age: Duration,
) -> Result<usize, StoreError> {
    let before = jiff::Timestamp::now().as_microsecond() - i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    let mut deleted = 0;
    for (topic, consumers) in readers {
        for partition in 0..PARTITIONS {
            deleted += sweep_partition(store, topic, consumers, partition, before).await?;
        }
    }
    sweep_state(store).await?;
    Ok(deleted)
}

async fn sweep_partition(
    store: &Store,
    topic: &Arc<str>,
    consumers: &[Arc<str>],
    partition: u8,
    before: i64,
) -> Result<usize, StoreError> {
    let mut deleted = 0;
    loop {
        let (topic, consumers) = (topic.clone(), consumers.to_vec());
        let round = store
            .write(move |batch| -> Result<usize, StoreError> {
                let mut passed = i64::MAX;
                for consumer in &consumers {
                    let next: i64 = batch.sql.query_row(
                        "SELECT coalesce(max(next_offset), 0) FROM offsets WHERE consumer = ?1 AND topic = ?2 AND partition = ?3",
                        (&**consumer, &*topic, partition),
                        |row| row.get(0),
                    )?;
                    passed = passed.min(next);
                }
                Ok(batch.sql.execute(
                    "DELETE FROM log WHERE \"offset\" IN (SELECT \"offset\" FROM log
                       WHERE topic = ?1 AND partition = ?2 AND \"offset\" < ?3 AND published_at < ?4 LIMIT ?5)",
                    (&*topic, partition, passed, before, AT_ONCE as i64),
                )?)
            })
            .await?;
        deleted += round;
        if round < AT_ONCE {
            return Ok(deleted);
        }
    }
}

async fn sweep_state(store: &Store) -> Result<(), StoreError> {
    let now = jiff::Timestamp::now().as_millisecond();
    store
        .write(move |batch| {
            batch.sql.execute("DELETE FROM state WHERE expires_at <= ?1", [now])?;
            Ok(())
        })
        .await
}
