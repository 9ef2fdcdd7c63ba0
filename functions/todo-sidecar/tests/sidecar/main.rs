//! The sidecar over real HTTP, with a real file and functions that do as they are told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may end here")]

mod bindings;
mod bridging;
mod deliveries;
mod differential;
mod failures;
mod invocation;
mod jobs;
mod kills;
mod manifests;
mod publishing;
mod restarts;
mod speed;
mod state;
mod world;
