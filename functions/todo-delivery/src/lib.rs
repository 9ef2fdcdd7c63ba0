//! Both ends of an event's way.
//!
//! **Out.** A change writes its events in its transaction (`todo_store::outbox`) and may take the lease to publish them. Whoever got it
//! hands it to [`Publisher::publish_later`], which returns at once: the answer goes out first, and the events after it, in the same
//! instance. What is left behind (a crash, a broker that is away) is the relay's, which calls [`Publisher::publish_person`].
//!
//! **In.** A consumer is a [`Consumer`]: its name, the types it wants, and the few lines that act. Everything else is here:
//! [`Server::serve`] reads the CloudEvent, verifies it, opens a transaction of the person it was signed for, notes it in the inbox,
//! lets the consumer act, commits, and answers with a status that tells the delivery what to do next (`docs/specs/delivery.md`); the
//! body is always empty, because a Knative Broker takes any other body for a failure. [`component!`] exports it to Spin.
//!
//! A [`Tick`] is the same for what the clock wakes, and a [`Job`] for what Dapr calls when a time has come. All publish what they wrote like the tools do.
//!
//! Compiles to WebAssembly and natively; what differs is how a request is sent (`http/`) and where settings come from.

#[cfg(target_family = "wasm")]
pub mod component;
mod consumer;
mod error;
mod http;
mod job;
pub mod log;
mod publish;
mod received;
mod server;
mod settings;
mod sidecar;
#[cfg(all(feature = "testing", not(target_family = "wasm")))]
pub mod testing;
mod tick;

pub use consumer::{Consumer, Delivery, Types};
pub use error::Error;
pub use http::SendError;
pub use job::Job;
pub use publish::{Published, Publisher};
pub use received::Received;
pub use server::Server;
pub use settings::{Settings, SetupError, Variables};
pub use sidecar::{Sidecar, SidecarError};
pub use tick::Tick;

/// Exports a [`Consumer`] as this crate's Spin component. Nothing on other targets, where the consumer is a library.
#[macro_export]
macro_rules! component {
    ($consumer:ty) => {
        #[cfg(target_family = "wasm")]
        #[::spin_sdk::http_service]
        async fn handle(request: ::spin_sdk::http::Request) -> $crate::component::Response {
            $crate::component::consume::<$consumer>(request).await
        }
    };
}

/// The same for a [`Tick`].
#[macro_export]
macro_rules! tick {
    ($tick:ty) => {
        #[cfg(target_family = "wasm")]
        #[::spin_sdk::http_service]
        async fn handle(request: ::spin_sdk::http::Request) -> $crate::component::Response {
            $crate::component::tick::<$tick>(request).await
        }
    };
}

/// The same for a [`Job`].
#[macro_export]
macro_rules! job {
    ($job:ty) => {
        #[cfg(target_family = "wasm")]
        #[::spin_sdk::http_service]
        async fn handle(request: ::spin_sdk::http::Request) -> $crate::component::Response {
            $crate::component::job::<$job>(request).await
        }
    };
}
