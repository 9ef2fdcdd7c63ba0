//! How much a component may take.

use std::time::Duration;

/// The limits of each component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of one instance, in bytes. One that asks for more ends.
    pub memory: usize,
    /// From a request's arrival at the component to the end of its response.
    pub time: Duration,
    /// Requests worked on at once, each in an instance of its own.
    pub concurrency: usize,
    /// Requests that may wait for one of those places. The next one is told to come back.
    pub queue: usize,
    /// A request's body, in bytes.
    pub body: usize,
    /// Requests after which an instance is replaced, so that what it leaks stays small.
    pub requests_per_instance: usize,
    /// How long an instance waits for another request before its memory is given back.
    pub idle: Duration,
    /// Connections to each database, for all components together (Postgres) or for each file (SQLite).
    pub database_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            time: Duration::from_secs(30),
            concurrency: 64,
            queue: 256,
            body: 1 << 20,
            requests_per_instance: 128,
            idle: Duration::from_secs(10),
            database_connections: 16,
        }
    }
}
