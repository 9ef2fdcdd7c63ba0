//! A Service for each function, told what its component is told, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args as _;
use serde_json::Value;
use todo::config::Config;
use todo_host::Limits;

use crate::{
    NATIVE, assert_confined, components, folder, knative, name, of_kind, rows, spans, spin, strings,
};

/// The environment's variables behind the variables of `spin.toml`; `functions/todo/src/variables.rs` passes them on. The audience and the binding of
/// mail have their values from elsewhere, the webhook's host from its address, and the database's from its URL.
const BEHIND: [(&str, &str); 16] = [
    ("database_url", "DATABASE_URL"),
    ("function_public_keys", "TODO_FUNCTION_PUBLIC_KEYS"),
    ("function_audience", ""),
    ("dapr_url", "DAPR_HTTP_ENDPOINT"),
    ("dapr_api_token", "DAPR_API_TOKEN"),
    ("app_api_token", "APP_API_TOKEN"),
    ("event_key", "TODO_EVENT_KEY"),
    ("event_public_keys", "TODO_EVENT_PUBLIC_KEYS"),
    ("people_public_keys", "TODO_JWKS_URL"),
    ("people_issuer", "TODO_JWT_ISSUER"),
    ("people_audience", "TODO_JWT_AUDIENCE"),
    ("reminder_webhook_url", "TODO_REMINDER_WEBHOOK_URL"),
    ("reminder_webhook_secret", "TODO_REMINDER_WEBHOOK_SECRET"),
    ("reminder_email_binding", ""),
    ("reminder_email_to", "TODO_REMINDER_EMAIL_TO"),
    ("audit_retention_days", "TODO_AUDIT_RETENTION_DAYS"),
];

/// What `todo serve` itself wants of every function.
const OF_SERVE: [&str; 2] = ["TODO_ENVIRONMENT", "TODO_FUNCTION_PUBLIC_KEYS"];

fn services() -> BTreeMap<String, Value> {
    let services = knative().into_iter().filter(|it| it["apiVersion"] == "serving.knative.dev/v1");
    of_kind(services.collect(), "Service")
}

