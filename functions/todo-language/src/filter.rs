//! Which tasks a request speaks of: status, priority, tags, a range of due dates, words, order, number.

use jiff::civil::{Date, DateTime, Time};

use crate::clause::Clause;
use crate::numbers::cardinal;
use crate::reading::{Bound, Filter};
use crate::slots::{Found, Slot};
use crate::target::PLURALS;
use crate::text::among;
use crate::when::{Days, Lead, When, when};

/// Reads a filter from the words after the verb. What is no filter word is looked for in the tasks.
pub(crate) fn filter(clause: Clause<'_>) -> Filter {
    let mut filter = Filter::default();
    let mut used = vec![false; clause.len()];
    let counts = "how many|count my|count the|number of tasks|total number";
    filter.count = (0..clause.len()).any(|at| clause.phrase(at, counts) > 0);
    sorting(clause, &mut filter, &mut used);
    search(clause, &mut filter, &mut used);
    between(clause, &mut filter, &mut used);
    for found in clause.slots() {
        if !taken(&used, &found) {
            slot(clause, &mut filter, &found);
            mark(&mut used, found.range.start, found.range.end);
        }
    }
    status(clause, &mut filter, &mut used);
    bare_level(clause, &mut filter, &mut used);
    limit(clause, &mut filter, &mut used);
    named_list(clause, &mut filter, &mut used);
    if filter.search.is_none() {
        filter.search = words_left(clause, &used);
    }
    filter
}

fn mark(used: &mut [bool], from: usize, to: usize) {
    used.iter_mut().take(to).skip(from).for_each(|used| *used = true);
}

fn taken(used: &[bool], found: &Found) -> bool {
    used.get(found.range.clone()).is_some_and(|run| run.contains(&true))
}

fn slot(clause: Clause<'_>, filter: &mut Filter, found: &Found) {
    match &found.slot {
        Slot::Priority(level) => filter.priority = Some(level),
        Slot::Tags(tags) => filter.tags.extend(tags.iter().cloned()),
        Slot::When(when) => range(clause, filter, when),
        Slot::Repeat(_) | Slot::Remind(_) | Slot::Description(_) => {}
    }
}

/// The range of due dates that a date with its leading word names.
fn range(clause: Clause<'_>, filter: &mut Filter, when: &When) {
    let now = clause.now;
    // "what did I finish yesterday": tasks have no filter by when they were done, but an order.
    let finished = "i finish|i finished|i completed|i complete|i've completed|i've finished|i did|i get done|i've done|i done";
    if (0..clause.len()).any(|at| clause.phrase(at, finished) > 0) && when.days.is_some() {
        (filter.sort, filter.order) = (Some("completed"), Some("desc"));
        return;
    }
    let due = when.due(now);
    let days = when.days.map(|days| this_weekday(clause, when, days)).unwrap_or(Days::day(due.date));
    let time = due.time.filter(|_| when.clock.is_some() || when.moment.is_some());
    let moment = time.map(|time| days.one.to_datetime(time));
    match when.lead {
        Lead::Before => filter.due_before = Some(moment.map_or(Bound::Day(days.start), Bound::Moment)),
        Lead::By | Lead::Until => {
            filter.due_before = Some(moment.map_or(Bound::Day(days.end), Bound::Moment))
        }
        Lead::After => filter.due_after = Some(moment.map_or(Bound::Day(days.end), Bound::Moment)),
        Lead::From => filter.due_after = Some(moment.map_or(Bound::Day(days.start), Bound::Moment)),
        Lead::None | Lead::On => {
            let (from, to) = within(when, days, moment);
            (filter.due_after, filter.due_before) = (Some(from), Some(to));
        }
    }
}

/// Asked on a Friday, "Friday" is today; as a due date for something new it is the next one.
fn this_weekday(clause: Clause<'_>, _when: &When, days: Days) -> Days {
    let today = clause.now.date();
    let weekday =
        clause.tokens.iter().any(|token| crate::when::calendar::weekday(&token.low) == Some(today.weekday()));
    let plain = weekday && !clause.has("next|coming|following");
    let in_a_week = days.one == crate::when::calendar::plus_days(today, 7);
    if plain && in_a_week { Days::day(today) } else { days }
}

