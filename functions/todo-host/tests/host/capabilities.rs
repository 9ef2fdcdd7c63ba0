//! Variables and outbound HTTP.

use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::world::{World, variables};

#[tokio::test]
async fn variables_are_the_components_own() {
    let world = World::new().await;
    assert_eq!(world.post("/variable", "greeting").await.1, json!({ "value": "hello, component" }));
    let (_, unknown) = world.post("/variable", "outbound_host").await;
    assert!(unknown["error"].as_str().unwrap().contains("Undefined"), "{unknown}");
}

#[tokio::test]
async fn a_listed_host_is_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut given = variables();
    given.insert("outbound_host".into(), address.to_string());
    let world = World::load(|builder| builder.variables(given)).await;
    let url = format!("http://{address}/x");
    let (answer, ()) = tokio::join!(world.post("/fetch", &url), answer_once(listener));
    assert_eq!(answer, (StatusCode::OK, json!({ "status": 200, "body": "there" })));
}

#[tokio::test]
async fn a_host_that_is_not_listed_is_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World::new().await;
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let (_, answer) = world.post("/fetch", &url).await;
    assert!(answer["error"].as_str().unwrap().contains("HttpRequestDenied"), "{answer}");
    let mut accepting = std::pin::pin!(listener.accept());
    assert!(futures::poll!(accepting.as_mut()).is_pending());
}

async fn answer_once(listener: TcpListener) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut next = [0; 512];
        let read = stream.read(&mut next).await.unwrap();
        seen.extend_from_slice(&next[..read]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nthere").await.unwrap();
}