fn container(service: &Value) -> &Value {
    let containers = service["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1, "{}", name(service));
    &containers[0]
}

fn environment(service: &Value) -> BTreeMap<&str, &Value> {
    let variables = container(service)["env"].as_array().unwrap();
    let named: BTreeMap<_, _> = variables.iter().map(|each| (each["name"].as_str().unwrap(), each)).collect();
    assert_eq!(named.len(), variables.len(), "{} names a variable twice", name(service));
    named
}

#[test]
fn every_function_has_exactly_one_service_and_one_account_in_the_file_of_its_name() {
    let functions: Vec<_> = NATIVE.map(str::to_owned).into_iter().chain(components()).collect();
    let accounts = of_kind(knative(), "ServiceAccount");
    assert_eq!(services().into_keys().collect::<BTreeSet<_>>(), functions.iter().cloned().collect());
    assert_eq!(accounts.keys().cloned().collect::<BTreeSet<_>>(), functions.into_iter().collect());
    for (file, document) in folder("knative") {
        if document["apiVersion"] == "serving.knative.dev/v1" || document["kind"] == "ServiceAccount" {
            assert_eq!(file, format!("{}.yaml", name(&document)));
        }
    }
    for (function, service) in services() {
        assert_eq!(service["spec"]["template"]["spec"]["serviceAccountName"], *function);
        assert_eq!(accounts[&function]["automountServiceAccountToken"], false, "{function}");
    }
}

#[test]
fn every_service_serves_the_function_of_its_name_from_one_image() {
    let images: BTreeSet<_> = services().values().map(|it| container(it)["image"].to_string()).collect();
    assert_eq!(images.len(), 1, "{images:?}");
    for (function, service) in services() {
        let expected = match NATIVE.contains(&function.as_str()) {
            true => vec![function.clone()],
            false => vec![
                "serve".into(),
                function.clone(),
                "--file".into(),
                format!("components/{function}.cwasm"),
            ],
        };
        assert_eq!(strings(&container(&service)["args"]), expected, "{function}");
    }
}

#[test]
fn every_variable_is_one_that_the_code_knows() {
    let command = Config::augment_args(clap::Command::new("todo"));
    let known: BTreeSet<_> = command.get_arguments().filter_map(|it| it.get_env()?.to_str()).collect();
    for (function, service) in services() {
        for variable in environment(&service).keys() {
            assert!(known.contains(variable), "{function}: {variable}");
            assert_ne!(*variable, "PORT", "{function}: it is Knative's, who refuses a manifest that sets it");
        }
    }
}

#[test]
fn a_function_is_told_what_its_component_is_told_and_nothing_else() {
    let (spin, behind) = (spin(), BTreeMap::from(BEHIND));
    for component in components() {
        let variables = spin["component"][component.as_str()]["variables"].as_table().unwrap();
        let of = |variable: &String| {
            *behind.get(variable.as_str()).unwrap_or_else(|| panic!("what is behind {variable}?"))
        };
        let expected = variables.keys().map(of).filter(|name| !name.is_empty());
        let expected: BTreeSet<_> = expected.chain(OF_SERVE).collect();
        let services = services();
        let told: BTreeSet<_> = environment(&services[&component]).into_keys().collect();
        assert_eq!(told, expected, "{component}");
    }
}

/// Whose values `todo --help` hides, those a manifest may only refer to.
#[test]
fn no_secret_stands_in_a_manifest_and_every_one_that_is_referred_to_is_documented() {
    let command = Config::augment_args(clap::Command::new("todo"));
    let secret = command.get_arguments().filter(|argument| argument.is_hide_env_values_set());
    let secret: BTreeSet<_> = secret.filter_map(|it| it.get_env()?.to_str()).collect();
    let documented: BTreeMap<_, _> =
        rows("Settings and Secrets").into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    for (function, service) in services() {
        for (variable, told) in environment(&service) {
            let reference = &told["valueFrom"]["secretKeyRef"];
            assert!(
                !secret.contains(variable) || reference.is_object(),
                "{function}: {variable} is a secret"
            );
            if let (Some(name), Some(key)) = (reference["name"].as_str(), reference["key"].as_str()) {
                let keys = documented
                    .get(&format!("`{name}`"))
                    .unwrap_or_else(|| panic!("deployment.md has no Secret {name}"));
                assert!(spans(keys).contains(&key), "{name}: {key} is not documented");
            }
            let reference = &told["valueFrom"]["configMapKeyRef"];
            assert!(
                reference.is_null() || reference["key"] == variable,
                "{function}: a setting's key is its variable"
            );
        }
    }
    assert!(folder("knative").iter().chain(&folder("dapr/cluster")).all(|(_, it)| it["kind"] != "Secret"));
}

#[test]
fn every_pod_is_confined_and_probed() {
    for document in knative() {
        assert_confined(&document, &[]);
    }
    for (function, service) in services() {
        assert_eq!(container(&service)["readinessProbe"]["httpGet"]["path"], "/readyz", "{function}");
        assert_eq!(container(&service)["livenessProbe"]["httpGet"]["path"], "/healthz", "{function}");
    }
}

#[test]
fn components_sleep_chat_does_not_and_only_those_two_are_seen_from_outside() {
    for (function, service) in services() {
        let annotations = &service["spec"]["template"]["metadata"]["annotations"];
        let least = if function == "chat" { "1" } else { "0" };
        assert_eq!(annotations["autoscaling.knative.dev/min-scale"], least, "{function}");
        assert!(annotations["autoscaling.knative.dev/max-scale"].is_string(), "{function} has no end");
        let visibility = &service["metadata"]["labels"]["networking.knative.dev/visibility"];
        assert_eq!(visibility == "cluster-local", !NATIVE.contains(&function.as_str()), "{function}");
    }
}

#[test]
fn knative_sends_a_component_no_more_than_it_works_on_and_waits_longer_than_its_host() {
    let limits = Limits::default();
    for component in components() {
        let spec = &services()[&component]["spec"]["template"]["spec"];
        assert_eq!(spec["containerConcurrency"], limits.concurrency, "{component}");
        let timeout = spec["timeoutSeconds"].as_u64().unwrap();
        assert!(timeout > limits.time.as_secs(), "{component}: {timeout} s");
        assert!(spec["responseStartTimeoutSeconds"].as_u64().unwrap() > limits.time.as_secs(), "{component}");
    }
}

#[test]
fn siblings_differ_only_in_what_they_are_for() {
    let services = services();
    let skeleton = |function: &str| {
        let mut service = services[function].clone();
        container(&service);
        service["spec"]["template"]["spec"]["containers"][0]["env"] = Value::Null;
        service["spec"]["template"]["metadata"]["annotations"] = Value::Null;
        service.to_string().replace(function, "<function>")
    };
    let components = components();
    for component in &components[1..] {
        assert_eq!(skeleton(component), skeleton(&components[0]), "{component}");
    }
}