fn within(when: &When, days: Days, moment: Option<DateTime>) -> (Bound, Bound) {
    let hours = |from: i8, to: i8| {
        let at = |date: Date, hour: i8| {
            Bound::Moment(date.to_datetime(Time::new(hour % 24, 0, 0, 0).unwrap_or(Time::midnight())))
        };
        (at(days.one, from), if to == 24 { Bound::Day(days.end) } else { at(days.one, to) })
    };
    if let Some(moment) = moment {
        let end = moment.checked_add(jiff::Span::new().hours(1)).unwrap_or(moment);
        return (Bound::Moment(moment), Bound::Moment(end));
    }
    match when.part {
        Some(crate::when::Part::Morning) => hours(0, 12),
        Some(crate::when::Part::Afternoon) => hours(12, 18),
        Some(_) => hours(17, 24),
        None => (Bound::Day(days.start), Bound::Day(days.end)),
    }
}

/// "between Monday and Friday", "from Monday to Friday"
fn between(clause: Clause<'_>, filter: &mut Filter, used: &mut [bool]) {
    let Some(at) = clause.find("between|from") else { return };
    let Some((first, first_used)) =
        when(clause.tokens, at + 1, clause.now).filter(|(first, _)| first.has_days())
    else {
        return;
    };
    let joint = at + 1 + first_used;
    if !clause.is(joint, "and|to|until|till|through|-") {
        return;
    }
    let Some((second, second_used)) =
        when(clause.tokens, joint + 1, clause.now).filter(|(second, _)| second.has_days())
    else {
        return;
    };
    if let (Some(from), Some(to)) = (first.days, second.days) {
        filter.due_after = Some(Bound::Day(from.start));
        filter.due_before = Some(Bound::Day(to.end));
        mark(used, at, joint + 1 + second_used);
    }
}

fn status(clause: Clause<'_>, filter: &mut Filter, used: &mut [bool]) {
    for at in 0..clause.len() {
        // In "what needs to be done" nothing is done yet.
        if used.get(at).copied().unwrap_or(true) || at > 0 && clause.is(at - 1, "be|get|getting") {
            continue;
        }
        let negated = at > 0 && clause.is(at - 1, "not|haven't|isn't|aren't|un|yet")
            || clause.has("haven't|still|left");
        let status = match clause.word(at) {
            "overdue" | "late" | "missed" | "miss" | "past-due" => {
                overdue(clause, filter);
                "pending"
            }
            "past" if clause.is(at + 1, "due") => {
                overdue(clause, filter);
                "pending"
            }
            "completed" | "complete" | "finished" | "done" | "finish" | "accomplished" | "closed"
            | "checked"
                if negated =>
            {
                "pending"
            }
            "completed" | "complete" | "finished" | "done" | "accomplished" | "closed" | "checked" => {
                "completed"
            }
            "finish" if clause.is(0, "did|have|i") => "completed",
            "pending" | "open" | "incomplete" | "unfinished" | "outstanding" | "remaining" | "active"
            | "uncompleted" | "undone" | "left" | "unchecked" => "pending",
            "all" | "everything" | "entire" | "whole" if filter.status.is_none() => "all",
            "do" if clause.is(0, "did") => "completed",
            _ => continue,
        };
        let keep = filter.status == Some("pending") || filter.status.is_some() && status == "all";
        if !keep {
            filter.status = Some(status);
        }
        mark(used, at, at + 1);
    }
}

fn overdue(clause: Clause<'_>, filter: &mut Filter) {
    let now = clause.now.datetime();
    let minute = Time::new(now.hour(), now.minute(), 0, 0).unwrap_or(now.time());
    filter.due_before = Some(Bound::Moment(now.date().to_datetime(minute)));
}

/// "the urgent tasks", "important ones"
fn bare_level(clause: Clause<'_>, filter: &mut Filter, used: &mut [bool]) {
    let found = clause.find("urgent|important|critical");
    if let Some(at) = found.filter(|at| filter.priority.is_none() && used.get(*at) == Some(&false)) {
        filter.priority = crate::slots::level(clause.word(at));
        mark(used, at, at + 1);
    }
}

