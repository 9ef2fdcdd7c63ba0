//! The loop's behaviours, one by one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

mod approval;
mod limits;
mod offline;
mod talk;
mod tools;
