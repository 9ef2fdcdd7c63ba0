//! Everything on one machine: the components behind a port of their own on loopback, the sidecar that carries their events
//! beside them, and the chat function in front.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use chat::Chat;
use live::{Feed, Live};
use todo_host::{Functions, Server};
use todo_identity::FunctionKey;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::metrics::Sources;
use crate::serve::Which;
use crate::sidecar::{Carrier, Opened, Place};
use crate::{EventVariables, chat_function, live_function, local, metrics, migrate, serve};

/// A running system. Dropping it stops it at once, like a crash; [`System::stop`] lets what has begun finish.
pub struct System {
    address: SocketAddr,
    functions_address: SocketAddr,
    events: EventVariables,
    model: String,
    database: String,
    carrier: Carrier,
    live: Live,
    chat: Part,
    functions: Part,
    sidecar: Part,
}

/// A server that runs until it is told to stop; dropped, it is gone.
struct Part {
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

impl System {
    /// Builds what is stale, prepares the database and serves. The port is bound first, so that a second system in the
    /// same place fails before it does anything.
    pub async fn start(config: &Config) -> Outcome<Self> {
        let listener = serve::bind(config.listen).await?;
        config.prepare_data_folder()?;
        let manifest = serve::manifest(config)?;
        serve::build(&manifest).await?;
        migrate::migrate(&config.database_url()).await?;

        let key = function_key(config)?;
        // The functions are told who signs people's tokens, so the development key is made before they are.
        chat_function::identity(config)?;
        let place = Place::take(config).await?;
        let loaded =
            serve::load(config, &manifest, &key.public_jwks(), place.variables(), Which::All(place.nearby()))
                .await?;
        let names: Vec<_> = manifest.components().iter().map(|component| component.id.clone()).collect();
        let functions_listener = serve::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let functions_address = address_of(&functions_listener)?;
        let functions = Arc::new(loaded);
        let url = function_url(functions_address, "{function}");
        let sidecar = place.open(config, &manifest, &url, local::local(functions.clone())).await?;
        let tools = chat_function::tools(&tool_url(functions_address), names, key)?;
        let address = address_of(&listener)?;
        let chat = chat_function::open(config, tools, &format!("http://{address}")).await?;
        let feed = feed(config, &sidecar);
        let live = live_function::open(config, chat.people(), feed).await?;
        let mut counted = metrics::registry();
        chat.register(&mut counted);
        let metrics = Sources {
            counted: Arc::new(counted),
            functions: Some(functions.clone()),
            system: metrics::system::Sources {
                carrier: Some(sidecar.carrier.clone()),
                database: Some(chat_function::database(&config.database_url()).await?),
                live: Some(live.clone()),
            },
        };
        let chat = chat.with_routes(live.router()).with_routes(metrics.router());
        Ok(Self::run(
            config,
            (listener, address, chat, live),
            (functions_listener, functions_address, functions),
            sidecar,
        ))
    }

    fn run(
        config: &Config,
        (listener, address, chat, live): (TcpListener, SocketAddr, Chat, Live),
        (functions_listener, functions_address, functions): (TcpListener, SocketAddr, Arc<Functions>),
        Opened { carrier, listener: sidecar_listener, variables }: Opened,
    ) -> Self {
        let server = Server::new(functions).drain(config.drain());
        // Functions first: events are delivered as soon as their carrier is served.
        let functions = Part::run(async |stopped| {
            server.serve(functions_listener, stopped).await;
            Ok(())
        });
        let served = carrier.clone();
        Self {
            address,
            functions_address,
            events: variables,
            model: chat_function::describe_model(config),
            database: describe_database(config),
            live,
            functions,
            sidecar: Part::run(async move |stopped| served.serve(sidecar_listener, stopped).await),
            carrier,
            chat: Part::run(async |stopped| chat::serve(listener, chat, stopped).await),
        }
    }

    /// Where people reach it: `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where a function answers.
    pub fn function_url(&self, function: &str) -> String {
        function_url(self.functions_address, function)
    }

    /// Where the Dapr API answers, what its callers must know, and how events are signed here.
    pub fn event_variables(&self) -> &EventVariables {
        &self.events
    }

    /// Which model answers, for a person to read.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// What carries events and jobs, for a person to read.
    pub fn events(&self) -> &'static str {
        self.carrier.describe()
    }

    /// Where the data is, for a person to read. No password.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Takes no new requests, lets those that have begun finish, and stops. Open pages are told first; then chat, whose turns
    /// need the functions.
    /// Then no event is delivered any more; what a function could not publish by then waits in the outbox for the next start.
    pub async fn stop(self) -> Outcome {
        self.live.stop().await;
        self.chat.stop("chat").await?;
        self.carrier.stop().await;
        self.functions.stop("the functions").await?;
        self.sidecar.stop("the sidecar").await
    }
}

impl Part {
    fn run<F>(serve: impl FnOnce(WaitForCancellationFutureOwned) -> F) -> Self
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(stop.clone().cancelled_owned()));
        Self { stop, task }
    }

    async fn stop(mut self, name: &str) -> Outcome {
        self.stop.cancel();
        let stopped = (&mut self.task).await.map_err(Failure::internal)?;
        stopped.map_err(|error| Failure::unavailable(format!("{name} stopped: {error}")))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The key that the configuration names, or a new one: nobody else needs to know it here.
fn function_key(config: &Config) -> Outcome<FunctionKey> {
    match &config.function_key {
        Some(pem) => {
            FunctionKey::from_pem(pem).map_err(|error| Failure::usage(format!("TODO_FUNCTION_KEY: {error}")))
        }
        None => FunctionKey::generate().map_err(Failure::unavailable),
    }
}

fn function_url(address: SocketAddr, function: &str) -> String {
    format!("http://{address}/{function}")
}

fn tool_url(address: SocketAddr) -> String {
    format!("{}/mcp", function_url(address, "{function}"))
}

fn address_of(listener: &TcpListener) -> Outcome<SocketAddr> {
    listener.local_addr().map_err(Failure::internal)
}

/// How open pages hear of updates: from Postgres itself, or from the sidecar that has just delivered one.
fn feed(config: &Config, opened: &Opened) -> Feed {
    let url = config.database_url();
    if serve::postgres_host(&url).is_some() {
        return Feed::postgres(url);
    }
    let (announcer, feed) = Feed::in_process();
    tokio::spawn(live_function::announce(opened.carrier.observe(), announcer));
    feed
}

fn describe_database(config: &Config) -> String {
    let url = config.database_url();
    match url.strip_prefix("sqlite:") {
        Some(file) => format!("{file} (SQLite)"),
        None => serve::postgres_host(&url)
            .map_or_else(|| "Postgres".to_owned(), |host| format!("Postgres at {host}")),
    }
}
