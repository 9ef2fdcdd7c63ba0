//! Every change becomes an event, and the events do the rest: the walkthroughs, and what may go wrong, each on SQLite and on Postgres with
//! the embedded sidecar, and on Kafka with a real `daprd`, scheduler and Postgres.

mod broken;
mod calls;
mod kcat;
mod outage;
mod receivers;
mod scene;
mod socket;
mod stage;
mod walkthroughs;

use receivers::Receivers;
use scene::{Scene, Somebody, eventually};
use socket::Page;
use stage::On;

/// Declares the same test everywhere: `sqlite::name` always runs; `postgres::name` when a server can be had; `kafka::name` when the
/// platform is built. The last two must when `TODO_TEST_REQUIRE` names `postgres` or `platform`.
macro_rules! everywhere {
    ($($(#[$attribute:meta])* async fn $name:ident($scene:ident: Scene) $body:block)+) => {
        $($(#[$attribute])* async fn $name($scene: &$crate::events::Scene) $body)+
        mod sqlite { $($crate::events::on!($name, Sqlite);)+ }
        mod postgres { $($crate::events::on!($name, Postgres);)+ }
        mod kafka { $($crate::events::on!($name, Kafka);)+ }
    };
}
macro_rules! on {
    ($name:ident, $place:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            if let Some(scene) = $crate::events::Scene::on($crate::events::On::$place).await {
                super::$name(&scene).await;
            }
        }
    };
}
use {everywhere, on};
