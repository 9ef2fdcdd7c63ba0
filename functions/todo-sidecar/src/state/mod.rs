//! State: `/v1.0/state/{store}`, with ETags, first-write concurrency and a time to live, as Dapr's SQLite component has them.

mod api;
mod operation;

pub(crate) use api::{bulk_get, delete, get, save, transaction};
