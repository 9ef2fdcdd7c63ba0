//! Pages that are connected, on both databases: every test runs on SQLite and, where a server is to be had, on Postgres.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod admission;
mod endings;
mod order;
mod outages;
mod page;
mod world;

/// The tests of a module, on each database.
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let database = todo_store::testing::TestDatabase::sqlite().await.unwrap();
                super::$test(crate::world::World::new(database).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(database) = todo_store::testing::TestDatabase::postgres().await.unwrap() {
                    super::$test(crate::world::World::new(database).await).await;
                }
            })+
        }
    };
}
pub(crate) use on_both_databases;
