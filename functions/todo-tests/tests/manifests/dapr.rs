//! What Dapr is given: components for those who need them, policies for what is called, and no more rights than are used.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{assert_confined, components, documents, folder, name, of_kind, read, rows, spans, strings};

fn cluster() -> Vec<Value> {
    folder("dapr/cluster").into_iter().map(|(_, document)| document).collect()
}

fn tools() -> BTreeSet<String> {
    components().into_iter().filter(|component| component.starts_with("tool-")).collect()
}

/// Every component of every variant, with its file.
fn dapr_components() -> Vec<(String, Value)> {
    let folders = ["components", "cluster", "email", "kafka/sasl", "kafka/tls"];
    let all = folders.iter().flat_map(|path| {
        folder(&format!("dapr/{path}")).into_iter().map(move |(file, it)| (format!("{path}/{file}"), it))
    });
    all.filter(|(_, it)| it["kind"] == "Component").collect()
}

#[test]
fn every_resource_is_scoped_to_the_apps_that_use_it() {
    for (file, component) in dapr_components() {
        assert_eq!(strings(&component["scopes"]), ["todo"], "{file}");
    }
    let endpoints = of_kind(cluster(), "HTTPEndpoint");
    assert!(endpoints.values().all(|it| strings(&it["scopes"]) == ["chat"]));
    assert_eq!(strings(&of_kind(cluster(), "Resiliency")["todo"]["scopes"]), ["todo", "chat"]);
}

