#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails by panicking")]
//! What a cluster is given: `knative/`, `dapr/`, `charts/todo`, held against `spin.toml`, the code and docs/specs/deployment.md.

mod chart;
mod dapr;
mod deliveries;
mod keys;
mod network;
mod services;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use todo_host::Manifest;

/// Functions that are native, and so not in `spin.toml`.
const NATIVE: [&str; 2] = ["chat", "live"];

/// A path in the repository.
fn root(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documents of a text of YAML.
fn documents(text: &str) -> Vec<Value> {
    let parts = format!("\n{text}");
    let parts = parts.split("\n---").map(|part| serde_saphyr::from_str::<Value>(part).unwrap());
    parts.filter(|document| !document.is_null()).collect()
}

/// The documents of every YAML file in a folder, with the names of their files.
fn folder(path: &str) -> Vec<(String, Value)> {
    let entries = std::fs::read_dir(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<_> = names.filter(|name| name.ends_with(".yaml")).collect();
    let of = |name: String| {
        documents(&read(&format!("{path}/{name}"))).into_iter().map(move |it| (name.clone(), it))
    };
    names.into_iter().filter(|name| name != "kustomization.yaml").flat_map(of).collect()
}

fn knative() -> Vec<Value> {
    folder("knative").into_iter().map(|(_, document)| document).collect()
}

/// What of a kind there is, by name.
fn of_kind(documents: Vec<Value>, kind: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for document in documents.into_iter().filter(|it| it["kind"] == kind) {
        let name = name(&document).to_owned();
        assert!(found.insert(name.clone(), document).is_none(), "{kind} {name} is there twice");
    }
    found
}

fn name(document: &Value) -> &str {
    document["metadata"]["name"].as_str().unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|each| each.as_str().unwrap()).collect()
}

/// The components of `spin.toml`, in its order.
fn components() -> Vec<String> {
    let manifest = Manifest::load(root("spin.toml")).unwrap();
    manifest.components().iter().map(|component| component.id.clone()).collect()
}

/// `spin.toml` as it stands.
fn spin() -> toml::Table {
    read("spin.toml").parse().unwrap()
}

/// What stands between backticks in a text.
fn spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The rows of the tables under a heading of docs/specs/deployment.md, without their heads.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let text = read("docs/specs/deployment.md");
    let section =
        text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}")).1;
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// Pods' specifications of whatever has pods, with what has them.
fn pods(document: &Value) -> Option<(String, &Value)> {
    let pod = match document["kind"].as_str()? {
        "Pod" => &document["spec"],
        "Service" if document["apiVersion"] != "serving.knative.dev/v1" => return None,
        "Service" | "Deployment" | "StatefulSet" | "Job" => &document["spec"]["template"]["spec"],
        _ => return None,
    };
    Some((format!("{} {}", document["kind"].as_str()?, name(document)), pod))
}

/// No container may be more than it must.
fn assert_confined(document: &Value, but: &[&str]) {
    let Some((whose, pod)) = pods(document) else { return };
    assert_eq!(pod["automountServiceAccountToken"], false, "{whose} is given a token of the API server");
    for container in pod["containers"].as_array().unwrap() {
        let (context, resources) = (&container["securityContext"], &container["resources"]);
        assert_eq!(context["runAsNonRoot"], true, "{whose}");
        assert!(
            context["readOnlyRootFilesystem"] == true || but.contains(&name(document)),
            "{whose} can write"
        );
        assert_eq!(context["allowPrivilegeEscalation"], false, "{whose}");
        assert_eq!(strings(&context["capabilities"]["drop"]), ["ALL"], "{whose}");
        assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault", "{whose}");
        for (which, what) in [("requests", "cpu"), ("requests", "memory"), ("limits", "memory")] {
            assert!(resources[which][what].is_string(), "{whose} has no {which} of {what}");
        }
    }
}
