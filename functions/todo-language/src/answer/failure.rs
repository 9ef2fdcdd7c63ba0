//! Failed calls, told to a person. The tools word their errors for models: "field: problem. What to send instead."

use crate::answer::history::Step;
use crate::describe::one_line;
use serde_json::Value;

/// What went wrong, in a person's words: nothing of the tools and their fields.
pub(crate) fn failed(step: &Step<'_>, title: &str) -> String {
    if step.value.get("declined") == Some(&Value::Bool(true)) {
        return format!("I left {title} as it is.");
    }
    let what = match step.name {
        "add_task" => "add the task",
        "complete_task" => "complete the task",
        "delete_task" => "delete the task",
        "update_task" => "change the task",
        _ => "look at your tasks",
    };
    match message(step.value) {
        None => format!("I could not {what}. Please try again."),
        Some(text) => match problem(&text) {
            Some(missing) if missing.starts_with("There is no ") => missing,
            Some(problem) => format!("I could not {what}: {problem}"),
            None if without_field(&text).0 == "repeat" => {
                format!(
                    "I could not {what}: it cannot repeat like that, only by days, weeks, months or years."
                )
            }
            None => format!("I could not {what}: I got its details wrong. Please say it in another way."),
        },
    }
}

fn message(value: &Value) -> Option<String> {
    let text = value
        .as_str()
        .or_else(|| value.get("message").and_then(Value::as_str))
        .or_else(|| value.get("error").and_then(Value::as_str));
    text.map(one_line).filter(|text| !text.is_empty())
}

/// The sentences that are fit for a person; `None` when the problem itself is not.
fn problem(text: &str) -> Option<String> {
    let (field, rest) = without_field(text);
    let sentences = sentences(rest);
    let (first, hints) = sentences.split_first().filter(|(first, _)| !technical(first))?;
    let mut said = match first.strip_prefix("it ") {
        Some(rest) => format!("{} {rest}", named(field)),
        None => (*first).to_owned(),
    };
    if said.starts_with("there is no ") {
        said.replace_range(..1, "T");
    }
    for hint in hints.iter().filter(|hint| !technical(hint)) {
        said += &format!(" {hint}");
    }
    if !said.ends_with(['.', '!', '?']) {
        said.push('.');
    }
    Some(said)
}

/// "task_id: there is no …" → the field and the rest.
fn without_field(text: &str) -> (&str, &str) {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_[].".contains(c))
    };
    text.split_once(": ").filter(|(name, _)| is_name(name)).unwrap_or(("", text))
}

/// A field as a person calls it.
fn named(field: &str) -> &'static str {
    match field.split('[').next().unwrap_or_default() {
        "title" => "the title",
        "description" => "the description",
        "due" => "the due date",
        "repeat" => "the repetition",
        "remind" => "the reminder",
        "tags" => "the tag",
        "search" => "what to look for",
        _ => "it",
    }
}

/// Split at full stops outside quotes that a capital letter follows.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, letter) in text.char_indices() {
        quoted ^= letter == '"';
        let next = text.get(at + 1..).and_then(|rest| rest.strip_prefix(' '));
        let ends = letter == '.' && !quoted && next.is_some_and(|next| next.starts_with(char::is_uppercase));
        if ends {
            found.extend(text.get(start..=at));
            start = at + 2;
        }
    }
    found.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    found
}

/// Names of tools, fields and rule parts, and values as they are sent: meant for a model.
fn technical(sentence: &str) -> bool {
    let outside = sentence.split('"').step_by(2);
    let sent = ["Send ", "Call ", "Write ", "Use ", "Leave the argument", "Put "];
    let jargon =
        ["argument", "JSON", "IANA", "UTC", "schema", "BYDAY", "BYMONTH", "FREQ", "UNTIL", "COUNT", "NUL"];
    sent.iter().any(|verb| sentence.starts_with(verb) && !sentence.contains("at most"))
        || sentence.contains('`')
        || outside.into_iter().any(|part| {
            part.contains('_') || part.contains('=') || jargon.iter().any(|word| part.contains(word))
        })
}
