//! Events on their way to functions, by Knative's rules.
//!
//! [`Courier`] is the part that knows the rules: one event, one subscriber, as many attempts as the policy allows, and in the end
//! [`Delivery`]. It knows no log, so whatever brings events (the embedded log, or a real `daprd`) can use it. The rest
//! of this module brings them from the log: per consumer, topic and partition one `Worker` that keeps order.

mod courier;
mod event;
mod ping;
mod worker;

use std::sync::Arc;

pub(crate) use courier::since;
pub use courier::{Courier, Delivery, Failure, Local, Subscriber};
pub(crate) use event::STRUCTURED;
pub use event::{Event, EventError};
pub(crate) use ping::ping;
pub(crate) use worker::Worker;

use crate::log;
use crate::routes::{Consumer, Routes};
use crate::store::{Cursor, Store, StoreError};

/// Where one consumer goes on in one partition.
pub(crate) struct Start {
    pub consumer: Arc<Consumer>,
    pub cursor: Cursor,
    pub next: i64,
}

/// Finds out where every consumer goes on, and notes the start of those that are new.
pub(crate) async fn starts(store: &Store, routes: &Routes) -> Result<Vec<Start>, StoreError> {
    let consumers = routes.consumers.clone();
    store
        .write(move |batch| {
            let mut starts = Vec::new();
            for consumer in &consumers {
                for topic in &consumer.topics {
                    for partition in 0..log::PARTITIONS {
                        let cursor =
                            Cursor { consumer: consumer.name.clone(), topic: topic.clone(), partition };
                        let next = log::position(batch.sql, &cursor, consumer.latest)?;
                        starts.push(Start { consumer: consumer.clone(), cursor, next });
                    }
                }
            }
            Ok(starts)
        })
        .await
}
