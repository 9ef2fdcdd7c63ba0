//! The functions of this process as the deliverer of events reaches them: without a connection.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use futures::FutureExt;
use http::{Request, Response};
use todo_host::{Functions, Server};
use todo_sidecar::Local;

/// More than any event that a function answers with.
const LARGEST_ANSWER: usize = 4 << 20;

/// Answers as these functions behind a port would.
pub fn local(functions: Arc<Functions>) -> Local {
    let server = Server::new(functions);
    Arc::new(move |request| answer(server.clone(), request).boxed())
}

async fn answer(server: Server, request: Request<Bytes>) -> Option<Response<Bytes>> {
    let answer = server.answer(request.map(Body::from)).await;
    let (head, body) = answer.into_parts();
    let body = to_bytes(Body::new(body), LARGEST_ANSWER).await.ok()?;
    Some(Response::from_parts(head, body))
}
