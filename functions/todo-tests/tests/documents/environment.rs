//! The environment stands in `config.rs`, and as a table in `docs/specs/commands.md`, which `UPDATE_DOCS=1` writes.

use clap::Args as _;
use todo::config::Config;

use crate::{documents, read, root, section};

const DOCUMENT: &str = "docs/specs/commands.md";
const HEADING: &str = "## Environment";

/// What only the tests, or the scripts of `ci/`, read.
const OF_TESTS: &str = "TODO_TEST_";

fn configuration() -> clap::Command {
    Config::augment_args(clap::Command::new("todo"))
}

fn variables() -> Vec<String> {
    let command = configuration();
    let names = command.get_arguments().filter_map(|argument| argument.get_env());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// The table as the code has it.
fn table() -> String {
    let command = configuration();
    let rows = command.get_arguments().filter_map(|argument| {
        let name = argument.get_env()?.to_string_lossy();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default().replace('\n', " ");
        let default: Vec<_> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default = if default.is_empty() { String::new() } else { format!("`{}`", default.join(",")) };
        Some(format!("| `{name}` | {} | {default} |\n", help.replace('|', "\\|")))
    });
    format!("| variable | what it says | default |\n|---|---|---|\n{}", rows.collect::<String>())
}

#[test]
fn the_table_of_variables_is_what_the_command_line_has() {
    let (text, table) = (read(DOCUMENT), table());
    let old: String = section(&text, HEADING)
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| format!("{line}\n"))
        .collect();
    if old != table && std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(root(DOCUMENT), text.replace(&old, &table)).unwrap();
        return;
    }
    assert_eq!(
        old, table,
        "{DOCUMENT} and functions/todo/src/config.rs differ; UPDATE_DOCS=1 cargo test -p todo-tests --test documents writes it"
    );
}

#[test]
fn no_document_names_a_variable_that_nothing_reads() {
    let known = variables();
    for (document, text) in documents() {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let named =
            words.filter(|word| ["TODO_", "OPENAI_", "DAPR_"].iter().any(|prefix| word.starts_with(prefix)));
        let unknown: Vec<_> = named
            .filter(|name| !name.starts_with(OF_TESTS) && name.len() > "TODO_".len())
            .filter(|name| !known.iter().any(|known| known == name))
            .collect();
        assert!(unknown.is_empty(), "{document}: {unknown:?}");
    }
}
