//! Jobs: `/v1.0/jobs/{name}` sets, reads and deletes them; at their times, `/job/{name}` is called on a function.
//!
//! Everything about a job stands in its row, and each attempt's outcome is written before the next: what was due while nobody ran
//! is done at the start. Differences from Dapr's Scheduler, which are all on the side of losing nothing: occurrences that were
//! missed while nobody ran are done once and not one by one, and a function that cannot be connected to costs no attempt.

mod api;
mod duration;
mod request;
mod schedule;
mod table;
mod timer;

pub(crate) use api::{Jobs, delete, read, set};
pub use schedule::Schedule;
pub(crate) use timer::{Agenda, run, standing};
