#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails by panicking")]
//! What people read and what runs say the same: each test fails when only one of the two was changed.

mod contract;
mod environment;
mod functions;
mod openapi;
mod platform;
mod reference;
mod references;
mod workflows;

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are not the repository's own: what is built, and what runs keep.
const NOT_OURS: [&str; 4] = [".git", "target", "data", "node_modules"];

/// A path in the repository.
fn root(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(root(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names in a folder, sorted.
fn names(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every file of the repository, as a path in it.
fn files() -> Vec<String> {
    fn walk(folder: &str, found: &mut Vec<String>) {
        for name in names(if folder.is_empty() { "." } else { folder }) {
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = fs::symlink_metadata(root(&path)).unwrap();
            if kind.is_file() {
                found.push(path);
            } else if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) {
                walk(&path, found);
            }
        }
    }
    let mut found = Vec::new();
    walk("", &mut found);
    found
}

/// Every document: its path, and its text.
fn documents() -> Vec<(String, String)> {
    let paths = files().into_iter().filter(|path| path.ends_with(".md"));
    paths.map(|path| (path.clone(), read(&path))).collect()
}

/// The text without blocks of code.
fn prose(text: &str) -> String {
    let mut code = false;
    let kept = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// What stands between backticks in the text, outside blocks of code.
fn spans(text: &str) -> Vec<String> {
    prose(text).split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The part of a document under a heading, up to the next heading of the same rank.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let rank = heading.split(' ').next().unwrap();
    rest.split(&format!("\n{rank} ")).next().unwrap()
}

/// The rows of the tables in a text, without their heads: each the text of its cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<_> = text.lines().collect();
    let is_row = |line: &str| line.starts_with('|');
    let body = lines.iter().enumerate().filter(|(at, line)| {
        let rule = line.starts_with("|-");
        let head = lines.get(at + 1).is_some_and(|next| next.starts_with("|-"));
        is_row(line) && !rule && !head
    });
    body.map(|(_, line)| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}
