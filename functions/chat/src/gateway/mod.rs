//! The five tools for MCP clients that are not ours: their own agent instead of our own, the same people and the same
//! tools.
//!
//! A client may speak the stateless revision (2026-07-28) or one of those with a handshake; no session is kept for
//! either, so any replica answers anything. The person is the token's; `user_id` may be left out, and another's is
//! refused with 403 (and audited, by the tool).

mod admission;
mod offer;

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use http::header::HOST;
use reqwest::Url;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::{Chat, Config, StartError};
pub(crate) use admission::admit;
use offer::Offer;

/// Hosts that always mean this machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What the gateway is told once.
#[derive(Clone)]
pub(crate) struct Gateway {
    offer: Offer,
    transport: StreamableHttpServerConfig,
    public_url: Option<Url>,
    issuer: Option<String>,
}

impl Gateway {
    pub fn new(config: &Config) -> Result<Self, StartError> {
        let public_url = config.public_url.as_deref().map(server_url).transpose()?;
        let host =
            public_url.as_ref().and_then(Url::host_str).map(|host| host.trim_matches(['[', ']']).to_owned());
        let origins = config.allowed_origins.iter().cloned();
        let origins = origins.chain(public_url.as_ref().map(|url| url.origin().ascii_serialization()));
        let transport = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(todo_mcp::BODY_LIMIT)
            // A page of another site must not reach a server on this machine under a name that it made up.
            .with_allowed_hosts(LOOPBACK.into_iter().map(str::to_owned).chain(host))
            .with_allowed_origins(origins.map(with_port))
            .enforce_origin_validation();
        let issuer = config.policy.issuer.clone().filter(|issuer| Url::parse(issuer).is_ok());
        Ok(Self { offer: Offer::new(config.tools.clone()), transport, public_url, issuer })
    }

    /// The MCP server itself.
    pub fn service(&self) -> StreamableHttpService<Offer, NeverSessionManager> {
        let offer = self.offer.clone();
        StreamableHttpService::new(move || Ok(offer.clone()), Arc::default(), self.transport.clone())
    }

    /// Where a client sees this server; without a configured URL, as it says itself.
    fn base(&self, headers: &HeaderMap) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => {
                let host = headers.get(HOST).and_then(|host| host.to_str().ok());
                let host = host.filter(|host| {
                    host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte))
                });
                format!("http://{}", host.unwrap_or("localhost"))
            }
        }
    }
}

/// RFC 9728: who gives out tokens for the gateway.
pub(crate) async fn resource_metadata(State(chat): State<Chat>, headers: HeaderMap) -> Json<Value> {
    let base = chat.gateway.base(&headers);
    let mut metadata = json!({
        "resource": format!("{base}/mcp"),
        "resource_name": "todo",
        "bearer_methods_supported": ["header"],
    });
    // An issuer that is no URL (a development key's) has no metadata to be found.
    if let Some(issuer) = &chat.gateway.issuer {
        metadata["authorization_servers"] = json!([issuer]);
    }
    Json(metadata)
}

fn server_url(text: &str) -> Result<Url, StartError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.filter(|url| url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| StartError::PublicUrl(text.to_owned()))
}

/// An origin without a port would be taken for any port.
fn with_port(origin: String) -> String {
    let port = Url::parse(&origin)
        .ok()
        .filter(|url| url.port().is_none())
        .and_then(|url| url.port_or_known_default());
    match port {
        Some(port) => format!("{origin}:{port}"),
        None => origin,
    }
}
