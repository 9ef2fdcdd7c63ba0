use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chat::{People, Problem, StartError};
use http::HeaderValue;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::endpoint;
use crate::hub::Hub;
use crate::{Config, Limits, feed};

/// Everything that outlives a socket. Cloning is cheap.
#[derive(Clone)]
pub struct Live(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub people: Arc<People>,
    pub hub: Arc<Hub>,
    pub allowed_origins: Arc<[HeaderValue]>,
    pub limits: Limits,
    pub sockets: TaskTracker,
    pub stop: CancellationToken,
    _stop_when_dropped: DropGuard,
}

impl Live {
    /// Checks the configuration and begins to listen for pushes. A database that is away is no error: it is asked again.
    ///
    /// # Errors
    /// [`StartError::Origin`].
    pub fn open(config: Config) -> Result<Self, StartError> {
        let Config { people, database, feed, allowed_origins, limits } = config;
        let allowed_origins = chat::origins(&allowed_origins)?;
        let hub = Arc::new(Hub::new(database, limits.clone()));
        let stop = CancellationToken::new();
        let following = feed::follow(feed, Arc::clone(&hub));
        tokio::spawn(stop.clone().run_until_cancelled_owned(following));
        Ok(Self(Arc::new(Inner {
            people,
            hub,
            allowed_origins,
            limits,
            sockets: TaskTracker::new(),
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
        })))
    }

    /// The socket's path and no other, to be served alone or as part of another router.
    pub fn router(&self) -> Router {
        Router::new().route("/api/{user_id}/live", get(endpoint::connect)).with_state(self.clone())
    }

    /// How many sockets are open.
    pub fn sockets(&self) -> usize {
        self.0.sockets.len()
    }

    /// Takes no further sockets, says goodbye to those that are open (1001) and waits until they are gone, at most for
    /// [`Limits::drain`].
    pub async fn stop(&self) {
        self.0.stop.cancel();
        self.0.sockets.close();
        if tokio::time::timeout(self.0.limits.drain, self.0.sockets.wait()).await.is_err() {
            tracing::warn!(sockets = self.sockets(), "some sockets did not take the goodbye");
        }
    }
}

/// Serves the sockets, and `routes` beside them, until `shutdown`, then stops as [`Live::stop`] says.
///
/// # Errors
/// Only what the listener says.
pub async fn serve(
    listener: TcpListener,
    live: Live,
    routes: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let health = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready))
        .with_state(live.clone());
    let router = live
        .router()
        .merge(health)
        .merge(routes)
        .fallback(async || Problem::not_found("There is nothing here but the WebSocket /api/{user_id}/live."))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(from_fn(chat::of_request));
    let stopping = async move {
        shutdown.await;
        live.stop().await;
    };
    axum::serve(listener, router).with_graceful_shutdown(stopping).await
}

/// The database answers and pushes are heard.
async fn ready(State(live): State<Live>) -> Response {
    match live.0.hub.ready().await {
        Ok(()) => "ready".into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}
