//! `event-send-reminder`: brings a due reminder to the person, over every channel there is.
//!
//! In the app always, then by webhook and by e-mail where they are configured. Each delivery is noted as soon as it is done, so when
//! one channel fails and the event is delivered again, the others have no second effect. No transaction is open while another server
//! is waited for. A crash between sending and noting sends again: the webhook's receiver knows it by its id.

mod channel;
mod email;
mod webhook;

use todo_delivery::{Consumer, Error, Received, Types, log};
use todo_events::{Channel, EventType};
use todo_store::reminders;

use channel::Problem;

/// The consumer.
pub struct SendReminder;

/// With Knative's backoff (0.2 s, doubled each time) a receiver has half a minute. Then the event is a dead letter, because the person's next
/// reminders wait behind it.
const MOST_ATTEMPTS: u32 = 8;

impl Consumer for SendReminder {
    const NAME: &'static str = "event-send-reminder";
    const TYPES: Types = Types::Only(&[EventType::ReminderDue]);
    const VARIABLES: &'static [&'static str] = &[webhook::URL, webhook::SECRET, email::BINDING, email::TO];

    async fn act(received: &Received<'_>) -> Result<(), Error> {
        let event = received.event;
        let due = event.due_reminder().ok_or(Error::Impossible("the event does not say what is due"))?;
        let mut tx = received.begin().await?;
        // It was in time when it was written; a minute of an outage later the task may be done.
        if !reminders::wanted(&mut tx, due.task.id, due.remind_at).await? {
            return Ok(());
        }
        reminders::show(&mut tx, event).await?;
        let sent = reminders::sent_over(&mut tx, &event.event_id).await?;
        received.commit(tx).await?;
        let mut outcome = Ok(());
        for channel in channel::configured(received) {
            if sent.iter().any(|name| name == channel.as_str()) {
                continue;
            }
            let sending = match channel {
                Channel::Email => email::send(received, &due).await,
                Channel::Webhook | Channel::InApp => webhook::send(received).await,
            };
            outcome = outcome.and(note(received, channel, sending).await?);
        }
        outcome
    }
}

/// Notes how it went, and says what that means for the event.
async fn note(
    received: &Received<'_>,
    channel: Channel,
    sending: Result<(), Problem>,
) -> Result<Result<(), Error>, Error> {
    let mut tx = received.begin().await?;
    let outcome = match sending {
        Ok(()) => {
            reminders::sent(&mut tx, received.event, channel).await?;
            Ok(())
        }
        Err(problem) => {
            log::failed(SendReminder::NAME, received.traceparent(), &problem);
            let attempts = reminders::failed(&mut tx, received.event, channel, MOST_ATTEMPTS).await?;
            Err(match attempts {
                ..MOST_ATTEMPTS => Error::Later("a channel did not take the reminder"),
                _ => Error::Impossible("a channel did not take the reminder, and was asked often enough"),
            })
        }
    };
    received.commit(tx).await?;
    Ok(outcome)
}

todo_delivery::component!(SendReminder);
