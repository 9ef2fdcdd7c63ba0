//! Who is asking: the token, and that everything else only repeats it.

use axum::extract::{Path, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use todo_identity::Tenant;

use crate::Chat;
use crate::error::Problem;

/// Lets a request pass whose token is the person's in the path, and adds its [`Tenant`] to it.
pub(crate) async fn of_path(
    State(chat): State<Chat>,
    user_id: Result<Path<String>, axum::extract::rejection::PathRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let tenant = match of_headers(&chat, request.headers()).await {
        Ok(tenant) => tenant,
        Err(problem) => return problem.into_response(),
    };
    // Decoded by the router: `ada%40example.com` is `ada@example.com`.
    if !user_id.is_ok_and(|Path(user_id)| user_id == tenant.user_id()) {
        return Problem::another_user().into_response();
    }
    request.extensions_mut().insert(tenant);
    next.run(request).await
}

/// The person of the request's bearer token.
pub(crate) async fn of_headers(chat: &Chat, headers: &HeaderMap) -> Result<Tenant, Problem> {
    let token = todo_identity::bearer(headers.get_all(AUTHORIZATION)).map_err(Problem::unauthorized)?;
    chat.people.verify(token).await
}
