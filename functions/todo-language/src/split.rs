//! Splits a message into clauses that each ask for one thing.

use std::ops::Range;

use crate::clause::Clause;
use crate::command::{Tool, after_opening, command, polite};
use crate::text::Kind;
use crate::text::among;

/// The clauses of a message, in order. What follows without a command of its own stays with the clause before it.
pub(crate) fn clauses(whole: Clause<'_>) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for sentence in sentences(whole) {
        let clause = whole.until(sentence.end).from(sentence.start);
        // A list under "add these tasks:" has no commands in its lines.
        match parts.last_mut() {
            Some(before) if continues(whole, before, clause) => before.end = sentence.end,
            _ => parts.extend(
                within(clause)
                    .into_iter()
                    .map(|range| range.start + sentence.start..range.end + sentence.start),
            ),
        }
    }
    parts
}

/// Whether a sentence only goes on with the clause before: a line of a list, or details of the same task.
fn continues(whole: Clause<'_>, before: &Range<usize>, sentence: Clause<'_>) -> bool {
    let add =
        command(whole.until(before.end).from(before.start)).is_some_and(|command| command.tool == Tool::Add);
    if !add || command(sentence).is_some() {
        return false;
    }
    let line = whole.tokens.get(before.end).is_some_and(|token| token.kind == Kind::Break)
        || before
            .end
            .checked_sub(1)
            .and_then(|at| whole.tokens.get(at))
            .is_some_and(|token| token.kind == Kind::Break);
    let slots = sentence.slots();
    line || !slots.is_empty() && sentence.without(&slots).is_empty()
}

fn sentences(whole: Clause<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for at in 0..whole.len() {
        if ends_sentence(whole, at) {
            found.push(start..at + 1);
            start = at + 1;
        }
    }
    found.push(start..whole.len());
    found.retain(|range| !whole.until(range.end).from(range.start).is_empty());
    found
}

/// Words whose dot is not the end of a sentence.
const ABBREVIATIONS: &str =
    "dr|mr|mrs|ms|st|prof|vs|a.m|p.m|e.g|i.e|etc|no|jr|sr|inc|ltd|co|approx|dept|appt";

fn ends_sentence(whole: Clause<'_>, at: usize) -> bool {
    let Some(token) = whole.tokens.get(at) else { return false };
    if token.kind == Kind::Break {
        return true;
    }
    let next = whole.tokens.get(at + 1);
    if token.is_any(";|?") {
        return next.is_some();
    }
    if !token.is_any(".|!") || next.is_none_or(|next| next.start == token.end) {
        return false;
    }
    let before = at.checked_sub(1).map_or("", |at| whole.word(at));
    let abbreviated = among(before, ABBREVIATIONS)
        || before.len() == 1 && !before.starts_with(|c: char| c.is_ascii_digit());
    let numbered = before.parse::<i64>().is_ok()
        && (at == 1 || whole.tokens.get(at - 2).is_some_and(|token| token.kind == Kind::Break));
    // "every! 3 days" counts from the completion.
    let bang = token.is("!") && !matches!(before, "every" | "ev");
    bang || token.is(".") && !(abbreviated || numbered)
}

const JOINTS: &str = "and|,|then|also|plus|&|but|–|—|afterwards";

/// A message is read in a moment, however long it is: so many places are looked at for a further command,
const MOST_JOINTS: usize = 16;
/// and so many words of what stands there.
const OPENING: usize = 24;

/// Splits one sentence before each further command.
fn within(sentence: Clause<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut at = 1;
    let mut looked = 0;
    while at < sentence.len() && looked < MOST_JOINTS {
        let joints = (at..sentence.len()).take_while(|index| sentence.is(*index, JOINTS)).count();
        if joints == 0 {
            at += 1;
            continue;
        }
        looked += 1;
        let next = at + joints;
        if begins_command(sentence, start, at, next) {
            found.push(start..at);
            start = next;
        }
        at = next + 1;
    }
    found.push(start..sentence.len());
    found
}

