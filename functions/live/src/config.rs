use std::sync::Arc;
use std::time::Duration;

use chat::People;
use todo_store::Database;

use crate::Feed;

/// Everything `live` needs to know. It reads no environment variables: the binary fills this in.
pub struct Config {
    /// Who knows people by their tokens.
    pub people: Arc<People>,
    /// Tasks and updates; migrated already.
    pub database: Database,
    /// Where to hear that something was pushed.
    pub feed: Feed,
    /// Web origins (`https://app.example.com`) whose pages may connect beside those of our own.
    pub allowed_origins: Vec<String>,
    /// How much of everything.
    pub limits: Limits,
}

/// Every limit has a default that suits one small machine.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Sockets of one person at once in this process; another is closed with 4000.
    pub sockets_per_person: usize,
    /// Messages that wait for one socket; with one more it is closed with 1013.
    pub queue: usize,
    /// Updates that a socket may have missed; with more it gets a snapshot instead.
    pub catch_up: usize,
    /// Between two heartbeats.
    pub heartbeat: Duration,
    /// A socket that acknowledged nothing for this long is closed with 1013.
    pub silence: Duration,
    /// How long sockets may take to say goodbye after the signal to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sockets_per_person: 16,
            queue: 256,
            catch_up: 1_000,
            heartbeat: Duration::from_secs(20),
            silence: Duration::from_secs(60),
            drain: Duration::from_secs(5),
        }
    }
}
