//! How much of a session a model gets to see, and that it is whole.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Item, Settings, ToolOutcome};

/// Items that must stay together: a message, or calls made together with their results.
type Group = Vec<Item>;

/// The newest part of earlier turns within the limits, beginning with a message of the person's. A call is never parted
/// from its result.
pub(crate) fn bounded(history: &[Item], settings: &Settings) -> Vec<Item> {
    let groups = groups(history);
    let (mut items, mut tokens, mut kept) = (0, 0, 0);
    for group in groups.iter().rev() {
        items += group.len();
        tokens += group.iter().map(approximate_tokens).sum::<usize>();
        if items > settings.max_history_items || tokens > settings.max_history_tokens {
            break;
        }
        kept += 1;
    }
    let newest = groups.into_iter().rev().take(kept).rev();
    newest.skip_while(|group| !matches!(group.first(), Some(Item::User { .. }))).flatten().collect()
}

/// The items with every call followed by exactly one result: strict servers refuse anything else. Results without a
/// call are dropped; a call without a result (a crash between the two) gets one that says so.
pub(crate) fn repaired(items: &[Item]) -> Vec<Item> {
    groups(items).into_iter().flatten().collect()
}

fn groups(items: &[Item]) -> Vec<Group> {
    let mut results = results(items);
    let mut seen = BTreeSet::new();
    let mut groups = Vec::new();
    let mut calls: Group = Vec::new();
    for item in items {
        match item {
            Item::ToolCall(call) if seen.insert(call.id.as_str()) => calls.push(item.clone()),
            Item::ToolCall(_) => {}
            Item::ToolResult { .. } => close(&mut calls, &mut results, &mut groups),
            Item::User { .. } | Item::Assistant { .. } => {
                close(&mut calls, &mut results, &mut groups);
                groups.push(vec![item.clone()]);
            }
        }
    }
    close(&mut calls, &mut results, &mut groups);
    groups
}

/// Results by call id; of two with one id the first stands, as in the tools themselves.
fn results(items: &[Item]) -> BTreeMap<&str, Item> {
    let mut results = BTreeMap::new();
    for item in items {
        if let Item::ToolResult { id, .. } = item {
            results.entry(id.as_str()).or_insert_with(|| item.clone());
        }
    }
    results
}

fn close(calls: &mut Group, results: &mut BTreeMap<&str, Item>, groups: &mut Vec<Group>) {
    if calls.is_empty() {
        return;
    }
    let answers: Vec<Item> = calls
        .iter()
        .filter_map(|item| match item {
            Item::ToolCall(call) => Some(call.id.as_str()),
            _ => None,
        })
        .map(|id| results.remove(id).unwrap_or_else(|| lost(id)))
        .collect();
    let mut group = std::mem::take(calls);
    group.extend(answers);
    groups.push(group);
}

/// In sentences like the tools' own, of which those are told to a person that are meant for one.
fn lost(id: &str) -> Item {
    const LOST: &str = "the result was lost. It is not known whether anything was changed. \
                        Call list_tasks before doing it again.";
    Item::result(id, ToolOutcome::error(LOST))
}

/// Four characters to a token, and a few for the frame of an item: near enough for a limit.
fn approximate_tokens(item: &Item) -> usize {
    let characters = match item {
        Item::User { text } | Item::Assistant { text } => text.chars().count(),
        Item::ToolCall(call) => call.name.len() + call.arguments.to_string().chars().count(),
        Item::ToolResult { value, .. } => value.to_string().chars().count(),
    };
    characters / 4 + 4
}
