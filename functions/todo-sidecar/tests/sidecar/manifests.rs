//! Manifests, ours and wrong ones.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use todo_sidecar::{Routes, Sink};

use crate::world::ROUTES;

fn ours() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knative")
}

#[test]
fn our_manifests_say_what_the_specification_says() {
    let routes = Routes::load(ours()).unwrap();
    let topics: BTreeMap<&str, Vec<&str>> = routes
        .consumers
        .iter()
        .map(|consumer| (&*consumer.name, consumer.topics.iter().map(|topic| &**topic).collect()))
        .collect();
    for (consumer, reads) in [
        ("event-repeat-task", vec!["task-events"]),
        ("event-schedule-reminder", vec!["task-events"]),
        ("event-send-reminder", vec!["reminders"]),
        ("event-record-audit", vec!["task-events", "reminders", "task-updates"]),
        ("event-push-update", vec!["task-updates"]),
        ("event-keep-dead-letter", vec!["dead-letters"]),
        ("tool-calls", vec!["tool-calls"]),
    ] {
        assert_eq!(topics[consumer], reads, "{consumer}");
    }
    for consumer in &routes.consumers {
        assert_eq!(
            consumer.dead_letters.is_none(),
            &*consumer.name == "event-keep-dead-letter",
            "{}",
            consumer.name
        );
        assert!(!consumer.latest, "{} would miss what was published before it", consumer.name);
        if let Sink::Function { name, .. } = &consumer.sink {
            assert_eq!(name, &consumer.name, "one name everywhere");
        }
    }
    assert_eq!(routes.pings.iter().map(|ping| &*ping.function).collect::<Vec<_>>(), ["tick-relay-outbox"]);
    assert!(routes.topics().iter().any(|topic| &**topic == "tool-results"));
}

#[test]
fn every_file_bears_the_name_of_its_function() {
    let routes = Routes::load(ours()).unwrap();
    let functions = routes.functions();
    let found: Vec<_> = std::fs::read_dir(ours()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let found: BTreeSet<_> = found.iter().filter_map(|name| name.to_str()?.strip_suffix(".yaml")).collect();
    for function in &functions {
        assert!(found.contains(&**function), "{function} has no file of its name");
    }
    for name in found {
        let text = std::fs::read_to_string(ours().join(format!("{name}.yaml"))).unwrap();
        let routed = ["KafkaSource", "Trigger", "PingSource"];
        let routed = routed.iter().any(|kind| text.contains(&format!("\nkind: {kind}\n")));
        assert!(!routed || name == "broker" || functions.contains(name), "{name} is no function's");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    for (from, to, place, problem) in [
        ("retry: 3", "retries: 3", "routes.yaml:16: ", "retries"),
        ("retry: 3", "retry: many", "routes.yaml:16: ", "invalid u32"),
        ("backoffPolicy: linear", "backoffPolicy: sometimes", "routes.yaml:17: ", "sometimes"),
        ("PT0.01S", "10ms", "routes.yaml:7: ", "backoffDelay `10ms` is no ISO 8601 duration"),
        (
            "kind: KafkaSource\nmetadata: {name: first}",
            "kind: Subscription\nmetadata: {name: first}",
            "routes.yaml:7: ",
            "Subscription",
        ),
        ("name: dead-letters}}\n", "name: nobody}}\n", "routes.yaml:7: ", "there is no KafkaSink `nobody`"),
        (
            "consumerGroup: second",
            "consumerGroup: first",
            "routes.yaml:23: ",
            "consumerGroup `first` is taken",
        ),
        (
            "metadata: {name: second}",
            "metadata: {name: second, annotations: {todo/events-together: many}}",
            "routes.yaml:23: ",
            "todo/events-together is to be a number from 1 to 64",
        ),
        ("uri: /events", "uri: events", "routes.yaml:23: ", "starts with `/`"),
        (
            "ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: keeper}",
            "ref: {apiVersion: v1, kind: Pod, name: p}",
            "routes.yaml:33: ",
            "Pod `p` cannot be a sink",
        ),
    ] {
        let text = ROUTES.replacen(from, to, 1);
        assert_ne!(text, ROUTES, "{from}");
        let error = Routes::parse(&[("routes.yaml", &text)]).unwrap_err().to_string();
        assert!(error.starts_with(place) && error.contains(problem), "{to}: {error}");
    }
    let ping = "apiVersion: sources.knative.dev/v1\nkind: PingSource\nmetadata: {name: p}\nspec:\n  schedule: '@every 5s'\n  \
                sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: p}}\n";
    let error = Routes::parse(&[("p.yaml", ping)]).unwrap_err().to_string();
    assert!(error.contains("unsupported descriptor @every"), "{error}");
}

#[test]
fn a_file_that_is_not_listed_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let kustomization =
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [routes.yaml]\n";
    std::fs::write(directory.path().join("kustomization.yaml"), kustomization).unwrap();
    let error = Routes::load(directory.path()).unwrap_err().to_string();
    assert!(error.contains("routes.yaml"), "a listed file that is not there: {error}");
    std::fs::write(directory.path().join("routes.yaml"), ROUTES).unwrap();
    assert_eq!(Routes::load(directory.path()).unwrap().consumers.len(), 3);
    std::fs::write(directory.path().join("extra.yaml"), ROUTES).unwrap();
    let error = Routes::load(directory.path()).unwrap_err().to_string();
    assert!(error.contains("extra.yaml stands beside it but not in it"), "{error}");
}
