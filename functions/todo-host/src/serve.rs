//! Functions on a port.

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};

use crate::functions::Functions;
use crate::response::{Body, json};

/// How long requests under way may take once the server was asked to stop.
const DRAIN: Duration = Duration::from_secs(30);
/// How long to wait when no connection can be accepted, commonly because too many files are open.
const RECOVER: Duration = Duration::from_millis(50);
/// How long a caller may take to send a request's headers.
const HEADERS: Duration = Duration::from_secs(10);

/// An HTTP server of [`Functions`].
#[derive(Clone)]
pub struct Server {
    functions: Arc<Functions>,
    only: Option<Arc<str>>,
    metrics: Option<Metrics>,
    drain: Duration,
}

/// Makes the page for Prometheus.
type Metrics = Arc<dyn Fn(&HeaderMap) -> BoxFuture<'static, Response<String>> + Send + Sync>;

impl Server {
    /// A server that finds the function of a request by the manifest's routes.
    pub fn new(functions: impl Into<Arc<Functions>>) -> Self {
        Self { functions: functions.into(), only: None, metrics: None, drain: DRAIN }
    }

    /// A server that gives every path to the function `name`, except `/healthz`, `/readyz` and, if there is one, `/metrics`.
    pub fn only(functions: impl Into<Arc<Functions>>, name: impl Into<Arc<str>>) -> Self {
        Self { only: Some(name.into()), ..Self::new(functions) }
    }

    /// The same, with a page at `/metrics`; it is told the headers of who asks for it.
    pub fn with_metrics<F>(self, page: impl Fn(&HeaderMap) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<String>> + Send + 'static,
    {
        Self { metrics: Some(Arc::new(move |headers| page(headers).boxed())), ..self }
    }

    /// How long requests under way may take once the server was asked to stop: 30 s unless said here.
    pub fn drain(self, drain: Duration) -> Self {
        Self { drain, ..self }
    }

    /// Serves until `shutdown` is done, then lets requests under way finish.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let connections = GracefulShutdown::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.clone().connection(stream, &connections),
                    Err(error) => {
                        tracing::warn!("cannot accept a connection: {error}");
                        tokio::time::sleep(RECOVER).await;
                    }
                },
            }
        }
        drop(listener);
        if tokio::time::timeout(self.drain, connections.shutdown()).await.is_err() {
            tracing::warn!("stopped with requests still under way");
        }
    }

    fn connection(self, stream: TcpStream, connections: &GracefulShutdown) {
        // A response's end would otherwise wait for the caller's acknowledgement of its start.
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let server = self.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended early: {error}");
            }
        });
    }

    /// Answers one request, for a server that is not this one.
    pub async fn answer<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        if let (Some(metrics), "/metrics") = (&self.metrics, request.uri().path()) {
            return metrics(request.headers())
                .await
                .map(|page| Full::new(page.into()).map_err(|never| match never {}).boxed_unsync());
        }
        match (request.uri().path(), &self.only) {
            // A function is loaded before its server starts, so whoever reaches this finds it alive and ready.
            ("/healthz" | "/readyz", Some(_)) => healthy(),
            (_, Some(name)) => self.functions.handle(name, request).await,
            (path @ ("/healthz" | "/readyz"), None) if !self.functions.has_route(path) => healthy(),
            (_, None) => self.functions.route(request).await,
        }
    }
}

fn healthy() -> Response<Body> {
    json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))
}
