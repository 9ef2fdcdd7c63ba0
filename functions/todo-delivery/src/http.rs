//! Sending a request and reading its whole answer, within a deadline: `wasi:http` in a component, reqwest natively.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod spin;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::Client;
#[cfg(target_family = "wasm")]
pub(crate) use spin::Client;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It took too long; it may have been done all the same.
    #[error("no answer within the deadline")]
    Deadline,
    /// It cannot be reached.
    #[error("it cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
