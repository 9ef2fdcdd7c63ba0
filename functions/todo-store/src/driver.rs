//! The way to the database: Spin's interfaces in a component, sqlx natively. Both run the same statements with the same
//! numbered parameters, and give back the same two types of value.
//!
//! Spin's SQLite interface numbers parameters by their first appearance in the text, everything else by their number. So in every
//! statement `$1`, `$2` … appear in that order for the first time.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod spin;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{Connection, Pool, migrate};
#[cfg(target_family = "wasm")]
pub(crate) use spin::{Connection, Pool};
