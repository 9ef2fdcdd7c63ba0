//! What stands in a conversation, as ChatKit's items.

use serde_json::{Value, json};
use todo_agent::{Item, ToolCall};
use todo_identity::Tenant;

use super::request::{ItemsList, Order, Paging, thread_number};
use crate::error::Problem;
use crate::turn::{Entry, Sessions};

/// Entries read at once. A page that needs more reads on.
const WINDOW: i64 = 200;

/// A page of a thread's items.
pub(super) async fn list(sessions: &Sessions, tenant: &Tenant, params: &ItemsList) -> Result<Value, Problem> {
    let id = thread_number(&params.thread_id)?;
    sessions.get(tenant, id).await?;
    page(sessions, tenant, id, &params.paging).await
}

/// An item and the number of its first entry, which is where a page after it begins.
struct Numbered {
    number: i64,
    item: Value,
}

/// Entries are numbered without gaps, so a page is found by their numbers. The window grows until it holds one item more
/// than the page, or everything.
pub(super) async fn page(
    sessions: &Sessions,
    tenant: &Tenant,
    id: i64,
    paging: &Paging,
) -> Result<Value, Problem> {
    let limit = paging.limit() as usize;
    let after = paging.after()?;
    let mut window = WINDOW;
    let mut found = loop {
        let (found, is_all) = match paging.order {
            Order::Desc => newest_first(sessions, tenant, id, after, window).await?,
            Order::Asc => oldest_first(sessions, tenant, id, after.unwrap_or_default(), window).await?,
        };
        if is_all || found.len() > limit {
            break found;
        }
        window *= 4;
    };
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().map(|numbered| numbered.number);
    Ok(as_page(found.into_iter().map(|numbered| numbered.item).collect(), has_more, last))
}

/// The items before the one numbered `before`, and whether there are none before those.
async fn newest_first(
    sessions: &Sessions,
    tenant: &Tenant,
    id: i64,
    before: Option<i64>,
    window: i64,
) -> Result<(Vec<Numbered>, bool), Problem> {
    let count = u32::try_from(window).unwrap_or(u32::MAX);
    let entries = sessions.entries_before(tenant, id, count, before).await?;
    let is_all = entries.first().is_none_or(|entry| entry.message_id <= 1);
    // A workflow whose beginning is not in the window would get another name.
    let whole = entries.iter().skip_while(|entry| !is_all && is_of_a_tool(entry));
    let mut items = items(id, whole);
    items.reverse();
    Ok((items, is_all))
}

/// The items after the one numbered `after`, and whether there are none after those.
async fn oldest_first(
    sessions: &Sessions,
    tenant: &Tenant,
    id: i64,
    after: i64,
    window: i64,
) -> Result<(Vec<Numbered>, bool), Problem> {
    let to = after.saturating_add(window);
    let mut entries = sessions.entries(tenant, id, after, to).await?;
    let is_all = entries.last().is_none_or(|entry| entry.message_id < to);
    // A workflow that goes on beyond the window is not complete.
    while !is_all && entries.last().is_some_and(is_of_a_tool) {
        entries.pop();
    }
    // The cursor names the first entry of the last item shown, which may be a whole run of tools' entries.
    let was_shown = |entry: &Entry| entry.message_id == after;
    let was_workflow = entries.first().is_some_and(|entry| was_shown(entry) && is_of_a_tool(entry));
    let new = entries.iter().skip_while(|entry| was_shown(entry) || (was_workflow && is_of_a_tool(entry)));
    Ok((items(id, new), is_all))
}

fn items<'a>(id: i64, entries: impl Iterator<Item = &'a Entry>) -> Vec<Numbered> {
    let entries: Vec<&Entry> = entries.collect();
    let runs = entries.chunk_by(|one, next| is_of_a_tool(one) && is_of_a_tool(next));
    let numbered = runs.filter_map(|run| {
        let first = run.first()?;
        let item = if is_of_a_tool(first) { workflow_of(id, run)? } else { message(id, first) };
        Some(Numbered { number: first.message_id, item })
    });
    numbered.collect()
}

