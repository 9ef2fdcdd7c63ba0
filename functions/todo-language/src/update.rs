//! Changes to a task: splits a clause into the task meant and what becomes of it.

use crate::clause::Clause;
use crate::command::{FIELDS, NOT_FINISHED, reopen_words};
use crate::numbers::quantity;
use crate::reading::{Changes, DueChange, Remind, Shift, Target};
use crate::slots::{Found, Slot, level, tag_list};
use crate::target::targets;
use crate::when::calendar::{Unit, unit};
use crate::when::{minutes, when};

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

/// "remove the due date and the priority from 3", "untag 3", "remove #home from it"
fn clear_field(clause: Clause<'_>) -> Option<Update> {
    if !clause.is(0, "remove|clear|delete|drop|erase|unset|cancel|take|untag|unlabel") {
        return None;
    }
    let mut changes = Changes { clear_tags: clause.is(0, "untag|unlabel"), ..Changes::default() };
    let mut at = 1;
    loop {
        at += clause.phrase(at, "the|its|my|all|any|and|,|a|high|low|off|of|urgent");
        let field = clause.phrase(at, FIELDS);
        let sigil =
            clause.word(at).starts_with(['#', '@']) && clause.word(at).chars().any(char::is_alphabetic);
        if field == 0 && !sigil {
            if clause.is(at, "the|its|my|and|,|all|off") {
                continue;
            }
            break;
        }
        at += clear(clause, at, field, &mut changes);
    }
    if changes == Changes::default() {
        return None;
    }
    at += usize::from(clause.is(at, "from|of|on|off|for|to"));
    let rest = clause.from(at);
    // "untag home from 3": the tag stands before "from".
    if let (true, Some(from)) = (clause.is(0, "untag|unlabel"), rest.find("from")) {
        let (tags, _) = tag_list(clause.text, rest.tokens, 0)?;
        return Update::of(rest.from(from + 1), Changes { remove_tags: tags, ..Changes::default() });
    }
    if rest.is_empty() && !clause.is(0, "untag") {
        return Some(Update { targets: vec![Target::Last], changes });
    }
    Update::of(rest, changes)
}

/// Notes one cleared field and gives the tokens it takes.
fn clear(clause: Clause<'_>, at: usize, field: usize, changes: &mut Changes) -> usize {
    match clause.word(at) {
        "due" | "deadline" | "date" | "time" | "schedule" => changes.due = Some(DueChange::Clear),
        "priority" | "prio" => changes.priority = Some(None),
        "description" | "note" | "notes" | "details" => changes.description = Some(None),
        "recurrence" | "repetition" | "repeat" => changes.repeat = Some(None),
        "reminders" | "reminder" => changes.clear_remind = true,
        "tag" | "tags" | "label" | "labels" => {
            let named = tag_list(clause.text, clause.tokens, at + field)
                .filter(|_| !clause.is(at + field, "from|of|on"));
            match named {
                Some((tags, used)) => {
                    changes.remove_tags.extend(tags);
                    return field + used;
                }
                None => changes.clear_tags = true,
            }
        }
        _ => {
            if let Some((tags, used)) = tag_list(clause.text, clause.tokens, at) {
                changes.remove_tags.extend(tags);
                return used;
            }
        }
    }
    field.max(1)
}

/// "tag it home", "tag 3 with a and b", "add the tag home to 3", "add #home to it", "label the report as work"
fn tag(clause: Clause<'_>) -> Option<Update> {
    let tagged = |target: Clause<'_>, tags: Vec<String>| {
        Update::of(target, Changes { add_tags: tags, ..Changes::default() })
    };
    if clause.is(0, "add|put|set") {
        let mut at = 1;
        at += usize::from(clause.is(at, "a|the|another|new"));
        at += usize::from(clause.is(at, "tag|tags|label|labels")) + usize::from(clause.is(at + 1, ":"));
        let sigil = clause.word(at).starts_with(['#', '@']);
        let named = at > 1 && clause.is(at - 1, "tag|tags|label|labels");
        let (tags, used) = tag_list(clause.text, clause.tokens, at).filter(|_| sigil || named)?;
        let to = clause.is(at + used, "to|on|for");
        return tagged(clause.from(at + used + usize::from(to)), tags);
    }
    if !clause.is(0, "tag|label") {
        return None;
    }
    let link = (1..clause.len()).rev().find(|at| clause.is(*at, "with|as|under|:"));
    let (end, at) = match link {
        Some(link) => (link, link + 1 + clause.phrase(link + 1, "the tag|the tags|the label|tag|tags")),
        // Without a link, the last words are the tags: all after a pronoun or a number, else one.
        None => {
            let short = clause.phrase(1, "it|that|this|that one|this one|them").max(number_target(clause, 1));
            let at = if short > 0 { 1 + short } else { clause.len().checked_sub(1)? };
            (at, at)
        }
    };
    let (tags, _) = tag_list(clause.text, clause.tokens, at)?;
    tagged(clause.until(end).from(1), tags)
}

