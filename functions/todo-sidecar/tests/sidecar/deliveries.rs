//! Events that arrive.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;
use todo_sidecar::{Observation, Routes};

use crate::world::{Call, TAKES_MANY, World, event, takes};

#[tokio::test]
async fn an_event_arrives_in_binary_mode_at_every_consumer() {
    let mut world = World::new(takes).await;
    let mut event = event("e 1 ü%", "alice");
    event["weight"] = json!(7);
    let body = event.to_string().replace("\"task_id\":1", "\"task_id\":1.000000000000000000001");
    assert_eq!(world.publish_body("events", "alice", body).await.0, 204);
    let call = world.call("first").await;
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/"));
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "e%201%20%C3%BC%25"),
        ("ce-type", "task.created"),
        ("ce-source", "tests"),
        ("ce-subject", "task/1"),
        ("ce-time", "2026-11-21T09:00:00Z"),
        ("ce-partitionkey", "alice"),
        ("ce-weight", "7"),
        ("content-type", "application/json"),
        ("ce-traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ] {
        assert_eq!(call.header(name), value, "{name}");
    }
    assert_eq!(call.json()["payload"], event["data"]["payload"]);
    assert!(
        String::from_utf8_lossy(&call.body).contains("1.000000000000000000001"),
        "numbers stay as they were written"
    );
    assert_eq!(world.call("second").await.path, "/events");
}

#[tokio::test]
async fn what_is_no_cloudevent_is_wrapped_as_knative_does() {
    let mut world = World::new(takes).await;
    let path = "/v1.0/publish/pubsub/other?metadata.rawPayload=true&metadata.partitionKey=k";
    let request = world.client.post(world.url(path)).body("just text");
    assert_eq!(world.send(request).await.0, 204);
    let call = world.call("second").await;
    assert_eq!(call.header("ce-type"), "dev.knative.kafka.event");
    assert_eq!((call.header("ce-key"), &call.body[..]), ("k", &b"just text"[..]));
    assert_eq!(world.publish_body("other", "k", "{\"broken\":".into()).await.0, 204);
    assert_eq!(world.call("second").await.header("ce-type"), "dev.knative.kafka.event");
}

#[tokio::test]
async fn events_of_one_key_stay_in_order_while_their_consumer_fails() {
    // Every third call fails, so that retries happen in the middle.
    let mut world = World::new(|call: &Call| match call.function.as_str() {
        "first" if call.before % 3 == 1 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => takes(call),
    })
    .await;
    let ids: Vec<String> = (0..20).map(|number| format!("e{number:02}")).collect();
    for id in &ids {
        world.publish("events", "alice", id).await;
    }
    world.until(|now| now.consumers["first"].delivered == 20).await;
    let mut seen: Vec<String> = world.unseen("first").iter().map(|call| call.id().to_owned()).collect();
    seen.dedup();
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn one_persons_failing_event_holds_up_nobody_else() {
    let stuck = |call: &Call| call.header("ce-partitionkey") == "alice" && call.function == "second";
    let mut world = World::new(move |call: &Call| match stuck(call) {
        true => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        false => takes(call),
    })
    .await;
    world.publish("events", "alice", "a1").await;
    world.publish("events", "bob", "b1").await;
    loop {
        if world.call("second").await.id() == "b1" {
            break;
        }
    }
    assert_eq!(world.call("first").await.id(), "a1", "nor another consumer");
}

/// Has this many events wait before their consumer is there: another one sees them first.
async fn with_a_backlog(
    count: usize,
    behaviour: impl Fn(&Call) -> Response + Send + Sync + 'static,
) -> World {
    let mut world = World::with(&TAKES_MANY.replace("many", "earlier"), behaviour, |_| {}).await;
    for number in 0..count {
        world.publish("events", "alice", &format!("e{number:02}")).await;
    }
    world.stop().await;
    let routes = Routes::parse(&[("routes.yaml", TAKES_MANY)]).unwrap();
    world.open(todo_sidecar::Settings { routes, ..world.settings.clone() }).await;
    world.until(|now| now.consumers["many"].lag == 0).await;
    world
}

#[tokio::test]
async fn events_that_wait_arrive_together_where_that_is_wanted() {
    let mut world = with_a_backlog(50, takes).await;
    let calls = world.unseen("many");
    let ids: Vec<String> = calls.iter().flat_map(Call::ids).collect();
    let expected: Vec<String> = (0..50).map(|number| format!("e{number:02}")).collect();
    assert_eq!(ids, expected);
    let counts: Vec<usize> = calls.iter().map(|call| call.ids().len()).collect();
    assert_eq!(counts, [32, 18]);
    world.until(|now| now.consumers["many"].delivered == 50).await;
}

#[tokio::test]
async fn of_events_that_fail_together_each_is_delivered_by_itself_and_one_becomes_a_dead_letter() {
    let mut world = with_a_backlog(10, |call: &Call| match call.ids().contains(&"e03".to_owned()) {
        true => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        false => takes(call),
    })
    .await;
    let now = world.until(|now| now.consumers["many"].delivered == 9).await;
    assert_eq!(now.consumers["many"].dead_letters, 1);
    let calls = world.unseen("many");
    assert_eq!(calls[0].ids().len(), 10);
    let alone: Vec<String> = calls[1..].iter().flat_map(Call::ids).collect();
    let expected: Vec<String> = (0..10).map(|number| format!("e{number:02}")).collect();
    assert_eq!(alone, expected, "in order, and each once");
}

#[tokio::test]
async fn who_does_not_take_events_together_after_all_gets_them_one_by_one() {
    let is_one = |call: &Call| call.ids().len() == 1 && !call.id().is_empty();
    let mut world = with_a_backlog(40, move |call: &Call| match is_one(call) {
        true => takes(call),
        false => StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response(),
    })
    .await;
    let calls = world.unseen("many");
    let (single, together): (Vec<&Call>, Vec<&Call>) = calls.iter().partition(|call| is_one(call));
    assert_eq!((together.len(), together[0].ids().len()), (1, 32), "asked once");
    let ids: Vec<&str> = single.iter().map(|call| call.id()).collect();
    let expected: Vec<String> = (0..40).map(|number| format!("e{number:02}")).collect();
    assert_eq!(ids, expected);
}

/// A tool by event: topic → Broker → Trigger → function → answer → Broker → Trigger → topic.
pub const TOOLS: &str = "
apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: tool-calls}
spec: {delivery: {retry: 2, backoffPolicy: linear, backoffDelay: PT0.01S}}
---
apiVersion: eventing.knative.dev/v1alpha1
kind: KafkaSink
metadata: {name: tool-results}
spec: {topic: tool-results, bootstrapServers: [kafka]}
---
apiVersion: sources.knative.dev/v1
kind: KafkaSource
metadata: {name: tool-calls}
spec:
  consumerGroup: tool-calls
  topics: [tool-calls]
  bootstrapServers: [kafka]
  initialOffset: earliest
  sink: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: tool-calls}}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: tool-add-task}
