//! The tools as MCP servers over a real SQLite database, request by request, and the client against them over sockets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod by_event;
mod client;
mod definitions;
mod identity;
mod mistakes;
mod protocol;
mod publishing;
mod repeated;
mod tools;
mod transport;
mod world;
