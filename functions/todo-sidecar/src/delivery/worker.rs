//! One consumer in one partition: one event at a time, in order, or several in one request when several wait.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use rusqlite::Connection;

use super::courier::{Together, pause, since};
use super::event::STRUCTURED;
use super::{Courier, Delivery, Event, Failure, Start, Subscriber};
use crate::context::Context;
use crate::log::{self, NewRecord, Record};
use crate::observe::{About, Observation};
use crate::routes::{Consumer, Sink};
use crate::store::{Cursor, StoreError};

/// Records read at once.
const READ: usize = 64;
/// The bytes of events in one request: a quarter of what a function takes.
const BYTES: usize = 256 * 1024;

pub(crate) struct Worker {
    context: Arc<Context>,
    courier: Courier,
    consumer: Arc<Consumer>,
    cursor: Cursor,
    next: Arc<AtomicI64>,
    subscriber: Option<Subscriber>,
    /// Whether the subscriber takes several events in one request, as far as is known.
    takes_many: AtomicBool,
}

impl Worker {
    pub fn new(context: Arc<Context>, courier: Courier, start: Start, next: Arc<AtomicI64>) -> Self {
        let subscriber = match &start.consumer.sink {
            Sink::Function { name, path } => Some(Subscriber {
                url: context.settings.url(name, path),
                replies: start.consumer.replies.is_some(),
            }),
            Sink::Topic(_) => None,
        };
        let takes_many = AtomicBool::new(start.consumer.together > 1);
        Self {
            context,
            courier,
            consumer: start.consumer,
            cursor: start.cursor,
            next,
            subscriber,
            takes_many,
        }
    }

    /// Works until it is told to stop.
    pub async fn run(self) {
        let mut newest = self.context.store.tails().watch(&self.cursor.topic, self.cursor.partition);
        let stop = self.context.stop.clone();
        let mut is_new = false;
        while !stop.is_cancelled() {
            let next = self.next.load(Ordering::Relaxed);
            let seen = *newest.borrow_and_update();
            if seen < next {
                tokio::select! {
                    changed = newest.changed() => if changed.is_err() { return },
                    () = stop.cancelled() => return,
                }
                is_new = true;
                continue;
            }
            match self.read(next, std::mem::take(&mut is_new)).await {
                // Retention was faster.
                Ok(records) if records.is_empty() => self.passed(seen),
                Ok(records) => self.work(records).await,
                Err(error) => {
                    tracing::error!(consumer = &*self.consumer.name, "cannot read the log: {error}");
                    pause(&stop).await;
                }
            }
        }
    }

    /// Reads what was written a moment ago here, where it takes less time than to wake another thread; older records come from the disk.
    async fn read(&self, next: i64, is_new: bool) -> Result<Vec<Record>, StoreError> {
        let store = &self.context.store;
        let cursor = self.cursor.clone();
        let query = move |sql: &Connection| log::read(sql, &cursor.topic, cursor.partition, next, READ);
        if is_new { store.read_here(query) } else { store.read(query).await }
    }

    async fn work(&self, records: Vec<Record>) {
        let mut records = VecDeque::from(records);
        // Those that were not taken together are to be tried one by one.
        let mut alone = 0;
        while !self.context.stop.is_cancelled() {
            if alone == 0 {
                match self.deliver_together(records.make_contiguous()).await {
                    Ok(delivered) => _ = records.drain(..delivered),
                    Err(failed) => alone = failed,
                }
            }
            if alone == 0 {
                continue;
            }
            let Some(record) = records.pop_front() else { return };
            let offset = record.offset;
            // A record that could not be dealt with stays the next one.
            if !self.handle(record).await {
                return;
            }
            self.next.store(offset + 1, Ordering::Relaxed);
            alone -= 1;
        }
    }

