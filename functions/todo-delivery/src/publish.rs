//! Sending one person's events, in the order of their numbers, as the holder of the person's lease.

use std::sync::Arc;
use std::time::{Duration, Instant};

use todo_events::{SignError, sign};
use todo_identity::EventKey;
use todo_store::outbox::{Batch, End, Lease, Settled, Waiting};
use todo_store::{Database, Error};

use crate::{Sidecar, SidecarError, log};

/// Events read at once: a few megabytes at most.
const BATCH: usize = 64;

/// A lease lasts 30 s and is renewed with each batch: one that takes long ends early, so that it cannot run out.
const BATCH_TIME: Duration = Duration::from_secs(10);

/// How long an instance that has answered goes on publishing. The rest is the relay's.
const AFTER_AN_ANSWER: Duration = Duration::from_secs(10);

/// Publishes events: the sidecar they go to, and the key that signs them. Cloning it is cheap.
#[derive(Clone)]
pub struct Publisher {
    sidecar: Sidecar,
    key: Arc<EventKey>,
}

/// What a publisher did with its lease.
#[derive(Debug, Default)]
pub struct Published {
    /// Events that the broker has now.
    pub sent: usize,
    /// Events that were set aside because they can never be published.
    pub set_aside: usize,
    /// Why it ended early.
    pub failure: Option<SidecarError>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("sidecar", &self.sidecar).finish_non_exhaustive()
    }
}

impl Publisher {
    /// A publisher through this sidecar.
    pub fn new(sidecar: Sidecar, key: EventKey) -> Self {
        Self { sidecar, key: Arc::new(key) }
    }

    /// The event, signed: what goes to a broker, or with a job.
    pub fn sign(&self, body: &str) -> Result<Vec<u8>, SignError> {
        sign(body, &self.key)
    }

    /// Publishes in the background, after the answer that is about to be given. A failure is logged in `function`'s name.
    pub fn publish_later(&self, function: &str, database: &Database, lease: Lease) {
        let (publisher, database, function) = (self.clone(), database.clone(), function.to_owned());
        spawn(async move {
            match publisher.publish_person(&function, &database, lease, AFTER_AN_ANSWER).await {
                Ok(Published { failure: Some(failure), .. }) => log::failed(&function, None, &failure),
                Ok(_) => {}
                Err(error) => log::failed(&function, None, &error),
            }
        });
    }

    /// Publishes what waits of one person, and what is written meanwhile, for about as long as `patience`.
    ///
    /// # Errors
    ///
    /// Of the database: nobody knows then which events were sent, the lease runs out, and the relay sends them, some of them again.
    pub async fn publish_person(
        &self,
        function: &str,
        database: &Database,
        mut lease: Lease,
        patience: Duration,
    ) -> Result<Published, Error> {
        let started = Instant::now();
        let mut published = Published::default();
        loop {
            let events = lease.waiting(database, BATCH).await?;
            let left = patience.saturating_sub(started.elapsed());
            let (mut batch, failure) = self.publish_batch(function, lease.user_id(), &events, left).await;
            if batch.end == End::Complete && events.len() == BATCH {
                batch.end = End::More;
            }
            published.sent += batch.sent.len();
            published.set_aside += batch.set_aside.len();
            published.failure = failure;
            if lease.settle(database, &batch).await? != Settled::MoreWaiting {
                return Ok(published);
            }
        }
    }

    async fn publish_batch(
        &self,
        function: &str,
        user_id: &str,
        events: &[Waiting],
        left: Duration,
    ) -> (Batch, Option<SidecarError>) {
        let started = Instant::now();
        let mut batch = Batch::default();
        for event in events {
            if started.elapsed() >= left.min(BATCH_TIME) {
                batch.end = if started.elapsed() >= left { End::OutOfTime } else { End::More };
                break;
            }
            match self.publish(user_id, event).await {
                Ok(()) => batch.sent.push(event.event_id.clone()),
                Err(Refusal::Event(problem)) => {
                    log::failed(function, None, &*problem);
                    batch.set_aside.push((event.event_id.clone(), problem.to_string()));
                }
                Err(Refusal::Broker(failure)) => {
                    batch.end = End::Failed;
                    return (batch, Some(failure));
                }
            }
        }
        (batch, None)
    }

    async fn publish(&self, user_id: &str, event: &Waiting) -> Result<(), Refusal> {
        let signed = self.sign(&event.body).map_err(|error| Refusal::Event(error.into()))?;
        self.sidecar.publish(&event.topic, user_id, signed).await.map_err(|error| {
            if error.is_final() { Refusal::Event(error.into()) } else { Refusal::Broker(error) }
        })
    }
}

/// What an event was refused for.
enum Refusal {
    /// For itself: it will never be taken.
    Event(Box<dyn std::error::Error + Send + Sync>),
    /// For nothing of its own: it is taken another time.
    Broker(SidecarError),
}

#[cfg(target_family = "wasm")]
fn spawn(work: impl Future<Output = ()> + 'static) {
    spin_sdk::wasip3::spawn(work);
}

#[cfg(not(target_family = "wasm"))]
fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}
