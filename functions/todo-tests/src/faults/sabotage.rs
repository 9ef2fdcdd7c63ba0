//! Damage done on purpose, to prove that the check notices.

use clap::ValueEnum;
use todo_store::testing::rows_as_owner;

use crate::stage::Stage;

/// What is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sabotage {
    /// An entry in the middle of the audit.
    AuditEntry,
    /// A task.
    Task,
    /// What a person was shown.
    Notification,
}

impl Sabotage {
    pub async fn commit(self, stage: &Stage) -> anyhow::Result<()> {
        let database = stage.database().await?;
        let forget = match (self, stage.is_sqlite()) {
            (Self::AuditEntry, true) => "DROP TRIGGER audit_refuse_delete",
            (Self::AuditEntry, false) => "ALTER TABLE audit DISABLE TRIGGER ALL",
            _ => "SELECT CAST(1 AS BIGINT)",
        };
        let remove = match self {
            Self::AuditEntry => "DELETE FROM audit WHERE user_id = 'person-1' AND entry = 3",
            Self::Task => "DELETE FROM tasks WHERE user_id = 'person-1' AND completed_at IS NULL",
            Self::Notification => "DELETE FROM notifications WHERE user_id = 'person-1'",
        };
        for statement in [forget, remove] {
            rows_as_owner(&database, statement).await.map_err(anyhow::Error::from_boxed)?;
        }
        Ok(())
    }
}
