//! Every alert says where to read what to do, and everything that is written there is about an alert.

use std::collections::{BTreeMap, BTreeSet};

use crate::watching::rules;
use crate::{read, root};

const FOLDER: &str = "docs/runbooks";

/// What is written about each alert, by its address: `docs/runbooks/chat.md#todochatdown`. Other headings are of other occasions.
fn runbooks() -> BTreeMap<String, String> {
    let mut runbooks = BTreeMap::new();
    for entry in std::fs::read_dir(root(FOLDER)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        for section in read(&format!("{FOLDER}/{name}")).split("\n## ").skip(1) {
            let (heading, text) = section.split_once('\n').unwrap();
            if heading.starts_with("Todo") {
                runbooks.insert(format!("{FOLDER}/{name}#{}", heading.to_lowercase()), text.to_owned());
            }
        }
    }
    runbooks
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let mut told = BTreeSet::new();
    for rule in rules().into_iter().filter(|rule| rule.is_alert) {
        let url = rule.definition["annotations"]["runbook_url"].as_str().unwrap_or_default().to_owned();
        let (_, heading) =
            url.split_once('#').unwrap_or_else(|| panic!("{} has no runbook: {url}", rule.name));
        assert_eq!(heading, rule.name.to_lowercase(), "a runbook bears the name of its alert");
        let severity = rule.definition["labels"]["severity"].as_str().unwrap_or_default();
        assert!(["page", "ticket"].contains(&severity), "{}: severity {severity}", rule.name);
        told.insert(url);
    }
    assert_eq!(told, runbooks().into_keys().collect());
}

#[test]
fn every_runbook_says_what_it_means_how_to_look_and_what_to_do() {
    for (address, text) in runbooks() {
        for part in ["**Means.**", "**Look.**", "**Do.**"] {
            assert!(text.contains(part), "{address} has no {part}");
        }
    }
}
