//! Both ends, with a sidecar that checks what it is sent.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod consuming;
mod probe;
mod publishing;
