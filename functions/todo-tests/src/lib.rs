#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails by panicking")]
//! A small language for end-to-end tests.
//!
//! A [`World`] is the whole system as `todo up` runs it, with a data folder and a database of its own, on a free port. A
//! [`Person`] in it talks through the chat endpoint; a [`Function`] is called past the agent, as `chat` calls it. Nothing
//! is mocked: the components are the ones that `spin.toml` builds, and they run in the host that serves them.

mod function;
mod person;
mod platform;
mod world;

pub use function::{Call, Function};
pub use person::{Person, Reply};
pub use platform::Platform;
pub use world::{Engine, World};

/// Declares the same test on both databases: `on_sqlite::name` always runs; `on_postgres::name` runs when a server can
/// be had, and must when `TODO_TEST_REQUIRE` names `postgres`.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($world:ident: World) $body:block)+) => {
        $($(#[$attribute])* async fn $name($world: $crate::World) $body)+

        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name($crate::World::on($crate::Engine::Sqlite).await.unwrap()).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(world) = $crate::World::on($crate::Engine::Postgres).await {
                    super::$name(world).await;
                }
            })+
        }
    };
}
