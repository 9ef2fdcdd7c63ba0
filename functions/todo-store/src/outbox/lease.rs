//! The right to publish one person's events, and what its holder does with it.

use todo_identity::Tenant;

use super::LEASE_MS;
use crate::database::Work;
use crate::dialect::Access;
use crate::statements::statements;
use crate::{Database, Error, Value};

statements! {
    WAITING = "SELECT event_id, topic, body, sequence FROM outbox \
        WHERE user_id = $1 AND sent_at IS NULL AND problem IS NULL ORDER BY sequence, created_at, event_id LIMIT $2";
    SET_ASIDE = "UPDATE outbox SET problem = $1 WHERE user_id = $2 AND event_id = $3";
    /// Gives the lease back unless an event was numbered since the holder looked; then it holds on.
    SETTLE = "UPDATE users SET publisher = CASE WHEN last_event = $1 THEN NULL ELSE publisher END, \
        publishing_until = CASE WHEN last_event = $1 THEN NULL ELSE CAST($2 AS BIGINT) END \
        WHERE user_id = $3 AND publisher = $4 RETURNING last_event";
    EXTEND = "UPDATE users SET publishing_until = $1 WHERE user_id = $2 AND publisher = $3 RETURNING last_event";
    GIVE_BACK = "UPDATE users SET publisher = NULL, publishing_until = NULL WHERE user_id = $1 AND publisher = $2";
}

/// Tells every tool that publishing is broken. No tenant's: it stands in the one row that is everybody's.
pub(crate) const FAILED: &str = "UPDATE publishing SET failed_at = $1 WHERE id = 1 AND failed_at IS NULL";

/// The right to publish one person's events for 30 s and, renewed with each batch, as long as it takes.
#[derive(Debug)]
pub struct Lease {
    user_id: String,
    /// `None`: the relay's.
    tenant: Option<Tenant>,
    publisher: String,
    /// The number up to which every event is visible to the holder: published, or among those it still has to get.
    seen: i64,
}

/// An event to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub event_id: String,
    /// The topic it belongs to.
    pub topic: String,
    /// The CloudEvent in structured JSON, unsigned.
    pub body: String,
    sequence: i64,
}

/// What became of a batch of events, in the order in which they waited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The ids of those that the broker has.
    pub sent: Vec<String>,
    /// The ids of those that can never be published, and why.
    pub set_aside: Vec<(String, String)>,
    /// How it ended.
    pub end: End,
}

/// How a batch ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// It was everything that waited.
    #[default]
    Complete,
    /// There is more, and the holder goes on.
    More,
    /// There may be more, and the holder has no more time: the relay goes on.
    OutOfTime,
    /// The broker did not take an event: nobody but the relay tries again.
    Failed,
}

/// Where the lease is after a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Given back: nothing waits, or somebody else goes on.
    Released,
    /// Still the holder's, because more is waiting.
    MoreWaiting,
    /// Somebody else's: it had run out.
    Lost,
}

impl Lease {
    pub(crate) fn of_tenant(tenant: &Tenant, publisher: String, seen: i64) -> Self {
        Self { user_id: tenant.user_id().to_owned(), tenant: Some(tenant.clone()), publisher, seen }
    }

    pub(crate) fn of_relay(user_id: String, publisher: String, seen: i64) -> Self {
        Self { user_id, tenant: None, publisher, seen }
    }

    /// Whose events they are: the partition key.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// At most `limit` of the events that wait, the oldest first.
    pub async fn waiting(&mut self, database: &Database, limit: usize) -> Result<Vec<Waiting>, Error> {
        let mut work = database.work(self.tenant.as_ref(), Access::ReadOnly).await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = work.rows(WAITING, vec![self.user_id.as_str().into(), limit.into()]).await?;
        let waiting: Vec<_> = rows.into_iter().map(waiting).collect::<Result<_, _>>()?;
        // Commits are in the order of the numbers, so whoever sees one sees all before it.
        self.seen = waiting.iter().map(|event| event.sequence).fold(self.seen, i64::max);
        Ok(waiting)
    }

    /// Records what became of a batch and, in the same transaction, goes on with the lease or gives it back.
    pub async fn settle(&mut self, database: &Database, batch: &Batch) -> Result<Settled, Error> {
        let mut work = database.work(self.tenant.as_ref(), Access::ReadWrite).await?;
        self.record(&mut work, batch).await?;
        let settled = match batch.end {
            End::Complete => self.finish(&mut work).await?,
            End::More => self.extend(&mut work).await?,
            End::OutOfTime => self.give_back(&mut work).await?,
            End::Failed => {
                work.execute(FAILED, vec![work.now.into()]).await?;
                self.give_back(&mut work).await?
            }
        };
        work.commit().await?;
        Ok(settled)
    }

    async fn record(&self, work: &mut Work, batch: &Batch) -> Result<(), Error> {
        if !batch.sent.is_empty() {
            let mut parameters = vec![work.now.into(), Value::from(self.user_id.as_str())];
            let ids = padded(&batch.sent);
            let statement = mark(ids.len());
            parameters.extend(ids.into_iter().map(Value::from));
            work.execute(statement, parameters).await?;
        }
        for (event_id, problem) in &batch.set_aside {
            let parameters = [problem, &self.user_id, event_id].map(|text| Value::from(text.as_str()));
            work.execute(SET_ASIDE, parameters.to_vec()).await?;
        }
        Ok(())
    }

    async fn finish(&mut self, work: &mut Work) -> Result<Settled, Error> {
        let parameters =
            vec![self.seen.into(), until(work), self.user_id.as_str().into(), self.publisher.as_str().into()];
        let Some(mut row) = work.row(SETTLE, parameters).await? else { return Ok(Settled::Lost) };
        let last_event = row.integer()?;
        if last_event == self.seen {
            return Ok(Settled::Released);
        }
        self.seen = last_event;
        Ok(Settled::MoreWaiting)
    }

    async fn extend(&self, work: &mut Work) -> Result<Settled, Error> {
        let parameters = vec![until(work), self.user_id.as_str().into(), self.publisher.as_str().into()];
        let still = work.row(EXTEND, parameters).await?;
        Ok(if still.is_some() { Settled::MoreWaiting } else { Settled::Lost })
    }

    async fn give_back(&self, work: &mut Work) -> Result<Settled, Error> {
        let parameters = vec![self.user_id.as_str().into(), self.publisher.as_str().into()];
        work.execute(GIVE_BACK, parameters).await?;
        Ok(Settled::Released)
    }
}

/// Marks events as sent. The number of ids is rounded up by [`padded`], so that there are only a few texts to prepare.
pub(crate) fn mark(ids: usize) -> String {
    let ids = (3..ids + 3).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
    format!("UPDATE outbox SET sent_at = $1 WHERE user_id = $2 AND event_id IN ({ids})")
}

/// As many ids as the next power of two, the last one repeated.
fn padded(ids: &[String]) -> Vec<&str> {
    let last = ids.last().map(String::as_str);
    let padding = last.into_iter().cycle();
    let count = ids.len().next_power_of_two();
    ids.iter().map(String::as_str).chain(padding).take(count).collect()
}

fn until(work: &Work) -> Value {
    work.now.as_millisecond().saturating_add(LEASE_MS).into()
}

fn waiting(mut row: crate::Row) -> Result<Waiting, Error> {
    Ok(Waiting { event_id: row.text()?, topic: row.text()?, body: row.text()?, sequence: row.integer()? })
}
