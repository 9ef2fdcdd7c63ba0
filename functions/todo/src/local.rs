//! The functions of this process as the deliverer of events reaches them, and the sidecar as functions do: without a connection.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use futures::FutureExt;
use http::{Request, Response, StatusCode};
use todo_host::{Answer, Functions, Server};
use todo_sidecar::Local;
use tower::ServiceExt;

/// More than any event that a function answers with.
const LARGEST_ANSWER: usize = 4 << 20;

/// Answers as these functions behind a port would.
pub fn local(functions: Arc<Functions>) -> Local {
    let server = Server::new(functions);
    Arc::new(move |request| ask(server.clone(), request).boxed())
}

/// Answers as this router behind a port would.
pub fn answer(router: Router) -> Answer {
    Arc::new(move |request| {
        let router = router.clone();
        async move {
            let Ok(answer) = router.oneshot(request.map(Body::from)).await;
            let (head, body) = answer.into_parts();
            match to_bytes(body, usize::MAX).await {
                Ok(body) => Response::from_parts(head, body),
                Err(_) => {
                    let mut broken = Response::new(Bytes::new());
                    *broken.status_mut() = StatusCode::BAD_GATEWAY;
                    broken
                }
            }
        }
        .boxed()
    })
}

async fn ask(server: Server, request: Request<Bytes>) -> Option<Response<Bytes>> {
    let answer = server.answer(request.map(Body::from)).await;
    let (head, body) = answer.into_parts();
    let body = to_bytes(Body::new(body), LARGEST_ANSWER).await.ok()?;
    Some(Response::from_parts(head, body))
}
