//! What people ordinarily write, and exactly the calls it leads to. The table is `ordinary_wording.txt`.
#![allow(clippy::unwrap_used, reason = "a test may end where its own table is wrong")]

use serde_json::{Value, json};
use todo_language::{Answer, Conversation, Entry, answer};

/// A Saturday morning.
const NOW: &str = "2026-11-21T10:00:00+01:00[Europe/Berlin]";

fn tasks() -> Value {
    json!([
        {"id": 1, "title": "Buy milk", "completed": false},
        {"id": 2, "title": "Write report", "completed": false, "due": "2026-11-23", "priority": "medium", "tags": ["work"]},
        {"id": 3, "title": "Call the bank", "completed": false, "due": "2026-11-24T10:00:00+01:00"},
        {"id": 4, "title": "Dentist appointment", "completed": false, "due": "2026-11-26T15:00:00+01:00",
         "timezone": "Europe/Berlin", "remind": ["-PT1H"], "tags": ["health"]},
        {"id": 5, "title": "Pay rent", "completed": false, "due": "2026-12-01", "repeat": "FREQ=MONTHLY;BYMONTHDAY=1"},
        {"id": 6, "title": "Clean the garage", "completed": false, "due": "2026-11-20"},
        {"id": 7, "title": "Laundry", "completed": true},
        {"id": 8, "title": "Book flights", "completed": true},
        {"id": 9, "title": "Gym", "completed": false, "due": "2026-11-21T18:00:00+01:00"},
    ])
}

/// The calls a message leads to, lookups answered and left out; or the words when there are none.
fn calls(message: &str) -> Vec<String> {
    let mut entries = vec![Entry::Person(message.to_owned())];
    let now: jiff::Zoned = NOW.parse().unwrap();
    loop {
        let asked = match answer(&Conversation { now: now.clone(), entries: entries.clone() }) {
            Answer::Say(words) => return vec![format!("say {}", words.lines().next().unwrap_or_default())],
            Answer::Call(asked) => asked,
        };
        let lookup = |call: &todo_language::Call| {
            call.name == "list_tasks"
                && call.arguments["limit"] == 200
                && call.arguments.as_object().unwrap().len() == 2
        };
        if !(entries.len() == 1
            && asked.len() == 1
            && asked.iter().all(lookup)
            && !message.contains("how many"))
        {
            return asked.iter().map(|call| format!("{} {}", call.name, call.arguments)).collect();
        }
        let call = &asked[0];
        entries.push(Entry::ToolCall {
            id: "look".into(),
            name: call.name.into(),
            arguments: call.arguments.clone(),
        });
        let wanted = |task: &&Value| match call.arguments["status"].as_str() {
            Some("pending") => task["completed"] == false,
            Some("completed") => task["completed"] == true,
            _ => true,
        };
        let found: Vec<Value> = tasks().as_array().unwrap().iter().filter(wanted).cloned().collect();
        entries.push(Entry::ToolResult {
            id: "look".into(),
            value: json!({"tasks": found}),
            is_error: false,
        });
    }
}

/// `tool {arguments}` with the order of fields left out of account.
fn parsed(line: &str) -> (String, Value) {
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    (name.to_owned(), serde_json::from_str(rest).unwrap_or_else(|_| json!(rest)))
}

#[test]
fn ordinary_wording_leads_to_exactly_these_calls() {
    let table = include_str!("ordinary_wording.txt");
    let mut wrong = Vec::new();
    let mut rows = 0;
    for row in table.split("\n> ").skip(1) {
        let mut lines = row.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
        let Some(message) = lines.next() else { continue };
        let expected: Vec<&str> = lines.collect();
        let got = calls(message);
        rows += 1;
        if got.iter().map(|line| parsed(line)).ne(expected.iter().map(|line| parsed(line))) {
            wrong.push(format!("> {message}\n{}\n--- expected\n{}", got.join("\n"), expected.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{} of {rows} rows differ:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(rows >= 150, "the table has {rows} rows");
}