fn number_target(clause: Clause<'_>, at: usize) -> usize {
    let word = clause.phrase(at, "task|number|item|todo");
    let digits = clause.word(at + word).trim_start_matches('#');
    if digits.parse::<i64>().is_ok() { word + 1 } else { 0 }
}

/// "add a reminder to 3 an hour before", "set a reminder for it tomorrow at 9"
fn add_reminder(clause: Clause<'_>) -> Option<Update> {
    let noun =
        clause.until(8).find("reminder|reminders|alert").filter(|_| clause.is(0, "add|set|put|give"))?;
    let to = (noun + 1..clause.len()).find(|at| clause.is(*at, "to|for|on|of"))?;
    let target = clause.from(to + 1);
    let behind = target.slots_when(true);
    let named = clause.until(to).from(1);
    let mut changes = from_slots(named, &named.slots_when(true));
    changes.remind.extend(from_slots(target, &behind).remind);
    if let (true, Some(DueChange::Set { date, time })) =
        (changes.remind.is_empty(), from_slots(target, &behind).due)
    {
        let time = time.unwrap_or(jiff::civil::Time::constant(9, 0, 0, 0));
        changes.remind.push(Remind::At { date, time });
    }
    if changes.remind.is_empty() {
        changes.remind.push(Remind::Before { days: 0, minutes: 0, at: None });
    }
    let end = behind.first().map_or(target.len(), |found| found.range.start);
    Update::of(target.until(end), changes)
}

/// "add a note to 3: call first", "add the note call first to 3", "set the description of 3 to …"
fn describe(clause: Clause<'_>) -> Option<Update> {
    if !clause.is(0, "add|put|set|change|update|edit|give") {
        return None;
    }
    let article = usize::from(clause.is(1, "a|the|an|its|my"));
    let at = 1 + article;
    if !clause.is(at, "note|notes|description|details|comment") {
        return None;
    }
    let described = |target: Clause<'_>, words: Clause<'_>| {
        Update::of(target, Changes { description: Some(Some(words.written())), ..Changes::default() })
    };
    let to = clause.is(at + 1, "to|of|on|for");
    let end = (at + 1..clause.len()).find(|index| {
        clause.is(*index, ":|saying|that") || clause.tokens.get(*index).is_some_and(|token| token.is_quoted())
    });
    if to {
        let split = end.or_else(|| (at + 2..clause.len()).find(|index| clause.is(*index, "to")))?;
        let link = usize::from(!clause.tokens.get(split)?.is_quoted());
        let link_more = usize::from(clause.is(split + link, "says|:"));
        return described(clause.until(split).from(at + 2), clause.from(split + link + link_more));
    }
    let words = at + 1 + usize::from(clause.is(at + 1, ":|saying|that"));
    let last = (words..clause.len()).rev().find(|index| clause.is(*index, "to|on"))?;
    described(clause.from(last + 1), clause.until(last).from(words))
}

