//! The tools as MCP servers over a real SQLite database, request by request, and the client against them over sockets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod client;
mod definitions;
mod identity;
mod mistakes;
mod protocol;
mod repeated;
mod tools;
mod transport;
mod world;
