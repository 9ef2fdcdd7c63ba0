//! The chart: it holds links and no copies, knows what the rest of the repository knows, and, where `helm` is, renders for every place.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::{NATIVE, assert_confined, components, documents, knative, name, of_kind, read, root, strings};

const CHART: &str = "charts/todo";
/// What Knative 1.23 needs, and so the chart.
const KUBERNETES: &str = "1.35.0";
/// Redpanda writes its configuration into the folder of its image.
const WRITING: [&str; 1] = ["kafka"];

fn values(of: &str) -> Value {
    serde_saphyr::from_str(&read(&format!("{CHART}/values{of}.yaml"))).unwrap()
}

/// `helm`, from PATH or as `ci/manifests` builds it. Without it the test is skipped, unless `TODO_TEST_REQUIRE` names it.
fn helm() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let built = cache.map(|cache| cache.join("todo-deploy/bin/helm"));
    let places = [Some(PathBuf::from("helm")), built];
    let found = places
        .into_iter()
        .flatten()
        .find(|it| Command::new(it).arg("version").output().is_ok_and(|it| it.status.success()));
    let required = std::env::var("TODO_TEST_REQUIRE").is_ok_and(|it| it.contains("helm"));
    assert!(found.is_some() || !required, "there is no helm; `ci/manifests build` makes it");
    if found.is_none() {
        eprintln!("skipped: there is no helm; `ci/manifests build` makes it");
    }
    found
}

fn render(helm: &PathBuf, arguments: &[&str]) -> Output {
    let mut command = Command::new(helm);
    command.args(["template", "todo"]).arg(root(CHART));
    command.args(["--namespace", "shop", "--kube-version", KUBERNETES]).args(arguments).output().unwrap()
}

