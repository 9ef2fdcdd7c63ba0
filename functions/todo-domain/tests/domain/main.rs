//! What the domain accepts, what it refuses, and how it says so.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod arguments;
mod changes;
mod due;
mod expansion;
mod remind;
mod repeat;
mod schema;
mod series;
