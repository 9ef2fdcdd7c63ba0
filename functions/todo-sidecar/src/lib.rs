//! The part of Dapr's HTTP API that our functions use, for one machine, durable in a SQLite file of its own; and the delivery of
//! events to functions over HTTP by Knative's rules.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use todo_sidecar::{Routes, Settings, Sidecar};
//!
//! let sidecar = Sidecar::open(Settings {
//!     routes: Routes::load("knative")?,
//!     job_function: Some("tick-fire-reminder".into()),
//!     ..Settings::new("sidecar.db", "http://127.0.0.1:3000/{function}")
//! })
//! .await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3500").await?;
//! sidecar.serve(listener, async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
//! sidecar.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! `POST /v1.0/publish/…` appends to a log and answers when the record is durable ([`Durability`] says against what). [`Routes`],
//! read from the manifests that a cluster gets, say which function hears of it; per consumer, topic and partition one worker
//! delivers in order, and remembers how far it is. It learns of a new record in memory, so a delivery begins within a
//! millisecond; after a crash it goes on where it was, and delivers again what it could not note in the last 100 ms.
//!
//! Jobs, state, secrets, e-mail and invocation are as Dapr 1.18 has them, in answers and errors; what differs is said in
//! `docs/specs/sidecar.md`. [`Sidecar::observe`] tells what happens, [`Sidecar::snapshot`] how things stand; neither ever tells what is
//! in an event.
//!
//! [`Courier`] holds the delivery rules without the log. With a real `daprd` and Kafka on one machine, a [`Bridge`] uses it to bring
//! the events that `daprd` hands over to the functions, along the same routes.

mod bindings;
mod bridge;
mod context;
mod delivery;
mod health;
mod invoke;
mod jobs;
mod log;
mod observe;
mod publish;
mod reply;
mod router;
mod routes;
mod secrets;
mod settings;
mod sidecar;
mod state;
mod store;

pub use bridge::{Bridge, BridgeSettings};
pub use delivery::{Courier, Delivery, Event, EventError, Failure, Local, Subscriber};
pub use jobs::Schedule;
pub use observe::{About, ConsumerCounts, LATENCY_BUCKETS, Observation, Snapshot, Times};
pub use routes::{Backoff, Consumer, Filter, Ping, Policy, Routes, RoutesError, Sink};
pub use settings::{Durability, Email, Settings, Tls};
pub use sidecar::{OpenError, Sidecar};
pub use store::StoreError;
