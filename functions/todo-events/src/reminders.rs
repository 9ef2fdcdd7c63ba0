//! The events of a reminder, from its job to the person.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use todo_domain::{Task, TaskView};

use crate::shapes::DuePayload;
use crate::{Channel, DueReminder, Event, EventType, ReminderRef, Topic};

impl Event {
    /// What the job of a reminder carries: signed like an event, never published. `remind` is the reminder as written.
    pub fn reminder_scheduled(
        user_id: &str,
        reminder_id: &str,
        task: &Task,
        remind: &str,
        remind_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        let payload = json!({ "remind": remind, "remind_at": remind_at.to_string() });
        of_task(EventType::ReminderScheduled, user_id, reminder_id, task, now, payload)
    }

    /// It is time to remind the person: `payload.task`, `payload.remind`, `payload.remind_at`, `payload.late_by_ms`.
    pub fn reminder_due(
        user_id: &str,
        reminder_id: &str,
        task: &Task,
        remind: &str,
        remind_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        let late_by_ms = now.duration_since(remind_at).as_millis().max(0);
        let payload = json!({
            "task": TaskView::from(task),
            "remind": remind,
            "remind_at": remind_at.to_string(),
            "late_by_ms": u64::try_from(late_by_ms).unwrap_or_default(),
        });
        of_task(EventType::ReminderDue, user_id, reminder_id, task, now, payload)
    }

    /// The reminder of this `reminder.due` reached the person over that channel, at the given attempt.
    pub fn reminder_sent(due: &Self, channel: Channel, attempts: u32, now: Timestamp) -> Self {
        due.followed(EventType::ReminderSent, Topic::Reminders, now, delivery(channel, attempts))
    }

    /// The reminder of this `reminder.due` could not be delivered over that channel, after so many attempts.
    pub fn reminder_failed(due: &Self, channel: Channel, attempts: u32, now: Timestamp) -> Self {
        due.followed(EventType::ReminderFailed, Topic::Reminders, now, delivery(channel, attempts))
    }

    /// The reminder of this `reminder.due` is among the person's notifications: open pages show it.
    pub fn reminder_shown(due: &Self, now: Timestamp) -> Self {
        let mut payload = due.payload.clone();
        if let Some(fields) = payload.as_object_mut() {
            fields.remove("late_by_ms");
            let id = due.reminder.as_ref().map(|reminder| reminder.reminder_id.as_str());
            fields.insert("reminder_id".to_owned(), id.into());
        }
        let shown = due.followed(EventType::ReminderShown, Topic::TaskUpdates, now, payload);
        Self { reminder: None, changes: Some(Map::new()), ..shown }
    }

    /// What a `reminder.due` tells; `None` of any other event.
    pub fn due_reminder(&self) -> Option<DueReminder> {
        let due = DuePayload::deserialize(&self.payload).ok()?;
        Some(DueReminder {
            task: due.task,
            remind: due.remind.0,
            remind_at: due.remind_at.0,
            late_by_ms: due.late_by_ms,
        })
    }

    fn followed(&self, event_type: EventType, topic: Topic, now: Timestamp, payload: Value) -> Self {
        Self {
            task_id: self.task_id,
            reminder: self.reminder.clone(),
            ..Self::new(event_type, topic, &self.user_id, now, payload)
        }
    }
}

fn of_task(
    event_type: EventType,
    user_id: &str,
    reminder_id: &str,
    task: &Task,
    now: Timestamp,
    payload: Value,
) -> Event {
    let due_date = task.due.as_ref().map(ToString::to_string);
    Event {
        task_id: Some(task.id),
        reminder: Some(ReminderRef { reminder_id: reminder_id.to_owned(), due_date }),
        ..Event::new(event_type, Topic::Reminders, user_id, now, payload)
    }
}

fn delivery(channel: Channel, attempts: u32) -> Value {
    json!({ "channel": channel, "attempts": attempts })
}