    /// Delivers the first of these records in one request: how many were, or how many are to be delivered one by one.
    async fn deliver_together(&self, records: &[Record]) -> Result<usize, usize> {
        let Some(subscriber) = self.subscriber.as_ref().filter(|_| self.takes_many.load(Ordering::Relaxed))
        else {
            return Err(records.len().max(1));
        };
        if records.len() < 2 {
            return Err(1);
        }
        let mut bytes = 0;
        let together: Vec<_> = records
            .iter()
            .take(self.consumer.together)
            .map_while(|record| {
                bytes += record.body.len();
                let event = Event::in_record(record).filter(|_| bytes <= BYTES)?;
                self.consumer.filter.admits(&event).then_some((record, event))
            })
            .collect();
        let [.., (last, _)] = &together[..] else { return Err(1) };
        if together.len() == 1 {
            return Err(1);
        }
        let bodies: Vec<&[u8]> = together.iter().map(|(record, _)| record.body.as_slice()).collect();
        match self.courier.deliver_together(&bodies, subscriber, self.consumer.policy.timeout).await {
            Together::Delivered => {}
            Together::Failed => return Err(together.len()),
            Together::Unwanted => {
                self.takes_many.store(false, Ordering::Relaxed);
                return Err(together.len());
            }
        }
        self.passed(last.offset);
        for (record, event) in &together {
            let about = About::of(event, self.cursor.topic.clone(), self.consumer.name.clone());
            let latency = since(record.published_at);
            self.context.observers.tell(Observation::Delivered { about, attempt: 1, latency });
        }
        Ok(together.len())
    }

    /// Deals with one record; false when it was left for later.
    async fn handle(&self, record: Record) -> bool {
        let Cursor { topic, partition, .. } = &self.cursor;
        let event = Event::of_record(&record, &self.consumer.name, topic, *partition);
        if !self.consumer.filter.admits(&event) {
            self.passed(record.offset);
            return true;
        }
        match (&self.consumer.sink, &self.subscriber) {
            (Sink::Topic(to), _) => self.forward(record, to).await,
            (Sink::Function { .. }, Some(subscriber)) => self.deliver(record, event, subscriber).await,
            (Sink::Function { .. }, None) => false,
        }
    }

    async fn deliver(&self, record: Record, event: Event, subscriber: &Subscriber) -> bool {
        let about = About::of(&event, self.cursor.topic.clone(), self.consumer.name.clone());
        let tell = |observation| self.context.observers.tell(observation);
        let delivery = self
            .courier
            .deliver(
                &event,
                subscriber,
                &self.consumer.policy,
                &self.context.stop,
                |attempt, status, wait| {
                    tell(Observation::Retried { about: about.clone(), attempt, status, wait });
                },
            )
            .await;
        match delivery {
            Delivery::Stopped => false,
            Delivery::Delivered { reply, attempts } => {
                let done = match (reply, &self.consumer.replies) {
                    (Some(reply), Some(topic)) => self.append(&record, topic, &reply).await,
                    _ => {
                        self.passed(record.offset);
                        true
                    }
                };
                let latency = since(record.published_at);
                tell(Observation::Delivered { about, attempt: attempts, latency });
                done
            }
            Delivery::DeadLetter(failure) => {
                tell(Observation::DeadLettered { about, attempts: failure.attempts, status: failure.status });
                self.bury(&record, &event, &failure).await
            }
        }
    }

    async fn bury(&self, record: &Record, event: &Event, failure: &Failure) -> bool {
        let Some(topic) = &self.consumer.dead_letters else {
            tracing::error!(consumer = &*self.consumer.name, status = failure.status, "an event was dropped");
            self.passed(record.offset);
            return true;
        };
        self.append(record, topic, &failure.letter(event)).await
    }

    /// Appends an event that follows from `record`, with its key.
    async fn append(&self, record: &Record, topic: &str, event: &Event) -> bool {
        let key = event.attribute("partitionkey").map(str::to_owned).or_else(|| record.key.clone());
        let content_type = Some(STRUCTURED.to_owned());
        let follows = NewRecord { topic: topic.to_owned(), key, content_type, body: event.to_structured() };
        self.write(record.offset, follows).await
    }

    async fn forward(&self, record: Record, topic: &str) -> bool {
        let Record { offset, key, content_type, body, .. } = record;
        self.write(offset, NewRecord { topic: topic.to_owned(), key, content_type, body }).await
    }

    /// What follows from a record and the step past it are one transaction: neither is ever without the other.
    async fn write(&self, offset: i64, follows: NewRecord) -> bool {
        let cursor = self.cursor.clone();
        let written = self.context.store.write(move |batch| -> Result<(), StoreError> {
            log::append(batch, &follows)?;
            Ok(log::advance(batch.sql, &cursor, offset + 1)?)
        });
        match written.await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(
                    consumer = &*self.consumer.name,
                    "cannot write what follows from an event: {error}"
                );
                pause(&self.context.stop).await;
                false
            }
        }
    }

    fn passed(&self, offset: i64) {
        self.next.fetch_max(offset + 1, Ordering::Relaxed);
        self.context.store.advance(self.cursor.clone(), offset + 1);
    }
}
