//! The whole HTTP surface.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any_service, get, post};
use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::CorsLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::error::Problem;
use crate::{Chat, endpoint, gateway, health, identity, page, trace};

/// The longest message is 8,000 characters, each of which JSON may write as twelve bytes; the rest is for what ChatKit
/// clients send beside it.
const BODY_LIMIT: usize = 256 * 1024;

/// Every path that `chat` answers.
pub fn router(chat: &Chat) -> Router {
    let talk = Router::new()
        .route("/api/{user_id}/chat", post(endpoint::chat))
        .route_layer(from_fn_with_state(chat.clone(), identity::of_path));
    let tools = Router::new()
        .route("/mcp", any_service(chat.gateway.service()))
        .route_layer(from_fn_with_state(chat.clone(), gateway::admit));
    let metadata = get(gateway::resource_metadata);
    let answers = Router::new()
        .merge(talk)
        .merge(tools)
        .route("/.well-known/oauth-protected-resource", metadata.clone())
        .route("/.well-known/oauth-protected-resource/mcp", metadata)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::overriding(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ));
    page::routes()
        .merge(answers)
        .merge(chat.routes.clone().with_state(()))
        .fallback(async || {
            Problem::not_found("There is nothing here. People: /. Programs: POST /api/{user_id}/chat.")
        })
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(cors(&chat.allowed_origins))
        .layer(from_fn(trace::of_request))
        .with_state(chat.clone())
}

/// Pages of other origins may call when they are on the list. Without a list the layer allows nobody.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    let mcp =
        ["mcp-protocol-version", "mcp-method", "mcp-name", "last-event-id"].map(HeaderName::from_static);
    let headers = [ACCEPT, AUTHORIZATION, CONTENT_TYPE].into_iter().chain(mcp);
    CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(headers.collect::<Vec<_>>())
        .expose_headers([RETRY_AFTER, WWW_AUTHENTICATE])
}
