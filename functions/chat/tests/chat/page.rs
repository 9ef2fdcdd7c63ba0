//! The page and its files.

use std::collections::BTreeSet;

use http::StatusCode;

use crate::script::Script;
use crate::world::{Replica, World};

#[tokio::test]
async fn the_page_is_served_under_its_policy() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let response = world.http.get(&replica.url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    let etag = headers["etag"].to_str().unwrap();
    let again = world.http.get(&replica.url).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(again.text().await.unwrap().is_empty());
}

#[tokio::test]
async fn every_file_of_the_page_is_served_under_its_name() {
    let world = World::new().await;
    let replica = world.serve(Script::new([])).await;
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/page")).unwrap();
    let names: BTreeSet<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "index.html")
        .collect();
    assert!(names.contains("page.js"));
    for name in names {
        let response = world.http.get(format!("{}/{name}", replica.url)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        let kind =
            if name.ends_with(".js") { "text/javascript; charset=utf-8" } else { "text/css; charset=utf-8" };
        assert_eq!(response.headers()["content-type"], kind, "{name}");
    }
}

#[tokio::test]
async fn what_else_is_served_here_stands_on_the_same_origin_with_the_same_fallback() {
    let world = World::new().await;
    let more = axum::Router::new().route("/api/{user_id}/more", axum::routing::get(async || "more"));
    let chat = chat::Chat::open(world.config(Script::new([]))).await.unwrap().with_routes(more);
    let replica = Replica::start_chat(chat).await;
    let get = async |path: &str| world.http.get(format!("{}{path}", replica.url)).send().await.unwrap();
    assert_eq!(get("/api/ada/more").await.text().await.unwrap(), "more");
    let nothing = get("/api/ada/less").await;
    assert_eq!(nothing.status(), StatusCode::NOT_FOUND);
    assert!(nothing.text().await.unwrap().contains("There is nothing here"));
}
