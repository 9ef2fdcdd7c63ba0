//! Postgres: several processes, and connections that are lost. SQLite has neither.

use todo_store::testing::TestDatabase;

use crate::world::World;

async fn world() -> Option<World> {
    Some(World::new(TestDatabase::postgres().await.unwrap()?).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_hears_of_every_push() {
    let Some(world) = world().await else { return };
    let replicas = [world.serve().await, world.serve().await];
    let mut pages = [world.page(&replicas[0], "ada").await, world.page(&replicas[1], "ada").await];
    for page in &mut pages {
        page.hears_snapshot().await;
    }
    for n in 0..20 {
        world.push("ada", &n.to_string()).await;
    }
    for page in &mut pages {
        for n in 0..20 {
            assert_eq!(page.hears_title().await, n.to_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_while_nobody_listens_is_heard_afterwards() {
    let Some(world) = world().await else { return };
    let replica = world.serve().await;
    let mut page = world.page(&replica, "ada").await;
    page.hears_snapshot().await;
    let cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    for n in 0..5 {
        // The listener may not have come back yet, which is just as well.
        world.database.as_owner(cut).await.unwrap();
        world.push("ada", &n.to_string()).await;
        assert_eq!(page.hears_title().await, n.to_string());
    }
}
