//! Clearing away updates that are too old, so that those who would need them are told so: the head notes how far.

use jiff::{SignedDuration, Timestamp};

use crate::statements::statements;
use crate::{Error, RelayTransaction};

/// Who was away for longer gets a snapshot.
const KEEP: SignedDuration = SignedDuration::from_hours(24);

statements! {
    /// Whose updates are too old, and up to which one. What stands before that one is as old, but for the difference of two clocks.
    OLD = "SELECT user_id, MAX(update_offset) FROM \
        (SELECT user_id, update_offset FROM updates WHERE pushed_at < $1 ORDER BY pushed_at LIMIT $2) AS old GROUP BY user_id";
    CUT = "UPDATE update_heads SET cut_offset = $1 WHERE user_id = $2 AND cut_offset < $1";
    REMOVE = "DELETE FROM updates WHERE user_id = $1 AND update_offset <= $2";
}

impl RelayTransaction {
    /// Removes updates that are older than a day, about `limit` at once.
    pub async fn clear_updates(&mut self, limit: usize) -> Result<(), Error> {
        let before = self.now().saturating_sub(KEEP).unwrap_or(Timestamp::MIN);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        for mut row in self.work.rows(OLD, vec![before.into(), limit.into()]).await? {
            let (user_id, offset) = (row.text()?, row.integer()?);
            self.work.execute(CUT, vec![offset.into(), user_id.as_str().into()]).await?;
            self.work.execute(REMOVE, vec![user_id.into(), offset.into()]).await?;
        }
        Ok(())
    }
}
