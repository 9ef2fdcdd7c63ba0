//! Everything on one machine: the components behind a port of their own on loopback, and the chat function in front.

use std::net::{Ipv4Addr, SocketAddr};

use chat::Chat;
use todo_host::{Functions, Server};
use todo_identity::FunctionKey;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::{chat_function, migrate, serve};

/// A running system. Dropping it stops it at once; [`System::stop`] lets what has begun finish.
pub struct System {
    address: SocketAddr,
    functions_address: SocketAddr,
    model: String,
    database: String,
    stop_chat: CancellationToken,
    stop_functions: CancellationToken,
    chat: JoinHandle<std::io::Result<()>>,
    functions: JoinHandle<()>,
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
        let loaded = serve::load(config, &manifest, &key.public_jwks(), None).await?;
        let names: Vec<_> = manifest.components().iter().map(|component| component.id.clone()).collect();
        let functions_listener = serve::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let functions_address = local(&functions_listener)?;
        let tools = chat_function::tools(&function_url(functions_address, "{function}"), names, key)?;
        let address = local(&listener)?;
        let chat = chat_function::open(config, tools, &format!("http://{address}")).await?;
        Ok(Self::run(config, (listener, address, chat), (functions_listener, functions_address, loaded)))
    }

    fn run(
        config: &Config,
        (listener, address, chat): (TcpListener, SocketAddr, Chat),
        (functions_listener, functions_address, functions): (TcpListener, SocketAddr, Functions),
    ) -> Self {
        let (stop_chat, stop_functions) = (CancellationToken::new(), CancellationToken::new());
        let chat = chat::serve(listener, chat, stop_chat.clone().cancelled_owned());
        let server = Server::new(functions).drain(config.drain());
        let stopped = stop_functions.clone().cancelled_owned();
        Self {
            address,
            functions_address,
            model: chat_function::describe_model(config),
            database: describe_database(config),
            stop_chat,
            stop_functions,
            chat: tokio::spawn(chat),
            functions: tokio::spawn(async move { server.serve(functions_listener, stopped).await }),
        }
    }

    /// Where people reach it: `http://127.0.0.1:8080`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the agent reaches a function.
    pub fn function_url(&self, function: &str) -> String {
        function_url(self.functions_address, function)
    }

    /// Which model answers, for a person to read.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Where the data is, for a person to read. No password.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Takes no new requests, lets those that have begun finish, and stops. Chat goes first: its turns need the functions.
    pub async fn stop(mut self) -> Outcome {
        self.stop_chat.cancel();
        let chat = (&mut self.chat).await;
        self.stop_functions.cancel();
        (&mut self.functions).await.map_err(Failure::internal)?;
        chat.map_err(Failure::internal)?
            .map_err(|error| Failure::unavailable(format!("chat stopped: {error}")))
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.chat.abort();
        self.functions.abort();
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
    format!("http://{address}/{function}/mcp")
}

fn local(listener: &TcpListener) -> Outcome<SocketAddr> {
    listener.local_addr().map_err(Failure::internal)
}

fn describe_database(config: &Config) -> String {
    let url = config.database_url();
    match url.strip_prefix("sqlite:") {
        Some(file) => format!("{file} (SQLite)"),
        None => serve::postgres_host(&url)
            .map_or_else(|| "Postgres".to_owned(), |host| format!("Postgres at {host}")),
    }
}
