//! The bridge between a real `daprd` and the functions; a sidecar plays `daprd` where events are published.

use axum::response::IntoResponse;
use http::StatusCode;
use serde_json::{Value, json};
use todo_sidecar::{Bridge, BridgeSettings};
use tokio::net::TcpListener;

use crate::world::{Call, World, event, takes};

/// A bridge to the functions of `world`, and where it listens.
async fn bridge(world: &World) -> String {
    let bridge = Bridge::new(BridgeSettings {
        routes: world.settings.routes.clone(),
        function_url: world.settings.function_url.clone(),
        local: None,
        job_function: Some("jobs".into()),
        dapr_url: world.base.clone(),
        pubsub: "pubsub".into(),
        subscription: "kafka-{consumer}".into(),
        api_token: None,
        app_api_token: Some("app".into()),
        function_token: Some("app".into()),
    })
    .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, bridge.router()).await });
    base
}

/// Hands bytes over as `daprd` does where it was asked not to look into them.
async fn hand_over(world: &World, url: String, record: &str) -> (u16, Value) {
    let data = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, record);
    let envelope = json!({
        "specversion": "1.0", "id": "5d1b", "type": "com.dapr.event.sent", "source": "Dapr", "topic": "events",
        "pubsubname": "kafka-first", "datacontenttype": "application/octet-stream", "data_base64": data,
    });
    post(world, url, envelope).await
}

async fn post(world: &World, url: String, body: Value) -> (u16, Value) {
    let request = world.client.post(url).header("dapr-api-token", "app").header("__topic", "events");
    world.send(request.header("content-type", "application/cloudevents+json").body(body.to_string())).await
}

#[tokio::test]
async fn daprd_learns_what_to_hand_over() {
    let world = World::new(takes).await;
    let bridge = bridge(&world).await;
    let request = world.client.get(format!("{bridge}/dapr/subscribe"));
    assert_eq!(world.send(request.try_clone().unwrap()).await.0, 401);
    let (status, subscriptions) = world.send(request.header("dapr-api-token", "app")).await;
    assert_eq!(status, 200);
    let expected = |consumer: &str, topic: &str| json!({"pubsubname": format!("kafka-{consumer}"), "topic": topic, "route": format!("/deliver/{consumer}"), "metadata": {"rawPayload": "true"}});
    assert_eq!(
        subscriptions,
        json!([
            expected("first", "events"),
            expected("second", "events"),
            expected("second", "other"),
            expected("keeper", "dead-letters"),
        ])
    );
}

#[tokio::test]
async fn what_daprd_hands_over_reaches_its_function_or_the_dead_letters() {
    let mut world = World::new(|call: &Call| match call.function.as_str() {
        "first" if call.id() == "bad" => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        "first" if call.before == 0 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => takes(call),
    })
    .await;
    let bridge = bridge(&world).await;
    let url = format!("{bridge}/deliver/first");
    let success = (200, json!({"status": "SUCCESS"}));
    assert_eq!(hand_over(&world, url.clone(), &event("good", "alice").to_string()).await, success);
    assert_eq!(world.call("first").await.id(), "good");
    assert_eq!(world.call("first").await.id(), "good", "with its retries");
    assert_eq!(hand_over(&world, url.clone(), &event("bad", "alice").to_string()).await, success);
    let letter = world.call("keeper").await;
    assert_eq!((letter.id(), letter.header("ce-knativeerrorcode")), ("bad", "422"));
    assert_eq!(hand_over(&world, url.clone(), "{no event").await, success);
    assert_eq!(world.call("first").await.id(), "bad");
    let wrapped = world.call("first").await;
    assert_eq!(wrapped.header("ce-type"), "dev.knative.kafka.event", "whatever comes reaches the function");
    assert_eq!(post(&world, url.clone(), json!({"no": "event"})).await.1, json!({"status": "DROP"}));
    world.stop().await;
    let retry = json!({"status": "RETRY"});
    assert_eq!(
        hand_over(&world, url, &event("bad", "alice").to_string()).await.1,
        retry,
        "no letter, no success"
    );
}

#[tokio::test]
async fn a_brokers_events_reach_its_triggers_and_their_answers_the_topic() {
    let mut world = World::with(
        crate::deliveries::TOOLS,
        |call: &Call| match call.function.as_str() {
            "tool-add-task" => {
                let reply = [("ce-specversion", "1.0"), ("ce-id", "r1"), ("ce-source", "tool")];
                (reply, [("ce-type", "tool.add_task.result")]).into_response()
            }
            _ => takes(call),
        },
        |_| {},
    )
    .await;
    let bridge = bridge(&world).await;
    let request = world.client.get(format!("{bridge}/dapr/subscribe")).header("dapr-api-token", "app");
    let subscriptions = world.send(request).await.1;
    let routes: Vec<&str> =
        subscriptions.as_array().unwrap().iter().map(|it| it["route"].as_str().unwrap()).collect();
    assert_eq!(
        routes,
        ["/deliver/tool-calls", "/deliver/results"],
        "a Trigger is no subscription of its own"
    );
    let mut call = event("c1", "alice");
    call["type"] = json!("tool.add_task.call");
    let answer = hand_over(&world, format!("{bridge}/deliver/tool-calls"), &call.to_string()).await;
    assert_eq!(answer, (200, json!({"status": "SUCCESS"})));
    assert_eq!(world.call("tool-add-task").await.id(), "c1");
    assert_eq!(world.call("results").await.id(), "r1");
}

#[tokio::test]
async fn a_job_is_passed_to_the_function_that_does_it() {
    let mut world = World::new(|_: &Call| StatusCode::NOT_FOUND.into_response()).await;
    let bridge = bridge(&world).await;
    let (status, _) = post(&world, format!("{bridge}/job/remind%207"), json!({"reminder": 7})).await;
    assert_eq!(status, 404, "what the function says is what daprd hears");
    let call = world.call("jobs").await;
    assert_eq!((call.path.as_str(), call.header("dapr-api-token")), ("/job/remind%207", "app"));
    assert_eq!(call.json(), json!({"reminder": 7}));
}
