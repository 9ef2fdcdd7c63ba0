//! `todo serve`: one component, as a pod of its own runs it; and the parts of it that `todo up` shares.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use todo_host::{Functions, HostError, Manifest, Runtime, Server, Variables};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::metrics::Sources;
use crate::stop::StopSignal;
use crate::{EventVariables, telemetry};

/// Which component.
#[derive(Args)]
pub struct Serve {
    /// The component's name in spin.toml.
    pub component: String,
    /// Take it from this file; one ending in `.cwasm` was made by `todo precompile` and needs no compiling.
    #[arg(long)]
    pub file: Option<PathBuf>,
}

/// Runs the command, on a runtime that may have been started for it already.
pub async fn run(serve: Serve, config: Config, runtime: Option<Runtime>) -> Outcome {
    telemetry::start(&config, &serve.component)?;
    let mut stop = StopSignal::listen()?;
    let listener = bind(config.function_address()).await?;
    let keys = config.function_public_keys.as_deref().ok_or_else(|| {
        Failure::usage(
            "TODO_FUNCTION_PUBLIC_KEYS is needed: the JWK set that function tokens are verified with",
        )
    })?;
    let manifest = manifest(&config)?;
    let events = EventVariables::of(&config).await?;
    let functions = load(&config, &manifest, keys, events, Which::One(&serve, runtime)).await?;
    tracing::info!(function = serve.component, "ready");
    let functions = Arc::new(functions);
    let metrics = Sources { functions: Some(functions.clone()), ..Sources::default() };
    let server = Server::only(functions, serve.component).drain(config.drain());
    let server = server.with_metrics(move |headers| metrics.clone().response(headers));
    server.serve(listener, async move { stop.received().await }).await;
    Ok(())
}

/// Listens at `address`, or says who might be there.
pub async fn bind(address: SocketAddr) -> Outcome<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Failure::unavailable(format!(
            "something else listens on {address}; stop it, or choose another address with --listen or TODO_LISTEN"
        )),
        _ => Failure::unavailable(format!("cannot listen on {address}: {error}; choose another with --listen or TODO_LISTEN")),
    })
}

/// The manifest that the configuration names.
pub fn manifest(config: &Config) -> Outcome<Manifest> {
    Manifest::load(&config.manifest)
        .map_err(|error| Failure::usage(format!("{error}; name it with --manifest or TODO_MANIFEST")))
}

/// Runs the build commands of components that are missing or older than their sources.
#[cfg(feature = "system")]
pub async fn build(manifest: &Manifest) -> Outcome {
    let manifest = manifest.clone();
    let building =
        tokio::task::spawn_blocking(move || todo_host::build(&manifest, |step| eprintln!("{step}")));
    building.await.map_err(Failure::internal)?.map_err(Failure::unavailable)
}

/// Which functions a process has.
pub enum Which<'a> {
    /// This one.
    One(&'a Serve, Option<Runtime>),
    /// All of them, with the sidecar.
    #[cfg(feature = "system")]
    All(todo_host::Nearby),
}

/// Loads every component, or the one that is to be served.
pub async fn load(
    config: &Config,
    manifest: &Manifest,
    public_keys: &str,
    events: EventVariables,
    which: Which<'_>,
) -> Outcome<Functions> {
    let url = config.database_url();
    let mut variables = Variables::from([
        ("database_url".to_owned(), url.clone()),
        ("function_public_keys".to_owned(), public_keys.to_owned()),
    ]);
    events.add_to(&mut variables);
    if let Some(host) = postgres_host(&url) {
        variables.insert("postgres_host".to_owned(), host);
    }
    let mut functions = Functions::builder(manifest).variables(variables).cache(config.compiled());
    if let Some(file) = url.strip_prefix("sqlite:") {
        functions = functions.sqlite("default", file);
    }
    match which {
        #[cfg(feature = "system")]
        Which::All(sidecar) => functions = functions.nearby(sidecar),
        Which::One(serve, runtime) => {
            functions = functions.only(&serve.component);
            if let Some(runtime) = runtime {
                functions = functions.runtime(runtime);
            }
            if let Some(file) = &serve.file {
                functions = functions.file(&serve.component, file);
            }
        }
    }
    functions.load().await.map_err(|error| match error {
        HostError::Manifest(_) | HostError::UnknownComponent(_) => Failure::usage(error),
        _ => Failure::unavailable(error),
    })
}

/// The `host:port` of a Postgres URL, which is all that functions may then reach.
pub fn postgres_host(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok().filter(|url| url.scheme().starts_with("postgres"))?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some(format!("{host}:{}", url.port().unwrap_or(5432)))
}
