//! Variables and outbound HTTP.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use http::{Response, StatusCode};
use serde_json::json;
use todo_host::{Answer, Nearby};
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

#[tokio::test]
async fn a_listed_server_of_this_process_is_reached_without_a_connection_while_it_is_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let nearby = Nearby::at(address.to_string());
    let server: Answer = Arc::new(|request| {
        async move { Response::new(Bytes::from(format!("{} here", request.uri().path()))) }.boxed()
    });
    nearby.open(&server);
    let mut given = variables();
    given.insert("outbound_host".into(), address.to_string());
    let world = World::load(|builder| builder.variables(given).nearby(nearby)).await;
    let url = format!("http://{address}/x");
    assert_eq!(world.post("/fetch", &url).await.1, json!({ "status": 200, "body": "/x here" }));
    assert!(futures::poll!(std::pin::pin!(listener.accept())).is_pending());
    drop(server);
    let (answer, ()) = tokio::join!(world.post("/fetch", &url), answer_once(listener));
    assert_eq!(answer.1, json!({ "status": 200, "body": "there" }));
}

#[tokio::test]
async fn a_server_of_this_process_that_is_not_listed_is_not_asked() {
    let nearby = Nearby::at("127.0.0.1:1");
    let server: Answer = Arc::new(|_| panic!("it is asked"));
    nearby.open(&server);
    let world = World::load(|builder| builder.nearby(nearby)).await;
    let (_, answer) = world.post("/fetch", "http://127.0.0.1:1/x").await;
    assert!(answer["error"].as_str().unwrap().contains("HttpRequestDenied"), "{answer}");
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
