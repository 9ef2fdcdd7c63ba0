//! The ways out of the system.

use http::StatusCode;
use todo_delivery::{Received, SendError, SidecarError};
use todo_events::Channel;

use crate::{email, webhook};

/// Why a reminder could not be sent over a channel. Nothing of it repeats what the other side answered, which may be the reminder itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the variable {0} is needed and not set, or cannot be used")]
    Variable(&'static str),
    #[error("the person's id cannot stand in an e-mail address")]
    Address,
    #[error("the webhook answered {0}")]
    Answer(StatusCode),
    #[error("the webhook did not answer")]
    Send(#[from] SendError),
    #[error("the e-mail was not sent")]
    Sidecar(#[from] SidecarError),
}

/// The channels to try, in order; the one in the app is not one of them, for nothing can keep it from working but the database.
pub(crate) fn configured(received: &Received<'_>) -> impl Iterator<Item = Channel> {
    let webhook = received.variable(webhook::URL).map(|_| Channel::Webhook);
    let email = received.variable(email::BINDING).map(|_| Channel::Email);
    webhook.into_iter().chain(email)
}
