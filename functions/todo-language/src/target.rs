//! Which task is meant: by number, by place in a list, as "it", as "all …", or by words of its title.

use crate::clause::Clause;
use crate::filter::filter;
use crate::numbers::{cardinal, ordinal};
use crate::reading::{Filter, Target};

/// The nouns by which people speak of a task.
pub(crate) const NOUNS: &str = "task|to-do|todo|item|reminder|entry|one|thing|to-dos|alert|note|chore";
pub(crate) const PLURALS: &str = "tasks|to-dos|todos|items|reminders|entries|ones|things|alerts|notes|chores";

/// All targets named by the words of a clause, its verb and its changes already taken away.
pub(crate) fn targets(clause: Clause<'_>) -> Vec<Target> {
    let clause = trimmed(clause);
    if clause.is_empty() {
        return vec![Target::Missing];
    }
    if let Some(numbers) = numbers(clause) {
        return numbers.into_iter().map(Target::Number).collect();
    }
    let one = pronoun(clause)
        .or_else(|| position(clause))
        .or_else(|| all(clause))
        .unwrap_or_else(|| titled(clause));
    vec![one]
}

/// Without the words around it that say nothing: "off my list", "please", "for me".
fn trimmed(clause: Clause<'_>) -> Clause<'_> {
    let mut start = 0;
    while clause.is(start, ",|:|-|of|for|on|off|out|with|that|up")
        && !(clause.is(start, "that") && clause.len() < 3)
    {
        start += 1;
    }
    let mut clause = clause.from(start);
    loop {
        let end = clause.len();
        let last = end.saturating_sub(1);
        let list = (0..end)
            .rev()
            .find(|at| clause.is(*at, "from|off|on|in|of"))
            .filter(|at| is_list(clause.from(*at + 1)));
        if let Some(at) = list {
            clause = clause.until(at);
        } else if clause.is(
            last,
            ".|,|!|?|:|;|please|now|instead|to|as|for|by|and|at|with|anymore|already|too|from|on|off|\
                so|well|due|is|be",
        ) && end > 0
        {
            clause = clause.until(last);
        } else if end > 2 && clause.phrase(end - 2, "for me|thank you") == 2 {
            clause = clause.until(end - 2);
        } else {
            return clause;
        }
    }
}

/// "my list", "the to-do list", "my reminders"
fn is_list(clause: Clause<'_>) -> bool {
    let article = usize::from(clause.is(0, "my|the|our|this|that|your"));
    let named = clause.phrase(article, "to do|to-do|todo|task|tasks|reminder|reminders|current|daily");
    let noun = clause.is(article + named, "list|lists|calendar|schedule|agenda");
    let alone = clause.is(article, "tasks|todos|to-dos|reminders|calendar") && clause.len() == article + 1;
    clause.len() == article + named + 1 && noun && article + named > 0 || alone && article == 1
}

/// "3", "#3", "task 3", "tasks 1, 2 and 4", "number three", "1 to 3"
fn numbers(clause: Clause<'_>) -> Option<Vec<i64>> {
    let mut found: Vec<i64> = Vec::new();
    let mut at = 0;
    let mut marked = false;
    while at < clause.len() {
        let skipped = clause.phrase(
            at,
            "the|task|tasks|number|numbers|no|no.|item|items|todo|to-do|reminder|reminders|with|id|and|\
                ,|.|&|#|both|also|my",
        );
        if skipped > 0 {
            marked |= clause.is(at, "task|tasks|number|item|#");
            at += skipped;
            continue;
        }
        if clause.is(at, "to|through|-") && !found.is_empty() {
            let (last, used) = number(clause, at + 1)?;
            let first = *found.last()?;
            found.extend((first.saturating_add(1)..=last).take(200));
            at += 1 + used;
            continue;
        }
        let (number, used) = number(clause, at)?;
        // "one" alone is rather a pronoun.
        if !marked && clause.is(at, "one") {
            return None;
        }
        found.push(number);
        at += used;
    }
    (!found.is_empty()).then_some(found)
}

fn number(clause: Clause<'_>, at: usize) -> Option<(i64, usize)> {
    if let Some(digits) = clause.word(at).strip_prefix('#') {
        return digits.trim_end_matches("'s").parse().ok().map(|number| (number, 1));
    }
    if let Some(digits) = clause.word(at).strip_suffix("'s") {
        return digits.parse().ok().map(|number| (number, 1));
    }
    cardinal(clause.tokens, at)
}

fn pronoun(clause: Clause<'_>) -> Option<Target> {
    let shown = "them|those|these|all of them|all of those|both|both of them|them all|those tasks|\
        these tasks|them both";
    if clause.phrase(0, shown) == clause.len() {
        return Some(Target::Shown);
    }
    let single = "it|that|this|that one|this one|that task|this task|the task|the same|that reminder|\
        this reminder|the reminder|my reminder|my task|the same task|the one|that last one|\
        my last task|the item|its|the last task|the new task|the last reminder|my last reminder";
    (clause.phrase(0, single) == clause.len()).then_some(Target::Last)
}

/// "the second one", "the last one", "first", "number two on the list" is a number.
pub(crate) fn position(clause: Clause<'_>) -> Option<Target> {
    let article = usize::from(clause.is(0, "the|my"));
    let nth = ordinal(clause.word(article))?;
    let nouns = clause.phrase(article + 1, "one|task|item|reminder|option|entry|one please|of them|of those");
    (clause.len() == article + 1 + nouns).then_some(Target::Position(nth))
}

/// "all my tasks", "everything due today", "completed tasks", "every reminder about the gym"
fn all(clause: Clause<'_>) -> Option<Target> {
    let every = clause.phrase(0, "all|every|everything|each|any|all of|the rest of|every single|both");
    let plural = clause.tokens.iter().rposition(|token| token.is_any(PLURALS));
    let list = is_list(clause);
    let status = clause.has("completed|finished|done|overdue|pending|open");
    let whole = plural.is_some_and(|at| {
        at + 1 == clause.len() && (at == 0 || at == 1 && clause.is(0, "my|the|these|those|our"))
    });
    let described = plural
        .is_some_and(|at| status || clause.from(at + 1).slots().iter().any(|found| found.range.start == 0));
    if every == 0 && !list && !whole && !described {
        return None;
    }
    let mut wanted = if list { Filter::default() } else { filter(clause.from(every)) };
    wanted.limit = None;
    wanted.count = false;
    Some(Target::All(wanted))
}

/// The words that name a task, without article and noun: "the dentist task" → "dentist".
fn titled(clause: Clause<'_>) -> Target {
    let mut start = clause.phrase(0, "the|my|our|a|an|that|this");
    start += clause.phrase(start, "upcoming|new|old|current|existing");
    let noun = clause.phrase(start, "task|to-do|todo|item|reminder|entry|alert|to do");
    if noun > 0 && clause.len() > start + noun {
        start += noun;
        let links = "called|named|titled|to|about|for|that says|which says|saying|:|of|with the title|\
            with title|on|regarding|that i have to|i have to|i have for|i have set for|i set for|\
            i set to|at";
        start += clause.phrase(start, links);
        start += clause.phrase(start, "the|my");
    }
    let mut rest = clause.from(start);
    let last = rest.len().saturating_sub(1);
    if rest.len() > 1 && rest.is(last, "task|to-do|todo|item|reminder|entry|alert|one|chore|reminders") {
        rest = rest.until(last);
    }
    let words = rest.written();
    if words.is_empty() { Target::Missing } else { Target::Titled(words) }
}
