//! How sockets end: each with a code and a reason.

use std::time::Duration;

use live::Limits;

use crate::on_both_databases;
use crate::world::World;

on_both_databases! {
    a_page_that_does_not_read_is_dropped_while_others_go_on,
    a_page_that_answers_nothing_is_dropped,
    a_quiet_page_hears_heartbeats,
    a_socket_ends_with_its_token,
    one_page_too_many_is_told_so,
    a_long_message_ends_the_socket,
    a_process_that_stops_says_so,
}

async fn a_page_that_does_not_read_is_dropped_while_others_go_on(world: World) {
    let replica = world.serve_with(Limits { queue: 8, ..Limits::default() }).await;
    let mut slow = world.page(&replica, "ada").await;
    let since = slow.hears_snapshot().await;
    let mut quick = world.page(&replica, "ada").await;
    quick.hears_snapshot().await;
    // More than all buffers between the two ends hold.
    let long = "x".repeat(256 * 1024);
    let mut pushed = 0;
    while replica.live.sockets() == 2 {
        world.push("ada", &long).await;
        assert_eq!(quick.hears_title().await.len(), long.len());
        pushed += 1;
        assert!(pushed < 500, "the slow page is not dropped");
    }
    world.push("ada", "still here").await;
    assert_eq!(quick.hears_title().await, "still here");
    // What the slow page missed is kept for it.
    drop(slow);
    let mut slow = world.page_since(&replica, "ada", since).await;
    for _ in 0..pushed {
        slow.hears_title().await;
    }
    assert_eq!(slow.hears_title().await, "still here");
}

async fn a_page_that_answers_nothing_is_dropped(world: World) {
    let limits =
        Limits { heartbeat: Duration::from_millis(50), silence: Duration::from_secs(2), ..Limits::default() };
    let replica = world.serve_with(limits).await;
    // It reads nothing, and so answers no ping; the other one does.
    let _silent = world.page(&replica, "ada").await;
    let mut lively = world.page(&replica, "ada").await;
    replica.has_sockets(2).await;
    let hears = async {
        loop {
            lively.hears_anything().await.unwrap();
        }
    };
    tokio::select! {
        () = hears => {}
        () = replica.has_sockets(1) => {}
    }
    world.push("ada", "still here").await;
    assert_eq!(lively.hears_or_ends().await.map(|message| message["title"].clone()).unwrap(), "still here");
}

async fn a_quiet_page_hears_heartbeats(world: World) {
    let limits = Limits { heartbeat: Duration::from_millis(20), ..Limits::default() };
    let replica = world.serve_with(limits).await;
    let mut page = world.page(&replica, "ada").await;
    assert_eq!(page.hears_snapshot().await, 0);
    assert_eq!(page.hears_heartbeat().await, 0);
    let offset = world.push("ada", "change").await;
    assert_eq!(page.hears_title().await, "change");
    for _ in 0..3 {
        assert_eq!(page.hears_heartbeat().await, offset);
    }
}

async fn a_socket_ends_with_its_token(world: World) {
    let replica = world.serve().await;
    let token = world.token_for("ada", 1);
    let mut page = crate::page::Page::open(&replica.address, "/api/ada/live", &token).await;
    let (code, reason) = page.ends().await;
    assert_eq!(code, 1008, "{reason}");
    replica.has_sockets(0).await;
}

async fn one_page_too_many_is_told_so(world: World) {
    let replica = world.serve_with(Limits { sockets_per_person: 2, ..Limits::default() }).await;
    let mut pages = Vec::new();
    for _ in 0..2 {
        let mut page = world.page(&replica, "ada").await;
        page.hears_snapshot().await;
        pages.push(page);
    }
    assert_eq!(world.page(&replica, "ada").await.ends().await.0, 4000);
    world.page(&replica, "bob").await.hears_snapshot().await;
    pages.pop();
    replica.has_sockets(1).await;
    world.page(&replica, "ada").await.hears_snapshot().await;
}

async fn a_long_message_ends_the_socket(world: World) {
    let replica = world.serve().await;
    let mut page = world.page(&replica, "ada").await;
    page.hears_snapshot().await;
    page.says("hello".to_owned()).await;
    page.says("x".repeat(1024)).await;
    world.push("ada", "still here").await;
    assert_eq!(page.hears_title().await, "still here");
    page.says("x".repeat(1025)).await;
    assert_eq!(page.ends().await.0, 1009);
}

async fn a_process_that_stops_says_so(world: World) {
    let mut replica = world.serve().await;
    let mut pages = [world.page(&replica, "ada").await, world.page(&replica, "bob").await];
    for page in &mut pages {
        page.hears_snapshot().await;
    }
    replica.stop();
    for page in &mut pages {
        assert_eq!(page.ends().await.0, 1001);
    }
    replica.ended().await;
}
