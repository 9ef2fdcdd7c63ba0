//! Who may reach whom: the policies are the arrows of the picture, no more and no fewer. Nothing here enforces them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{NATIVE, components, folder, knative, of_kind, rows, spans, spin};

const PUBLIC: &str = "0.0.0.0/0";

fn policies() -> BTreeMap<String, Value> {
    let sidecar = folder("dapr/cluster").into_iter().map(|(_, document)| document);
    of_kind(knative().into_iter().chain(sidecar).collect(), "NetworkPolicy")
}

/// What a rule lets through, in the words of docs/specs/deployment.md.
fn destination(rule: &Value) -> &'static str {
    let (peers, ports) = (rule["to"].as_array().unwrap(), &rule["ports"]);
    assert_eq!(peers.len(), 1, "{rule}");
    let peer = &peers[0];
    let pod = peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"].as_str();
    let namespace = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"].as_str();
    let port = |port: u16| *ports == json!([{ "port": port }]);
    match (pod, namespace, peer["ipBlock"]["cidr"].as_str()) {
        (Some("postgres"), None, None) if port(5432) => "database",
        (Some("kafka"), None, None) if port(9092) => "kafka",
        (Some("daprd"), None, None) if port(3500) => "daprd",
        (None, Some("kourier-system"), None) if port(8081) => "functions",
        (None, Some("monitoring"), None) if port(4317) => "traces",
        (None, Some("dapr-system"), None) if ports.is_null() => "dapr-system",
        (None, None, Some(PUBLIC)) if port(443) => {
            let except = &peer["ipBlock"]["except"];
            assert!(
                except.as_array().unwrap().iter().any(|it| it == "169.254.0.0/16"),
                "the cloud's metadata is no business of theirs"
            );
            "outside"
        }
        _ => panic!("no arrow is {rule}"),
    }
}

/// By function: where its own policy lets it go.
fn allowed() -> BTreeMap<String, BTreeSet<&'static str>> {
    let mut allowed = BTreeMap::new();
    for (name, policy) in policies() {
        let selected = &policy["spec"]["podSelector"]["matchLabels"];
        let whose =
            selected["serving.knative.dev/service"].as_str().or(selected["app.kubernetes.io/name"].as_str());
        let Some(whose) = whose else { continue };
        assert_eq!(whose, name, "a policy bears the name of its function");
        let rules = policy["spec"]["egress"].as_array().unwrap();
        let reaches: BTreeSet<_> = rules.iter().map(destination).collect();
        assert_eq!(reaches.len(), rules.len(), "{name} says something twice");
        allowed.insert(name, reaches);
    }
    allowed
}

#[test]
fn the_policies_are_the_arrows_of_the_specification() {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows("Who reaches whom") {
        for who in spans(&row[0]) {
            let before =
                arrows.insert(who.to_owned(), spans(&row[1]).into_iter().map(str::to_owned).collect());
            assert!(before.is_none(), "{who} has two rows");
        }
    }
    let allowed: BTreeMap<String, BTreeSet<String>> =
        allowed().into_iter().map(|(who, to)| (who, to.into_iter().map(str::to_owned).collect())).collect();
    assert_eq!(allowed, arrows);
}

/// The host lets a component reach what `spin.toml` allows, and the process around it fetches the keys of people's tokens.
#[test]
fn a_component_reaches_in_the_network_what_its_host_lets_it_reach() {
    let (spin, allowed) = (spin(), allowed());
    for component in components() {
        let section = &spin["component"][component.as_str()];
        let hosts = section["allowed_outbound_hosts"].as_array().unwrap().iter().map(|host| {
            match host.as_str().unwrap() {
                "postgres://{{ postgres_host }}" => "database",
                "{{ dapr_url }}" => "daprd",
                "{{ reminder_webhook_host }}" => "outside",
                other => panic!("{component} reaches {other}, for which there is no policy"),
            }
        });
        let keys = section["variables"].get("people_public_keys").map(|_| "outside");
        assert_eq!(allowed[&component], hosts.chain(keys).collect(), "{component}");
    }
}

