//! Requests and responses on their way through the host.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use todo_host::Limits;

use crate::world::{FAULTY, World, refused};

#[tokio::test]
async fn method_address_headers_and_body_arrive() {
    let world = World::new().await;
    let request = Request::put("/a/b?c=d%20e")
        .header("host", "example.test:8080")
        .header("x-kind", "test")
        .body(Full::new(Bytes::from("the body")))
        .unwrap();
    let (status, seen) = world.send(request).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(seen["method"], "PUT");
    assert_eq!(seen["uri"], "http://example.test:8080/a/b?c=d%20e");
    assert_eq!(seen["headers"]["x-kind"], "test");
    assert_eq!(seen["headers"]["spin-full-url"], "http://example.test:8080/a/b?c=d%20e");
    assert_eq!(seen["headers"]["spin-path-info"], "/a/b");
    assert_eq!(seen["headers"]["spin-component-route"], "");
    assert_eq!(seen["body"], "the body");
}

#[tokio::test]
async fn headers_of_spin_are_not_taken_from_outside() {
    let world = World::new().await;
    let request = Request::get("/echo")
        .header("spin-path-info", "/trap")
        .header("spin-client-addr", "10.0.0.1")
        .body(Full::default())
        .unwrap();
    let (status, seen) = world.send(request).await;
    assert_eq!((status, &seen["headers"]["spin-path-info"]), (StatusCode::OK, &"/echo".into()));
    assert!(seen["headers"].get("spin-client-addr").is_none());
}

#[tokio::test]
async fn a_route_is_told_to_its_component() {
    let world = World::new().await;
    let request = Request::get("/faulty/echo/it").body(Empty::<Bytes>::new()).unwrap();
    let response = world.functions.route(request).await;
    let seen: serde_json::Value =
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(seen["headers"]["spin-component-route"], "/faulty");
    assert_eq!(seen["headers"]["spin-path-info"], "/echo/it");
    assert_eq!(seen["uri"], "http://localhost/faulty/echo/it");
}

#[tokio::test]
async fn an_address_of_no_function_is_not_found() {
    let world = World::new().await;
    let empty = || Request::get("/elsewhere").body(Empty::<Bytes>::new()).unwrap();
    assert_eq!(world.functions.route(empty()).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(world.functions.handle("nobody", empty()).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_response_is_streamed() {
    let world = World::new().await;
    let request = Request::get("/stream").body(Empty::<Bytes>::new()).unwrap();
    let mut body = world.functions.handle(FAULTY, request).await.into_body();
    let mut frames = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.unwrap().into_data() {
            frames.push(String::from_utf8(data.to_vec()).unwrap());
        }
    }
    assert_eq!(frames.concat(), "0\n1\n2\n");
    assert!(frames.len() > 1, "{frames:?}");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let world = World::with(Limits { body: 8, ..Limits::default() }).await;
    assert_eq!(world.post("/echo", "12345678").await.0, StatusCode::OK);
    refused(&world.post("/echo", "123456789").await, StatusCode::PAYLOAD_TOO_LARGE, "too_large");
}

#[tokio::test]
async fn an_unreadable_host_is_refused() {
    let world = World::new().await;
    let request = Request::get("/echo").header("host", "not a host").body(Full::default()).unwrap();
    refused(&world.send(request).await, StatusCode::BAD_REQUEST, "bad_request");
}
