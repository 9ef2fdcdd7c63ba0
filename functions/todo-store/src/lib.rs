//! Tasks, conversations and the outbox, on Postgres and on SQLite, natively and in a component.
//!
//! ```no_run
//! # async fn example(tenant: todo_identity::Tenant) -> Result<(), todo_store::Error> {
//! use todo_domain::{ListQuery, NewTask, TaskId};
//! use todo_store::{Database, tasks};
//!
//! let database = Database::open("sqlite:data/todo.db").await?;
//! let mut tx = database.begin(&tenant).await?;
//! tasks::add(&mut tx, NewTask { title: "Water the plants".to_owned(), ..NewTask::default() }).await?;
//! tasks::complete(&mut tx, TaskId(1)).await?;
//! let page = tasks::list(&mut tx, &ListQuery::default()).await?;
//! tx.commit().await
//! # }
//! ```
//!
//! Four rules hold everywhere:
//!
//! - **A tenant's transaction is the only way in.** [`Database::begin`] takes a [`todo_identity::Tenant`], which only verification
//!   makes; every statement names its user; on Postgres row-level security says it a third time, because the transaction takes
//!   on a role that cannot bypass it. Another tenant's task is not found.
//! - **A change and its events are one transaction**: [`tasks`] writes the outbox rows with the task.
//! - **The statement text stands once.** Where the databases differ is in the migrations and in one file, `dialect.rs`. Only BIGINT
//!   and TEXT are used, which all drivers agree on.
//! - **A round trip is dear**: a tool call is three to five statements. Tags, reminders and search words are therefore written
//!   as part of the task's row and indexed by triggers.

pub mod audit;
pub mod calls;
pub mod conversations;
mod cursor;
mod database;
pub mod dead_letters;
mod dialect;
mod driver;
mod error;
pub mod inbox;
pub mod outbox;
#[cfg(not(target_family = "wasm"))]
pub mod rebuild;
pub mod reminders;
mod search;
mod statements;
pub mod tasks;
#[cfg(all(feature = "testing", not(target_family = "wasm")))]
pub mod testing;
pub mod updates;
mod value;

pub use database::{Database, RelayTransaction, Transaction};
#[cfg(not(target_family = "wasm"))]
pub use database::{OperatorTransaction, RepairTransaction, migrate};
pub use dialect::Dialect;
pub use error::Error;
pub use todo_events::Origin;

pub(crate) use value::{Row, Value};
