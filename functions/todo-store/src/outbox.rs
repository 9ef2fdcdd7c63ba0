//! Events on their way out: written with the change they tell of, published after it is committed.

use todo_events::Event;

use crate::statements::rows_of_parameters;
use crate::{Error, Transaction};

const COLUMNS: usize = 7;

/// Writes events in the transaction of their change.
pub(crate) async fn write(tx: &mut Transaction, events: &[Event]) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let mut parameters = Vec::with_capacity(events.len() * COLUMNS);
    for event in events {
        parameters.extend([
            event.event_id.as_str().into(),
            event.topic.as_str().into(),
            event.event_type.as_str().into(),
            event.user_id.as_str().into(),
            event.subject().into(),
            event.cloud_event(tx.origin()).to_string().into(),
            event.timestamp.into(),
        ]);
    }
    tx.execute(insert(events.len()), parameters).await
}

/// A change of a task writes two events or four, so there are only a few texts to prepare.
pub(crate) fn insert(events: usize) -> String {
    let rows = rows_of_parameters(events, COLUMNS);
    format!(
        "INSERT INTO outbox (event_id, topic, event_type, user_id, subject, body, created_at) VALUES {rows}"
    )
}

/// Records that the tenant asked for something in another's name, for the audit.
pub async fn access_refused(tx: &mut Transaction, claimed_user_id: &str, reason: &str) -> Result<(), Error> {
    let event = Event::access_refused(tx.user_id(), claimed_user_id, reason, tx.now());
    write(tx, &[event]).await
}
