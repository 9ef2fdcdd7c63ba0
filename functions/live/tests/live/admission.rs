//! Who may connect, and what they get first.

use tokio_tungstenite::tungstenite::Error;

use crate::on_both_databases;
use crate::page::Page;
use crate::world::{Replica, World};

on_both_databases! {
    a_token_is_needed_and_must_be_the_persons_own,
    a_browser_sends_its_token_among_the_protocols,
    only_pages_of_our_own_and_of_allowed_origins_connect,
    a_since_that_is_no_offset_is_refused,
}

const PATH: &str = "/api/ada/live";

/// The status of a refusal.
async fn refused(replica: &Replica, path: &str, headers: &[(&'static str, &str)]) -> u16 {
    match Page::connect(&replica.address, path, headers).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("let in"),
    }
}

async fn a_token_is_needed_and_must_be_the_persons_own(world: World) {
    let replica = world.serve().await;
    let bearer = |token: String| format!("Bearer {token}");
    let bobs = bearer(world.token("bob"));
    let expired = bearer(world.token_for("ada", 0)[..20].to_owned());
    assert_eq!(refused(&replica, PATH, &[]).await, 401);
    assert_eq!(refused(&replica, PATH, &[("authorization", &expired)]).await, 401);
    assert_eq!(refused(&replica, PATH, &[("sec-websocket-protocol", "todo.live.v1")]).await, 401);
    assert_eq!(refused(&replica, PATH, &[("authorization", &bobs)]).await, 403);
    // A header that is no good is not made good by the other way.
    let good = format!("todo.live.v1, bearer.{}", world.token("ada"));
    let both = [("authorization", "Bearer x"), ("sec-websocket-protocol", good.as_str())];
    assert_eq!(refused(&replica, PATH, &both).await, 401);
}

async fn a_browser_sends_its_token_among_the_protocols(world: World) {
    let replica = world.serve().await;
    let token = world.token("ada@example.com");
    let protocols = format!("todo.live.v1, bearer.{token}");
    let headers = [("sec-websocket-protocol", protocols.as_str())];
    let (mut page, answer) =
        Page::connect(&replica.address, "/api/ada%40example.com/live", &headers).await.unwrap();
    assert_eq!(answer.headers()["sec-websocket-protocol"], "todo.live.v1", "and never the token");
    page.hears_snapshot().await;
}

async fn only_pages_of_our_own_and_of_allowed_origins_connect(world: World) {
    let replica = world.serve().await;
    let token = format!("Bearer {}", world.token("ada"));
    let own = format!("http://{}", replica.address);
    for origin in [own.as_str(), "https://app.example.com"] {
        let headers = [("authorization", token.as_str()), ("origin", origin)];
        Page::connect(&replica.address, PATH, &headers).await.unwrap().0.hears_snapshot().await;
    }
    for origin in ["https://evil.example.com", "null", "http://127.0.0.1:1"] {
        let headers = [("authorization", token.as_str()), ("origin", origin)];
        assert_eq!(refused(&replica, PATH, &headers).await, 403, "{origin}");
    }
}

async fn a_since_that_is_no_offset_is_refused(world: World) {
    let replica = world.serve().await;
    let token = format!("Bearer {}", world.token("ada"));
    for since in ["-1", "x", "1.5"] {
        let path = format!("{PATH}?since={since}");
        assert_eq!(refused(&replica, &path, &[("authorization", &token)]).await, 400, "{since}");
    }
}
