//! One message → the actions it asks for.

use std::ops::Range;

use jiff::Zoned;

use crate::add;
use crate::aside::aside;
use crate::clause::Clause;
use crate::command::{Command, Tool, command, done_words, is_question, polite};
use crate::filter::filter;
use crate::intent;
use crate::reading::{Action, Aside, Changes, Fields, Reading, Target};
use crate::slots::Slot;
use crate::split::clauses;
use crate::target::{position, targets};
use crate::text::{Token, tokens};
use crate::update::{from_slots, update};

/// What earlier turns leave behind for the reading of a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// The number of the task spoken of last.
    pub last: Option<i64>,
    /// The tool that was called last.
    pub last_tool: Option<String>,
    /// The tasks that the person saw last, in their order.
    pub shown: Vec<i64>,
}

/// One message's intended actions, before titles are resolved. Pure, and fast enough to call for every message.
pub fn read(utterance: &str, now: &Zoned, context: &Context) -> Reading {
    let tokens = tokens(utterance);
    let whole = Clause { text: utterance, tokens: &tokens, now };
    let mut reading = Reading::default();
    for range in clauses(whole) {
        let clause = part(whole, range);
        reading.actions.extend(actions(clause, context, reading.actions.last()));
    }
    if reading.actions.is_empty() {
        reading.aside =
            Some(aside(whole, utterance).or_else(|| offer(whole)).unwrap_or_else(|| unrelated(whole)));
    }
    reading
}

