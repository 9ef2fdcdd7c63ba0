//! The whole surface over sockets: a real database, the real tools behind a socket of their own, a model that follows a
//! script or the offline one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod chatkit;
mod drain;
mod endpoint;
mod gateway;
mod identity;
mod keys;
mod page;
mod script;
mod streaming;
mod tools;
mod turns;
mod world;
