//! `.github/`: actions are pinned, rights are few, and the steps are those of `.ci/run`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{files, read};

fn workflows() -> Vec<(String, String, Value)> {
    let paths = files().into_iter().filter(|path| path.starts_with(".github/") && path.ends_with(".yml"));
    let paths = paths.filter(|path| !path.ends_with("dependabot.yml"));
    let read = paths.map(|path| {
        let text = read(&path);
        let value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        (path, text, value)
    });
    read.collect()
}

fn jobs(workflow: &Value) -> impl Iterator<Item = (&String, &Value)> {
    workflow["jobs"].as_object().into_iter().flatten()
}

/// What a workflow runs of `.ci/run`.
fn steps(text: &str) -> impl Iterator<Item = &str> {
    let commands = text.split("run: .ci/run ").skip(1);
    commands.flat_map(|rest| rest.split([';', '&', '\n', '`']).next().unwrap_or_default().split_whitespace())
}

fn known() -> BTreeSet<String> {
    let script = read(".ci/run");
    let (_, rest) = script.split_once("\nsteps=(").unwrap();
    rest.split(')').next().unwrap().split_whitespace().map(str::to_owned).collect()
}

#[test]
fn every_action_is_pinned_to_a_commit_and_says_its_version() {
    let mut pinned = std::collections::BTreeMap::new();
    for (path, text, _) in workflows() {
        for line in
            text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "))
        {
            if line.starts_with("./") {
                continue;
            }
            let (action, version) = line.split_once(" # v").unwrap_or_else(|| panic!("{path}: {line}"));
            let (name, commit) = action.split_once('@').unwrap();
            let hex =
                commit.len() == 40 && commit.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
            assert!(hex && version.starts_with(|c: char| c.is_ascii_digit()), "{path}: {line}");
            let before = pinned.insert(name.to_owned(), line.to_owned());
            assert!(before.is_none_or(|before| before == line), "{name} is pinned twice");
        }
    }
    assert!(pinned.len() > 5, "{pinned:?}");
}

#[test]
fn nothing_is_granted_to_a_workflow_as_a_whole_and_every_job_says_what_it_needs() {
    for (path, _, workflow) in workflows().iter().filter(|(path, ..)| path.contains("/workflows/")) {
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{path}");
        for (name, job) in jobs(workflow) {
            let rights =
                job["permissions"].as_object().unwrap_or_else(|| panic!("{path}: {name} says no rights"));
            assert!(!rights.values().any(|right| right == "write-all"), "{path}: {name}");
            let limited = job["timeout-minutes"].is_number() || job["uses"].is_string();
            assert!(limited, "{path}: {name} may run for ever");
        }
    }
}

#[test]
fn no_secret_is_kept_for_a_workflow() {
    for (path, text, _) in workflows() {
        assert!(!text.contains("secrets."), "{path}: identity is the job's own, by OpenID Connect");
    }
}

/// What a job that is asked for a pull request may write would be written by whoever asks.
#[test]
fn a_pull_request_writes_nothing() {
    for (path, _, workflow) in workflows() {
        let asked = workflow["on"].get("pull_request").is_some() || workflow["on"] == "pull_request";
        assert!(workflow["on"].get("pull_request_target").is_none(), "{path}");
        for (name, job) in jobs(&workflow).filter(|_| asked) {
            let mut rights = job["permissions"].as_object().into_iter().flatten();
            assert!(rights.all(|(_, right)| right == "read"), "{path}: {name}");
        }
    }
}

#[test]
fn every_step_of_the_script_is_run_for_a_pull_request_and_no_other_is_named() {
    let known = known();
    assert!(known.contains("tests"), "{known:?}");
    for (path, text, _) in workflows() {
        let unknown: Vec<_> = steps(&text).filter(|step| !known.contains(*step)).collect();
        assert!(unknown.is_empty(), "{path}: {unknown:?}");
    }
    let run: BTreeSet<_> = steps(&read(".github/workflows/check.yml")).map(str::to_owned).collect();
    assert_eq!(run, known, "check.yml");
}
