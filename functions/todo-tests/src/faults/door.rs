//! Where something answers that may be killed and is then somewhere else.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How long to wait for a call at most: some tools are called seldom.
const CALL: Duration = Duration::from_secs(2);

/// Of the side that opens and shuts it.
#[derive(Default)]
pub struct Door {
    address: watch::Sender<Option<String>>,
    knocked: Arc<Notify>,
}

/// Of the side that goes in.
#[derive(Clone)]
pub struct Visitor {
    address: watch::Receiver<Option<String>>,
    knocked: Arc<Notify>,
}

impl Door {
    pub fn open(&self, address: String) {
        self.address.send_replace(Some(address));
    }

    pub fn shut(&self) {
        self.address.send_replace(None);
    }

    pub fn visitor(&self) -> Visitor {
        Visitor { address: self.address.subscribe(), knocked: self.knocked.clone() }
    }
}

impl Visitor {
    /// The address, as soon as there is one; whoever asks for it calls at once.
    pub async fn enter(&mut self) -> Option<String> {
        let address = self.address.wait_for(Option::is_some).await.ok()?.clone();
        self.knocked.notify_waiters();
        address
    }

    /// Until somebody enters, or a while.
    pub async fn someone_enters(&self) {
        let _ = timeout(CALL, self.knocked.notified()).await;
    }
}
