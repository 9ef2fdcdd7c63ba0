use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use todo_identity::Tenant;
use uuid::Uuid;

use crate::error::Problem;
use crate::trace::Trace;
use crate::{Chat, identity};

/// The part of a message that says in whose name a tool is called.
#[derive(Deserialize)]
struct Message {
    params: Params,
}

#[derive(Deserialize)]
struct Params {
    name: String,
    arguments: Map<String, Value>,
}

/// Lets a request pass with a person's token that asks for nothing in another's name. Who has no token is told where to
/// get one.
pub(crate) async fn admit(State(chat): State<Chat>, request: Request, next: Next) -> Response {
    match admitted(&chat, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admitted(chat: &Chat, mut request: Request) -> Result<Request, Problem> {
    let metadata =
        format!("{}/.well-known/oauth-protected-resource/mcp", chat.gateway.base(request.headers()));
    let tenant = identity::of_headers(chat, request.headers())
        .await
        .map_err(|problem| problem.with_challenge_parameter("resource_metadata", &metadata))?;
    request.extensions_mut().insert(tenant.clone());
    let (head, body) = request.into_parts();
    let body = to_bytes(body, todo_mcp::BODY_LIMIT).await.map_err(|_| too_large())?;
    if let Some(params) = in_anothers_name(&tenant, &body) {
        let traceparent = head.extensions.get::<Trace>().map(Trace::traceparent);
        return Err(refused_by_tool(chat, &tenant, params, traceparent.as_deref()).await);
    }
    Ok(Request::from_parts(head, Body::from(body)))
}

/// A call whose `user_id` is not the token's.
fn in_anothers_name(tenant: &Tenant, body: &[u8]) -> Option<Params> {
    let Message { params } = serde_json::from_slice(body).ok()?;
    let claimed = params.arguments.get("user_id")?;
    (claimed != tenant.user_id()).then_some(params)
}

/// The tool refuses such a call and writes it down; the client is told the same whatever becomes of that.
async fn refused_by_tool(chat: &Chat, tenant: &Tenant, params: Params, traceparent: Option<&str>) -> Problem {
    let call_id = Uuid::new_v4().simple().to_string();
    let tools = chat.turns.tools();
    if let Ok(outcome) = tools.call(tenant, &params.name, params.arguments, &call_id, traceparent).await {
        tracing::error!(tool = params.name, outcome.is_error, "a tool took a call in another's name");
    }
    Problem::another_user()
}

fn too_large() -> Problem {
    Problem::refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is larger than 128 KiB.")
}
