use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use prometheus_client::registry::Registry;
use todo_identity::KeyError;
use todo_store::Database;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::gateway::Gateway;
use crate::keys::People;
use crate::router::router;
use crate::turn::Turns;

/// After the drain's deadline turns are told to stop; writing down where they stood takes less than this.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Everything that outlives a request. Cloning is cheap.
#[derive(Clone)]
pub struct Chat {
    pub(crate) people: Arc<People>,
    pub(crate) database: Database,
    pub(crate) turns: Arc<Turns>,
    pub(crate) gateway: Gateway,
    pub(crate) allowed_origins: Arc<[http::HeaderValue]>,
    pub(crate) routes: Router,
}

/// Why `chat` does not start. All of them are mistakes of configuration.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A development key in production.
    #[error(
        "the keys for people's tokens hold a development key (kid \"development\"), which anybody can have: give the JWK set of your identity provider"
    )]
    DevelopmentKey,
    /// Production without issuer and audience.
    #[error(
        "production needs both an issuer and an audience for people's tokens: set TODO_JWT_ISSUER and TODO_JWT_AUDIENCE"
    )]
    OpenPolicy,
    /// Unusable keys.
    #[error("the keys for people's tokens are unusable: {0}")]
    Keys(#[from] KeyError),
    /// The place the keys come from cannot be used.
    #[error("the keys for people's tokens cannot be read: {0}")]
    KeySource(String),
    /// Plain HTTP would let anybody on the way sign in as everybody.
    #[error("the JWK set's URL must begin with https:// (http:// only on this machine): {0}")]
    KeyUrl(String),
    /// Not the URL of a server.
    #[error("the public URL must be that of a server, like https://todo.example.com: {0}")]
    PublicUrl(String),
    /// Not an origin.
    #[error("an allowed origin must look like https://app.example.com: {0}")]
    Origin(String),
}

impl Chat {
    /// Checks the configuration and reads or fetches the keys. An issuer that is away is no error: it is asked again when
    /// somebody signs in.
    pub async fn open(config: Config) -> Result<Self, StartError> {
        let allowed_origins = origins(&config.allowed_origins)?;
        let gateway = Gateway::new(&config)?;
        let refetch = config.limits.refetch_keys;
        let people = People::open(config.keys, config.policy, config.environment, refetch).await?;
        let turns = Turns::new(config.database.clone(), config.tools, config.model, config.limits);
        Ok(Self {
            people: Arc::new(people),
            database: config.database,
            turns: Arc::new(turns),
            gateway,
            allowed_origins,
            routes: Router::new(),
        })
    }

    /// Serves these too, on the same origin.
    #[must_use]
    pub fn with_routes(self, routes: Router) -> Self {
        Self { routes: self.routes.merge(routes), ..self }
    }

    /// Adds what is counted here: turns, what the model takes, and the calls of tools.
    pub fn register(&self, registry: &mut Registry) {
        self.turns.register(registry);
    }

    /// Who knows people by their tokens here.
    pub fn people(&self) -> Arc<People> {
        Arc::clone(&self.people)
    }
}

/// Serves until `shutdown`, then takes no new requests and lets those under way finish, turns whose client has gone among
/// them, until [`crate::Limits::drain`].
///
/// # Errors
/// Only what the listener says.
pub async fn serve(
    listener: TcpListener,
    chat: Chat,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let stop = CancellationToken::new();
    let server = axum::serve(listener, router(&chat)).with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut server = tokio::spawn(server.into_future());
    tokio::select! {
        ended = &mut server => return ended.unwrap_or_else(|error| Err(std::io::Error::other(error))),
        () = shutdown => stop.cancel(),
    }
    let deadline = chat.turns.limits().drain;
    let drained = tokio::time::timeout(deadline, async {
        chat.turns.finished().await;
        (&mut server).await
    });
    if drained.await.is_err() {
        tracing::warn!("turns were still under way at the end of the drain; they are cut short");
        chat.turns.cut_short();
        let _ = tokio::time::timeout(LAST_WORDS, chat.turns.finished()).await;
        server.abort();
    }
    Ok(())
}

/// Reads web origins (`https://app.example.com`), to be compared with `Origin` headers.
///
/// # Errors
/// [`StartError::Origin`] for what is not written as browsers write it.
pub fn origins(origins: &[String]) -> Result<Arc<[http::HeaderValue]>, StartError> {
    let origin = |text: &String| {
        let url = reqwest::Url::parse(text).ok().filter(|url| url.origin().ascii_serialization() == *text);
        url.and_then(|_| http::HeaderValue::from_str(text).ok())
            .ok_or_else(|| StartError::Origin(text.clone()))
    };
    origins.iter().map(origin).collect()
}
