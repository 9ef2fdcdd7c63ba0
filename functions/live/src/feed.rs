//! How a process hears that something was pushed: from Postgres, or from the same process.
//!
//! Either way an announcement may be lost and one may come twice. After every gap everybody's reader is woken, which reads on from
//! where it was.

use std::sync::Arc;
use std::time::Duration;

use chat::with_sources;
use todo_store::Error;
use todo_store::updates::{Announcement, Listener};
use tokio::sync::broadcast;
use tokio::time::timeout;

use crate::hub::Hub;

/// After so much silence the connection is asked whether it still lives.
const QUIET: Duration = Duration::from_secs(10);
/// It must answer within this.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two attempts to connect.
const RETRY: Duration = Duration::from_millis(500);
/// Announcements that wait; with more, everybody is looked after instead.
const WAITING: usize = 1024;

/// Where to hear that something was pushed.
pub struct Feed(Source);

enum Source {
    Postgres(String),
    InProcess(broadcast::Receiver<Option<Announcement>>),
}

impl Feed {
    /// What the commits of pushes announce on `postgres://…`, whichever process makes them.
    pub fn postgres(url: impl Into<String>) -> Self {
        Self(Source::Postgres(url.into()))
    }

    /// What the same process announces, for a database that cannot.
    pub fn in_process() -> (Announcer, Self) {
        let (announcer, announced) = broadcast::channel(WAITING);
        (Announcer(announcer), Self(Source::InProcess(announced)))
    }
}

/// Tells `live` in the same process what was pushed.
#[derive(Clone, Debug)]
pub struct Announcer(broadcast::Sender<Option<Announcement>>);

impl Announcer {
    /// Something was committed to this person's updates.
    pub fn announce(&self, user_id: impl Into<String>) {
        // Without `live` nobody needs to know.
        let _ = self.0.send(Some(Announcement { user_id: user_id.into(), offset: None }));
    }

    /// Something may have been committed to anybody's updates: for an announcer that has lost count.
    pub fn announce_to_all(&self) {
        let _ = self.0.send(None);
    }
}

/// Wakes the readers of those for whom something was pushed, for ever.
pub(crate) async fn follow(feed: Feed, hub: Arc<Hub>) {
    match feed.0 {
        Source::Postgres(url) => loop {
            if let Err(error) = listen(&url, &hub).await {
                tracing::warn!(error = with_sources(&error), "not hearing of updates; connecting again");
            }
            hub.set_listening(false);
            tokio::time::sleep(RETRY).await;
        },
        Source::InProcess(announced) => hear(announced, &hub).await,
    }
}

/// Listens until the connection is lost.
async fn listen(url: &str, hub: &Hub) -> Result<(), Error> {
    let mut listener = Listener::connect(url).await?;
    hub.set_listening(true);
    hub.announce_to_all();
    loop {
        match timeout(QUIET, listener.next()).await {
            Ok(announcement) => hub.announce(&announcement?),
            Err(_) => match timeout(PATIENCE, listener.ping()).await {
                Ok(alive) => alive?,
                Err(_) => return Ok(()),
            },
        }
    }
}

async fn hear(mut announced: broadcast::Receiver<Option<Announcement>>, hub: &Hub) {
    hub.set_listening(true);
    loop {
        match announced.recv().await {
            Ok(Some(announcement)) => hub.announce(&announcement),
            Ok(None) | Err(broadcast::error::RecvError::Lagged(_)) => hub.announce_to_all(),
            // Nothing can be pushed any more.
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}