/// Whether a new command begins at `next`, after the joining words at `joint`.
fn begins_command(sentence: Clause<'_>, start: usize, joint: usize, next: usize) -> bool {
    let before = sentence.until(joint).from(start).until(OPENING);
    let after = sentence.from(next).until(OPENING);
    if after.is_empty() || before.is_empty() {
        return false;
    }
    // "open my list and remove milk" is one request.
    if after_opening(sentence.from(start)).is_some_and(|found| start + found.at > next) {
        return false;
    }
    let first = command(before);
    let Some(second) = command(after).filter(|second| second.sure) else { return false };
    let weak = sentence.until(next).from(joint).len() == 1 && sentence.is(joint, "and");
    let verb = after.word(polite(after));
    let detail = after.is(0, "note|notes|description|details|tag|tags|priority|due") && after.is(1, ":");
    // "this week, what is due?": the day belongs to the request.
    let only_dated =
        first.is_none() && !before.slots().is_empty() && before.without(&before.slots()).is_empty();
    if detail || reminder_only(after) || only_dated || first.is_none() && weak {
        return false;
    }
    match first.map(|first| first.tool) {
        // Inside a title, "and" joins things to do: only words that are hardly ever titles begin a command there.
        Some(Tool::Add) => match second.tool {
            Tool::Add => matches!(
                verb,
                "add"
                    | "remind"
                    | "create"
                    | "schedule"
                    | "set"
                    | "put"
                    | "make"
                    | "don't"
                    | "remember"
                    | "note"
            ),
            Tool::List => {
                !weak
                    && !matches!(
                        verb,
                        "check"
                            | "find"
                            | "get"
                            | "read"
                            | "review"
                            | "look"
                            | "see"
                            | "search"
                            | "open"
                            | "print"
                            | "view"
                    )
                    || matches!(verb, "show" | "list" | "what" | "what's" | "display")
            }
            Tool::Complete => {
                !matches!(verb, "finish" | "complete" | "check" | "close" | "done") || clearly_named(after)
            }
            Tool::Delete => matches!(verb, "delete" | "remove") || clearly_named(after) || !weak,
            Tool::Update => {
                matches!(
                    verb,
                    "rename" | "reschedule" | "mark" | "postpone" | "snooze" | "prioritize" | "tag"
                ) && !about_itself(after)
                    || moved(after)
            }
        },
        Some(Tool::Update) if second.tool == Tool::Update => !about_itself(after) || after.has("it"),
        Some(Tool::List) => !matches!(verb, "sort" | "order" | "filter" | "show"),
        _ => true,
    }
}

/// "and remind me an hour before": a detail of the same task.
fn reminder_only(after: Clause<'_>) -> bool {
    let at = polite(after);
    let reminds = after.is(at, "remind|alert|notify|ping|set|add|nudge");
    let slots = after.from(at).slots();
    let first = slots
        .first()
        .filter(|found| found.range.start == 0 && matches!(found.slot, crate::slots::Slot::Remind(_)));
    reminds && first.is_some_and(|found| !after.is(at + found.range.end, "to|about|of|that"))
}

/// "tag it home", "make it urgent" after a new task: they describe that task.
fn about_itself(after: Clause<'_>) -> bool {
    let at = polite(after);
    after.is(at + 1, "it|that|this|them")
}

fn clearly_named(after: Clause<'_>) -> bool {
    after.has("task|tasks|reminder|todo|to-do|list|off")
        || after.tokens.iter().any(|token| token.low.starts_with('#'))
        || after.tokens.get(1).is_some_and(|token| token.low.parse::<u32>().is_ok())
}

/// "move the dentist to Friday": a target and a date after "to".
fn moved(after: Clause<'_>) -> bool {
    let at = polite(after);
    let moves = after.is(at, "move|change|push|reschedule|postpone|shift|update|set");
    let to = (at..after.len()).any(|index| {
        after.is(index, "to|until|by")
            && after.from(index + 1).slots().first().is_some_and(|found| found.range.start == 0)
    });
    moves && to && !about_itself(after)
}