fn rendered(helm: &PathBuf, place: &str) -> Vec<Value> {
    let file = root(CHART).join(format!("values{place}.yaml"));
    let output = render(helm, &["--values", file.to_str().unwrap()]);
    assert!(output.status.success(), "{place}: {}", String::from_utf8_lossy(&output.stderr));
    documents(&String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_chart_holds_links_to_the_manifests_and_no_copy() {
    for folder in ["knative", "dapr"] {
        let link = root(CHART).join("files").join(folder);
        assert_eq!(std::fs::read_link(link).unwrap(), PathBuf::from(format!("../../../{folder}")));
    }
}

#[test]
fn the_topics_are_those_of_the_schemas_in_as_many_partitions_as_everywhere() {
    let kafka = &values("")["kafka"];
    let sinks = of_kind(knative(), "KafkaSink");
    let made: BTreeSet<_> = strings(&kafka["topics"])
        .into_iter()
        .chain(sinks.keys().map(String::as_str))
        .map(str::to_owned)
        .collect();
    let schemas = std::fs::read_dir(root("docs/schemas"))
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap());
    assert_eq!(made, schemas.map(|name| name.trim_end_matches(".json").to_owned()).collect());
    for sink in sinks.values() {
        assert_eq!(sink["spec"]["numPartitions"], kafka["partitions"]);
    }
}

#[test]
fn in_the_cluster_are_the_images_that_are_tried_elsewhere() {
    let compose: Value = serde_saphyr::from_str(&read("ci/compose.yaml")).unwrap();
    let text = read(&format!("{CHART}/templates/in-cluster.yaml"));
    for service in ["postgres", "kafka"] {
        let image = compose["services"][service]["image"].as_str().unwrap();
        assert!(text.contains(&format!("image: {image}\n")), "{image}");
    }
}

#[test]
fn every_place_gets_every_function_and_all_are_confined() {
    let Some(helm) = helm() else { return };
    let functions: BTreeSet<_> = NATIVE.map(str::to_owned).into_iter().chain(components()).collect();
    for place in ["", "-aks", "-gke", "-oke"] {
        let documents = rendered(&helm, place);
        let services = documents.iter().filter(|it| it["apiVersion"] == "serving.knative.dev/v1");
        let image = values(place)["image"]["repository"].as_str().unwrap().to_owned();
        let mut found = BTreeSet::new();
        for service in services {
            found.insert(name(service).to_owned());
            let used = service["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
            assert!(used.starts_with(&format!("{image}:")), "{place}: {used}");
        }
        assert_eq!(found, functions, "{place}");
        for document in &documents {
            assert_confined(document, &WRITING);
            assert_ne!(document["kind"], "Secret", "{place} renders a Secret");
        }
        let text: String = documents.iter().map(Value::to_string).collect();
        assert!(
            !text.contains(".todo.svc.cluster.local"),
            "{place}: an address is of the namespace of the files"
        );
    }
}

#[test]
fn what_no_value_changes_is_what_the_files_say() {
    let Some(helm) = helm() else { return };
    let chart = rendered(&helm, "");
    for kind in ["Trigger", "PingSource", "KafkaSource", "ServiceAccount"] {
        let (from_files, from_chart) = (of_kind(knative(), kind), of_kind(chart.clone(), kind));
        for (name, document) in from_files {
            assert_eq!(from_chart[&name]["spec"], document["spec"], "{kind} {name}");
        }
    }
}

#[test]
fn production_has_no_development_key_and_kafka_is_asked_as_somebody() {
    let Some(helm) = helm() else { return };
    for place in ["-aks", "-gke", "-oke"] {
        let documents = rendered(&helm, place);
        let text: String = documents.iter().map(Value::to_string).collect();
        assert!(!text.contains("development"), "{place}");
        for (name, source) in of_kind(documents.clone(), "KafkaSource") {
            assert_eq!(source["spec"]["net"]["tls"]["enable"], true, "{place}: {name}");
        }
        assert!(!of_kind(documents.clone(), "StatefulSet").contains_key("postgres"), "{place}");
        let budgets = of_kind(documents, "PodDisruptionBudget");
        assert!(["chat", "live", "daprd"].iter().all(|name| budgets.contains_key(*name)), "{place}");
    }
}

#[test]
fn the_schema_is_migrated_before_and_a_turn_is_tried_after() {
    let Some(helm) = helm() else { return };
    let documents = rendered(&helm, "");
    let hook =
        |document: &Value| document["metadata"]["annotations"]["helm.sh/hook"].as_str().unwrap().to_owned();
    let job = &of_kind(documents.clone(), "Job")["todo-migrate"];
    assert_eq!(hook(job), "pre-install,pre-upgrade");
    assert_eq!(strings(&job["spec"]["template"]["spec"]["containers"][0]["args"]), ["migrate"]);
    let pod = &of_kind(documents, "Pod")["todo-chat-turn"];
    assert_eq!(hook(pod), "test");
    assert_eq!(strings(&pod["spec"]["containers"][0]["args"])[0], "ask");
}

#[test]
fn what_watches_the_system_is_rendered_where_it_is_wanted() {
    let Some(helm) = helm() else { return };
    let watching = |kind: &str, documents: &[Value]| documents.iter().filter(|it| it["kind"] == kind).count();
    let without = rendered(&helm, "");
    assert_eq!((watching("PodMonitor", &without), watching("PrometheusRule", &without)), (0, 0));
    let wanted = "observability.podMonitor.enabled=true,observability.rules.enabled=true,\
                  observability.dashboards.enabled=true,observability.rules.labels.release=monitoring,\
                  observability.runbooks=https://example.org/";
    let output = render(&helm, &["--set", wanted]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let documents = documents(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(watching("PodMonitor", &documents), 1);
    let dashboards = of_kind(documents.clone(), "ConfigMap").into_iter();
    let dashboards: Vec<_> = dashboards.filter(|(name, _)| name.starts_with("todo-dashboard-")).collect();
    assert_eq!(dashboards.len(), 4);
    for (name, dashboard) in dashboards {
        let file = name.replacen("todo-dashboard-", "todo-", 1) + ".json";
        let text = dashboard["data"][file].as_str().unwrap();
        assert!(serde_json::from_str::<Value>(text).unwrap()["panels"].is_array(), "{name}");
    }
    let rule = &of_kind(documents, "PrometheusRule")["todo"];
    assert_eq!(rule["metadata"]["labels"]["release"], "monitoring");
    let file: Value =
        serde_saphyr::from_str(&read(&format!("{CHART}/observability/prometheus/rules.yaml"))).unwrap();
    let text = rule["spec"].to_string().replace("https://example.org/docs/", "docs/");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), file);
}

#[test]
fn a_value_that_means_nothing_is_refused() {
    let Some(helm) = helm() else { return };
    for (set, complaint) in [
        ("imgae.tag=1", "imgae"),
        ("kafka.brokerz={a:1}", "brokerz"),
        ("kafka.security=ssl", "security"),
        ("kafka.brokers={kafka}", "brokers"),
        ("functions.tool-add-tusk.maxScale=3", "there is no such function"),
        ("functions.chat.maxscale=3", "maxscale"),
        ("config.TODO_JWKS_URI=x", "no function reads it"),
        ("environment=production", "needed in production"),
        ("disruptionBudgets.chatt=1", "there is no such function"),
        ("database.peers[0].anything=1", "anything"),
    ] {
        let output = render(&helm, &["--set", set]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(complaint), "{set}: {said}");
    }
}

#[test]
fn a_packaged_chart_has_the_manifests_in_it() {
    let Some(helm) = helm() else { return };
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(&helm)
        .arg("package")
        .arg(root(CHART))
        .arg("--destination")
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let package = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let output = Command::new(&helm)
        .args(["template", "todo"])
        .arg(package)
        .args(["--kube-version", KUBERNETES])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let documents = documents(&String::from_utf8(output.stdout).unwrap());
    let services = documents.iter().filter(|it| it["apiVersion"] == "serving.knative.dev/v1").count();
    assert_eq!(services, components().len() + NATIVE.len());
}
