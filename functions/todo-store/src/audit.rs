//! All events of a person, in a chain: what was recorded cannot be changed, left out or put in between without it showing.
//!
//! Each entry holds the hash of the one before and its own, the SHA-256 (in hexadecimal digits) of that text followed by the entry as
//! JSON in the form of RFC 8785: its members in alphabetical order, no spaces, numbers as integers. `audit_heads` says where the
//! chain ends, so that the last entries cannot be cut off unseen, and where it begins once old entries have been removed
//! ([`RelayTransaction::cut_audit`]). A chain proves nothing against somebody who can rewrite all of it; who fears that notes the
//! [`Report::last_hash`] elsewhere from time to time.
//!
//! [`RelayTransaction::cut_audit`]: crate::RelayTransaction::cut_audit

mod retention;
mod verify;

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

#[cfg(not(target_family = "wasm"))]
use crate::OperatorTransaction;
use crate::database::Work;
use crate::statements::statements;
use crate::{Error, Row, Transaction, Value};

#[cfg(feature = "testing")]
pub(crate) use retention::ALL as RETENTION_STATEMENTS;
pub use verify::{Break, Report, verify};

statements! {
    /// Locks the person's chain until the end of the transaction.
    HEAD = "INSERT INTO audit_heads (user_id) VALUES ($1) \
        ON CONFLICT (user_id) DO UPDATE SET last_entry = audit_heads.last_entry RETURNING last_entry, last_hash";
    /// A trigger moves the head.
    APPEND = "INSERT INTO audit (user_id, entry, event_id, event_type, topic, sequence, occurred_at, recorded_at, body, \
        previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
        ON CONFLICT (user_id, event_id) DO NOTHING RETURNING entry";
    ENTRIES = "SELECT entry, event_id, event_type, topic, sequence, occurred_at, recorded_at, body, previous_hash, hash \
        FROM audit WHERE user_id = $1 AND entry > $2 ORDER BY entry LIMIT $3";
    CHAIN = "SELECT last_entry, last_hash, cut_entry, cut_hash, cut_sequence FROM audit_heads WHERE user_id = $1";
}

/// An event to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The event's id: one is recorded once.
    pub event_id: String,
    /// Its type.
    pub event_type: String,
    /// Its topic.
    pub topic: String,
    /// Its number among the person's events, 0 when it has none.
    pub sequence: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The CloudEvent in structured JSON, without anything secret.
    pub body: String,
}

/// An entry of a person's audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The CloudEvent in structured JSON.
    pub body: String,
    /// 1, 2, 3 … per person.
    pub entry: i64,
    /// The event's id.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// When the event happened, in milliseconds since 1970.
    pub occurred_at: i64,
    /// When it was recorded, in milliseconds since 1970.
    pub recorded_at: i64,
    /// The event's number among the person's events.
    pub sequence: i64,
    /// The event's topic.
    pub topic: String,
    /// Whose event it is.
    pub user_id: String,
    /// The hash of the entry before.
    #[serde(skip)]
    pub previous_hash: String,
    /// The hash of this entry and of the one before.
    #[serde(skip)]
    pub hash: String,
}

/// Where a chain ends.
#[derive(Clone)]
pub(crate) struct Head {
    entry: i64,
    hash: String,
}

/// Appends an event to the tenant's chain. One that stands there already is not recorded again: the answer is then `false`.
pub async fn record(tx: &mut Transaction, record: &Record) -> Result<bool, Error> {
    let head = head(tx).await?;
    let mut entry = Entry {
        body: record.body.clone(),
        entry: head.entry.saturating_add(1),
        event_id: record.event_id.clone(),
        event_type: record.event_type.clone(),
        occurred_at: record.occurred_at.as_millisecond(),
        recorded_at: tx.now().as_millisecond(),
        sequence: record.sequence,
        topic: record.topic.clone(),
        user_id: tx.user_id().to_owned(),
        previous_hash: head.hash,
        hash: String::new(),
    };
    entry.hash = entry.hash_after(&entry.previous_hash)?;
    let end = Head { entry: entry.entry, hash: entry.hash.clone() };
    let is_new = tx.row(APPEND, parameters(entry)).await?.is_some();
    if is_new {
        tx.audit_head = Some(end);
    }
    Ok(is_new)
}

/// The end of the tenant's chain, which nobody else moves until the end of the transaction.
async fn head(tx: &mut Transaction) -> Result<Head, Error> {
    if let Some(head) = &tx.audit_head {
        return Ok(head.clone());
    }
    let mut row = tx.row(HEAD, vec![tx.user()]).await?.ok_or(Error::Corrupt("head of the audit"))?;
    let head = Head { entry: row.integer()?, hash: row.text()? };
    tx.audit_head = Some(head.clone());
    Ok(head)
}

/// At most `limit` of the tenant's entries that come after number `after`, in their order.
pub async fn entries(tx: &mut Transaction, after: i64, limit: usize) -> Result<Vec<Entry>, Error> {
    let user_id = tx.user_id().to_owned();
    entries_of(tx.work(), &user_id, after, limit).await
}

#[cfg(not(target_family = "wasm"))]
impl OperatorTransaction {
    /// At most `limit` of a person's entries that come after number `after`, in their order.
    pub async fn audit_entries(
        &mut self,
        user_id: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Entry>, Error> {
        entries_of(&mut self.work, user_id, after, limit).await
    }

    /// Checks a person's whole chain.
    pub async fn verify_audit(&mut self, user_id: &str) -> Result<Report, Error> {
        verify::verify_of(&mut self.work, user_id).await
    }
}

pub(crate) async fn entries_of(
    work: &mut Work,
    user_id: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Entry>, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = work.rows(ENTRIES, vec![user_id.into(), after.into(), limit.into()]).await?;
    rows.into_iter().map(|row| entry(user_id, row)).collect()
}

impl Entry {
    fn hash_after(&self, previous: &str) -> Result<String, Error> {
        let canonical = serde_json::to_string(self).map_err(|_| Error::Corrupt("entry of the audit"))?;
        let digest = Sha256::new().chain_update(previous).chain_update(canonical).finalize();
        Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn parameters(entry: Entry) -> Vec<Value> {
    vec![
        entry.user_id.into(),
        entry.entry.into(),
        entry.event_id.into(),
        entry.event_type.into(),
        entry.topic.into(),
        entry.sequence.into(),
        entry.occurred_at.into(),
        entry.recorded_at.into(),
        entry.body.into(),
        entry.previous_hash.into(),
        entry.hash.into(),
    ]
}

fn entry(user_id: &str, mut row: Row) -> Result<Entry, Error> {
    Ok(Entry {
        user_id: user_id.to_owned(),
        entry: row.integer()?,
        event_id: row.text()?,
        event_type: row.text()?,
        topic: row.text()?,
        sequence: row.integer()?,
        occurred_at: row.integer()?,
        recorded_at: row.integer()?,
        body: row.text()?,
        previous_hash: row.text()?,
        hash: row.text()?,
    })
}
