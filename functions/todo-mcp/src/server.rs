//! One tool as a complete, stateless MCP server (revision 2026-07-28, Streamable HTTP).

mod call;
mod event;
mod message;
mod rejection;
mod transport;

use std::error::Error;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use rmcp::model::{
    CacheScope, DiscoverResult, ErrorCode, ErrorData, Implementation, JsonRpcResponse, JsonRpcVersion2_0,
    ListToolsResult, ProtocolVersion, ServerCapabilities, ToolsCapability,
};
use serde::Serialize;
use todo_delivery::Publisher;
use todo_identity::{KeyError, Tenant, Verifier};
use todo_store::Database;

use crate::tool::definition;
use crate::{Tool, function_of};
pub use event::ByEvent;
use message::Message;
use rejection::Rejection;
pub use transport::BODY_LIMIT;

/// What a tool offers changes only with a new release of its function, and is the same for everybody.
const DEFINITION_TTL_MS: u64 = 60 * 60 * 1000;

/// What a function must be told: Spin variables of these names in a component.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `postgres://…`, or `sqlite:` with a path natively.
    pub database_url: String,
    /// The JWK set that function tokens are verified with ([`todo_identity::FunctionKey::public_jwks`]).
    pub function_public_keys: String,
    /// The `aud` that tokens for this function carry: the function's own name.
    pub function_audience: String,
}

/// Why a server cannot be opened: a mistake of whoever configured it, or a database that is away.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The public keys are unusable.
    #[error("function_public_keys: {0}")]
    Keys(#[from] KeyError),
    /// The database URL is unusable, or natively the database cannot be reached.
    #[error("database_url: {0}")]
    Database(#[from] todo_store::Error),
}

/// Everything that outlives a request. Holds nothing of any person, so one may serve all of them at once.
#[derive(Debug)]
pub struct Server {
    database: Database,
    verifier: Verifier,
    publisher: Option<Publisher>,
    by_event: Option<ByEvent>,
}

impl Server {
    /// A server with its own connection to the database.
    pub async fn open(settings: &Settings) -> Result<Self, SetupError> {
        let verifier = Verifier::function(&settings.function_public_keys, &settings.function_audience)?;
        Ok(Self::new(Database::open(&settings.database_url).await?, verifier))
    }

    /// A server over a database that is already open.
    pub fn new(database: Database, verifier: Verifier) -> Self {
        Self { database, verifier, publisher: None, by_event: None }
    }

    /// The same, publishing the events of its changes after its answers. Without a publisher they wait for the relay.
    pub fn publishing(self, publisher: Option<Publisher>) -> Self {
        Self { publisher, ..self }
    }

    /// The same, which also answers calls that come as events. Others refuse them.
    pub fn answering_events(self, by_event: Option<ByEvent>) -> Self {
        Self { by_event, ..self }
    }

    /// Answers one HTTP request as the tool `T`. Every outcome is a response: nothing is left for the caller to handle.
    pub async fn serve<T, B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        T: Tool,
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if event::addressed::<T>(&head) {
            return self.event::<T, B>(head, body).await;
        }
        self.answer::<T, B>(head, body).await.unwrap_or_else(Rejection::into_response)
    }

    async fn answer<T, B>(&self, head: Parts, body: B) -> Result<Response<Full<Bytes>>, Rejection>
    where
        T: Tool,
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        transport::check(&head)?;
        // Before the body is read: a stranger costs a few headers, and learns nothing, not even which tool this is.
        let tenant = todo_identity::bearer(head.headers.get_all(AUTHORIZATION))
            .and_then(|token| self.verifier.verify(token))
            .map_err(Rejection::unauthorized)?;
        match Message::read(&head.headers, &transport::read(body).await?)? {
            Message::Notification => Ok(accepted()),
            Message::Request(request) => self
                .dispatch::<T>(&tenant, &request)
                .await
                .map_err(|rejection| rejection.answering(&request.id)),
        }
    }

    async fn dispatch<T: Tool>(
        &self,
        tenant: &Tenant,
        request: &message::Request,
    ) -> Result<Response<Full<Bytes>>, Rejection> {
        match request.method.as_str() {
            "server/discover" => Ok(result(request, discover::<T>())),
            "tools/list" => Ok(result(request, list::<T>(request)?)),
            "tools/call" => Ok(result(request, self.call::<T>(tenant, request).await?)),
            _ => {
                let message = "a tool function knows server/discover, tools/list and tools/call";
                Err(Rejection::rpc(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, message, None)))
            }
        }
    }
}

fn discover<T: Tool>() -> DiscoverResult {
    let mut capabilities = ServerCapabilities::default();
    capabilities.tools = Some(ToolsCapability::default());
    let server = Implementation::new(function_of(T::NAME), env!("CARGO_PKG_VERSION")).with_title(T::TITLE);
    DiscoverResult::new(vec![ProtocolVersion::V_2026_07_28], capabilities)
        .with_server_info(server)
        .with_ttl_ms(DEFINITION_TTL_MS)
        .with_cache_scope(CacheScope::Public)
}

fn list<T: Tool>(request: &message::Request) -> Result<ListToolsResult, Rejection> {
    if request.params.get("cursor").is_some_and(|cursor| !cursor.is_null()) {
        let message = "unknown cursor: this list has one page";
        return Err(Rejection::rpc(ErrorData::invalid_params(message, None)));
    }
    Ok(ListToolsResult::with_all_items(vec![definition::<T>()])
        .with_ttl_ms(DEFINITION_TTL_MS)
        .with_cache_scope(CacheScope::Public))
}

fn result(request: &message::Request, result: impl Serialize) -> Response<Full<Bytes>> {
    let response = JsonRpcResponse { jsonrpc: JsonRpcVersion2_0, id: request.id.clone(), result };
    rejection::json(StatusCode::OK, &response)
}

fn accepted() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// The answer of a component whose settings are unusable; the log says which.
#[cfg(target_family = "wasm")]
pub(crate) fn misconfigured() -> Response<Full<Bytes>> {
    Rejection::internal().into_response()
}
