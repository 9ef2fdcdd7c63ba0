//! `event-record-audit`: records every event of every person, once, in a chain of hashes that shows any change (`todo_store::audit`).
//!
//! What is recorded is the event as it came, with its signature, so that the tasks can be rebuilt from it; a person's token is taken
//! out. Nothing of it is logged.

use serde_json::Value;
use todo_delivery::{Consumer, Delivery, Error, Types};
use todo_store::audit::{self, Record};

/// The function.
pub struct RecordAudit;

impl Consumer for RecordAudit {
    const NAME: &'static str = "event-record-audit";
    const TYPES: Types = Types::All;
    const TOGETHER: bool = true;

    async fn handle(delivery: &mut Delivery<'_>) -> Result<(), Error> {
        let event = delivery.event;
        let record = Record {
            event_id: event.event_id.clone(),
            event_type: event.event_type.as_str().to_owned(),
            topic: event.topic.as_str().to_owned(),
            sequence: event.sequence.and_then(|number| i64::try_from(number).ok()).unwrap_or(0),
            occurred_at: event.timestamp,
            body: Value::Object(delivery.incoming.redacted()).to_string(),
        };
        audit::record(delivery.tx, &record).await?;
        Ok(())
    }
}

todo_delivery::component!(RecordAudit);
