//! What open pages have to hear, kept for a day: `event-push-update` writes it, `live` reads it.
//!
//! An offset is a place in what was pushed for one person. Pushing takes the person's row of `update_heads` first, which stays locked
//! until the commit: offsets ascend in the order of the commits, so whoever has read up to one has missed nothing before it. It is
//! the event's own number wherever events come in order. One that comes late (a dead letter that was sent again) gets the next
//! number instead; `sequence` then tells how old it is.

mod clearing;
#[cfg(not(target_family = "wasm"))]
mod listener;

use crate::statements::statements;
use crate::{Dialect, Error, Row, Transaction};

#[cfg(feature = "testing")]
pub(crate) use clearing::ALL as CLEARING_STATEMENTS;
#[cfg(not(target_family = "wasm"))]
pub use listener::{Announcement, Listener};

/// The channel of Postgres on which each push is announced: whose and how far, never what.
pub const CHANNEL: &str = "todo_live";

statements! {
    NEXT = "INSERT INTO update_heads (user_id, last_offset) VALUES ($1, $2) \
        ON CONFLICT (user_id) DO UPDATE SET last_offset = CASE \
        WHEN excluded.last_offset > update_heads.last_offset THEN excluded.last_offset \
        ELSE update_heads.last_offset + 1 END RETURNING last_offset";
    PUSH = "INSERT INTO updates (user_id, update_offset, sequence, body, pushed_at) VALUES ($1, $2, $3, $4, $5)";
    AFTER = "SELECT update_offset, sequence, body FROM updates WHERE user_id = $1 AND update_offset > $2 \
        ORDER BY update_offset LIMIT $3";
    HEAD = "SELECT (SELECT last_offset FROM update_heads WHERE user_id = $1), \
        (SELECT cut_offset FROM update_heads WHERE user_id = $1), (SELECT last_event FROM users WHERE user_id = $1)";
}

/// Beyond all numbers that are given out; what a browser still counts exactly.
const HIGHEST: i64 = 1 << 52;

/// Heard by every listener when the transaction commits, and by nobody when it does not.
const ANNOUNCE: &str = "SELECT pg_notify('todo_live', $1)";

/// One thing that open pages have to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Its place among this person's updates, ascending.
    pub offset: i64,
    /// The number of the event it tells of.
    pub sequence: i64,
    /// A JSON object, as it was pushed.
    pub body: String,
}

/// How far a person's updates go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The offset of the last one; 0 before the first.
    pub offset: i64,
    /// Up to here they have been cleared away.
    pub cut: i64,
    /// The number of the last event whose change is in the tasks, which may be ahead of what was pushed.
    pub sequence: i64,
}

/// Writes what the event of this number has to tell (`body`, a JSON object) and gives its offset. On Postgres the commit announces
/// it on [`CHANNEL`].
pub async fn push(tx: &mut Transaction, sequence: i64, body: &str) -> Result<i64, Error> {
    // 0 stands for "nothing seen yet"; and the number is not signed, so whatever it claims, there must be room behind it.
    let next = tx.row(NEXT, vec![tx.user(), sequence.clamp(1, HIGHEST).into()]).await?;
    let offset = next.ok_or(Error::Corrupt("offset"))?.integer()?;
    let parameters = vec![tx.user(), offset.into(), sequence.into(), body.into(), tx.now().into()];
    tx.execute(PUSH, parameters).await?;
    if tx.dialect() == Dialect::Postgres {
        let whose = serde_json::json!({ "user_id": tx.user_id(), "offset": offset });
        tx.execute(ANNOUNCE, vec![whose.to_string().into()]).await?;
    }
    Ok(offset)
}

/// The updates behind an offset, oldest first, at most `limit`.
pub async fn after(tx: &mut Transaction, offset: i64, limit: usize) -> Result<Vec<Update>, Error> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.rows(AFTER, vec![tx.user(), offset.into(), limit.into()]).await?;
    let update = |mut row: Row| -> Result<Update, Error> {
        Ok(Update { offset: row.integer()?, sequence: row.integer()?, body: row.text()? })
    };
    rows.into_iter().map(update).collect()
}

/// How far the updates go at this moment.
///
/// A snapshot asks this first and then for the tasks, a resumption asks for the updates first and then this: either way what
/// happens between two statements is told once too often and never once too little.
pub async fn head(tx: &mut Transaction) -> Result<Head, Error> {
    let mut row = tx.row(HEAD, vec![tx.user()]).await?.ok_or(Error::Corrupt("head"))?;
    let mut number = || -> Result<i64, Error> { Ok(row.optional_integer()?.unwrap_or_default()) };
    Ok(Head { offset: number()?, cut: number()?, sequence: number()? })
}
