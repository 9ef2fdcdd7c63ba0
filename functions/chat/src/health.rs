use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::Chat;
use crate::error::Problem;

/// The process runs.
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// Requests can be served: the database answers. Tools and model are not asked; a turn says itself when they are away.
pub(crate) async fn ready(State(chat): State<Chat>) -> Response {
    match chat.database.ping().await {
        Ok(()) => (StatusCode::OK, "ready").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}
