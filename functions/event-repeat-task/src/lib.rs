//! `event-repeat-task`: when a task that repeats is completed, makes the next one. Once for each completion, however often it is told:
//! the inbox knows the event, and the completed task remembers its successor (`todo_store::tasks::repeat`).

use todo_delivery::{Consumer, Delivery, Error, Types};
use todo_events::{EventType, Topic};
use todo_store::tasks;

/// The function.
pub struct RepeatTask;

impl Consumer for RepeatTask {
    const NAME: &'static str = "event-repeat-task";
    const TYPES: Types = Types::Only(&[EventType::TaskCompleted]);
    const TOGETHER: bool = true;

    async fn handle(delivery: &mut Delivery<'_>) -> Result<(), Error> {
        // The twin on `task-updates` tells pages the same.
        if delivery.event.topic != Topic::TaskEvents {
            return Ok(());
        }
        let completed = delivery.event.task_id.ok_or(Error::Impossible("a completed task has a number"))?;
        tasks::repeat(delivery.tx, completed).await?;
        Ok(())
    }
}

todo_delivery::component!(RepeatTask);
