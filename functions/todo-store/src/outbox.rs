//! Events on their way out: written and numbered with the change they tell of, published after it is committed.
//!
//! One publisher at a time sends a person's events, in the order of their numbers: whoever holds the person's [`Lease`]. A change takes
//! it with the numbers of its events, in one statement, when nobody has it and publishing is not known to be broken. Whoever
//! changes something meanwhile finds it taken and leaves the events to the holder, who therefore must not stop while there is more:
//! [`Lease::settle`] gives the lease back only if the person's counter still stands where the holder has sent everything. The
//! condition is on the row that both lock. A look into `outbox` in the same statement would not do: Postgres evaluates a row
//! again that it had to wait for, but not what stands in other tables.

mod lease;
mod relay;

use todo_events::Event;
use uuid::Uuid;

use crate::statements::{rows_of_parameters, statements};
use crate::{Error, Transaction, Value};

#[cfg(feature = "testing")]
pub(crate) use lease::{ALL as LEASE_STATEMENTS, FAILED, mark};
pub use lease::{Batch, End, Lease, Settled, Waiting};
#[cfg(feature = "testing")]
pub(crate) use relay::ALL as RELAY_STATEMENTS;
pub use relay::Backlog;

/// How long a publisher that is never heard of again keeps others from a person's events, in milliseconds.
pub(crate) const LEASE_MS: i64 = 30_000;

const COLUMNS: usize = 8;

statements! {
    /// Counts the tenant's tasks and events: the row is locked until the end of the transaction, so numbers are given out one by one,
    /// and in the order of the commits. With a publisher's name it also takes the lease: when it is free, has run out or is one's
    /// own, and publishing works.
    NUMBER = "INSERT INTO users (user_id, last_task_id, last_event, publisher, publishing_until, created_at) \
        SELECT $1, $2, $3, CASE WHEN failed_at IS NULL THEN $4 END, \
        CASE WHEN failed_at IS NULL THEN CAST($5 AS BIGINT) END, $6 \
        FROM publishing WHERE id = 1 \
        ON CONFLICT (user_id) DO UPDATE SET last_task_id = users.last_task_id + excluded.last_task_id, \
        last_event = users.last_event + excluded.last_event, \
        publisher = CASE WHEN users.publishing_until >= excluded.created_at THEN users.publisher ELSE excluded.publisher END, \
        publishing_until = CASE WHEN users.publishing_until >= excluded.created_at THEN users.publishing_until \
        ELSE excluded.publishing_until END \
        RETURNING last_task_id, last_event, publisher";
}

/// The numbers that a change was given.
pub(crate) struct Numbers {
    /// The last task's.
    pub task: i64,
    /// The last event's.
    event: i64,
}

/// Takes the next numbers for so many tasks and events, and the lease if the transaction wants it.
pub(crate) async fn number(tx: &mut Transaction, tasks: usize, events: usize) -> Result<Numbers, Error> {
    let wanted = tx.wanted_lease().map(str::to_owned);
    let until = wanted.as_ref().map(|_| tx.now().as_millisecond().saturating_add(LEASE_MS));
    let parameters =
        vec![tx.user(), count(tasks), count(events), wanted.clone().into(), until.into(), tx.now().into()];
    let mut row = tx.row(NUMBER, parameters).await?.ok_or(Error::Corrupt("counter"))?;
    let numbers = Numbers { task: row.integer()?, event: row.integer()? };
    if row.optional_text()?.is_some_and(|publisher| wanted.as_deref() == Some(&publisher)) {
        tx.took_lease(numbers.event);
    }
    Ok(numbers)
}

/// Writes events in the transaction of their change.
pub(crate) async fn write(tx: &mut Transaction, events: &[Event]) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let numbers = number(tx, 0, events.len()).await?;
    write_numbered(tx, &numbers, events).await
}

/// Writes events whose numbers were taken before: exactly as many as [`number`] was told.
pub(crate) async fn write_numbered(
    tx: &mut Transaction,
    numbers: &Numbers,
    events: &[Event],
) -> Result<(), Error> {
    let written = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let first = numbers.event.saturating_sub(written).saturating_add(1);
    let mut parameters = Vec::with_capacity(events.len() * COLUMNS);
    for (sequence, event) in (first..).zip(events) {
        let mut body = event.cloud_event(tx.origin());
        body["sequence"] = sequence.to_string().into();
        parameters.extend([
            event.event_id.as_str().into(),
            event.topic.as_str().into(),
            event.event_type.as_str().into(),
            event.user_id.as_str().into(),
            event.subject().into(),
            body.to_string().into(),
            event.timestamp.into(),
            sequence.into(),
        ]);
    }
    tx.execute(insert(events.len()), parameters).await
}

/// A change of a task writes two events or four, so there are only a few texts to prepare.
pub(crate) fn insert(events: usize) -> String {
    let rows = rows_of_parameters(events, COLUMNS);
    format!(
        "INSERT INTO outbox (event_id, topic, event_type, user_id, subject, body, created_at, sequence) VALUES {rows}"
    )
}

/// Records that the tenant asked for something in another's name, for the audit.
pub async fn access_refused(tx: &mut Transaction, claimed_user_id: &str, reason: &str) -> Result<(), Error> {
    let event = Event::access_refused(tx.user_id(), claimed_user_id, reason, tx.now());
    write(tx, &[event]).await
}

/// A name for a publisher that nobody else has.
pub(crate) fn publisher_name() -> String {
    Uuid::new_v4().to_string()
}

fn count(number: usize) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}
