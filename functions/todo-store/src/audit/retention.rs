//! Removing what was kept long enough, so that what remains can still be checked: the head notes where the chain was cut.

use jiff::Timestamp;

use crate::statements::statements;
use crate::{Error, RelayTransaction};

statements! {
    /// Whose oldest entries are too old, and up to which one. A person's entries are recorded one after the other, so those before it
    /// are older still, but for the difference of two clocks.
    OLD = "SELECT user_id, MAX(entry) FROM \
        (SELECT user_id, entry FROM audit WHERE recorded_at < $1 ORDER BY recorded_at LIMIT $2) AS old GROUP BY user_id";
    LAST = "SELECT hash, (SELECT MAX(sequence) FROM audit WHERE user_id = $1 AND entry <= $2) \
        FROM audit WHERE user_id = $1 AND entry = $2";
    CUT = "UPDATE audit_heads SET cut_entry = $1, cut_hash = $2, \
        cut_sequence = CASE WHEN cut_sequence < $3 THEN $3 ELSE cut_sequence END, cut_at = $4 \
        WHERE user_id = $5 AND cut_entry < $1";
    /// Which triggers allow only up to the cut.
    REMOVE = "DELETE FROM audit WHERE user_id = $1 AND entry <= $2";
}

impl RelayTransaction {
    /// Removes entries of the audit that were recorded before `before`, about `limit` at once, and says whether there were any.
    pub async fn cut_audit(&mut self, before: Timestamp, limit: usize) -> Result<bool, Error> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let old = self.work.rows(OLD, vec![before.into(), limit.into()]).await?;
        let any = !old.is_empty();
        for mut row in old {
            self.cut_chain(&row.text()?, row.integer()?).await?;
        }
        Ok(any)
    }

    async fn cut_chain(&mut self, user_id: &str, entry: i64) -> Result<(), Error> {
        let last = self.work.row(LAST, vec![user_id.into(), entry.into()]).await?;
        let mut last = last.ok_or(Error::Corrupt("audit"))?;
        let (hash, sequence) = (last.text()?, last.integer()?);
        let parameters = vec![entry.into(), hash.into(), sequence.into(), self.now().into(), user_id.into()];
        self.work.execute(CUT, parameters).await?;
        self.work.execute(REMOVE, vec![user_id.into(), entry.into()]).await
    }
}