/// "set the due date of 3 to Friday", "change the priority of it to low", "set its title to …"
fn set_field(clause: Clause<'_>) -> Option<Update> {
    if !clause.is(0, "set|change|update|edit|make|modify|adjust|move|give|add") {
        return None;
    }
    let article = usize::from(clause.is(1, "the|its|my|a"));
    let field_at = 1 + article;
    let field = clause.phrase(field_at, FIELDS);
    if field == 0 {
        return None;
    }
    let of = usize::from(clause.is(field_at + field, "of|for|on|from"));
    let start = field_at + field + of;
    let to = (start..clause.len()).rev().find(|at| clause.is(*at, "to|as|=|:"))?;
    let (target, value) = (clause.until(to).from(start), clause.from(to + 1));
    // A field that a target follows without "of" is only a word of the title ("change the date night to …").
    if of == 0 && !target.is_empty() {
        return None;
    }
    let changes = match clause.word(field_at) {
        "title" | "name" => Changes { title: Some(value.written()), ..Changes::default() },
        "priority" | "prio" => {
            Changes { priority: Some(level(value.word(usize::from(value.is(0, "a"))))), ..Changes::default() }
        }
        "tag" | "tags" | "label" | "labels" => Changes {
            clear_tags: true,
            add_tags: tag_list(clause.text, value.tokens, 0)?.0,
            ..Changes::default()
        },
        _ => value_changes(value)?,
    };
    if target.is_empty() {
        return Some(Update { targets: vec![Target::Last], changes });
    }
    Update::of(target, changes)
}

/// "rename 3 to Call Ann", "call it Lunch instead"
fn rename(clause: Clause<'_>) -> Option<Update> {
    let titled = |value: Clause<'_>| Changes { title: Some(value.written()), ..Changes::default() };
    if clause.is(0, "call") && clause.is(1, "it|that") {
        let instead = clause.len() - usize::from(clause.is(clause.len() - 1, "instead"));
        return Some(Update { targets: vec![Target::Last], changes: titled(clause.until(instead).from(2)) });
    }
    if !clause.is(0, "rename|retitle|reword") {
        return None;
    }
    let quoted =
        (1..clause.len()).rev().find(|at| clause.tokens.get(*at).is_some_and(|token| token.is_quoted()));
    let to = match quoted.filter(|at| clause.is(at.saturating_sub(1), "to|as|into")) {
        Some(at) => at - 1,
        None => (1..clause.len()).find(|at| clause.is(*at, "to|as|into"))?,
    };
    Update::of(clause.until(to).from(1), titled(clause.from(to + 1)))
}

/// "postpone it by 2 days", "push the report back a week", "move 3 an hour earlier", "snooze it"
fn shift(clause: Clause<'_>) -> Option<Update> {
    let verb = clause.phrase(
        0,
        "push back|push|put off|bring forward|move up|bump up|bump|move|shift|postpone|snooze|\
            delay|extend|defer|pull forward|advance|make|change|reschedule|set|update|bring|move back",
    );
    if verb == 0 {
        return None;
    }
    let always = clause.is(0, "push|postpone|snooze|delay|extend|defer|put|bump");
    let found =
        (verb..clause.len()).find_map(|at| length(clause, at).map(|(length, used)| (at, length, used)));
    let earlier = clause.has("earlier|forward|up|sooner");
    let later = clause.has("later|back|out");
    match found.filter(|(at, _, used)| {
        always || earlier || later || clause.is(at.saturating_sub(1), "by") && clause.len() == at + used
    }) {
        Some((at, length, _)) if !clause.is(at.saturating_sub(1), "in|within") => {
            let sign = if earlier { -1 } else { 1 };
            let shift = Shift {
                months: sign * length.months,
                days: sign * length.days,
                minutes: sign * length.minutes,
            };
            let mut end = at;
            while end > verb && clause.is(end - 1, "by|for|back|forward|up|to|be|out|another") {
                end -= 1;
            }
            Update::of(
                clause.until(end).from(verb),
                Changes { due: Some(DueChange::Shift(shift)), ..Changes::default() },
            )
        }
        _ => {
            let nothing_said = always
                && clause.slots().is_empty()
                && !clause.has("to|until|till")
                && !clause.is(0, "put|push|bump|extend");
            nothing_said
                .then(|| {
                    Update::of(
                        clause.from(verb),
                        Changes {
                            due: Some(DueChange::Shift(Shift { days: 1, ..Shift::default() })),
                            ..Changes::default()
                        },
                    )
                })
                .flatten()
        }
    }
}

