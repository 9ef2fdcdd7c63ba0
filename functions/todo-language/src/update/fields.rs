//! Changes that name the field: tags, reminders, descriptions, titles, and fields that are cleared.

use super::Update;
use super::values::{from_slots, value_changes};
use crate::clause::Clause;
use crate::command::FIELDS;
use crate::reading::{Changes, DueChange, Remind, Target};
use crate::slots::{level, tag_list};

/// "remove the due date and the priority from 3", "untag 3", "remove #home from it"
pub(super) fn clear_field(clause: Clause<'_>) -> Option<Update> {
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
pub(super) fn tag(clause: Clause<'_>) -> Option<Update> {
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
pub(super) fn add_reminder(clause: Clause<'_>) -> Option<Update> {
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
pub(super) fn describe(clause: Clause<'_>) -> Option<Update> {
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
pub(super) fn set_field(clause: Clause<'_>) -> Option<Update> {
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
pub(super) fn rename(clause: Clause<'_>) -> Option<Update> {
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
