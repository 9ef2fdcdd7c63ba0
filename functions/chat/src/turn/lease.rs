//! Whose turn it is in a conversation, among all replicas.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use todo_identity::Tenant;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::sessions::Sessions;
use crate::Limits;
use crate::error::Problem;

/// Pauses between the attempts to get a turn: short, since most turns are.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// A conversation held for one turn. If this process dies, it is free again when the lease has run out.
pub(super) struct Lease<'a> {
    sessions: &'a Sessions,
    tenant: &'a Tenant,
    conversation_id: i64,
    owner: String,
    length: Duration,
}

impl<'a> Lease<'a> {
    /// Waits for the turn before this one, but not for ever.
    pub async fn claim(
        sessions: &'a Sessions,
        tenant: &'a Tenant,
        conversation_id: i64,
        limits: &Limits,
    ) -> Result<Self, Problem> {
        let owner = Uuid::new_v4().simple().to_string();
        let lease = Self { sessions, tenant, conversation_id, owner, length: limits.lease };
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        while !lease.renew().await? {
            if began.elapsed() >= limits.wait_for_turn {
                let message = "The message before this one is still being answered; try again shortly.";
                return Err(Problem::unavailable(message, LONGEST_PAUSE));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(lease)
    }

    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Renews the lease for as long as it is polled; ends when it is lost, with what to tell the person.
    pub async fn keep(&self) -> Problem {
        let mut renewed = Instant::now();
        loop {
            sleep(self.length / 3).await;
            match self.renew().await {
                Ok(true) => renewed = Instant::now(),
                // The database may be away for a moment; until the lease has run out nobody else can have it.
                Err(problem) if problem.is_transient() && renewed.elapsed() < self.length => {}
                _ => break,
            }
        }
        let message = "The answer was interrupted. Send the message again; nothing is done twice.";
        Problem::unavailable(message, LONGEST_PAUSE).logged("the lease of the conversation was lost")
    }

    /// Gives the conversation free for the next turn. If that fails, the lease runs out by itself.
    pub async fn release(&self) {
        if let Err(error) = self.sessions.release(self.tenant, self.conversation_id, &self.owner).await {
            tracing::warn!(%error, "the lease of a conversation was not released and has to run out");
        }
    }

    async fn renew(&self) -> Result<bool, Problem> {
        let length = SignedDuration::try_from(self.length).unwrap_or(SignedDuration::MAX);
        let until = Timestamp::now().saturating_add(length).unwrap_or(Timestamp::MAX);
        Ok(self.sessions.claim(self.tenant, self.conversation_id, &self.owner, until).await?)
    }
}
