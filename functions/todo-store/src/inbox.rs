//! The events that a consumer has dealt with: a redelivery has no effect.
//!
//! The row is written first in the transaction of the effect. Of two deliveries at once the second waits for the first to commit (and
//! then knows it) or to roll back (and then does the work itself).

use jiff::SignedDuration;

#[cfg(not(target_family = "wasm"))]
use crate::RepairTransaction;
use crate::statements::statements;
use crate::{Error, Transaction};

/// How long it is known that an event was dealt with: longer than any broker keeps events that it may deliver again.
pub const KEEP: SignedDuration = SignedDuration::from_hours(30 * 24);

statements! {
    RECEIVE = "INSERT INTO inbox (consumer, event_id, user_id, received_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (consumer, event_id) DO NOTHING RETURNING event_id";
}

/// Whether this consumer sees the event for the first time. It is known from the commit on.
pub async fn receive(tx: &mut Transaction, consumer: &str, event_id: &str) -> Result<bool, Error> {
    let parameters = vec![consumer.into(), event_id.into(), tx.user(), tx.now().into()];
    Ok(tx.row(RECEIVE, parameters).await?.is_some())
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
