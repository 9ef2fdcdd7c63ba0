//! A consumer that does what the title of the event's task says.

use http::Method;
use todo_delivery::{Consumer, Delivery, Error, Types};
use todo_domain::NewTask;
use todo_events::EventType;
use todo_store::tasks;

pub struct Probe;

/// One that does not say that it takes several.
pub struct OneByOne;

impl Consumer for OneByOne {
    const NAME: &'static str = "event-one-by-one";
    const TYPES: Types = Types::All;
}

impl Consumer for Probe {
    const NAME: &'static str = "event-probe";
    const TYPES: Types = Types::Only(&[EventType::TaskCreated]);

    const TOGETHER: bool = true;

    async fn handle(delivery: &mut Delivery<'_>) -> Result<(), Error> {
        let title = delivery.event.task().map(|task| task.title).unwrap_or_default();
        let new = NewTask { title: format!("After {title}"), ..NewTask::default() };
        tasks::add(delivery.tx, new).await?;
        match title.as_str() {
            "impossible" => Err(Error::Impossible("it asks for what cannot be")),
            "missing" => {
                tasks::get(delivery.tx, todo_domain::TaskId(99)).await.map(drop).map_err(Error::from)
            }
            "busy" => Err(Error::Store(todo_store::Error::Busy("always".into()))),
            "defect" => Err(Error::Store(todo_store::Error::Corrupt("defect"))),
            "job" => {
                delivery.sidecar()?.publish("task-events", "ada", Vec::new()).await?;
                Ok(())
            }
            "job elsewhere" => {
                let answer =
                    delivery.sidecar()?.send(Method::POST, "/v1.0/jobs/x", "application/json", "{}").await?;
                assert_eq!(answer.status(), 404);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