/// "sorted by due date", "by priority", "newest first", "in reverse order"
fn sorting(clause: Clause<'_>, filter: &mut Filter, used: &mut [bool]) {
    for at in 0..clause.len() {
        let led = clause.phrase(
            at,
            "sorted by|sort by|ordered by|order by|sort them by|arranged by|by|in order of|sorted on",
        );
        let the = usize::from(clause.is(at + led, "the|their|its"));
        let key = match clause.word(at + led + the) {
            "due" | "deadline" | "date" => ("due", "asc"),
            "priority" | "importance" | "urgency" => ("priority", "desc"),
            "created" | "creation" | "added" | "age" => ("created", "desc"),
            "completed" | "completion" => ("completed", "desc"),
            _ => continue,
        };
        // "by" alone also leads a date.
        if led == 0 || filter.sort.is_some() {
            continue;
        }
        (filter.sort, filter.order) = (Some(key.0), Some(key.1));
        let date = usize::from(clause.is(at + led + the + 1, "date|time|order"));
        mark(used, at, at + led + the + 1 + date);
    }
    let first = clause.find("first");
    let word = first.and_then(|at| at.checked_sub(1)).map_or("", |at| clause.word(at));
    let key = match word {
        "newest" | "latest" => Some(("created", "desc")),
        "oldest" => Some(("created", "asc")),
        "urgent" | "important" | "priority" => Some(("priority", "desc")),
        "soonest" | "earliest" => Some(("due", "asc")),
        _ => None,
    };
    if let (Some((sort, order)), Some(at)) = (key, first) {
        let same = filter.sort.is_some_and(|sorted| sorted != sort);
        (filter.sort, filter.order) =
            if same { (filter.sort, Some(order)) } else { (Some(sort), Some(order)) };
        mark(
            used,
            at.saturating_sub(if matches!(word, "urgent" | "important" | "priority") { 2 } else { 1 }),
            at + 1,
        );
    }
    for (words, order) in [("ascending|asc", "asc"), ("descending|desc|reverse|reversed", "desc")] {
        if let Some(at) = clause.find(words) {
            filter.order = Some(order);
            mark(used, at, at + 1);
        }
    }
}

/// "about the garden", "containing milk", "that mention Bob", "\"quarterly report\""
fn search(clause: Clause<'_>, filter: &mut Filter, used: &mut [bool]) {
    let leads = "about|containing|mentioning|matching|that mention|that contain|with the word|\
        with the words|related to|regarding|that include|including|involving|concerning|that say|\
        called|named|relating to|having to do with";
    let found =
        (0..clause.len()).find_map(|at| Some((at, clause.phrase(at, leads))).filter(|(_, used)| *used > 0));
    if let Some((at, led)) = found {
        let start = at + led;
        let rest = clause.from(start);
        let stop = rest.slots().first().map_or(rest.len(), |slot| slot.range.start);
        let stop = rest.find("sorted|sort|ordered|,").map_or(stop, |at| at.min(stop));
        let words = content(rest.until(stop), &vec![false; stop]);
        if words.is_some() {
            filter.search = words;
            mark(used, at, start + stop);
            return;
        }
    }
    if let Some(at) = clause.tokens.iter().position(|token| token.is_quoted()) {
        filter.search = Some(clause.from(at).until(1).written());
        mark(used, 0, 0);
        mark(used, at, at + 1);
    }
}

/// "the next task", "first 5 tasks", "top three", "3 tasks", "5 newest tasks"
fn limit(clause: Clause<'_>, filter: &mut Filter, used: &mut [bool]) {
    for at in 0..clause.len() {
        let Some((count, spent, word)) = limit_at(clause, at) else { continue };
        mark(used, at, at + spent);
        filter.limit = u32::try_from(count).ok().filter(|count| *count > 0).map(|count| count.min(200));
        if filter.sort.is_none() {
            let (sort, order) = order_of(word);
            (filter.sort, filter.order) = (Some(sort), Some(order));
        }
        return;
    }
}

const RANKS: &str = "first|next|top|last|latest|newest|recent|oldest|upcoming";

