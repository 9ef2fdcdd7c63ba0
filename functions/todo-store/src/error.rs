//! What can go wrong in the store, and whose doing it is.

use todo_domain::Invalid;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failure of the store. The first three are the caller's, the others ours.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing for this tenant. Another tenant's is just as much not there.
    #[error("there is no {what} {id}")]
    NotFound {
        /// `task` or `conversation`.
        what: &'static str,
        /// The number asked for.
        id: i64,
    },
    /// The request contradicts what is stored, and repeating it will not help.
    #[error("{0}")]
    Conflict(String),
    /// The request makes no sense; the text says how to mend it.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Another transaction was in the way (a lock, a deadlock, a serialization failure). Repeat the whole transaction.
    #[error("the database is busy")]
    Busy(#[source] Source),
    /// The database cannot be reached.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// The database refused a statement: a defect, or a schema that is not ours.
    #[error("the database refused a statement")]
    Refused(#[source] Source),
    /// What is stored cannot be read.
    #[error("a stored {0} cannot be read")]
    Corrupt(&'static str),
}

impl Error {
    /// Whether the same request may succeed later: repeat it after a while, or answer 503.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Unavailable(_))
    }

    /// Whether the caller can mend it.
    pub fn is_callers(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Conflict(_) | Self::Invalid(_))
    }

    /// By SQLSTATE, for both ways to Postgres.
    pub(crate) fn from_sqlstate(code: &str, source: impl Into<Source>) -> Self {
        let source = source.into();
        match code {
            // Serialization failure, deadlock, lock not available, a cancelled statement.
            "40001" | "40P01" | "55P03" | "57014" => Self::Busy(source),
            // Connection failures, too many connections or no memory, shutdown or start.
            _ if matches!(code.get(..2), Some("08" | "53" | "57")) => Self::Unavailable(source),
            _ => Self::Refused(source),
        }
    }

    pub(crate) fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }

    pub(crate) fn refused(source: impl Into<Source>) -> Self {
        Self::Refused(source.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn what_another_transaction_or_an_outage_caused_is_transient() {
        for code in ["40001", "40P01", "55P03", "08006", "53300", "57P01", "57014"] {
            assert!(Error::from_sqlstate(code, "why").is_transient(), "{code}");
        }
        for code in ["42P01", "23505", "22001", "42501", ""] {
            let error = Error::from_sqlstate(code, "why");
            assert!(!error.is_transient() && !error.is_callers(), "{code}");
        }
    }
}