/// The picture of the README.
#[test]
fn the_picture_has_these_arrows() {
    let picture = crate::read("README.md");
    let allowed = allowed();
    for (arrow, who, to) in [
        ("chat -- \"prompt, tool calls\" --> model", "chat", "outside"),
        ("chat -- \"MCP, function token\" --> tools", "chat", "functions"),
        ("tools -- \"one transaction\" --> db", "tool-add-task", "database"),
        ("tools -- \"after the answer\" --> kafka", "tool-add-task", "daprd"),
        ("relay[tick-relay-outbox] --> kafka", "tick-relay-outbox", "daprd"),
        ("schedule[event-schedule-reminder] -- \"job\" --> jobs", "event-schedule-reminder", "daprd"),
        (
            "jobs -- \"due\" --> fire[tick-fire-reminder] -- \"reminders\" --> kafka",
            "tick-fire-reminder",
            "daprd",
        ),
        ("repeat[event-repeat-task] -- \"next task\" --> db", "event-repeat-task", "database"),
        (
            "send[event-send-reminder] -- \"in-app, webhook, e-mail\" --> person",
            "event-send-reminder",
            "outside",
        ),
        ("audit[event-record-audit]", "event-record-audit", "database"),
        ("dead[event-keep-dead-letter]", "event-keep-dead-letter", "database"),
    ] {
        assert!(picture.contains(arrow), "README.md no longer has {arrow}");
        assert!(allowed[who].contains(to), "{who} may not reach {to}, as {arrow} has it");
    }
}

#[test]
fn nothing_is_allowed_but_by_a_rule() {
    let policies = policies();
    let deny = &policies["deny"]["spec"];
    assert_eq!(deny["podSelector"], json!({"matchLabels": {"app.kubernetes.io/part-of": "todo"}}));
    assert_eq!(deny["policyTypes"], json!(["Ingress", "Egress"]));
    assert!(deny["ingress"].is_null() && deny["egress"].is_null());
    for (name, policy) in &policies {
        let rules = ["ingress", "egress"]
            .into_iter()
            .flat_map(|way| policy["spec"][way].as_array().into_iter().flatten());
        for rule in rules {
            let peers = rule.get("to").or(rule.get("from")).and_then(Value::as_array);
            assert!(peers.is_some_and(|peers| !peers.is_empty()), "{name} lets everybody through: {rule}");
        }
    }
}

#[test]
fn requests_come_from_knative_and_numbers_go_to_prometheus() {
    let policies = policies();
    let inward: BTreeSet<_> = policies
        .iter()
        .filter(|(_, it)| it["spec"]["ingress"].is_array())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(inward, BTreeSet::from(["requests", "numbers", "daprd"]));
    for name in ["requests", "numbers"] {
        let rules = policies[name]["spec"]["ingress"].as_array().unwrap();
        let from = rules.iter().flat_map(|rule| rule["from"].as_array().unwrap());
        for peer in from {
            let namespace = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"].as_str();
            let expected: &[&str] =
                if name == "requests" { &["kourier-system", "knative-serving"] } else { &["monitoring"] };
            assert!(namespace.is_some_and(|it| expected.contains(&it)), "{name}: {peer}");
        }
    }
}

#[test]
fn the_shared_sidecar_is_reached_by_those_who_may_reach_it() {
    let policies = policies();
    let from = &policies["daprd"]["spec"]["ingress"][0]["from"][0]["podSelector"]["matchExpressions"][0];
    let callers: BTreeSet<_> = crate::strings(&from["values"]).into_iter().map(str::to_owned).collect();
    let allowed = allowed();
    let expected = allowed.iter().filter(|(_, to)| to.contains("daprd")).map(|(who, _)| who.clone());
    assert_eq!(callers, expected.collect());
    assert!(NATIVE.iter().all(|native| !callers.contains(*native)));
}
