//! The other end of the reminders' webhook: it notes which events it was sent.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::net::TcpListener;

/// What reminders are signed with. Nobody verifies it here: that is tested with the function.
pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A receiver that listens as long as this process runs.
#[derive(Clone)]
pub struct Webhook {
    /// `http://127.0.0.1:port`
    pub address: String,
    received: Arc<Mutex<BTreeSet<String>>>,
}

impl Webhook {
    pub async fn listen() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let webhook =
            Self { address: format!("http://{}", listener.local_addr()?), received: Arc::default() };
        let router = Router::new().route("/", post(receive)).with_state(webhook.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(webhook)
    }

    /// The ids of the events that came.
    pub fn received(&self) -> BTreeSet<String> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn receive(State(webhook): State<Webhook>, headers: HeaderMap) -> StatusCode {
    let Some(id) = headers.get("webhook-id").and_then(|id| id.to_str().ok()) else {
        return StatusCode::BAD_REQUEST;
    };
    webhook.received.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    StatusCode::NO_CONTENT
}
