//! What documents point at is there: links, headings, files, commands.

use crate::{documents, files, prose, read, root, spans};

/// What a name ends in that is a file of the repository. Others (`todo.db`, `sidecar.json`) are files that runs make.
const KEPT: [&str; 10] = [".rs", ".md", ".toml", ".yaml", ".js", ".css", ".html", ".py", ".sql", ".wit"];

/// The targets of the links in a text.
fn links(text: &str) -> Vec<String> {
    let text = prose(text);
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).filter(|target| !target.contains("://")).collect()
}

/// A heading as it is linked to.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

/// `a/{b,c}.rs` is `a/b.rs` and `a/c.rs`.
fn alternatives(path: &str) -> Vec<String> {
    let Some((before, (within, after))) =
        path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return vec![path.to_owned()];
    };
    within.split(',').map(|each| format!("{before}{each}{after}")).collect()
}

fn is_path(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    !span.starts_with(['/', '.']) && span.chars().all(plain)
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for (document, text) in documents() {
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in links(&text) {
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = root(folder).join(path);
            let there = if path.is_empty() { true } else { target.exists() };
            let text = match (there, path.is_empty()) {
                (_, true) => text.clone(),
                (true, false) if !heading.is_empty() => std::fs::read_to_string(target).unwrap(),
                _ => String::new(),
            };
            let headed = heading.is_empty()
                || prose(&text).lines().any(|line| line.starts_with('#') && anchor(line) == heading);
            if !there || !headed {
                broken.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_file_that_a_document_names_exists() {
    let files = files();
    let mut missing = Vec::new();
    for (document, text) in documents() {
        for path in spans(&text).iter().flat_map(|span| alternatives(span)) {
            let kept = is_path(&path) && KEPT.iter().any(|end| path.ends_with(end));
            let behind = format!("/{path}");
            if kept && !files.iter().any(|file| *file == path || file.ends_with(&behind)) {
                missing.push(format!("{document}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// In the code map a path is one that can be opened from there: no ending of one, no folder that has gone.
#[test]
fn every_path_in_the_code_map_can_be_opened() {
    let missing: Vec<_> = spans(&read("functions/README.md"))
        .iter()
        .flat_map(|span| alternatives(span))
        .filter(|path| is_path(path) && (path.contains('/') || path.ends_with(".rs")))
        .filter(|path| !root("functions").join(path).exists() && !root(path).exists())
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_command_is_explained_and_no_other_is_named() {
    let source = read("functions/todo/src/command.rs");
    let variants = source.split_once("enum Command {").unwrap().1.split_once("\n}").unwrap().0;
    let names = variants.lines().map(str::trim).filter(|line| line.starts_with(char::is_uppercase));
    let commands: Vec<_> = names.map(|line| kebab(line.split(['(', ',']).next().unwrap())).collect();
    let explained = spans(&read("docs/specs/commands.md"));
    for command in &commands {
        let of = |span: &&String| {
            span.strip_prefix("todo ").is_some_and(|rest| rest.split(' ').next() == Some(command))
        };
        assert!(explained.iter().any(|span| of(&span)), "commands.md does not explain `todo {command}`");
    }
    for (document, text) in documents() {
        for span in spans(&text) {
            let Some(named) = span.strip_prefix("todo ").and_then(|rest| rest.split_whitespace().next())
            else {
                continue;
            };
            let each = named.split('|').filter(|name| !name.starts_with('-'));
            let unknown: Vec<_> = each.filter(|name| !commands.iter().any(|known| known == name)).collect();
            assert!(unknown.is_empty(), "{document}: there is no command {unknown:?}, as `{span}` has it");
        }
    }
}

fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(c.to_lowercase());
    }
    kebab
}
