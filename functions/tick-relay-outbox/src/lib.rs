//! `tick-relay-outbox`: woken every few seconds, publishes what waits in the outbox for too long, the longest first, and clears away what has
//! served its purpose.
//!
//! Tools publish by themselves as long as that works; this is for what a crash or an outage left behind. Each run is bounded in
//! time, and any number may run at once: each person's lease keeps them apart. A broker that is away is no failure of the tick: it comes
//! again.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use todo_delivery::{Error, Published, Publisher, Server, Tick, log};
use todo_store::Database;

/// The function.
pub struct RelayOutbox;

/// A tool publishes within milliseconds of its commit; what waits for longer has nobody.
const OLDER_THAN: SignedDuration = SignedDuration::from_secs(5);
/// How long a run publishes; the host gives it 30 s, and the last event may take 2 s more.
const BUDGET: Duration = Duration::from_secs(18);
/// Events looked at to find people.
const LOOK: usize = 500;
/// One person's event that the broker does not take must not hold up everybody; more than that is an outage.
const FAILURES: usize = 3;
/// Rows of each kind that a run clears away.
const CLEAR: usize = 1_000;

impl Tick for RelayOutbox {
    const NAME: &'static str = "tick-relay-outbox";

    async fn run(server: &Server) -> Result<(), Error> {
        let publisher = server.publisher.as_ref().ok_or(Error::Unset("event_key"))?;
        publish(&server.database, publisher).await?;
        clear(&server.database, retention().await?).await
    }
}

/// Publishes for everybody who waits, round after round, as long as it gets on.
async fn publish(database: &Database, publisher: &Publisher) -> Result<(), Error> {
    let started = Instant::now();
    let mut failures = 0;
    loop {
        let people = waiting(database).await?;
        let mut progress = false;
        for user_id in &people {
            let left = BUDGET.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            let Some(published) = publish_person(database, publisher, user_id, left).await? else { continue };
            progress |= published.sent + published.set_aside > 0;
            match published.failure {
                None => failures = 0,
                Some(failure) => {
                    log::failed(RelayOutbox::NAME, None, &failure);
                    failures += 1;
                }
            }
            if failures == FAILURES {
                return Ok(());
            }
        }
        if !progress {
            return Ok(());
        }
    }
}

/// Who waits too long. When nobody waits at all, nothing shows that publishing is broken, and tools may find out again.
async fn waiting(database: &Database) -> Result<Vec<String>, Error> {
    let mut relay = database.begin_relay().await?;
    let now = relay.now();
    let people = relay.people_waiting(now.saturating_sub(OLDER_THAN).unwrap_or(now), LOOK).await?;
    if people.is_empty() && relay.people_waiting(now, 1).await?.is_empty() {
        relay.recovered().await?;
    }
    relay.commit().await?;
    Ok(people)
}

async fn publish_person(
    database: &Database,
    publisher: &Publisher,
    user_id: &str,
    left: Duration,
) -> Result<Option<Published>, Error> {
    let mut relay = database.begin_relay().await?;
    let lease = relay.lease(user_id).await?;
    relay.commit().await?;
    let Some(lease) = lease else { return Ok(None) };
    let published = publisher.publish_person(RelayOutbox::NAME, database, lease, left).await?;
    if published.sent > 0 && published.failure.is_none() {
        let mut relay = database.begin_relay().await?;
        relay.recovered().await?;
        relay.commit().await?;
    }
    Ok(Some(published))
}

async fn clear(database: &Database, retention: Option<SignedDuration>) -> Result<(), Error> {
    let mut relay = database.begin_relay().await?;
    relay.clear(CLEAR).await?;
    relay.clear_updates(CLEAR).await?;
    relay.clear_reminders(CLEAR).await?;
    if let Some(retention) = retention {
        let before = relay.now().saturating_sub(retention).unwrap_or(Timestamp::MIN);
        relay.cut_audit(before, CLEAR).await?;
    }
    Ok(relay.commit().await?)
}

/// How long the audit is kept: `audit_retention_days`, for ever without it.
async fn retention() -> Result<Option<SignedDuration>, Error> {
    #[cfg(target_family = "wasm")]
    let days = todo_delivery::component::variable("audit_retention_days").await;
    #[cfg(not(target_family = "wasm"))]
    let days = String::new();
    if days.is_empty() {
        return Ok(None);
    }
    let days: u32 = days.parse().map_err(|_| Error::Unset("audit_retention_days (a number of days)"))?;
    Ok(Some(SignedDuration::from_hours(i64::from(days) * 24)))
}

todo_delivery::tick!(RelayOutbox);