spec:
  broker: tool-calls
  filter: {attributes: {type: tool.add_task.call}}
  subscriber: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: tool-add-task}, uri: /call}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: tool-results}
spec:
  broker: tool-calls
  filters: [{prefix: {type: tool.}}, {suffix: {type: .result}}]
  subscriber: {ref: {apiVersion: eventing.knative.dev/v1alpha1, kind: KafkaSink, name: tool-results}}
---
apiVersion: sources.knative.dev/v1
kind: KafkaSource
metadata: {name: results}
spec:
  consumerGroup: results
  topics: [tool-results]
  bootstrapServers: [kafka]
  initialOffset: earliest
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: results}}
";

#[tokio::test]
async fn a_tool_is_called_by_event_and_its_answer_is_an_event() {
    let answer = |call: &Call| {
        let reply = [
            ("ce-specversion", "1.0"),
            ("ce-id", "r%201"),
            ("ce-source", "tool"),
            ("ce-partitionkey", "alice"),
        ];
        (reply, [("ce-type", "tool.add_task.result")], Json(json!({"answers": call.id()}))).into_response()
    };
    let tool = move |call: &Call| match (call.function.as_str(), call.before) {
        // A body that is no event is a failure to a Broker, so it is asked again.
        ("tool-add-task", 0) => "done".into_response(),
        ("tool-add-task", _) => answer(call),
        _ => takes(call),
    };
    let mut world = World::with(TOOLS, tool, |_| {}).await;
    let mut call = event("c1", "alice");
    call["type"] = json!("tool.add_task.call");
    let mut other = event("c0", "alice");
    other["type"] = json!("tool.unknown.call");
    for event in [other, call] {
        assert_eq!(world.publish_body("tool-calls", "alice", event.to_string()).await.0, 204);
    }
    for _ in 0..2 {
        let asked = world.call("tool-add-task").await;
        assert_eq!((asked.id(), asked.path.as_str()), ("c1", "/call"));
    }
    let result = world.call("results").await;
    assert_eq!((result.header("ce-id"), result.header("ce-type")), ("r%201", "tool.add_task.result"));
    assert_eq!(result.json(), json!({"answers": "c1"}));
    assert_eq!(
        world.until(|now| now.consumers["tool-add-task"].lag == 0).await.consumers["tool-add-task"].retries,
        1
    );
}

#[tokio::test]
async fn a_ping_source_wakes_its_function() {
    let routes = "
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: tick}
spec:
  schedule: '* * * * * *'
  contentType: application/json
  data: '{\"wake\": true}'
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: tick}}
";
    let mut world = World::with(routes, takes, |_| {}).await;
    let (one, two) = (world.call("tick").await, world.call("tick").await);
    assert_eq!(one.header("ce-type"), "dev.knative.sources.ping");
    assert_eq!(one.header("ce-source"), "/apis/v1/namespaces/default/pingsources/tick");
    assert_eq!(one.json(), json!({"wake": true}));
    assert_ne!(one.id(), two.id());
}

#[tokio::test]
async fn observers_hear_of_everything_but_the_payload() {
    let world = World::new(|call: &Call| -> Response {
        match (call.function.as_str(), call.before) {
            ("first", 0) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            _ => takes(call),
        }
    })
    .await;
    let mut observations = world.sidecar.observe();
    world.publish("events", "alice", "e1").await;
    let mut heard = Vec::new();
    while heard.len() < 4 {
        heard.push(observations.recv().await.unwrap());
    }
    let text = format!("{heard:?}");
    assert!(
        heard
            .iter()
            .any(|seen| matches!(seen, Observation::Published { kind, .. } if &**kind == "task.created")),
        "{text}"
    );
    assert!(
        heard.iter().any(|seen| matches!(seen, Observation::Retried { attempt: 1, status: Some(503), .. })),
        "{text}"
    );
    assert!(heard.iter().any(|seen| matches!(seen, Observation::Delivered { attempt: 2, .. })), "{text}");
    assert!(!text.contains("Milch"), "{text}");
    let snapshot = world.until(|now| now.consumers["second"].delivered == 1).await;
    assert_eq!(snapshot.latency.counts.iter().sum::<u64>(), 2);
}
