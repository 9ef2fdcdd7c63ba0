//! Hearing of pushes on Postgres.

use serde::Deserialize;
use sqlx::postgres::{PgListener, PgPoolOptions};

use super::CHANNEL;
use crate::Error;

/// How long to try to connect before saying that the database is away.
const CONNECT: std::time::Duration = std::time::Duration::from_secs(5);

/// Something was pushed for a person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Announcement {
    /// For whom.
    pub user_id: String,
    /// Up to where; `None` when whoever announces it does not know.
    pub offset: Option<i64>,
}

/// A connection to Postgres that listens on [`CHANNEL`].
pub struct Listener {
    listener: PgListener,
}

impl Listener {
    /// Connects to `postgres://…` and listens. What is pushed from here on is heard until an error says that it may not have been.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        // Of one connection, of its own: a listener must not be handed to others.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(CONNECT)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect(url)
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        // Whoever lost a connection has to catch up, and so makes a new listener knowingly.
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(Self { listener })
    }

    /// Waits for the next announcement. May be dropped while it waits; nothing is lost by that.
    ///
    /// # Errors
    /// The connection is lost: connect anew, then look for what was pushed in between.
    pub async fn next(&mut self) -> Result<Announcement, Error> {
        loop {
            let Some(notification) = self.listener.try_recv().await? else {
                return Err(Error::unavailable("the connection that listens for updates was lost"));
            };
            // What is not ours on a channel that anybody may use is passed over.
            if let Ok(announcement) = serde_json::from_str(notification.payload()) {
                return Ok(announcement);
            }
        }
    }

    /// Asks the server for a sign of life: a connection whose other end is gone without a word stays silent for ever.
    pub async fn ping(&mut self) -> Result<(), Error> {
        sqlx::Executor::execute(&mut self.listener, "SELECT 1").await?;
        Ok(())
    }
}
