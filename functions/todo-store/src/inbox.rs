//! The events that a consumer has dealt with: a redelivery has no effect.
//!
//! The row is written first in the transaction of the effect. Of two deliveries at once the second waits for the first to commit (and
//! then knows it) or to roll back (and then does the work itself).

use crate::statements::statements;
use crate::{Error, Transaction};

statements! {
    RECEIVE = "INSERT INTO inbox (consumer, event_id, user_id, received_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (consumer, event_id) DO NOTHING RETURNING event_id";
}

/// Whether this consumer sees the event for the first time. It is known from the commit on.
pub async fn receive(tx: &mut Transaction, consumer: &str, event_id: &str) -> Result<bool, Error> {
    let parameters = vec![consumer.into(), event_id.into(), tx.user(), tx.now().into()];
    Ok(tx.row(RECEIVE, parameters).await?.is_some())
}
