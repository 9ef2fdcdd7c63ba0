//! An event on the way to a consumer, or with a job: verified, and with all that is needed to act on it.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value;
use todo_events::{Event, Incoming, Malformed, Origin};
use todo_identity::Tenant;
use todo_store::{Transaction, inbox};

use crate::{Consumer, Delivery, Error, SendError, Server, Sidecar};

/// A verified event.
pub struct Received<'a> {
    /// The event.
    pub event: &'a Event,
    pub(crate) incoming: &'a Incoming,
    pub(crate) tenant: &'a Tenant,
    pub(crate) function: &'static str,
    pub(crate) server: &'a Server,
}

impl Received<'_> {
    /// Begins a transaction of the person the event was signed for. What is written in it comes from this function, in the event's trace.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let mut tx = self.server.database.begin(self.tenant).await?;
        tx.set_origin(self.origin());
        if self.server.publisher.is_some() {
            tx.want_lease();
        }
        Ok(tx)
    }

    /// Commits it, and publishes the events that were written in it, after the answer.
    pub async fn commit(&self, tx: Transaction) -> Result<(), Error> {
        let lease = tx.commit_to_publish().await?;
        if let (Some(publisher), Some(lease)) = (&self.server.publisher, lease) {
            publisher.publish_later(self.function, &self.server.database, lease);
        }
        Ok(())
    }

    /// One transaction: the inbox, and the effect if the event is new there.
    pub async fn once<C: Consumer>(&self) -> Result<(), Error> {
        Self::all_once::<C>(std::slice::from_ref(self)).await
    }

    /// The same for several events of one person, in one transaction.
    pub(crate) async fn all_once<C: Consumer>(events: &[Self]) -> Result<(), Error> {
        let Some(first) = events.first() else { return Ok(()) };
        let mut tx = first.begin().await?;
        let ids: Vec<&str> = events.iter().map(|received| received.event.event_id.as_str()).collect();
        let mut new = inbox::receive_all(&mut tx, C::NAME, &ids).await?;
        if new.is_empty() {
            return Ok(());
        }
        for received in events {
            // One may stand there twice.
            if new.remove(&received.event.event_id) {
                tx.set_origin(received.origin());
                C::handle(&mut received.delivery(&mut tx)).await?;
            }
        }
        first.commit(tx).await
    }

    /// The sidecar, for effects outside the database.
    pub fn sidecar(&self) -> Result<&Sidecar, Error> {
        self.server.sidecar.as_ref().ok_or(Error::Unset("dapr_url"))
    }

    /// A variable that this function alone is told ([`Consumer::VARIABLES`]).
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.server.variables.get(name)
    }

    /// The W3C trace that the event belongs to.
    pub fn traceparent(&self) -> Option<&str> {
        self.incoming.traceparent()
    }

    /// An event of this function's in the same trace, signed as it goes out: for what carries one elsewhere than to a broker.
    pub fn sign(&self, event: &Event) -> Result<Value, Error> {
        let publisher = self.server.publisher.as_ref().ok_or(Error::Unset("event_key"))?;
        let signed = publisher.sign(&event.cloud_event(&self.origin()).to_string())?;
        serde_json::from_slice(&signed).map_err(|_| Malformed::Json.into())
    }

    /// Sends a request to a server that is not ours, as far as the manifest lets the function out, and gives the status. Redirects
    /// are not followed, and what else is answered is not read.
    pub async fn send(&self, request: Request<Bytes>, deadline: Duration) -> Result<StatusCode, SendError> {
        self.server.client.status(request, deadline).await
    }

    pub(crate) fn delivery<'b>(&'b self, tx: &'b mut Transaction) -> Delivery<'b> {
        let sidecar = self.server.sidecar.as_ref();
        Delivery { tx, event: self.event, incoming: self.incoming, sidecar }
    }

    fn origin(&self) -> Origin {
        Origin { source: self.function.to_owned(), traceparent: self.traceparent().map(str::to_owned) }
    }
}
