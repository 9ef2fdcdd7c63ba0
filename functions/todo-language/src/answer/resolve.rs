//! Targets → task numbers, by what is known and what was looked up.

use jiff::Zoned;

use crate::answer::history::History;
use crate::clause::Clause;
use crate::reading::{Filter, Target};
use crate::slots::Slot;
use crate::task::Task;
use crate::text::tokens;
use crate::titles::{TitleMatch, likeness, same, title_match};

/// What a target turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Resolved {
    /// These tasks; the title is empty when only the number is known.
    Tasks(Vec<Task>),
    /// One of these: ask.
    Several(Vec<Task>),
    /// Perhaps this one: ask.
    Perhaps(Task),
    /// No task has such a title.
    NotFound(String),
    /// No task fits the filter.
    NoneFits,
    /// Nothing named, or "it" without anything spoken of.
    Unnamed,
}

/// Whether the tasks must be looked up to know what is meant.
pub(crate) fn needs_lookup(target: &Target) -> bool {
    matches!(target, Target::Titled(_) | Target::All(_))
}

/// `tasks` are those looked up; empty when no lookup was needed.
pub(crate) fn resolve(target: &Target, tasks: &[Task], history: &History, now: &Zoned) -> Resolved {
    let shown = &history.context.shown;
    match target {
        Target::Number(id) => Resolved::Tasks(vec![known(*id, tasks, history)]),
        Target::Last => {
            match history.context.last.or(if let [only] = shown.as_slice() { Some(*only) } else { None }) {
                Some(id) => Resolved::Tasks(vec![known(id, tasks, history)]),
                None => Resolved::Unnamed,
            }
        }
        Target::Position(place) => {
            let index =
                if *place < 0 { shown.len().checked_sub(1) } else { usize::try_from(*place - 1).ok() };
            let id = index
                .and_then(|index| shown.get(index))
                .copied()
                .or(history.context.last.filter(|_| *place < 0));
            id.map_or(Resolved::Unnamed, |id| Resolved::Tasks(vec![known(id, tasks, history)]))
        }
        Target::Shown if !shown.is_empty() => {
            Resolved::Tasks(shown.iter().map(|id| known(*id, tasks, history)).collect())
        }
        Target::Shown => resolve(&Target::Last, tasks, history, now),
        Target::All(filter) => all(filter, tasks),
        Target::Titled(words) => titled(words, tasks, now),
        Target::Missing => Resolved::Unnamed,
    }
}

fn known(id: i64, tasks: &[Task], history: &History) -> Task {
    let found = tasks.iter().find(|task| task.id == id).or_else(|| history.known.get(&id));
    found.cloned().unwrap_or(Task { id, ..Task::default() })
}

fn all(filter: &Filter, tasks: &[Task]) -> Resolved {
    let fitting: Vec<Task> = tasks.iter().filter(|task| task.fits(filter)).cloned().collect();
    if fitting.is_empty() { Resolved::NoneFits } else { Resolved::Tasks(fitting) }
}

/// The words as one title; failing that, as several titles joined by "and"; then with a date that says which; then
/// loosely.
fn titled(words: &str, tasks: &[Task], now: &Zoned) -> Resolved {
    one(words, tasks)
        .or_else(|| joined(words, tasks))
        .or_else(|| dated(words, tasks, now))
        .unwrap_or_else(|| loosely(words, tasks))
}

/// The task that has this title, or all of these words in it.
fn one(words: &str, tasks: &[Task]) -> Option<Resolved> {
    let exact: Vec<&Task> = tasks.iter().filter(|task| same(words, &task.title)).collect();
    if !exact.is_empty() {
        return Some(choose(exact));
    }
    let full: Vec<&Task> = tasks.iter().filter(|task| likeness(words, &task.title) >= 1.0).collect();
    (!full.is_empty()).then(|| choose(full))
}

/// The longest title that stands within the words, else the title that shares most of them.
fn loosely(words: &str, tasks: &[Task]) -> Resolved {
    let within: Vec<&Task> =
        tasks.iter().filter(|task| title_match(words, &task.title) == TitleMatch::Exact).collect();
    if let Some(longest) = within.iter().map(|task| task.title.len()).max() {
        return choose(within.into_iter().filter(|task| task.title.len() == longest).collect());
    }
    let best = tasks.iter().map(|task| likeness(words, &task.title)).fold(0.0, f32::max);
    let close: Vec<&Task> =
        tasks.iter().filter(|task| best > 0.0 && likeness(words, &task.title) >= best).collect();
    match close.as_slice() {
        [] => Resolved::NotFound(words.to_owned()),
        [only] if best < 0.6 => Resolved::Perhaps((*only).clone()),
        _ => choose(close),
    }
}

