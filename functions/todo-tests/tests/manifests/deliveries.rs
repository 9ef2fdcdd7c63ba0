//! How events are delivered: patiently, in order, and never into nothing.

use serde_json::Value;
use todo_host::Limits;
use todo_sidecar::{Backoff, Routes};

use crate::{knative, name, of_kind, root};

/// The end of the line: nothing is behind it.
const LAST: &str = "event-keep-dead-letter";

fn assert_patient(whose: &str, delivery: &Value) {
    assert!(delivery["retry"].as_u64().is_some_and(|retry| retry >= 5), "{whose}: {delivery}");
    let policy = if whose == LAST { "linear" } else { "exponential" };
    assert_eq!(delivery["backoffPolicy"], policy, "{whose}");
    for duration in ["backoffDelay", "timeout"] {
        assert!(
            delivery[duration].as_str().is_some_and(|it| it.starts_with("PT")),
            "{whose} has no {duration}"
        );
    }
    let sink = &delivery["deadLetterSink"]["ref"];
    assert_eq!(sink.is_null(), whose == LAST, "{whose}");
    assert!(sink.is_null() || (sink["kind"] == "KafkaSink" && sink["name"] == "dead-letters"), "{whose}");
}

#[test]
fn every_subscription_has_retries_backoff_a_timeout_and_a_dead_letter_sink() {
    for (name, source) in of_kind(knative(), "KafkaSource") {
        assert_patient(&name, &source["spec"]["delivery"]);
    }
    let brokers = of_kind(knative(), "Broker");
    for (name, trigger) in of_kind(knative(), "Trigger") {
        // A Trigger without rules of its own has its Broker's.
        let broker = &brokers[trigger["spec"]["broker"].as_str().unwrap()];
        let own = &trigger["spec"]["delivery"];
        assert_patient(&name, if own.is_null() { &broker["spec"]["delivery"] } else { own });
    }
}

#[test]
fn what_is_read_here_is_what_is_delivered_locally() {
    let routes = Routes::load(root("knative")).unwrap();
    for consumer in &routes.consumers {
        assert!(consumer.policy.retry >= 5, "{}", consumer.name);
        assert_eq!(consumer.dead_letters.is_none(), &*consumer.name == LAST, "{}", consumer.name);
        assert!(
            consumer.policy.backoff == Backoff::Exponential || &*consumer.name == LAST,
            "{}",
            consumer.name
        );
        assert!(
            consumer.policy.timeout >= Limits::default().time,
            "{}: a function may take longer",
            consumer.name
        );
    }
}

#[test]
fn order_is_kept_per_key_and_nothing_before_the_first_start_is_missed() {
    for (name, source) in of_kind(knative(), "KafkaSource") {
        assert_eq!(source["spec"]["ordering"], "ordered", "{name}");
        assert_eq!(source["spec"]["initialOffset"], "earliest", "{name}");
        assert_eq!(source["spec"]["consumerGroup"], *name, "a group bears the name of its consumer");
    }
    for (trigger, document) in of_kind(knative(), "Trigger") {
        let order = &document["metadata"]["annotations"]["kafka.eventing.knative.dev/delivery.order"];
        assert_eq!(order, "ordered", "{trigger}");
    }
    for sink in of_kind(knative(), "KafkaSink").values() {
        assert_eq!(
            sink["spec"]["contentMode"],
            "structured",
            "{}: its key is the extension partitionkey",
            name(sink)
        );
    }
}
