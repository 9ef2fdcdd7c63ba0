//! What became of a reminder that was due, channel by channel.

use jiff::Timestamp;
use todo_domain::TaskId;
use todo_events::{Channel, Event};

use crate::statements::statements;
use crate::{Error, Row, Transaction, Value, outbox};

statements! {
    SENT = "SELECT channel FROM deliveries WHERE user_id = $1 AND event_id = $2 AND sent_at IS NOT NULL";
    /// Counts an attempt, unless one succeeded before.
    TRIED = "INSERT INTO deliveries (user_id, event_id, channel, attempts, tried_at, sent_at) VALUES ($1, $2, $3, 1, $4, $5) \
        ON CONFLICT (user_id, event_id, channel) DO UPDATE SET attempts = deliveries.attempts + 1, \
        tried_at = excluded.tried_at, sent_at = excluded.sent_at WHERE deliveries.sent_at IS NULL RETURNING attempts";
    NOTIFY = "INSERT INTO notifications (user_id, event_id, task_id, body, created_at) VALUES ($1, $2, $3, $4, $5)";
    NEWEST = "SELECT event_id, task_id, body, created_at FROM notifications WHERE user_id = $1 \
        ORDER BY created_at DESC, event_id DESC LIMIT $2";
}

/// A reminder that a person was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The event `reminder.due` that it tells of.
    pub event_id: String,
    /// The task to be reminded of.
    pub task_id: TaskId,
    /// The event's payload: a JSON object.
    pub body: String,
    /// When it was shown.
    pub created_at: Timestamp,
}

/// The channels over which the reminder of this `reminder.due` was sent.
pub async fn sent_over(tx: &mut Transaction, event_id: &str) -> Result<Vec<String>, Error> {
    let rows = tx.rows(SENT, vec![tx.user(), event_id.into()]).await?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

/// Puts the reminder of this `reminder.due` among the person's notifications and tells open pages, once.
pub async fn show(tx: &mut Transaction, due: &Event) -> Result<(), Error> {
    let Some(attempts) = tried(tx, due, Channel::InApp, Some(tx.now())).await? else { return Ok(()) };
    let parameters = vec![
        tx.user(),
        due.event_id.as_str().into(),
        due.task_id.map(|id| id.0).into(),
        due.payload.to_string().into(),
        tx.now().into(),
    ];
    tx.execute(NOTIFY, parameters).await?;
    let shown = Event::reminder_shown(due, tx.now());
    let sent = Event::reminder_sent(due, Channel::InApp, attempts, tx.now());
    outbox::write(tx, &[shown, sent]).await
}

/// Notes that the reminder of this `reminder.due` was sent over that channel, and tells so, once.
pub async fn sent(tx: &mut Transaction, due: &Event, channel: Channel) -> Result<(), Error> {
    let Some(attempts) = tried(tx, due, channel, Some(tx.now())).await? else { return Ok(()) };
    let sent = Event::reminder_sent(due, channel, attempts, tx.now());
    outbox::write(tx, &[sent]).await
}

/// Notes that an attempt at sending the reminder of this `reminder.due` over that channel failed, and gives the number of attempts. The
/// attempt number `most` is told as the failure.
pub async fn failed(tx: &mut Transaction, due: &Event, channel: Channel, most: u32) -> Result<u32, Error> {
    let Some(attempts) = tried(tx, due, channel, None).await? else { return Ok(0) };
    if attempts == most {
        let failed = Event::reminder_failed(due, channel, attempts, tx.now());
        outbox::write(tx, &[failed]).await?;
    }
    Ok(attempts)
}

/// The person's notifications, newest first.
pub async fn notifications(tx: &mut Transaction, limit: usize) -> Result<Vec<Notification>, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let notification = |mut row: Row| {
        Ok(Notification {
            event_id: row.text()?,
            task_id: TaskId(row.integer()?),
            body: row.text()?,
            created_at: row.instant()?,
        })
    };
    let rows = tx.rows(NEWEST, vec![tx.user(), limit.into()]).await?;
    rows.into_iter().map(notification).collect()
}

/// The number of this attempt; `None` when it was sent before.
async fn tried(
    tx: &mut Transaction,
    due: &Event,
    channel: Channel,
    sent_at: Option<Timestamp>,
) -> Result<Option<u32>, Error> {
    let sent_at: Value = sent_at.map(|at| at.as_millisecond()).into();
    let parameters =
        vec![tx.user(), due.event_id.as_str().into(), channel.as_str().into(), tx.now().into(), sent_at];
    let Some(mut row) = tx.row(TRIED, parameters).await? else { return Ok(None) };
    Ok(Some(u32::try_from(row.integer()?).unwrap_or(u32::MAX)))
}