fn is_of_a_tool(entry: &Entry) -> bool {
    matches!(entry.item, Item::ToolCall(_) | Item::ToolResult { .. })
}

/// What the person or the assistant said.
pub(super) fn message(thread: i64, entry: &Entry) -> Value {
    let (thread, at) = (thread.to_string(), entry.created_at.to_string());
    match &entry.item {
        Item::User { text } => json!({
            "type": "user_message", "id": entry.key, "thread_id": thread, "created_at": at,
            "content": [{ "type": "input_text", "text": text }],
            "attachments": [],
            "inference_options": {},
        }),
        Item::Assistant { text } => answer(&entry.key, &thread, &at, &[content(text)]),
        // Not reached: tools' entries are workflows.
        Item::ToolCall(_) | Item::ToolResult { .. } => Value::Null,
    }
}

pub(super) fn answer(key: &str, thread: &str, at: &str, content: &[Value]) -> Value {
    json!({ "type": "assistant_message", "id": key, "thread_id": thread, "created_at": at, "content": content })
}

pub(super) fn content(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [] })
}

/// Calls that the person declined were never made and are not shown.
fn workflow_of(thread: i64, run: &[&Entry]) -> Option<Value> {
    let result_of = |wanted: &str| {
        run.iter().find_map(|entry| match &entry.item {
            Item::ToolResult { id, value, is_error, .. } if id == wanted => Some((value, *is_error)),
            _ => None,
        })
    };
    let calls = run.iter().filter_map(|entry| match &entry.item {
        Item::ToolCall(call) => Some((call, result_of(&call.id))),
        _ => None,
    });
    let made = calls.filter(|(_, result)| !result.is_some_and(|(value, _)| is_declined(value)));
    let tasks: Vec<Value> = made.map(|(call, result)| task(call, result)).collect();
    let first = run.first()?;
    (!tasks.is_empty())
        .then(|| workflow(&first.key, &thread.to_string(), &first.created_at.to_string(), &tasks))
}

fn is_declined(result: &Value) -> bool {
    result.get("declined").is_some_and(|declined| *declined == true)
}

pub(super) fn workflow(key: &str, thread: &str, at: &str, tasks: &[Value]) -> Value {
    json!({
        "type": "workflow", "id": key, "thread_id": thread, "created_at": at,
        "workflow": { "type": "custom", "tasks": tasks, "expanded": false },
    })
}

/// A tool call as a step of a workflow; the result is its value and whether it is an error. ChatKit has no sign for a
/// step that failed, and a check mark would be untrue.
pub(super) fn task(call: &ToolCall, result: Option<(&Value, bool)>) -> Value {
    let sign = match result {
        None => "loading",
        Some((_, false)) => "complete",
        Some((_, true)) => "none",
    };
    let mut task = json!({ "type": "custom", "title": call.name, "status_indicator": sign });
    if let Some((value, _)) = result {
        task["content"] = in_words(value).into();
    }
    task
}

/// A tool's result for the eye.
fn in_words(result: &Value) -> String {
    let text = |name| result.get(name).and_then(Value::as_str);
    match (result, result.get("task_id"), text("status"), text("title")) {
        (Value::Array(tasks), ..) if tasks.len() == 1 => "1 task".to_owned(),
        (Value::Array(tasks), ..) => format!("{} tasks", tasks.len()),
        (_, Some(task), Some(status), Some(title)) => format!("Task {task} {status}: {title}"),
        _ => text("error").map_or_else(|| result.to_string(), str::to_owned),
    }
}

pub(super) fn empty_page() -> Value {
    as_page(Vec::new(), false, None)
}

/// A page on the wire. `after` stands there when there is more.
pub(super) fn as_page(data: Vec<Value>, has_more: bool, last: Option<i64>) -> Value {
    let mut page = json!({ "data": data, "has_more": has_more });
    if let Some(last) = last.filter(|_| has_more) {
        page["after"] = last.to_string().into();
    }
    page
}