#[test]
fn chat_calls_every_tool_by_an_endpoint_with_a_policy() {
    let endpoints = of_kind(cluster(), "HTTPEndpoint");
    assert_eq!(endpoints.keys().cloned().collect::<BTreeSet<_>>(), tools());
    for (tool, endpoint) in &endpoints {
        assert_eq!(endpoint["spec"]["baseUrl"], format!("http://{tool}.todo.svc.cluster.local"));
    }
    let resiliency = of_kind(cluster(), "Resiliency");
    let apps = resiliency["todo"]["spec"]["targets"]["apps"].as_object().unwrap();
    assert_eq!(apps.keys().cloned().collect::<BTreeSet<_>>(), tools());
    let chat = documents(&read("knative/chat.yaml"));
    let service = chat.iter().find(|it| it["kind"] == "Service").unwrap();
    let variables = service["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap();
    let url = variables.iter().find(|it| it["name"] == "TODO_TOOL_URL").unwrap();
    assert_eq!(url["value"], "http://127.0.0.1:3500/v1.0/invoke/{function}/method/mcp");
}

#[test]
fn every_target_has_policies_that_exist_and_every_component_that_is_called_is_a_target() {
    let resiliency = &of_kind(cluster(), "Resiliency")["todo"]["spec"].clone();
    let targets = &resiliency["targets"];
    let apps = targets["apps"].as_object().unwrap().values();
    let outward = targets["components"].as_object().unwrap().values().map(|it| &it["outbound"]);
    for target in apps.chain(outward) {
        for (field, policies) in
            [("timeout", "timeouts"), ("retry", "retries"), ("circuitBreaker", "circuitBreakers")]
        {
            let policy = target[field].as_str().unwrap_or_else(|| panic!("{target} has no {field}"));
            assert!(!resiliency["policies"][policies][policy].is_null(), "there is no {field} {policy}");
        }
    }
    let called: BTreeSet<_> =
        dapr_components().iter().map(|(_, it)| name(it).to_owned()).filter(|it| it != "secrets").collect();
    assert_eq!(targets["components"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), called);
}

#[test]
fn an_app_is_allowed_the_apis_that_it_uses_and_called_by_nobody() {
    let configurations = of_kind(cluster(), "Configuration");
    let allowed: BTreeMap<_, BTreeSet<_>> = configurations
        .iter()
        .map(|(app, it)| {
            let rules = it["spec"]["api"]["allowed"].as_array().unwrap();
            (app.as_str(), rules.iter().map(|rule| rule["name"].as_str().unwrap()).collect())
        })
        .collect();
    assert_eq!(allowed["chat"], BTreeSet::from(["invoke"]));
    assert_eq!(allowed["todo"], BTreeSet::from(["publish", "jobs", "state", "bindings"]));
    for (app, configuration) in &configurations {
        assert_eq!(configuration["spec"]["accessControl"]["defaultAction"], "deny", "{app}");
        for scope in configuration["spec"]["secrets"]["scopes"].as_array().unwrap() {
            assert_eq!(scope["defaultAccess"], "deny", "{app}");
        }
        assert_eq!(
            configuration["spec"]["logging"]["apiLogging"]["enabled"], false,
            "{app}: URLs name people"
        );
    }
}

#[test]
fn what_components_name_of_a_secret_is_documented_and_nothing_secret_is_written() {
    let documented: BTreeMap<_, _> =
        rows("Settings and Secrets").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    for (file, component) in dapr_components() {
        for item in component["spec"]["metadata"].as_array().into_iter().flatten() {
            let field = item["name"].as_str().unwrap();
            let sensitive =
                ["password", "Password", "Key", "connectionString"].iter().any(|it| field.ends_with(it));
            assert!(!sensitive || item["value"].is_null(), "{file}: {field} is written");
            if let (Some(name), Some(key)) =
                (item["secretKeyRef"]["name"].as_str(), item["secretKeyRef"]["key"].as_str())
            {
                let keys = documented
                    .get(&format!("`{name}`"))
                    .unwrap_or_else(|| panic!("deployment.md has no Secret {name}"));
                assert!(spans(keys).contains(&key), "{name}: {key}");
                assert_eq!(
                    component["auth"]["secretStore"], "kubernetes",
                    "{file}: Dapr's operator reads it, and no pod"
                );
            }
        }
    }
}

#[test]
fn the_shared_sidecar_calls_the_function_of_jobs_and_demands_its_token() {
    let deployment = of_kind(cluster(), "Deployment").remove("daprd").unwrap();
    assert_confined(&deployment, &[]);
    let annotations = &deployment["spec"]["template"]["metadata"]["annotations"];
    for (annotation, value) in [
        ("app-id", "todo"),
        ("app-channel-address", "tick-fire-reminder.todo.svc.cluster.local"),
        ("api-token-secret", "todo-dapr-api-token"),
        ("app-token-secret", "todo-app-api-token"),
        ("disable-init-endpoints", "config,subscribe"),
        ("env-from-secret", "DATABASE_URL=todo-database:DATABASE_URL"),
    ] {
        assert_eq!(annotations[format!("dapr.io/{annotation}")], value, "{annotation}");
    }
    let named = folder("dapr/components")
        .into_iter()
        .flat_map(|(_, it)| it["spec"]["metadata"].as_array().cloned().unwrap_or_default());
    let named: BTreeSet<_> = named.filter_map(|it| it["envRef"].as_str().map(str::to_owned)).collect();
    assert_eq!(
        named,
        BTreeSet::from(["DATABASE_URL".to_owned(), "KAFKA_BROKERS".to_owned()]),
        "the Deployment gives both"
    );
}

#[test]
fn the_ways_to_kafka_differ_only_in_who_one_is() {
    let common = ["brokers", "version", "initialOffset"];
    let pubsubs = dapr_components().into_iter().filter(|(_, it)| name(it) == "pubsub");
    let told = |pubsub: &Value| -> BTreeMap<String, Value> {
        let items = pubsub["spec"]["metadata"].as_array().unwrap();
        items.iter().map(|it| (it["name"].as_str().unwrap().to_owned(), it.clone())).collect()
    };
    let pubsubs: Vec<_> = pubsubs.map(|(file, it)| (file, told(&it))).collect();
    assert_eq!(pubsubs.len(), 3);
    for (file, items) in &pubsubs[1..] {
        for field in common {
            assert_eq!(items[field], pubsubs[0].1[field], "{file}");
        }
        assert!(items.contains_key("authType"), "{file}");
    }
}
