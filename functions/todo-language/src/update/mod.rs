//! Changes to a task: splits a clause into the task meant and what becomes of it.

mod fields;
mod shift;
mod values;

use crate::clause::Clause;
use crate::command::{NOT_FINISHED, reopen_words};
use crate::reading::{Changes, Target};
use crate::slots::{Found, Slot, level};
use crate::target::targets;
use fields::{add_reminder, clear_field, describe, rename, set_field, tag};
use shift::shift;
pub(crate) use values::from_slots;
use values::value_changes;

/// What a clause changes; it begins with its verb.
#[derive(Debug)]
pub(crate) struct Update {
    pub targets: Vec<Target>,
    pub changes: Changes,
}

impl Update {
    fn of(target: Clause<'_>, changes: Changes) -> Option<Update> {
        Some(Update { targets: targets(target), changes })
    }
}

/// Reads an update. Without a recognised change, `changes` is empty and the person is asked.
pub(crate) fn update(clause: Clause<'_>) -> Update {
    reopen(clause)
        .or_else(|| stop_repeating(clause))
        .or_else(|| clear_field(clause))
        .or_else(|| tag(clause))
        .or_else(|| add_reminder(clause))
        .or_else(|| describe(clause))
        .or_else(|| set_field(clause))
        .or_else(|| rename(clause))
        .or_else(|| shift(clause))
        .or_else(|| change(clause))
        .unwrap_or_else(|| Update { targets: targets(clause.from(1)), changes: Changes::default() })
}

fn reopen(clause: Clause<'_>) -> Option<Update> {
    let changes = Changes { reopen: true, ..Changes::default() };
    let verb = clause
        .phrase(0, "reopen|re-open|uncomplete|uncheck|unmark|untick|undo completing|uncross|reactivate");
    if verb > 0 {
        let end = reopen_words(clause).map_or(clause.len(), |(at, _)| at);
        return Update::of(clause.until(end).from(verb), changes);
    }
    let unfinished = clause.phrase(0, NOT_FINISHED);
    if unfinished > 0 {
        return Update::of(clause.from(unfinished), changes);
    }
    let (at, used) = reopen_words(clause)?;
    let verb = usize::from(clause.is(0, "mark|set|change|make|put|move|flag"));
    let end = at - usize::from(clause.is(at - 1, "as|is|to"));
    let before = clause.until(end).from(verb);
    Update::of(if before.is_empty() { clause.from(at + used) } else { before }, changes)
}

fn stop_repeating(clause: Clause<'_>) -> Option<Update> {
    let used = clause
        .phrase(0, "stop repeating|don't repeat|do not repeat|stop the repetition of|stop the repetition");
    (used > 0)
        .then(|| Update::of(clause.from(used), Changes { repeat: Some(None), ..Changes::default() }))
        .flatten()
}
/// The general case: "move the dentist to Friday at 3", "make it urgent", "change 3 to Call Ann tonight"
fn change(clause: Clause<'_>) -> Option<Update> {
    let particle = usize::from(clause.is(1, "up|back|off|over|out"));
    // "remind me to run at 6 instead of 5": what follows is how it was.
    if let Some(at) = clause.find("instead").filter(|_| clause.is(0, "remind|alert|notify")) {
        let start = 2 + usize::from(clause.is(2, "to|about|of"));
        return unlinked(clause.until(at).from(start));
    }
    if clause.is(0, "prioritize|prioritise|deprioritize") {
        let lower = clause.is(0, "deprioritize");
        return Update::of(
            clause.from(1),
            Changes { priority: Some(Some(if lower { "low" } else { "high" })), ..Changes::default() },
        );
    }
    let body = clause.from(1 + particle);
    let wording = clause.is(0, "change|update|edit|modify|replace|correct|amend|revise|swap|alter|fix");
    let links: &str = if clause.is(0, "replace|swap") { "with|to|by|for" } else { "to|into|as|:|until|till" };
    let splits = (0..body.len()).rev().filter(|at| body.is(*at, links));
    for at in splits {
        let value = body.from(at + 1);
        if let Some(changes) = value_changes(value) {
            return Update::of(without_dates(body.until(at)), changes);
        }
        if wording && at > 0 && !value.is_empty() {
            return Update::of(without_dates(body.until(at)), retitled(value));
        }
    }
    unlinked(body)
}

/// "to Call Ann tonight": a new title, and whatever else was said with it. Quotes keep all of it as the title.
fn retitled(value: Clause<'_>) -> Changes {
    let slots = value.slots();
    let mut changes = from_slots(value, &slots);
    changes.title = Some(value.without(&slots)).filter(|title| !title.is_empty());
    changes
}

/// "make the report high priority", "reschedule it for Friday", "move it tomorrow": the changes are the slots.
fn unlinked(body: Clause<'_>) -> Option<Update> {
    let slots = body.slots();
    if let Some(last) = slots.last() {
        let from = slots
            .iter()
            .rev()
            .zip(std::iter::once(None).chain(slots.iter().rev().map(Some)))
            .take_while(|(found, after)| {
                after.is_none_or(|after| gap_is_quiet(body, found.range.end, after.range.start))
            })
            .last()
            .map_or(last.range.start, |(found, _)| found.range.start);
        let (earlier, new): (Vec<Found>, Vec<Found>) =
            slots.iter().cloned().partition(|found| found.range.start < from);
        let before = body.until(from);
        let target = if before.is_empty() { body.from(last.range.end) } else { before };
        let changes = from_slots(body, &new);
        return if earlier.is_empty() {
            Update::of(target, changes)
        } else {
            Update::of(without_dates(target), changes)
        };
    }
    let last = body.len().checked_sub(1)?;
    let level = level(body.word(last)).filter(|_| last > 0)?;
    let as_word = usize::from(body.is(last - 1, "as|to|more|very"));
    Update::of(body.until(last - as_word), Changes { priority: Some(Some(level)), ..Changes::default() })
}

fn gap_is_quiet(body: Clause<'_>, from: usize, to: usize) -> bool {
    (from..to).all(|at| body.is(at, "and|,|with|at|on"))
}

/// A date that only says which task is meant ("the meeting on Friday") or where it is moved from.
fn without_dates(clause: Clause<'_>) -> Clause<'_> {
    let slots = clause.slots();
    match slots.last().filter(|last| {
        last.range.end == clause.len() && last.range.start > 0 && matches!(last.slot, Slot::When(_))
    }) {
        Some(last) => clause.until(last.range.start),
        None => clause,
    }
}
