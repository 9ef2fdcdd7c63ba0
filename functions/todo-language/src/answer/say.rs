//! Plain, friendly words about what happened. Only results are told, never hopes.

use jiff::Zoned;
use serde_json::Value;

use crate::answer::failure::failed;
use crate::answer::history::Step;
use crate::describe::{due, line, one_line, reminder, rule};
use crate::reading::{Aside, Filter};
use crate::task::{Task, tasks_in};

/// What one call did.
pub(crate) fn result(step: &Step<'_>, filter: Option<&Filter>, now: &Zoned) -> String {
    let title = title(step);
    if step.is_error {
        return failed(step, &title);
    }
    match step.name {
        "add_task" => format!("Added {title}{}.", details(step, now)),
        "complete_task" => completed(step, &title, now),
        "delete_task" => format!("Deleted {title}."),
        "update_task" => updated(step, &title, now),
        _ => listed(step, filter, now),
    }
}

fn title(step: &Step<'_>) -> String {
    let from = |value: &Value| value.get("title").and_then(Value::as_str).map(one_line);
    let id = step.value.get("task_id").or_else(|| step.arguments.get("task_id")).and_then(Value::as_i64);
    match (from(step.value).or_else(|| from(step.arguments)), id) {
        (Some(title), Some(id)) => format!("“{title}” (#{id})"),
        (Some(title), None) => format!("“{title}”"),
        (None, Some(id)) => format!("task #{id}"),
        (None, None) => "the task".into(),
    }
}

/// A field as the result tells it, else as it was sent and accepted.
fn field<'a>(step: &Step<'a>, name: &str) -> Option<&'a Value> {
    step.value.get(name).filter(|value| !value.is_null()).or_else(|| step.arguments.get(name))
}

fn details(step: &Step<'_>, now: &Zoned) -> String {
    let mut said = Vec::new();
    let task = Task::from(&with_id(step), now);
    said.extend(task.and_then(|task| task.due).map(|when| format!("due {}", due(when, now))));
    said.extend(repetition(step));
    said.extend(
        field(step, "priority").and_then(Value::as_str).map(|priority| format!("{priority} priority")),
    );
    said.extend(names(field(step, "tags")).map(|tags| format!("tagged {tags}")));
    said.extend(reminders(step.arguments, now));
    if said.is_empty() { String::new() } else { format!(", {}", said.join(", ")) }
}

fn with_id(step: &Step<'_>) -> Value {
    let mut joined = serde_json::Map::new();
    joined.insert("id".into(), 0.into());
    if let Some(due) = field(step, "due") {
        joined.insert("due".into(), due.clone());
    }
    Value::Object(joined)
}

fn repetition(step: &Step<'_>) -> Option<String> {
    let text = step.value.get("repeat_text").and_then(Value::as_str).map(str::to_owned);
    let text = text.or_else(|| field(step, "repeat").and_then(Value::as_str).map(rule))?;
    let done = field(step, "repeat_from").and_then(Value::as_str) == Some("completion");
    Some(format!("repeating {text}{}", if done { ", counted from when you finish it" } else { "" }))
}

fn names(tags: Option<&Value>) -> Option<String> {
    let tags: Vec<String> =
        tags?.as_array()?.iter().filter_map(Value::as_str).map(|tag| format!("#{tag}")).collect();
    (!tags.is_empty()).then(|| tags.join(" "))
}

fn reminders(arguments: &Value, now: &Zoned) -> Option<String> {
    let all: Vec<String> = arguments
        .get("remind")?
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .map(|one| reminder(one, now))
        .collect();
    (!all.is_empty()).then(|| format!("with a reminder {}", all.join(" and ")))
}

fn completed(step: &Step<'_>, title: &str, now: &Zoned) -> String {
    format!("Done: {title}.{}", step.value.get("next").and_then(|next| coming(next, now)).unwrap_or_default())
}

/// When a repeating task is due again. It has no number yet, and none is said.
fn coming(next: &Value, now: &Zoned) -> Option<String> {
    let mut numbered = next.clone();
    numbered.as_object_mut()?.insert("id".into(), 0.into());
    let when = due(Task::from(&numbered, now)?.due?, now);
    let skipped = match next.get("skipped").and_then(Value::as_u64) {
        None | Some(0) => String::new(),
        Some(1) => ", one in between was missed".into(),
        Some(count) => format!(", {count} in between were missed"),
    };
    Some(format!(" Next one is due {when}{skipped}."))
}

