//! The events that a consumer has dealt with: a redelivery has no effect.
//!
//! The row is written first in the transaction of the effect. Of two deliveries at once the second waits for the first to commit (and
//! then knows it) or to roll back (and then does the work itself).

use std::collections::HashSet;

use jiff::SignedDuration;

#[cfg(not(target_family = "wasm"))]
use crate::RepairTransaction;
use crate::statements::rows_of_parameters;
use crate::{Error, Transaction};

/// How long it is known that an event was dealt with: longer than any broker keeps events that it may deliver again.
pub const KEEP: SignedDuration = SignedDuration::from_hours(30 * 24);

const COLUMNS: usize = 4;

/// Whether this consumer sees the event for the first time. It is known from the commit on.
pub async fn receive(tx: &mut Transaction, consumer: &str, event_id: &str) -> Result<bool, Error> {
    Ok(!receive_all(tx, consumer, &[event_id]).await?.is_empty())
}

/// Which of the tenant's events this consumer sees for the first time.
pub async fn receive_all(
    tx: &mut Transaction,
    consumer: &str,
    event_ids: &[&str],
) -> Result<HashSet<String>, Error> {
    if event_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let mut parameters = Vec::with_capacity(event_ids.len() * COLUMNS);
    for event_id in event_ids {
        parameters.extend([consumer.into(), (*event_id).into(), tx.user(), tx.now().into()]);
    }
    let new = tx.rows(insert(event_ids.len()), parameters).await?;
    new.into_iter().map(|mut row| row.text()).collect()
}

pub(crate) fn insert(events: usize) -> String {
    format!(
        "INSERT INTO inbox (consumer, event_id, user_id, received_at) VALUES {} \
         ON CONFLICT (consumer, event_id) DO NOTHING RETURNING event_id",
        rows_of_parameters(events, COLUMNS)
    )
}

#[cfg(not(target_family = "wasm"))]
pub(crate) const FORGET: &str = "DELETE FROM inbox WHERE consumer = $1 AND event_id = $2";

#[cfg(not(target_family = "wasm"))]
impl RepairTransaction {
    /// Lets a consumer see an event for the first time once more.
    pub async fn forget_received(&mut self, consumer: &str, event_id: &str) -> Result<(), Error> {
        self.work.execute(FORGET, vec![consumer.into(), event_id.into()]).await
    }
}
