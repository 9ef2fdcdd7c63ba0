//! Invocation, and what the sidecar says of itself.

use axum::response::IntoResponse;
use http::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{Call, ROUTES, World, takes};

#[tokio::test]
async fn a_function_is_invoked_by_its_name() {
    let mut world = World::with(
        ROUTES,
        |call: &Call| (StatusCode::IM_A_TEAPOT, [("x-answer", "yes")], call.body.clone()).into_response(),
        |settings| {
            settings.api_token = Some("mine".into());
            settings.app_api_token = Some("app".into());
        },
    )
    .await;
    let by_path = ("/v1.0/invoke/first/method/tasks/1?q=a%20b", None);
    let by_header = ("/tasks/1?q=a%20b", Some("first"));
    for (path, header) in [by_path, by_header] {
        let mut request = world
            .client
            .request(Method::PATCH, world.url(path))
            .body("hello")
            .header("dapr-api-token", "mine");
        if let Some(function) = header {
            request = request.header("dapr-app-id", function);
        }
        let response = request.header("x-question", "what").send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["x-answer"].to_str().unwrap()),
            (418, "yes")
        );
        assert_eq!(response.text().await.unwrap(), "hello");
        let call = world.call("first").await;
        assert_eq!((call.method.as_str(), call.path.as_str()), ("PATCH", "/tasks/1?q=a%20b"));
        assert_eq!((call.header("x-question"), call.header("dapr-caller-app-id")), ("what", "todo"));
        assert_eq!(call.header("dapr-api-token"), "app", "the caller's token stays here");
        assert_eq!(call.header("dapr-app-id"), "");
    }
}

#[tokio::test]
async fn nothing_else_is_invoked() {
    let world = World::new(takes).await;
    let (status, answer) = world.get("/v1.0/invoke/stranger/method/x").await;
    assert_eq!((status, answer["errorCode"].as_str()), (500, Some("ERR_DIRECT_INVOKE")));
    assert!(
        answer["message"].as_str().unwrap().starts_with("failed to invoke, id: stranger, err: "),
        "{answer}"
    );
    for path in ["/nothing", "/v1.0/invoke/", "/v1.0/invoke/first", "/v1.0/actors/x"] {
        let (status, answer) = world.get(path).await;
        assert_eq!((status, answer["errorCode"].as_str()), (404, Some("ERR_DIRECT_INVOKE")), "{path}");
    }
}

#[tokio::test]
async fn no_path_leads_out_of_the_function() {
    let mut world = World::new(takes).await;
    // By hand, since a client would tidy the path up.
    for path in ["/v1.0/invoke/first/method/%2e%2e/second/x", "/v1.0/invoke/first/method/../second/x"] {
        let address = world.base.strip_prefix("http://").unwrap();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 500") && answer.contains("leads out of the function"),
            "{answer}"
        );
    }
    assert!(world.unseen("second").is_empty());
}

#[tokio::test]
async fn the_sidecar_says_that_it_is_well_and_what_it_has() {
    let world = World::new(takes).await;
    assert_eq!(world.get("/v1.0/healthz").await.0, 204);
    assert_eq!(world.get("/v1.0/healthz?appid=todo").await.0, 204);
    let (status, answer) = world.get("/v1.0/healthz?appid=other").await;
    assert_eq!((status, answer["errorCode"].as_str()), (500, Some("ERR_HEALTH_APPID_NOT_MATCH")));
    let (status, answer) = world.get("/v1.0/metadata").await;
    assert_eq!((status, &answer["id"]), (200, &json!("todo")));
    assert_eq!(answer["components"][0]["name"], "pubsub");
}