fn part(whole: Clause<'_>, range: Range<usize>) -> Clause<'_> {
    whole.until(range.end).from(range.start)
}

/// The actions of one clause. `before` is what the message asked for just before it.
fn actions(clause: Clause<'_>, context: &Context, before: Option<&Action>) -> Vec<Action> {
    if let Some(follow_up) = follow_up(clause, context, before) {
        return follow_up;
    }
    let turned = date_last(clause);
    let clause = turned.as_ref().map_or(clause, |tokens| Clause { tokens, ..clause });
    let Some(command) = intent::decide(clause, before.is_none()) else { return Vec::new() };
    let actions = build(clause, command);
    actions.into_iter().map(|action| in_context(action, context)).collect()
}

/// "on Friday remind me to …" → "remind me to … on Friday", so that the command stands first.
fn date_last(clause: Clause<'_>) -> Option<Vec<Token>> {
    let start = polite(clause);
    let clause = clause.from(start);
    let led = usize::from(clause.is(0, "in|over|during|within|for"));
    let date = clause.slots().into_iter().next().filter(|found| found.range.start <= led)?;
    let end = date.range.end + usize::from(clause.is(date.range.end, ",|-|:"));
    let rest = clause.from(end);
    let moved =
        matches!(date.slot, Slot::When(_) | Slot::Repeat(_)) && command(rest).is_some_and(|found| found.sure);
    moved.then(|| {
        let dated = clause.tokens.get(..date.range.end).unwrap_or_default();
        rest.tokens.iter().filter(|token| !token.is_any(".|!|?")).chain(dated).cloned().collect()
    })
}

fn build(clause: Clause<'_>, command: Command) -> Vec<Action> {
    let rest = clause.from(command.at);
    match command.tool {
        Tool::Add => {
            let reminding = clause
                .until(command.at)
                .tokens
                .iter()
                .any(|token| token.low.starts_with("remin") || token.is_any("alert|notify|ping|nudge"));
            add::tasks(rest, reminding).into_iter().map(|fields| added(rest, fields)).collect()
        }
        Tool::List => vec![Action::List { filter: listed(rest) }],
        Tool::Complete => targets(completed(rest))
            .into_iter()
            .map(|target| Action::Complete { target: open(target) })
            .collect(),
        Tool::Delete => targets(rest).into_iter().map(|target| Action::Delete { target }).collect(),
        Tool::Update => {
            let update = update(rest);
            update
                .targets
                .into_iter()
                .map(|target| Action::Update { target, changes: update.changes.clone() })
                .collect()
        }
    }
}

/// "remind me about task 3 an hour before" changes a task that is there already.
fn added(clause: Clause<'_>, fields: Fields) -> Action {
    let named = tokens(&fields.title);
    let title = Clause { text: &fields.title, tokens: &named, now: clause.now };
    let numbered = title.is(0, "task|number|item") || title.word(0).starts_with('#');
    match targets(title).as_slice() {
        [Target::Number(number)] if numbered && (!fields.remind.is_empty() || fields.due.is_some()) => {
            Action::Update { target: Target::Number(*number), changes: reminded(fields, clause) }
        }
        _ => Action::Add { fields },
    }
}

/// A new task's fields as changes of one that exists: "remind me at 5" then is a reminder, not a due time.
fn reminded(fields: Fields, clause: Clause<'_>) -> Changes {
    let slots = clause.slots();
    let only_time = !slots.iter().any(|found| matches!(found.slot, Slot::Remind(_)));
    let mut changes = from_slots(clause, &slots);
    if let (true, Some(due)) = (only_time, fields.due) {
        let time = due.time.unwrap_or(jiff::civil::Time::constant(9, 0, 0, 0));
        changes.due = None;
        changes.remind = vec![crate::reading::Remind::At { date: Some(due.date), time }];
    }
    changes
}

/// Unless another status is asked for, people mean what is still to be done.
fn listed(clause: Clause<'_>) -> crate::reading::Filter {
    let mut filter = filter(clause);
    if filter.status.is_none() {
        filter.status = Some("pending");
    }
    filter
}

/// Without "as done", "off", "is finished" around the target.
fn completed(clause: Clause<'_>) -> Clause<'_> {
    let front =
        clause.phrase(0, "off|as done|as complete|as completed|as finished|out|complete|done|with|up|doing");
    let rest = clause.from(if front < clause.len() { front } else { 0 });
    let Some((at, used)) = done_words(rest) else { return rest };
    let tail = rest.from(at + used);
    let closes = tail.is_empty() || tail.is(0, "my|the|from|on|in|of|now|today|please|already|yet|for|,");
    let all = rest.is(0, "all|every|everything") && at < 3;
    if !closes || all {
        return rest;
    }
    let linking = (0..at)
        .rev()
        .take_while(|index| rest.is(*index, "is|are|has|been|have|was|all|now|were|already|as|being"))
        .count();
    rest.until(at - linking)
}

/// Only open tasks can be completed.
fn open(target: Target) -> Target {
    match target {
        Target::All(mut filter) => {
            filter.status = Some("pending");
            Target::All(filter)
        }
        other => other,
    }
}

/// Fits an action to what was said before: an "undo" takes the last action back, a lone reminder belongs to the last task.
fn in_context(action: Action, context: &Context) -> Action {
    match action {
        Action::Add { fields }
            if fields.title.is_empty() && context.last.is_some() && has_details(&fields) =>
        {
            let changes = Changes { remind: as_reminder(&fields), ..Changes::default() };
            Action::Update { target: Target::Last, changes }
        }
        Action::Delete { target: Target::Last } if context.last_tool.as_deref() == Some("complete_task") => {
            Action::Delete { target: Target::Last }
        }
        other => other,
    }
}

fn has_details(fields: &Fields) -> bool {
    fields.due.is_some() || !fields.remind.is_empty()
}

fn as_reminder(fields: &Fields) -> Vec<crate::reading::Remind> {
    let at_due = crate::reading::Remind::Before { days: 0, minutes: 0, at: None };
    match fields.due {
        Some(due) if fields.remind.is_empty() || fields.remind == [at_due] => {
            let time = due.time.unwrap_or(jiff::civil::Time::constant(9, 0, 0, 0));
            vec![crate::reading::Remind::At { date: Some(due.date), time }]
        }
        _ => fields.remind.clone(),
    }
}

/// A clause that only makes sense after another: "Friday instead", "with high priority", "and every week".
fn follow_up(clause: Clause<'_>, context: &Context, before: Option<&Action>) -> Option<Vec<Action>> {
    let clause = clause.from(polite(clause));
    if let Some(undone) = undo(clause, context) {
        return Some(vec![undone]);
    }
    let what_about = clause.phrase(0, "what about|how about|and what about|only|just|and");
    if is_question(clause) {
        return None;
    }
    let after_list = before.is_none() && context.last_tool.as_deref() == Some("list_tasks");
    let slots = clause.slots();
    let rest = clause.without(&slots).to_lowercase();
    let quiet = rest.split(|c: char| !c.is_alphanumeric() && c != '\'').all(|word| {
        matches!(
            word,
            "" | "instead"
                | "please"
                | "no"
                | "rather"
                | "make"
                | "it"
                | "and"
                | "also"
                | "actually"
                | "then"
                | "the"
                | "for"
                | "not"
                | "better"
                | "again"
                | "too"
                | "on"
                | "at"
                | "what"
                | "about"
                | "how"
                | "only"
                | "just"
                | "ones"
                | "one"
                | "i"
                | "mean"
                | "meant"
                | "should"
                | "be"
                | "is"
                | "set"
                | "with"
                | "a"
                | "to"
                | "tasks"
                | "that"
                | "oh"
                | "it's"
                | "repeats"
        )
    });
    if slots.is_empty() || !quiet {
        return (after_list && what_about > 0).then(|| list_again(clause.from(what_about))).flatten();
    }
    let asks = after_list && !clause.has("it|remind") || looks_on(clause);
    if asks {
        return Some(vec![Action::List { filter: listed(clause) }]);
    }
    let known = context.last.is_some() && before.is_none()
        || matches!(before, Some(Action::Add { .. } | Action::Update { .. }));
    known.then(|| vec![Action::Update { target: Target::Last, changes: from_slots(clause, &slots) }])
}

/// "tasks for Friday", "and tomorrow?", "what about tomorrow?": asks to see tasks, unless it says what to make of one.
fn looks_on(clause: Clause<'_>) -> bool {
    let suggests = clause.has("instead|rather|make|set|it|remind|mean|meant|should|better");
    let about = clause.phrase(0, "what about|how about") > 0 && clause.has("?");
    !suggests && (clause.has("?|tasks|ones") || about || clause.has("what|how|which|when"))
}

fn list_again(clause: Clause<'_>) -> Option<Vec<Action>> {
    let worthwhile = clause.has("ones|one|completed|overdue|done|pending|tasks|open|finished|all");
    worthwhile.then(|| vec![Action::List { filter: listed(clause) }])
}

/// "undo", "undo that", "scratch that" right after something was done.
fn undo(clause: Clause<'_>, context: &Context) -> Option<Action> {
    let used = clause.phrase(
        0,
        "undo|undo that|undo it|scratch that|take that back|revert that|revert|undo the last one|\
            undo last",
    );
    if used == 0 || !clause.from(used).is_empty() {
        return None;
    }
    context.last?;
    Some(match context.last_tool.as_deref()? {
        "add_task" => Action::Delete { target: Target::Last },
        "complete_task" => {
            Action::Update { target: Target::Last, changes: Changes { reopen: true, ..Changes::default() } }
        }
        _ => return None,
    })
}

/// Something to do, said without a word that asks for a task: offer to note it.
fn offer(whole: Clause<'_>) -> Option<Aside> {
    let start = polite(whole);
    let clause = whole.from(start);
    if !intent::could_be_a_task(clause) || position(clause).is_some() {
        return None;
    }
    let fields = add::tasks(clause, false).into_iter().next()?;
    (!fields.title.is_empty()).then(|| Aside::Offer(Box::new(fields)))
}

fn unrelated(whole: Clause<'_>) -> Aside {
    if whole.len() <= 2 { Aside::Unclear } else { Aside::Unrelated }
}
