//! What is told to the rest of the system when something happens: the catalogue of event types and their envelope.
//!
//! An [`Event`] is made where the change is made and written in the same transaction (the outbox of `todo-store`); what is
//! published later is exactly [`Event::cloud_event`]. A change of a task makes two events: one on `task-events`, which consumers
//! act on, and its twin on `task-updates`, which open pages follow. Whatever the topic, the partition key is the person, so
//! one person's events stay in order.
//!
//! The signature of an event is added when it is published, not here: the outbox keeps facts, not proofs.

mod catalogue;
mod envelope;

pub use catalogue::{EventType, Topic};
pub use envelope::{Event, Origin};
