//! `event-push-update`: writes down what open pages have to hear, for `live` to tell them.
//!
//! Each event of `task-updates` becomes a row of `updates`, in the words of the page's socket (`docs/specs/live.md`); on Postgres the
//! commit wakes every `live`. Only the row is written here: who listens, and whether anybody does, is not this function's business.

use serde::Deserialize;
use serde_json::{Value, json};
use todo_delivery::{Consumer, Delivery, Error, Types};
use todo_domain::TaskView;
use todo_events::{Event, EventType, Topic};
use todo_store::updates;

/// The consumer.
pub struct PushUpdate;

/// What `reminder.shown` tells.
#[derive(Deserialize)]
struct Shown {
    reminder_id: String,
    task: TaskView,
    remind_at: String,
}

impl Consumer for PushUpdate {
    const NAME: &'static str = "event-push-update";
    const TYPES: Types = Types::Only(&[
        EventType::TaskCreated,
        EventType::TaskUpdated,
        EventType::TaskCompleted,
        EventType::TaskReopened,
        EventType::TaskDeleted,
        EventType::ReminderShown,
    ]);
    const TOGETHER: bool = true;

    async fn handle(delivery: &mut Delivery<'_>) -> Result<(), Error> {
        // The same types travel on `task-events`, as twins that tell pages nothing more.
        if delivery.event.topic != Topic::TaskUpdates {
            return Ok(());
        }
        let sequence =
            delivery.event.sequence.and_then(|sequence| i64::try_from(sequence).ok()).unwrap_or_default();
        let message = message(delivery.event)?;
        updates::push(delivery.tx, sequence, &message.to_string()).await?;
        Ok(())
    }
}

/// The message for the page, but for where it stands, which the store decides.
fn message(event: &Event) -> Result<Value, Error> {
    if event.event_type == EventType::ReminderShown {
        let shown = Shown::deserialize(&event.payload)
            .map_err(|_| Error::Impossible("the event tells of a reminder, and not which"))?;
        return Ok(json!({
            "type": "reminder",
            "reminder_id": shown.reminder_id,
            "task_id": shown.task.id,
            "title": shown.task.title,
            "due": shown.task.due,
            "timezone": shown.task.timezone,
            "remind_at": shown.remind_at,
        }));
    }
    let deleted = event.event_type == EventType::TaskDeleted;
    Ok(json!({
        "type": "change",
        "update_type": event.event_type.as_str().rsplit('.').next(),
        "task_id": event.task_id,
        "changes": event.changes,
        "task": event.payload.get("task").filter(|_| !deleted),
    }))
}

todo_delivery::component!(PushUpdate);
