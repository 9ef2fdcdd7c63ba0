//! `event-schedule-reminder`: keeps a Dapr job for each reminder that is wanted, and none for any other.
//!
//! An event only says that a task is to be looked at. What is wanted is read from the task as it is now, so events that come late, twice
//! or in another order lead to the same jobs. The jobs are put and cancelled between two short transactions
//! (`todo-store/src/reminders.rs` says why that is safe), so a sidecar that does not answer keeps nobody from their tasks.

use todo_delivery::{Consumer, Error, Received, Types};
use todo_events::{Event, EventType};
use todo_store::reminders::{self, Plan};

/// The consumer.
pub struct ScheduleReminder;

impl Consumer for ScheduleReminder {
    const NAME: &'static str = "event-schedule-reminder";
    const TYPES: Types = Types::Only(&[
        EventType::TaskCreated,
        EventType::TaskUpdated,
        EventType::TaskCompleted,
        EventType::TaskReopened,
        EventType::TaskDeleted,
    ]);

    async fn act(received: &Received<'_>) -> Result<(), Error> {
        let Some(task_id) = received.event.task_id else { return Ok(()) };
        let mut tx = received.begin().await?;
        let plan = reminders::plan(&mut tx, task_id, received.event.timestamp).await?;
        received.commit(tx).await?;
        if plan.is_empty() {
            return Ok(());
        }
        carry_out(received, &plan).await?;
        let mut tx = received.begin().await?;
        plan.settle(&mut tx).await?;
        received.commit(tx).await
    }
}

/// New jobs come first: what breaks off in between has left a job too many, which does nothing.
async fn carry_out(received: &Received<'_>, plan: &Plan) -> Result<(), Error> {
    let sidecar = received.sidecar()?;
    let (event, now) = (received.event, received.event.timestamp);
    for job in plan.put.iter() {
        let Some(task) = &plan.task else { break };
        let scheduled =
            Event::reminder_scheduled(&event.user_id, &job.name, task, &job.remind, job.remind_at, now);
        let data = received.sign(&scheduled)?;
        sidecar.put_job(&job.name, &job.remind_at.to_string(), &data).await?;
    }
    for name in &plan.cancel {
        sidecar.cancel_job(name).await?;
    }
    Ok(())
}

todo_delivery::component!(ScheduleReminder);