fn length(clause: Clause<'_>, at: usize) -> Option<(Shift, usize)> {
    if let Some((length, used)) = minutes(clause.tokens, at) {
        return Some((Shift { minutes: i32::try_from(length).ok()?, ..Shift::default() }, used));
    }
    let another = usize::from(clause.is(at, "another"));
    let (count, used) = if another == 1 {
        quantity(clause.tokens, at + 1).unwrap_or((1, 0))
    } else {
        quantity(clause.tokens, at)?
    };
    let count = i32::try_from(count).ok().filter(|count| *count < 10_000)?;
    let shift = match unit(clause.word(at + another + used))? {
        Unit::Day | Unit::Workday => Shift { days: count, ..Shift::default() },
        Unit::Week => Shift { days: count * 7, ..Shift::default() },
        Unit::Month => Shift { months: count, ..Shift::default() },
        Unit::Quarter => Shift { months: count * 3, ..Shift::default() },
        Unit::Year => Shift { months: count * 12, ..Shift::default() },
        Unit::Minute => Shift { minutes: count, ..Shift::default() },
        Unit::Hour => Shift { minutes: count * 60, ..Shift::default() },
    };
    Some((shift, another + used + 1))
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

/// The changes a value means, if it means nothing else: "Friday at 3", "high", "weekly", "6".
fn value_changes(value: Clause<'_>) -> Option<Changes> {
    let slots = value.slots();
    let rest = value.without(&slots);
    let rest = rest.to_lowercase();
    let quiet = rest.split(|c: char| !c.is_alphanumeric() && c != '\'').all(|word| {
        matches!(
            word,
            "" | "instead"
                | "please"
                | "be"
                | "due"
                | "a"
                | "and"
                | "on"
                | "the"
                | "for"
                | "at"
                | "rather"
                | "now"
                | "it"
                | "too"
                | "repeat"
                | "with"
                | "me"
                | "recur"
                | "priority"
                | "of"
                | "my"
        )
    });
    if !slots.is_empty() && quiet {
        return Some(from_slots(value, &slots));
    }
    let alone = value.len() == 1 || value.len() == 2 && value.is(1, "instead|please|.|level|!");
    if let Some(level) = level(value.word(0)).filter(|_| alone) {
        return Some(Changes { priority: Some(Some(level)), ..Changes::default() });
    }
    if value.is(0, "none|no") && value.is(1, "priority") {
        return Some(Changes { priority: Some(None), ..Changes::default() });
    }
    // "move it to 5": after "to" a number is an hour.
    alone.then(|| bare_hour(value)).flatten()
}

fn bare_hour(value: Clause<'_>) -> Option<Changes> {
    let mut led = value.tokens.first().cloned().into_iter().collect::<Vec<_>>();
    led.first_mut()?.low = "at".into();
    led.extend(value.tokens.iter().cloned());
    let (found, _) = when(&led, 0, value.now).filter(|(found, _)| found.has_time())?;
    let (date, time) = found.parts(value.now);
    Some(Changes { due: Some(DueChange::Set { date, time }), ..Changes::default() })
}

/// Everything the slots change.
pub(crate) fn from_slots(clause: Clause<'_>, slots: &[Found]) -> Changes {
    let now = clause.now;
    let mut changes = Changes::default();
    let mut said: Option<crate::when::When> = None;
    for found in slots {
        match &found.slot {
            Slot::When(more) => match &mut said {
                None => said = Some(more.clone()),
                Some(said) => {
                    if !said.merge(more) {
                        *said = more.clone();
                    }
                }
            },
            Slot::Repeat(repeat) => {
                let first = repeat.first(said.as_ref(), now);
                changes.repeat = Some(Some(repeat.rule(first, now)));
                changes.repeat_from_completion = repeat.from_completion;
                let anchored =
                    repeat.start.is_some() || !repeat.weekdays.is_empty() || !repeat.month_days.is_empty();
                changes.due = (anchored || first.time.is_some())
                    .then_some(DueChange::Set { date: anchored.then_some(first.date), time: first.time });
            }
            Slot::Remind(reminds) => changes.remind.extend(reminds),
            Slot::Priority(level) => changes.priority = Some(Some(level)),
            Slot::Tags(tags) => changes.add_tags.extend(tags.iter().cloned()),
            Slot::Description(words) => changes.description = Some(Some(words.clone())),
        }
    }
    if let Some(said) = said {
        let (date, time) = said.parts(now);
        changes.due = Some(DueChange::Set { date, time });
    }
    changes
}
