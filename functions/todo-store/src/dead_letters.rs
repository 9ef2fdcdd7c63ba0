//! Events that could not be handled, until somebody decides: a component keeps them, the operator's commands do the rest.
//!
//! No tenant's transaction sees them: what is unsigned or unreadable is nobody's.

#[cfg(not(target_family = "wasm"))]
mod operator;

#[cfg(feature = "testing")]
pub(crate) use operator::statements as operator_statements;
#[cfg(not(target_family = "wasm"))]
pub use operator::{Filter, Kept, Place};

use crate::statements::statements;
use crate::{Error, RelayTransaction};

statements! {
    /// The first copy stays; one that comes again says how it fared this time. Not by `excluded`, which one must be allowed to read.
    KEEP = "INSERT INTO dead_letters (consumer, path, digest, event_id, event_type, topic, user_id, status, reason, body, \
        attempts, first_at, last_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $11) \
        ON CONFLICT (consumer, digest) DO UPDATE SET status = $8, reason = $9, \
        attempts = dead_letters.attempts + 1, last_at = $11";
}

/// What is to be kept. Texts are short and without control characters, but for the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The function that did not handle it.
    pub consumer: String,
    /// At which path of it; starts with `/`.
    pub path: String,
    /// The same for a consumer's every copy of an event, another for any other event.
    pub digest: String,
    /// The event's id.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// The topic that such events travel on; empty when it cannot be told.
    pub topic: String,
    /// Whose it is, if its signature says so.
    pub user_id: Option<String>,
    /// What the consumer answered last; `None` when nothing.
    pub status: Option<u16>,
    /// Why it was not handled, in our own words.
    pub reason: String,
    /// JSON: the CloudEvent without anything secret, or what came instead of one.
    pub body: String,
}

impl RelayTransaction {
    /// Keeps an event. One that is kept already is counted.
    pub async fn keep_dead_letter(&mut self, letter: &DeadLetter) -> Result<(), Error> {
        let parameters = vec![
            letter.consumer.as_str().into(),
            letter.path.as_str().into(),
            letter.digest.as_str().into(),
            letter.event_id.as_str().into(),
            letter.event_type.as_str().into(),
            letter.topic.as_str().into(),
            letter.user_id.clone().into(),
            letter.status.map(i64::from).into(),
            letter.reason.as_str().into(),
            letter.body.as_str().into(),
            self.now().into(),
        ];
        self.work.execute(KEEP, parameters).await
    }
}
