//! The forms of repeats that people know from other task lists, and exactly the rules they mean: `recurrence_forms.txt`.
#![allow(clippy::unwrap_used, reason = "a test may end where its own table is wrong")]

use serde_json::{Value, json};
use todo_language::{Answer, Conversation, Entry, answer};

/// What is sent for a new task that repeats like this.
fn sent(form: &str) -> Value {
    let now = "2026-11-21T10:00:00+01:00[Europe/Berlin]".parse().unwrap();
    let entries = vec![Entry::Person(format!("add water the plants {form}"))];
    match answer(&Conversation { now, entries }) {
        Answer::Call(calls) if calls.len() == 1 && calls[0].name == "add_task" => calls[0].arguments.clone(),
        other => json!(format!("{other:?}")),
    }
}

fn expected(columns: &[&str]) -> Value {
    let mut fields = json!({"title": "water the plants", "repeat": columns[0], "due": columns[1]});
    if columns[1].contains('T') {
        fields["timezone"] = json!("Europe/Berlin");
    }
    if let Some(from) = columns.get(2) {
        fields["repeat_from"] = json!(from);
    }
    fields
}

#[test]
fn every_documented_form_of_a_repeat_is_read() {
    let rows: Vec<Vec<&str>> = include_str!("recurrence_forms.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(" | ").collect())
        .collect();
    let differ = |row: &&Vec<&str>| sent(row[0]) != expected(&row[1..]);
    let wrong: Vec<String> =
        rows.iter().filter(differ).map(|row| format!("{}: {}", row.join(" | "), sent(row[0]))).collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    assert_eq!(rows.len(), 45);
}
