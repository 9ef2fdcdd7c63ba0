//! `spin:sqlite`: SQLite files of the host, opened by the names that the manifest grants.
//!
//! Each open connection of a component is a connection of its own, so `BEGIN IMMEDIATE … COMMIT` on it is one
//! transaction whatever other requests do. A statement runs on a thread that may block, its rows are read whole, and
//! dropping the connection interrupts it.

mod confine;
mod database;
mod host;
mod statement;

pub use database::{Connection, Database};
