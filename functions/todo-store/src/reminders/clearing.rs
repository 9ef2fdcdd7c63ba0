//! Clearing away what was shown and sent long ago.

use jiff::{SignedDuration, Timestamp};

use crate::statements::statements;
use crate::{Error, RelayTransaction};

/// As long as the inbox: a reminder that is delivered again later than that would be sent again.
const KEEP: SignedDuration = SignedDuration::from_hours(30 * 24);

statements! {
    CLEAR_NOTIFICATIONS = "DELETE FROM notifications WHERE created_at <= (SELECT MAX(created_at) FROM \
        (SELECT created_at FROM notifications WHERE created_at < $1 ORDER BY created_at LIMIT $2) AS old)";
    CLEAR_DELIVERIES = "DELETE FROM deliveries WHERE tried_at <= (SELECT MAX(tried_at) FROM \
        (SELECT tried_at FROM deliveries WHERE tried_at < $1 ORDER BY tried_at LIMIT $2) AS old)";
}

impl RelayTransaction {
    /// Removes about `limit` each of the notifications and deliveries that are older than 30 days.
    pub async fn clear_reminders(&mut self, limit: usize) -> Result<(), Error> {
        let before = self.now().saturating_sub(KEEP).unwrap_or(Timestamp::MIN);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        for statement in [CLEAR_NOTIFICATIONS, CLEAR_DELIVERIES] {
            self.work.execute(statement, vec![before.into(), limit.into()]).await?;
        }
        Ok(())
    }
}
