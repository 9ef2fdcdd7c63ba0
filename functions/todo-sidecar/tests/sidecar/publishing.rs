//! Publishing.

use http::Method;
use serde_json::json;
use todo_sidecar::ConsumerCounts;

use crate::world::{World, event, takes};

#[tokio::test]
async fn what_cannot_be_published_is_refused_in_daprs_words() {
    let world = World::new(takes).await;
    let raw = "metadata.rawPayload=true";
    for (path, status, code, message) in [
        (
            format!("/v1.0/publish/other/events?{raw}"),
            404,
            "ERR_PUBSUB_NOT_FOUND",
            "pubsub other is not found",
        ),
        (
            format!("/v1.0/publish/pubsub/nowhere?{raw}"),
            500,
            "ERR_PUBSUB_PUBLISH_MESSAGE",
            "error when publishing to topic nowhere in pubsub pubsub: kafka server: Request was for a topic or partition that \
             does not exist on this broker",
        ),
        (
            "/v1.0/publish/pubsub/events?metadata.rawPayload=perhaps".into(),
            400,
            "ERR_PUBSUB_REQUEST_METADATA",
            "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'perhaps'",
        ),
        (
            "/v1.0/publish/pubsub/events".into(),
            400,
            "ERR_PUBSUB_REQUEST_METADATA",
            "failed deserializing metadata. Error: this sidecar publishes raw payloads only: set metadata.rawPayload=true",
        ),
    ] {
        let (given, answer) = world.post(&path, event("e1", "alice")).await;
        assert_eq!(
            (given, answer["errorCode"].as_str(), answer["message"].as_str()),
            (status, Some(code), Some(message))
        );
    }
    assert_eq!(world.sidecar.snapshot().await.unwrap().log_size, 0);
}

#[tokio::test]
async fn post_and_put_publish_alike() {
    let mut world = World::new(takes).await;
    let path = world.url("/v1.0/publish/pubsub/events?metadata.rawPayload=1&metadata.content-type=application/cloudevents%2Bjson");
    for (method, id) in [(Method::POST, "e1"), (Method::PUT, "e2")] {
        let request = world.client.request(method, &path).json(&event(id, "alice"));
        assert_eq!(world.send(request).await.0, 204);
        assert_eq!(world.call("first").await.id(), id);
    }
}

#[tokio::test]
async fn many_are_published_at_once_with_their_own_keys() {
    let mut world = World::new(takes).await;
    let entry = |id: &str| {
        json!({"entryId": id, "event": event(id, "alice"), "contentType": "application/cloudevents+json",
               "metadata": {"rawPayload": "true", "partitionKey": "alice", "content-type": "application/cloudevents+json"}})
    };
    let path = "/v1.0/publish/bulk/pubsub/events?metadata.rawPayload=true";
    let (status, answer) = world.post(path, json!([entry("e1"), entry("e2")])).await;
    assert_eq!(status, 204, "{answer}");
    assert_eq!(world.call("first").await.id(), "e1");
    assert_eq!(world.call("first").await.id(), "e2");

    let (status, answer) = world.post(path, json!([entry("e3"), entry("e3")])).await;
    assert_eq!((status, answer["errorCode"].as_str()), (400, Some("ERR_PUBSUB_EVENTS_SER")));
    let (status, answer) = world.post(path, json!({"no": "list"})).await;
    assert_eq!((status, answer["errorCode"].as_str()), (400, Some("ERR_PUBSUB_EVENTS_SER")));
    assert_eq!(
        world.sidecar.snapshot().await.unwrap().log_size,
        2,
        "nothing of a refused request is published"
    );
}

#[tokio::test]
async fn a_hundred_publishers_at_once_lose_nothing() {
    let world = World::new(takes).await;
    let publishing = (0..100).map(|number| {
        let world = &world;
        async move { world.publish("events", &format!("user-{}", number % 7), &format!("e{number}")).await }
    });
    futures::future::join_all(publishing).await;
    let done = |counts: &ConsumerCounts| counts.delivered == 100 && counts.lag == 0;
    let snapshot = world.until(|now| done(&now.consumers["first"]) && done(&now.consumers["second"])).await;
    assert_eq!((snapshot.log_size, snapshot.published), (100, 100));
}

#[tokio::test]
async fn without_the_token_nothing_but_health_is_answered() {
    let world =
        World::with(crate::world::ROUTES, takes, |settings| settings.api_token = Some("open sesame".into()))
            .await;
    let path = "/v1.0/publish/pubsub/events?metadata.rawPayload=true";
    for token in [None, Some("wrong"), Some("open sesame2")] {
        for path in [path, "/v1.0/state/state", "/v1.0/jobs/j", "/anything"] {
            let mut request = world.client.post(world.url(path)).json(&event("e1", "alice"));
            if let Some(token) = token {
                request = request.header("dapr-api-token", token);
            }
            assert_eq!(world.send(request).await.0, 401, "{path} {token:?}");
        }
        assert_eq!(world.get("/v1.0/healthz").await.0, 204);
        assert_eq!(world.get("/v1.0/healthz/outbound").await.0, 204);
        assert_eq!(world.get("/v1.0/metadata").await.0, 401);
    }
    let request = world
        .client
        .post(world.url(path))
        .json(&event("e1", "alice"))
        .header("dapr-api-token", "open sesame");
    assert_eq!(world.send(request).await.0, 204);
}
