//! `GET /api/{user_id}/live`: who may connect, and from where.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use chat::Problem;
use http::header::{AUTHORIZATION, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use todo_identity::{Refusal, Tenant};

use crate::Live;
use crate::socket::{self, Visit};

/// What is spoken here.
const PROTOCOL: &str = "todo.live.v1";
/// What a browser puts before the token in its list of protocols: it cannot send an `Authorization` header.
const BEARER: &str = "bearer.";
/// Clients have nothing to say.
const LONGEST_MESSAGE: usize = 1024;
/// Per socket, so small: a message of the usual size fits.
const BUFFER: usize = 4096;

#[derive(Deserialize)]
pub(crate) struct Asked {
    since: Option<u64>,
}

/// Lets a person's page connect. What is wrong is said before the upgrade, with the statuses of chat.
pub(crate) async fn connect(
    State(live): State<Live>,
    user_id: Result<Path<String>, PathRejection>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let visit = match admit(&live, user_id, asked, &headers).await {
        Ok(visit) => visit,
        Err(problem) => return problem.into_response(),
    };
    let Ok(upgrade) = upgrade else {
        let message = "This is a WebSocket: connect with the headers of RFC 6455.";
        return Problem::refused(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message).into_response();
    };
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE)
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER);
    let sockets = live.0.sockets.clone();
    upgrade.on_upgrade(move |socket| sockets.track_future(socket::serve(live, socket, visit)))
}

async fn admit(
    live: &Live,
    user_id: Result<Path<String>, PathRejection>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: &HeaderMap,
) -> Result<Visit, Problem> {
    let token = token(headers).map_err(Problem::unauthorized)?;
    let tenant: Tenant = live.0.people.verify(token).await?;
    if !user_id.is_ok_and(|Path(user_id)| user_id == tenant.user_id()) {
        return Err(Problem::another_user());
    }
    if !headers
        .get(ORIGIN)
        .is_none_or(|origin| is_ours(origin, headers) || live.0.allowed_origins.contains(origin))
    {
        return Err(Problem::another_origin());
    }
    let Query(Asked { since }) = asked.map_err(|_| {
        Problem::invalid("since must be an offset from an earlier message; leave it out to begin.")
    })?;
    if live.0.stop.is_cancelled() {
        return Err(Problem::unavailable("This server stops; connect again.", Duration::from_secs(1)));
    }
    let since = since.map(|since| i64::try_from(since).unwrap_or(i64::MAX));
    Ok(Visit { tenant, since, token_ends_in: time_left(token) })
}

/// The token of the `Authorization` header or, when there is none, of the protocols a browser offers.
fn token(headers: &HeaderMap) -> Result<&str, Refusal> {
    if headers.contains_key(AUTHORIZATION) {
        return todo_identity::bearer(headers.get_all(AUTHORIZATION));
    }
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut tokens = offered
        .flat_map(|value| value.split(','))
        .filter_map(|protocol| protocol.trim().strip_prefix(BEARER));
    tokens.next().ok_or(Refusal::Missing)
}

/// Whether a page of this very server connects. Behind a proxy the scheme is the proxy's, so names and ports are compared.
fn is_ours(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    origin.zip(host).is_some_and(|((_, authority), host)| authority.eq_ignore_ascii_case(host))
}

/// How long a token that was verified is still good for. That it has an `exp` was part of that.
fn time_left(token: &str) -> Duration {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let payload = token.split('.').nth(1).and_then(|payload| BASE64.decode(payload).ok());
    let claims = payload.and_then(|payload| serde_json::from_slice::<Claims>(&payload).ok());
    let ends = claims.and_then(|claims| Duration::try_from_secs_f64(claims.exp).ok()).unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    ends.saturating_sub(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_of_a_token_is_read_from_its_claims() {
        let token = |claims: &str| format!("e30.{}.x", BASE64.encode(claims));
        assert_eq!(time_left(&token(r#"{"exp": 1}"#)), Duration::ZERO);
        assert!(time_left(&token(r#"{"exp": 32503680000.5}"#)) > Duration::from_secs(1_000_000));
        assert_eq!(time_left("no token"), Duration::ZERO);
    }
}
