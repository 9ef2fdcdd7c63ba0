//! One list of functions, told in several places; and what each of them may be.

use std::collections::BTreeSet;

use todo_host::Manifest;
use todo_sidecar::{Routes, Sink};

use crate::{names, read, root, rows, section, spans};

/// Functions that are native and so not in `spin.toml`, and the one that no manifest names because Dapr's jobs wake it.
const NATIVE: [&str; 2] = ["chat", "live"];
const WOKEN_BY_JOBS: &str = "tick-fire-reminder";

/// What the design allows: a tool says what it is and does, a consumer acts; all else is the skeleton's.
const LONGEST_TOOL: usize = 90;
const LONGEST_CONSUMER: usize = 120;

fn components() -> Vec<String> {
    let manifest = Manifest::load(root("spin.toml")).unwrap();
    manifest.components().iter().map(|component| component.id.clone()).collect()
}

fn routes() -> Routes {
    Routes::load(root("knative")).unwrap()
}

/// All functions in flow order.
fn functions() -> Vec<String> {
    NATIVE.into_iter().map(str::to_owned).chain(components()).collect()
}

/// The names that the first column of a table links to.
fn listed(document: &str, heading: &str) -> Vec<String> {
    let text = read(document);
    let rows = rows(section(&text, heading));
    rows.iter().map(|row| spans(row[0]).concat()).collect()
}

#[test]
fn every_function_has_its_folder_and_every_folder_is_a_function_or_a_crate_of_ours() {
    let folders = names("functions").into_iter().filter(|name| root("functions").join(name).is_dir());
    let (crates, found): (Vec<_>, Vec<_>) =
        folders.partition(|name| name == "todo" || name.starts_with("todo-"));
    assert_eq!(BTreeSet::from_iter(found), BTreeSet::from_iter(functions()));
    let listed = listed("functions/README.md", "## What they are made of");
    assert_eq!(BTreeSet::from_iter(crates), BTreeSet::from_iter(listed), "functions/README.md lists");
}

#[test]
fn both_tables_list_every_function_in_flow_order() {
    assert_eq!(listed("README.md", "## Functions"), functions(), "README.md");
    assert_eq!(listed("functions/README.md", "## Functions"), functions(), "functions/README.md");
}

#[test]
fn every_route_ends_at_a_function_and_every_function_is_woken_by_something() {
    let woken: BTreeSet<_> = routes().functions().iter().map(ToString::to_string).collect();
    let mut components = BTreeSet::from_iter(components());
    assert!(components.remove(WOKEN_BY_JOBS));
    assert_eq!(woken, components);
}

#[test]
fn the_table_of_topics_names_the_consumers_that_read_them() {
    let (text, routes) = (read("docs/specs/events.md"), routes());
    let rows = rows(section(&text, "## An event"));
    for topic in names("docs/schemas").iter().filter_map(|name| name.strip_suffix(".json")) {
        let readers =
            routes.consumers.iter().filter(|consumer| consumer.topics.iter().any(|read| &**read == topic));
        let readers = readers.filter_map(|consumer| match &consumer.sink {
            Sink::Function { name, .. } => Some(name.to_string()),
            Sink::Topic(_) => None,
        });
        let row = rows.iter().find(|row| row.len() == 4 && row[0] == format!("`{topic}`"));
        let row = row.unwrap_or_else(|| panic!("events.md says nothing of {topic}"));
        let told = spans(row[3]).into_iter().filter(|name| name.starts_with("event-"));
        let readers = readers.filter(|name| name.starts_with("event-"));
        assert_eq!(BTreeSet::from_iter(told), BTreeSet::from_iter(readers), "{topic}");
    }
}

#[test]
fn a_function_is_short_because_the_rest_is_its_skeleton() {
    for component in components() {
        let text = read(&format!("functions/{component}/src/lib.rs"));
        let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let lines = text.lines().filter(code).count();
        let most = if component.starts_with("tool-") { LONGEST_TOOL } else { LONGEST_CONSUMER };
        assert!(lines <= most, "{component} has {lines} lines of code, and may have {most}");
    }
}

#[test]
fn every_variable_of_the_manifest_is_explained_in_a_specification() {
    let specs: Vec<_> =
        names("docs/specs").iter().flat_map(|name| spans(&read(&format!("docs/specs/{name}")))).collect();
    let manifest = Manifest::load(root("spin.toml")).unwrap();
    let unexplained: Vec<_> =
        manifest.variable_names().filter(|name| !specs.iter().any(|span| span == name)).collect();
    assert!(unexplained.is_empty(), "no page of docs/specs says what {unexplained:?} are");
}

#[test]
fn both_databases_have_the_migrations_that_the_specification_tells_of() {
    let folder = "functions/todo-store/migrations";
    let (postgres, sqlite) = (names(&format!("{folder}/postgres")), names(&format!("{folder}/sqlite")));
    assert_eq!(postgres, sqlite);
    let text = read("docs/specs/store.md");
    let told: Vec<_> =
        rows(section(&text, "## Migrations")).iter().map(|row| spans(row[0]).concat()).collect();
    let stems: Vec<_> = postgres.iter().map(|name| name.trim_end_matches(".sql").to_owned()).collect();
    assert_eq!(told, stems, "docs/specs/store.md");
}

#[test]
fn every_function_has_a_service_of_its_name_in_the_cluster() {
    for function in functions() {
        let service =
            format!("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: {function}\n");
        assert!(read(&format!("knative/{function}.yaml")).contains(&service), "{function}");
    }
}

#[test]
fn every_walkthrough_that_is_tested_is_told_under_the_same_name() {
    let tests = read("functions/todo-tests/tests/todo/events/walkthroughs.rs");
    let names = tests.lines().filter_map(|line| line.trim().strip_prefix("async fn ")?.split('(').next());
    let text = read("functions/README.md");
    let told: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_lowercase).collect();
    let untold: Vec<_> = names.filter(|name| !told.contains(&name.replace('_', " "))).collect();
    assert!(untold.is_empty(), "functions/README.md has no walkthrough {untold:?}");
}