fn updated(step: &Step<'_>, title: &str, now: &Zoned) -> String {
    let sent = |name: &str| step.arguments.get(name);
    let mut said = Vec::new();
    if sent("title").is_some() {
        said.push("renamed".to_owned());
    }
    if sent("completed") == Some(&Value::Bool(false)) {
        said.push("open again".into());
    }
    said.extend(change("due", sent("due"), "no due date any more", |_| {
        Some(format!("due {}", due(Task::from(&with_id(step), now)?.due?, now)))
    }));
    said.extend(change("repeat", sent("repeat"), "not repeating any more", |_| repetition(step)));
    said.extend(change("priority", sent("priority"), "no priority any more", |value| {
        Some(format!("{} priority", value.as_str()?))
    }));
    said.extend(change("tags", sent("tags"), "no tags any more", |value| {
        Some(format!("tagged {}", names(Some(value))?))
    }));
    said.extend(change("remind", sent("remind"), "no reminders any more", |_| {
        reminders(step.arguments, now)
    }));
    said.extend(change("description", sent("description"), "no description any more", |_| {
        Some("with a new description".into())
    }));
    format!("Updated {title}: {}.", if said.is_empty() { "saved".into() } else { said.join(", ") })
}

fn change(
    _name: &str,
    sent: Option<&Value>,
    cleared: &str,
    said: impl Fn(&Value) -> Option<String>,
) -> Option<String> {
    match sent? {
        Value::Null => Some(cleared.to_owned()),
        value => said(value),
    }
}

fn listed(step: &Step<'_>, filter: Option<&Filter>, now: &Zoned) -> String {
    let tasks = tasks_in(step.value, now);
    let more = step.value.get("next_cursor").is_some_and(|cursor| !cursor.is_null());
    let kind = filter.map_or("tasks", kind_of);
    let number = format!(
        "{}{} {}",
        if more { "at least " } else { "" },
        tasks.len(),
        if tasks.len() == 1 { kind.trim_end_matches('s') } else { kind }
    );
    if tasks.is_empty() {
        return filter.map_or("You have no tasks.".into(), nothing);
    }
    if filter.is_some_and(|filter| filter.count) {
        return format!("You have {number}.");
    }
    let lines: Vec<String> = tasks.iter().map(|task| line(task, now)).collect();
    let rest = if more && filter.is_none_or(|filter| filter.limit.is_none()) {
        "\nThere are more; ask for a date, a tag or a word to narrow it down."
    } else {
        ""
    };
    format!("Here {} {number}:\n{}{rest}", if tasks.len() == 1 { "is" } else { "are" }, lines.join("\n"))
}

fn kind_of(filter: &Filter) -> &'static str {
    match filter.status {
        Some("pending") => "open tasks",
        Some("completed") => "completed tasks",
        _ => "tasks",
    }
}

fn nothing(filter: &Filter) -> String {
    let narrowed = filter.priority.is_some()
        || !filter.tags.is_empty()
        || filter.search.is_some()
        || filter.due_after.is_some()
        || filter.due_before.is_some();
    let kind = kind_of(filter);
    if narrowed { format!("I found no {kind} like that.") } else { format!("You have no {kind}.") }
}

/// The question which of several tasks is meant.
pub(crate) fn which(verb: &str, candidates: &[Task], now: &Zoned) -> String {
    let options: Vec<String> = candidates
        .iter()
        .take(10)
        .enumerate()
        .map(|(index, task)| format!("{}. {}", index + 1, line(task, now)))
        .collect();
    format!("Which one should I {verb}?\n{}", options.join("\n"))
}

/// The answer to a message that asks for nothing a tool can do.
pub(crate) fn aside(aside: &Aside) -> String {
    let can = "I can add, show, finish, change and delete your tasks, with due dates, repeats, reminders, priorities and tags.";
    match aside {
        Aside::Greeting => "Hello! What should I note, show or tick off?".into(),
        Aside::Thanks => "You're welcome!".into(),
        Aside::Farewell => "Goodbye!".into(),
        Aside::Help => format!(
            "{can} For example: “add pay rent every month on the 1st”, “what is due this week?”, “finish the report”, “move the dentist to Friday at 3pm”, “delete task 4”."
        ),
        Aside::Yes => "I have nothing open to confirm. What should I do with your tasks?".into(),
        Aside::No => "All right, I left everything as it is.".into(),
        Aside::Unrelated => format!("I'm sorry, I only keep your to-do list. {can}"),
        Aside::Offer(fields) => format!("Should I add “{}” to your tasks?", one_line(&fields.title)),
        Aside::Unclear => format!("I'm not sure what you mean. {can}"),
    }
}
