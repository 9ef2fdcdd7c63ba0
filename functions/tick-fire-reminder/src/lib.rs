//! `tick-fire-reminder`: Dapr calls it when the time of a reminder has come, and it says so to the rest of the system.
//!
//! A job proves nothing: it may have been forgotten by whoever was to cancel it, or come twice. So in one transaction the reminder is
//! looked up as it is now, and `reminder.due` is written if it is still wanted and was not due before.

use todo_delivery::{Delivery, Error, Job};
use todo_events::EventType;
use todo_store::reminders;

/// The function.
pub struct FireReminder;

impl Job for FireReminder {
    const NAME: &'static str = "tick-fire-reminder";
    const TYPE: EventType = EventType::ReminderScheduled;

    async fn run(delivery: &mut Delivery<'_>, name: &str) -> Result<(), Error> {
        let reminder_id = delivery.event.reminder.as_ref().map(|reminder| reminder.reminder_id.as_str());
        let Some(task_id) = delivery.event.task_id.filter(|_| reminder_id == Some(name)) else {
            return Err(Error::Impossible("the job carries another one's data"));
        };
        reminders::fire(delivery.tx, task_id, name).await?;
        Ok(())
    }
}

todo_delivery::job!(FireReminder);
