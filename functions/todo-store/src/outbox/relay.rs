//! What the relay does: finds whose events were left behind, takes their leases, and clears away what has served its purpose.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{LEASE_MS, Lease, publisher_name};
use crate::statements::statements;
use crate::{Error, RelayTransaction, Value, inbox};

statements! {
    /// Who has events that wait for too long, the longest first. It reads no more than `$3` events, however many there are, so one
    /// person may come more than once.
    PEOPLE = "SELECT outbox.user_id FROM outbox JOIN users ON users.user_id = outbox.user_id \
        WHERE outbox.sent_at IS NULL AND outbox.problem IS NULL AND outbox.created_at <= $1 \
        AND (users.publishing_until IS NULL OR users.publishing_until < $2) \
        ORDER BY outbox.created_at, outbox.event_id LIMIT $3";
    TAKE = "UPDATE users SET publisher = $1, publishing_until = $2 \
        WHERE user_id = $3 AND (publishing_until IS NULL OR publishing_until < $4) RETURNING last_event";
    RECOVERED = "UPDATE publishing SET failed_at = NULL WHERE id = 1 AND failed_at <= $1";
    /// Counts no further than `$2`: after a long outage nobody wants a scrape to read a million rows.
    BACKLOG = "SELECT COUNT(*), MIN(created_at) FROM (SELECT created_at FROM outbox \
        WHERE sent_at IS NULL AND problem IS NULL AND created_at <= $1 ORDER BY created_at LIMIT $2) AS old";
    FAILING_SINCE = "SELECT failed_at FROM publishing WHERE id = $1";
    /// By the index of each consumer's letters, and no further than `$1` of them.
    UNDECIDED = "SELECT consumer, COUNT(*) FROM \
        (SELECT consumer FROM dead_letters WHERE consumer >= '' ORDER BY consumer LIMIT $1) AS old GROUP BY consumer";
    OVERDUE = "SELECT MIN(remind_at) FROM scheduled_reminders \
        WHERE fired_at IS NULL AND cancelled_at IS NULL AND remind_at <= $1";
    /// By a range, because a planner that does not know `$2` would rather read the whole table than look up each row.
    CLEAR_OUTBOX = "DELETE FROM outbox WHERE sent_at <= \
        (SELECT MAX(sent_at) FROM (SELECT sent_at FROM outbox WHERE sent_at < $1 ORDER BY sent_at LIMIT $2) AS old)";
    CLEAR_CALLS = "DELETE FROM calls WHERE created_at <= \
        (SELECT MAX(created_at) FROM (SELECT created_at FROM calls WHERE created_at < $1 ORDER BY created_at LIMIT $2) AS old)";
    CLEAR_INBOX = "DELETE FROM inbox WHERE received_at <= \
        (SELECT MAX(received_at) FROM (SELECT received_at FROM inbox WHERE received_at < $1 ORDER BY received_at LIMIT $2) AS old)";
}

/// A sent event has its copy in the broker and in the audit; a call is repeated within minutes.
const KEEP_SENT: SignedDuration = SignedDuration::from_hours(7 * 24);

const COUNT_AT_MOST: usize = 100_000;

/// What waits: to be published, for an operator, for its job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many events.
    pub events: u64,
    /// When the oldest of them was written.
    pub oldest: Option<Timestamp>,
    /// Since when publishing has failed, unless it works.
    pub failing_since: Option<Timestamp>,
    /// Dead letters that nobody has decided about, by consumer. Those with none are not there.
    pub undecided: BTreeMap<String, u64>,
    /// When the oldest reminder that has not fired was to fire, if that is over.
    pub overdue: Option<Timestamp>,
}

impl RelayTransaction {
    /// How much waits (of each kind counted up to 100 000), and since when.
    pub async fn backlog(&mut self) -> Result<Backlog, Error> {
        let parameters = vec![self.now().into(), bounded(COUNT_AT_MOST)];
        let mut counted = self.work.row(BACKLOG, parameters).await?.ok_or(Error::Corrupt("backlog"))?;
        let publishing = self.work.row(FAILING_SINCE, vec![1.into()]).await?;
        let mut publishing = publishing.ok_or(Error::Corrupt("publishing"))?;
        let mut undecided = BTreeMap::new();
        for mut row in self.work.rows(UNDECIDED, vec![bounded(COUNT_AT_MOST)]).await? {
            undecided.insert(row.text()?, row.integer()?.unsigned_abs());
        }
        let overdue = self.work.row(OVERDUE, vec![self.now().into()]).await?;
        Ok(Backlog {
            events: counted.integer()?.unsigned_abs(),
            oldest: counted.optional_instant()?,
            failing_since: publishing.optional_instant()?,
            undecided,
            overdue: overdue.ok_or(Error::Corrupt("scheduled_reminders"))?.optional_instant()?,
        })
    }

    /// Who has events that were written at `older_than` or before and still wait, in the order of the oldest one. Who is being
    /// published for at this moment is left out. Looks at no more than `limit` events.
    pub async fn people_waiting(
        &mut self,
        older_than: Timestamp,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let parameters = vec![older_than.into(), self.now().into(), bounded(limit)];
        let mut people = Vec::<String>::new();
        for mut row in self.work.rows(PEOPLE, parameters).await? {
            let user_id = row.text()?;
            if !people.contains(&user_id) {
                people.push(user_id);
            }
        }
        Ok(people)
    }

    /// The right to publish this person's events, unless somebody has it. It is the relay's once the transaction is committed.
    pub async fn lease(&mut self, user_id: &str) -> Result<Option<Lease>, Error> {
        let publisher = publisher_name();
        let until = self.now().as_millisecond().saturating_add(LEASE_MS);
        let parameters = vec![publisher.as_str().into(), until.into(), user_id.into(), self.now().into()];
        let Some(mut row) = self.work.row(TAKE, parameters).await? else { return Ok(None) };
        Ok(Some(Lease::of_relay(user_id.to_owned(), publisher, row.integer()?)))
    }

    /// Publishing worked just now: tools may publish by themselves again.
    pub async fn recovered(&mut self) -> Result<(), Error> {
        let now = self.now().into();
        self.work.execute(RECOVERED, vec![now]).await
    }

    /// Removes about `limit` each of the sent events and answered calls older than 7 days and the records of received events
    /// older than 30 days.
    pub async fn clear(&mut self, limit: usize) -> Result<(), Error> {
        let old = [(CLEAR_OUTBOX, KEEP_SENT), (CLEAR_CALLS, KEEP_SENT), (CLEAR_INBOX, inbox::KEEP)];
        for (statement, keep) in old {
            let before = self.now().saturating_sub(keep).unwrap_or(Timestamp::MIN);
            self.work.execute(statement, vec![before.into(), bounded(limit)]).await?;
        }
        Ok(())
    }
}

fn bounded(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}
