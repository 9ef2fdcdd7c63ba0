//! The whole HTTP surface.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode};
use sha2::{Digest, Sha256};

use crate::bindings::{self, Bindings};
use crate::context::Context;
use crate::invoke::{self, Invoke};
use crate::jobs::{self, Jobs};
use crate::{health, publish, secrets, state};

/// Dapr's `max-body-size`.
const LARGEST: usize = 4 * 1024 * 1024;

pub(crate) fn router(context: Arc<Context>, jobs: Jobs, bindings: Bindings, invoke: Invoke) -> Router {
    let job = || get(jobs::read).post(jobs::set).delete(jobs::delete);
    let jobs = Router::new()
        .route("/v1.0/jobs/{name}", job())
        .route("/v1.0-alpha1/jobs/{name}", job())
        .with_state(jobs);
    let bindings = Router::new()
        .route("/v1.0/bindings/{name}", post(bindings::invoke).put(bindings::invoke))
        .with_state(bindings);
    let rest = Router::new()
        .route("/v1.0/publish/{pubsub}/{*topic}", post(publish::one).put(publish::one))
        .route("/v1.0/publish/bulk/{pubsub}/{*topic}", post(publish::bulk).put(publish::bulk))
        .route("/v1.0-alpha1/publish/bulk/{pubsub}/{*topic}", post(publish::bulk).put(publish::bulk))
        .route("/v1.0/state/{store}", post(state::save).put(state::save))
        .route("/v1.0/state/{store}/bulk", state_key().post(state::bulk_get).put(state::bulk_get))
        .route(
            "/v1.0/state/{store}/transaction",
            state_key().post(state::transaction).put(state::transaction),
        )
        .route("/v1.0/state/{store}/{key}", state_key())
        .route("/v1.0/secrets/{store}/bulk", get(secrets::bulk))
        .route("/v1.0/secrets/{store}/{name}", get(secrets::one))
        .route("/v1.0/healthz", get(health::healthz))
        .route("/v1.0/healthz/outbound", get(health::outbound))
        .route("/v1.0/metadata", get(health::metadata))
        .with_state(context.clone());
    // Another method at a known path is as unknown as another path.
    let other = move |request: Request| invoke::invoke(State(invoke.clone()), request);
    rest.merge(jobs)
        .merge(bindings)
        .method_not_allowed_fallback(other.clone())
        .fallback(other)
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(from_fn_with_state(context, authorize))
}

fn state_key() -> axum::routing::MethodRouter<Arc<Context>> {
    get(state::get).delete(state::delete)
}

/// Whoever does not know the token gets nothing but whether the sidecar is well.
async fn authorize(State(context): State<Arc<Context>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().trim_matches('/');
    let is_health =
        matches!(path, "v1.0/healthz" | "v1.0/healthz/outbound") && request.method() == Method::GET;
    let given = request.headers().get("dapr-api-token").map_or(&b""[..], |token| token.as_bytes());
    let admitted = match &context.settings.api_token {
        None => true,
        // Digests, so that the time to compare says nothing about the token.
        Some(token) => is_health || Sha256::digest(token.as_bytes()) == Sha256::digest(given),
    };
    match admitted {
        true => next.run(request).await,
        false => (StatusCode::UNAUTHORIZED, "invalid api token\n").into_response(),
    }
}