/// The number asked for, the tokens that say it, and the word that says which come first.
fn limit_at<'a>(clause: Clause<'a>, at: usize) -> Option<(i64, usize, &'a str)> {
    let single = "task|thing|item|reminder|to-do|todo|deadline|appointment|meeting|event|one";
    if clause.is(at, RANKS) {
        return match cardinal(clause.tokens, at + 1) {
            Some((count, spent)) => Some((count, spent + 1, clause.word(at))),
            None => clause.is(at + 1, single).then_some((1, 1, clause.word(at))),
        };
    }
    let (count, spent) = cardinal(clause.tokens, at)?;
    let most = usize::from(clause.is(at + spent, "most"));
    if clause.is(at + spent + most, RANKS) && clause.is(at + spent + most + 1, PLURALS) {
        return Some((count, spent + most + 1, clause.word(at + spent + most)));
    }
    clause.is(at + spent, PLURALS).then_some((count, spent, ""))
}

/// What "the next …", "the newest …" are the first of.
fn order_of(word: &str) -> (&'static str, &'static str) {
    match word {
        "last" | "latest" | "newest" | "recent" => ("created", "desc"),
        "oldest" => ("created", "asc"),
        "top" => ("priority", "desc"),
        _ => ("due", "asc"),
    }
}

/// "my shopping list": what was put on a named list carries its name as a tag.
fn named_list(clause: Clause<'_>, filter: &mut Filter, used: &mut [bool]) {
    let Some(at) = clause.find("list|lists").filter(|at| *at > 0) else { return };
    let name = clause.word(at - 1);
    if is_list_name(name) && used.get(at - 1) == Some(&false) {
        filter.tags.push(name.to_owned());
        mark(used, at - 1, at + 1);
    }
}

/// A word before "list" that names one, rather than saying that it is a list of tasks.
pub(crate) fn is_list_name(word: &str) -> bool {
    !word.is_empty() && !among(word, NOISE) && word.chars().all(|c| c.is_alphanumeric() || c == '-')
}

fn words_left(clause: Clause<'_>, used: &[bool]) -> Option<String> {
    content(clause, used)
}

fn content(clause: Clause<'_>, used: &[bool]) -> Option<String> {
    let kept = clause.tokens.iter().enumerate().filter(|(at, token)| {
        !used.get(*at).copied().unwrap_or(false)
            && (token.is_quoted() || token.is_word() && !among(token.low.as_str(), NOISE))
    });
    let words: Vec<String> = kept
        .map(|(at, _)| {
            clause
                .from(at)
                .until(1)
                .written()
                .trim_start_matches(['#', '@'])
                .trim_end_matches("'s")
                .trim_end_matches("’s")
                .to_owned()
        })
        .filter(|word| !word.is_empty())
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Words of requests for lists that are not looked for.
const NOISE: &str = "priorities|a|an|the|my|our|your|me|i|i'm|i've|i'd|we|you|us|of|for|in|on|at|to|to-do|to-dos|todo|\
    todos|task|tasks|item|items|thing|things|one|ones|list|lists|reminder|reminders|is|are|\
    was|were|be|been|am|do|does|did|done|have|has|had|having|there|that|those|these|this|what|\
    what's|whats|wat|wats|wht|whts|which|when|when's|who|how|many|much|any|anything|something|everything|all|\
    and|or|with|without|by|from|as|it|its|them|they|show|see|view|display|give|get|tell|read|\
    find|search|look|up|over|out|through|let|check|pull|bring|open|go|please|now|right|\
    currently|current|due|coming|upcoming|scheduled|planned|set|need|needs|should|must|can|\
    could|would|will|want|like|know|still|left|plate|agenda|schedule|calendar|next|ahead|so|\
    just|only|also|again|yet|not|full|entire|complete|priority|tag|tags|tagged|label|labeled|\
    labelled|sorted|sort|order|ordered|status|date|dates|day|days|week|time|today's|\
    tomorrow's|tonight's|week's|day's|month's|got|going|happening|active|existing|new|some|\
    each|every|no|if|alerts|alert|work?|about|first|then|here|too|exactly|finish|work|\
    supposed|called|named|i'll|haven't|isn't|aren't|don't|didn't|deadline|deadlines|the|more|\
    most|coming|down|off|shall|may|repeat|recurring|saved|other|both|today|hi|hey|hello|\
    thanks|thank|chore|chores|note|notes|up?|else|ok|okay|whats|detail|details|name|names|\
    total|number|remind|reminding|reminded|event|events|appointments|meetings|stuff|long|soon|\
    most|pressing|focus|start|begin|todays|make|create|add|added|created|put";