/// Open tasks are meant before finished ones.
fn choose(found: Vec<&Task>) -> Resolved {
    let open: Vec<&Task> = found.iter().copied().filter(|task| !task.completed).collect();
    let found = if open.is_empty() { found } else { open };
    match found.as_slice() {
        [only] => Resolved::Tasks(vec![(*only).clone()]),
        several => Resolved::Several(several.iter().map(|task| (*task).clone()).collect()),
    }
}

/// "milk and eggs" when these are two tasks.
fn joined(words: &str, tasks: &[Task]) -> Option<Resolved> {
    let parts: Vec<&str> = words
        .split(" and ")
        .flat_map(|part| part.split(','))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let mut found = Vec::new();
    for part in parts.iter().filter(|_| parts.len() > 1) {
        match one(strip_noun(part), tasks) {
            Some(Resolved::Tasks(more)) => found.extend(more),
            _ => return None,
        }
    }
    (!found.is_empty()).then_some(Resolved::Tasks(found))
}

fn strip_noun(part: &str) -> &str {
    let part = part.strip_prefix("the ").unwrap_or(part);
    part.strip_suffix(" task").unwrap_or(part)
}

/// "the dentist on Friday": the words without the date, among the tasks due then.
fn dated(words: &str, tasks: &[Task], now: &Zoned) -> Option<Resolved> {
    let tokens = tokens(words);
    let clause = Clause { text: words, tokens: &tokens, now };
    let slots = clause.slots();
    let rest = clause.without(&slots);
    let said = slots.iter().find_map(|found| match &found.slot {
        Slot::When(when) if when.has_days() => Some(when.due(now).date),
        _ => None,
    });
    if slots.is_empty() || rest.is_empty() {
        return None;
    }
    let then: Vec<Task> = tasks
        .iter()
        .filter(|task| said.is_none_or(|date| task.due.is_some_and(|due| due.date == date)))
        .cloned()
        .collect();
    one(&rest, &then).or_else(|| one(&rest, tasks))
}

/// Which of the tasks asked about an answer means: "2", "the second one", "the dentist one", "the one on Friday", "both".
pub(crate) fn choice(answer: &str, candidates: &[Task], now: &Zoned) -> Option<Vec<Task>> {
    let tokens = tokens(answer);
    let clause = Clause { text: answer, tokens: &tokens, now };
    let clause = clause.from(crate::command::polite(clause));
    let clause =
        clause.from(clause.phrase(0, "i mean|i meant|it's|that's|the one called|i want|number|option"));
    let at = |place: i64| {
        if place < 0 {
            candidates.last()
        } else {
            usize::try_from(place - 1).ok().and_then(|index| candidates.get(index))
        }
    };
    let some = |task: Option<&Task>| task.map(|task| vec![task.clone()]);
    if let Some(Target::Position(place)) = crate::target::position(clause) {
        return some(at(place));
    }
    match crate::target::targets(clause).as_slice() {
        [Target::Number(number)] => {
            let by_id = candidates.iter().find(|task| task.id == *number);
            let said_id = clause.has("task") || clause.tokens.iter().any(|token| token.low.starts_with('#'));
            some(if said_id { by_id.or(at(*number)) } else { at(*number).or(by_id) })
        }
        [Target::Number(_), ..] if candidates.len() > 1 => {
            let numbers = crate::target::targets(clause);
            let picked: Vec<Task> = numbers
                .iter()
                .filter_map(
                    |target| if let Target::Number(number) = target { at(*number).cloned() } else { None },
                )
                .collect();
            (picked.len() == numbers.len()).then_some(picked)
        }
        [Target::Shown | Target::All(_)] => Some(candidates.to_vec()),
        [Target::Titled(words)] => match titled(words, candidates, now) {
            Resolved::Tasks(tasks) => Some(tasks),
            _ => by_date(clause, candidates),
        },
        _ => by_date(clause, candidates),
    }
}

fn by_date(clause: Clause<'_>, candidates: &[Task]) -> Option<Vec<Task>> {
    let dates: Vec<_> = clause
        .slots()
        .into_iter()
        .filter_map(|found| if let Slot::When(when) = found.slot { Some(when.due(clause.now)) } else { None })
        .collect();
    let due = dates.first()?;
    let fitting: Vec<Task> = candidates
        .iter()
        .filter(|task| {
            task.due.is_some_and(|had| had.date == due.date && (due.time.is_none() || had.time == due.time))
        })
        .cloned()
        .collect();
    (fitting.len() == 1).then_some(fitting)
}
