//! A reminder's way, from the change of a task to the person: `event-schedule-reminder`, `tick-fire-reminder` and
//! `event-send-reminder`, between a database, a sidecar and a webhook's receiver that take nothing that is not as it should be.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod doubles;
mod firing;
mod scheduling;
mod sending;
mod world;
