//! The host and a component that misbehaves, through the host's public interface.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod capabilities;
mod faults;
mod loading;
mod postgres;
mod requests;
mod serving;
mod sqlite;
mod world;
