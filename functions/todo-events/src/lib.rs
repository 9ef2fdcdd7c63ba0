//! What is told to the rest of the system when something happens: the catalogue of event types, their envelope, and their way out
//! and in.
//!
//! An [`Event`] is made where the change is made and written in the same transaction (the outbox of `todo-store`), as
//! [`Event::cloud_event`] has it and with its number. A change of a task makes two events: one on `task-events`, which consumers
//! act on, and its twin on `task-updates`, which open pages follow. Whatever the topic, the partition key is the person, so
//! one person's events stay in order.
//!
//! [`sign`] makes of a stored event the bytes to publish. The outbox keeps facts, not proofs: a signature is made with the key of the
//! day. Whoever receives an event reads it with [`Incoming::read`] and asks [`Incoming::verify`] whose it is:
//!
//! ```
//! # use jiff::Timestamp;
//! # use todo_events::{Event, Incoming, Origin, sign};
//! # use todo_identity::{EventKey, EventVerifier};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = EventKey::generate()?;
//! let event = Event::access_refused("alice", "bob", "another person's id", Timestamp::now());
//! let stored = event.cloud_event(&Origin::of("tool-add-task")).to_string();
//! let published = sign(&stored, &key)?;
//!
//! let verifier = EventVerifier::new(&key.public_jwks())?;
//! let (tenant, received) = Incoming::from_json(&published)?.verify(&verifier)?;
//! assert_eq!((tenant.user_id(), received), ("alice", event));
//! # Ok(())
//! # }
//! ```
//!
//! What an event looks like stands once, in `shapes.rs`: both the decoder and the documents (`docs/schemas`, by [`schema`]) come from it, and the
//! tests hold them against each other.

mod canonical;
mod catalogue;
mod envelope;
mod formats;
mod incoming;
mod rejected;
mod reminders;
mod schema;
mod shapes;
mod sign;

pub use canonical::data_sha256;
pub use catalogue::{EventType, ToolName, Topic};
pub use envelope::{DueReminder, Event, Origin, ReminderRef};
pub use incoming::{Failure, Incoming, ToolCall};
pub use rejected::{Malformed, Rejected, SignError};
pub use schema::schema;
pub use shapes::Channel;
pub use sign::sign;
