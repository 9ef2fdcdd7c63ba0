//! Runs Spin components: the host behind `todo serve` and `todo up`.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use todo_host::{Functions, Manifest, Server, Variables, build};
//!
//! let manifest = Manifest::load("spin.toml")?;
//! build(&manifest, |step| eprintln!("{step}"))?;
//! let functions = Functions::builder(&manifest)
//!     .variables(Variables::from([("database_url".into(), "sqlite:todo.db".into())]))
//!     .sqlite("default", "todo.db")
//!     .cache("target/cwasm")
//!     .load()
//!     .await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! Server::new(functions).serve(listener, std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
//!
//! A [`Manifest`] is a plain Spin manifest; what this host does not offer is refused when it is read. [`build()`] runs the
//! manifest's build commands for components that are missing or older than their sources. [`Functions`] compiles the
//! components (or takes them from a cache, or precompiled by [`precompile`]), gives each what the manifest grants it
//! and nothing else, and answers requests within [`Limits`]. [`Server`] puts them on a port.
//!
//! What a fault costs: a trap, an endless loop or too much memory ends one instance, and an instance works on one
//! request at a time, so it is one failed request. An instance that behaves is used again, because a fresh one costs
//! more than a small request does.

mod bindings;
mod build;
mod capabilities;
mod compile;
mod counters;
mod engine;
mod error;
mod footprint;
mod function;
mod functions;
mod gate;
mod instance;
mod limits;
mod manifest;
mod request;
mod response;
mod runtime;
mod serve;

pub use build::{BuildError, Step, build};
pub use capabilities::nearby::{Answer, Nearby};
pub use compile::precompile;
pub use counters::{Counters, Counts};
pub use error::HostError;
pub use functions::{Builder, Functions};
pub use limits::Limits;
pub use manifest::{Build, Component, Manifest, ManifestError, Route, Variables};
pub use response::Body;
pub use runtime::Runtime;
pub use serve::Server;
