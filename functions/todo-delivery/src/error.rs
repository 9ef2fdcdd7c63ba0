//! What can go wrong when an event is handled, and what the delivery is told.

use http::StatusCode;
use todo_events::{Malformed, Rejected, SignError};
use todo_identity::Refusal;

use crate::SidecarError;

/// A failure of a consumer or a tick. It decides whether the event is delivered again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a CloudEvent.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A CloudEvent that is not one of ours.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// An event of ours that asks for what cannot be, such as for a task that is not the person's.
    #[error("{0}")]
    Impossible(&'static str),
    /// A tool call by event whose token is refused.
    #[error("the event's usertoken is refused: {0}")]
    Token(#[source] Refusal),
    /// What has to be there for it is not there now.
    #[error("{0}")]
    Later(&'static str),
    /// Dapr did not show the token by which it is known.
    #[error("the header dapr-api-token is not there")]
    Unknown,
    /// The token is another.
    #[error("the header dapr-api-token is not the one agreed on")]
    Forbidden,
    /// An event that cannot be signed: a defect, or a key that is none.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Of the database.
    #[error(transparent)]
    Store(#[from] todo_store::Error),
    /// Of the sidecar.
    #[error(transparent)]
    Sidecar(#[from] SidecarError),
    /// The function lacks a setting: its operator's mistake.
    #[error("the variable {0} is needed and not set")]
    Unset(&'static str),
}

impl Error {
    /// 422 when a retry cannot help, 503 when it will, 500 when we are to blame and it may; 401 and 403 for who is not let in.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Rejected(_) | Self::Impossible(_) | Self::Token(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Later(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Store(error) if error.is_callers() => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Store(error) if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Sidecar(error) if !error.is_final() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Sidecar(_) | Self::Sign(_) | Self::Unset(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}
