//! `spin:postgres`: connections to the Postgres servers that `allowed_outbound_hosts` lists.
//!
//! A connection that a component opens is a pooled one, held for as long as the component holds it, so a transaction is
//! on one connection. It goes back clean ([`session`] knows when that takes a round trip) or not at all. Parameters are
//! encoded for the types that the server infers for the statement; rows are read whole before they are handed over.
#![allow(
    clippy::result_large_err,
    reason = "the interface says everything about an error of the server in its value"
)]

mod connection;
mod decode;
mod encode;
mod error;
mod host;
mod pool;
mod session;
mod tls;

pub use connection::{Connection, ConnectionBuilder};
pub use pool::Pools;
