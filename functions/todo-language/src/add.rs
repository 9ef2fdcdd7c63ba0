//! New tasks: takes the dates and the rest out of a clause, and what is left is the title.

use crate::clause::Clause;
use crate::filter::is_list_name;
use crate::reading::{Due, Fields, Remind};
use crate::repeat::Repeat;
use crate::slots::{Found, Slot, priority};
use crate::target::PLURALS;
use crate::text::{Token, among};
use crate::when::{Lead, When};

/// The tasks a clause asks for, its verb taken away. `reminding`: it said "remind me", so a time is a reminder too.
pub(crate) fn tasks(clause: Clause<'_>, reminding: bool) -> Vec<Fields> {
    let (start, noun) = head(clause);
    let described = clause.until(start);
    let clause = clause.from(start);
    let reminding =
        reminding || noun.is_some_and(|noun| noun.starts_with("reminder") || noun.starts_with("alert"));
    let (tokens, list) = without_destination(clause);
    let clause = Clause { tokens: &tokens, ..clause };
    let mut fields = Fields::default();
    fields.tags.extend(list);
    let mut slots = clause.slots_when(reminding);
    slots.retain(|found| !belongs_to_title(clause, found));
    let used = take_slots(clause, &mut fields, slots, reminding);
    if fields.priority.is_none() {
        fields.priority = head_level(described);
    }
    let title = title(&clause.without(&used));
    if let Some(titles) = several(clause, &used, noun) {
        return titles.into_iter().map(|title| Fields { title, ..fields.clone() }).collect();
    }
    fields.title = title;
    vec![fields]
}

/// The words between the verb and the title: "a new high priority task called". Priority words stay for the slots.
fn head(clause: Clause<'_>) -> (usize, Option<&str>) {
    let mut at = 0;
    while clause.is(
        at,
        "a|an|the|another|new|me|us|one|more|my|some|these|following|this|up|in|:|,|please|extra|\
            for|quick",
    ) {
        at += 1;
    }
    let nouns = "task|tasks|todo|todos|to-do|to-dos|to do|item|items|reminder|reminders|note|entry|alert|\
        thing|things|to-do item|todo item|list item|task item|chore|chores|alerts";
    // "a high priority task called …": the level is not part of the title.
    let level = priority(clause.tokens, at)
        .map_or(0, |(_, used)| used)
        .max(usize::from(clause.is(at, "urgent|important")));
    if level > 0 && clause.phrase(at + level, nouns) > 0 {
        at += level;
    }
    let noun = clause.phrase(at, nouns);
    if noun == 0 {
        // Without a noun these words may belong to the title ("the quarterly report").
        let quiet = (0..at).take_while(|index| clause.is(*index, ":|,|me|us|please|a|an")).count();
        return (quiet, None);
    }
    let mut end = at + noun;
    end += clause.phrase(
        end,
        "on my list|to my list|for me|on my to-do list|to my to-do list|to my todo list|to the list",
    );
    loop {
        let link = clause.phrase(
            end,
            "called|named|titled|that says|which says|saying|:|-|to|about|with the title|with title|\
                for me to|for me|that i need to|that i have to|for|of|that|to remind me to|to remind me|\
                regarding|–|so i remember to|so that i|,",
        );
        if link == 0 {
            return (end, Some(clause.word(at)));
        }
        // "a reminder for Friday to …": the date's own word stays with it.
        if clause.is(end, "for")
            && clause.from(end).slots().first().is_some_and(|found| found.range.start == 0)
        {
            return (end, Some(clause.word(at)));
        }
        end += link;
    }
}

/// The level said before the noun: "an urgent task", "a low priority reminder".
fn head_level(head: Clause<'_>) -> Option<&'static str> {
    let bare = |at: usize| match head.word(at) {
        "urgent" => Some("urgent"),
        "important" => Some("high"),
        _ => None,
    };
    (0..head.len()).find_map(|at| priority(head.tokens, at).map(|(level, _)| level).or(bare(at)))
}

/// Takes "to my shopping list" away; a list's own name becomes a tag.
fn without_destination(clause: Clause<'_>) -> (Vec<Token>, Option<String>) {
    let found = (0..clause.len()).find_map(|at| Some((at, destination(clause, at)?)));
    let Some((at, (end, name))) = found else { return (clause.tokens.to_vec(), None) };
    let kept = clause.tokens.iter().enumerate().filter(|(index, _)| !(at..end).contains(index));
    (kept.map(|(_, token)| token.clone()).collect(), name)
}

const LISTS: &str = "list|to-do list|todo list|to do list|task list|tasks list|tasks|todos|to-dos|reminders|\
    reminder list|list of things to do|task|todo|to-do|reminder|lists|calendar|list of tasks|agenda|schedule|to do|todo's";

/// Where the destination that begins here ends, and the name of its list.
fn destination(clause: Clause<'_>, at: usize) -> Option<(usize, Option<String>)> {
    if !clause.is(at, "to|on|onto|in|into|as") {
        return None;
    }
    let article = usize::from(clause.is(at + 1, "my|the|our|a|an|your"));
    let noun = at + 1 + article;
    let plain = clause.phrase(noun, LISTS);
    let named = plain == 0 && is_list_name(clause.word(noun)) && clause.is(noun + 1, "list");
    let end = noun + if named { 2 } else { plain };
    let is_list = plain > 0 && (article > 0 || clause.is(noun + plain - 1, "list"));
    let next = clause.tokens.get(end);
    let closes = next
        .is_none_or(|next| !next.is_word() || next.is_any("to|please|and|that|called|for|by|due|with|every"))
        || clause.from(end).slots().first().is_some_and(|found| found.range.start == 0);
    let link = usize::from(at == 0 && clause.is(end, "to|:"));
    ((is_list || named) && closes).then(|| (end + link, named.then(|| clause.word(noun).to_owned())))
}

/// A date inside of what is plainly a name stays there: "the Friday report", "Sunday lunch with Ann".
fn belongs_to_title(clause: Clause<'_>, found: &Found) -> bool {
    let Slot::When(when) = &found.slot else { return false };
    let single = found.range.len() == 1 && when.lead == Lead::None;
    let article = found.range.start > 0 && clause.is(found.range.start - 1, "the|a|my|an|this");
    let followed = clause
        .tokens
        .get(found.range.end)
        .is_some_and(|next| next.is_word() && !next.is_any("to|and|at|for|with|by"));
    single && article && followed
}

/// Moves slots into the fields and gives back those that were used; what fits nowhere stays in the title.
fn take_slots(clause: Clause<'_>, fields: &mut Fields, slots: Vec<Found>, reminding: bool) -> Vec<Found> {
    let mut when: Option<When> = None;
    let mut repeat: Option<Repeat> = None;
    let keep = due_slot(clause, &slots);
    let mut used = Vec::new();
    for (index, found) in slots.into_iter().enumerate() {
        let taken = match &found.slot {
            Slot::When(more) => match &mut when {
                None if keep.is_none_or(|keep| keep <= index || fits_with(more)) => {
                    when = Some(more.clone());
                    true
                }
                None => false,
                Some(when) => when.merge(more),
            },
            Slot::Repeat(more) if repeat.is_none() => {
                repeat = Some((**more).clone());
                true
            }
            Slot::Repeat(_) => false,
            Slot::Remind(reminds) => {
                fields.remind.extend(reminds);
                true
            }
            Slot::Priority(level) => {
                fields.priority.is_none() && {
                    fields.priority = Some(level);
                    true
                }
            }
            Slot::Tags(tags) => {
                let new: Vec<String> =
                    tags.iter().filter(|tag| !fields.tags.contains(tag)).cloned().collect();
                fields.tags.extend(new);
                true
            }
            Slot::Description(words) => {
                fields.description = Some(words.clone());
                true
            }
        };
        if taken {
            used.push(found);
        }
    }
    settle(clause, fields, when, repeat, reminding);
    used
}

fn fits_with(when: &When) -> bool {
    !when.has_days()
}

/// Of several dates, the one that says when it is due: the first of the clause, one led by "by" or "due", else the last.
fn due_slot(clause: Clause<'_>, slots: &[Found]) -> Option<usize> {
    let dated = || {
        slots
            .iter()
            .enumerate()
            .filter(|(_, found)| matches!(&found.slot, Slot::When(when) if when.has_days()))
    };
    let opens = dated().find(|(_, found)| found.range.start == 0);
    let led = dated().find(|(_, found)| clause.is(found.range.start, "due|by|before"));
    opens.or(led).or_else(|| dated().next_back()).map(|(index, _)| index)
}

/// Sets due, repeat and the reminder at the due time.
fn settle(
    clause: Clause<'_>,
    fields: &mut Fields,
    when: Option<When>,
    repeat: Option<Repeat>,
    reminding: bool,
) {
    let now = clause.now;
    let due: Option<Due> = match &repeat {
        Some(rule) => Some(rule.first(when.as_ref(), now)),
        None => when.as_ref().map(|when| when.due(now)),
    };
    if let (Some(repeat), Some(due)) = (&repeat, due) {
        fields.repeat = Some(repeat.rule(due, now));
        fields.repeat_from_completion = repeat.from_completion;
    }
    fields.due = due;
    // "remind me at 5": the person wants to hear of it then, not only to find it in the list.
    if reminding && fields.remind.is_empty() && due.is_some_and(|due| due.time.is_some()) {
        fields.remind.push(Remind::Before { days: 0, minutes: 0, at: None });
    }
}

/// The bare title: without the words that led to it or that were left around what was taken out.
fn title(rest: &str) -> String {
    let mut title = rest.trim();
    loop {
        let before = title;
        for lead in LEADS.split('|') {
            title = strip_words_start(title, lead);
        }
        for tail in TAILS.split('|') {
            title = strip_words_end(title, tail);
        }
        title = title
            .trim()
            .trim_end_matches([',', ':', ';', '-', '–'])
            .trim_start_matches([',', ':', ';', '-', '–'])
            .trim();
        if title == before {
            return unquoted(title).to_owned();
        }
    }
}

fn unquoted(title: &str) -> &str {
    match crate::text::tokens(title).as_slice() {
        [only] if only.is_quoted() => crate::text::strip_quotes(title),
        _ => title,
    }
}

const LEADS: &str = "to|that i need to|that i have to|that i should|that i must|that i|i need to|i have to|\
    i should|i must|about the|about my|about|for me to|me to|that|and|for|called|saying|of|\
    then|please|is to|to-do|by|on|i have a|i have an|i've got a|me that|me about|at|when|\
    with the title|titled|regarding";
const TAILS: &str = "and|to|on|at|by|for|due|with|please|thanks|thank you|is|that is|that's|which is|from|\
    it is|it's|starting|as|in|in the|the|repeating|repeat|set|make it|and set it|and make it|\
    with a|mark it|mark it as|which|remind me|a|of|this is|it|and it's";

fn strip_words_start<'a>(title: &'a str, lead: &str) -> &'a str {
    let fits = title.get(..lead.len()).is_some_and(|start| start.eq_ignore_ascii_case(lead));
    match title.get(lead.len()..) {
        // "to" alone is no title; but "About Schmidt" loses its first word, which quotes prevent.
        Some(rest) if fits && rest.starts_with(char::is_whitespace) => rest.trim_start(),
        _ => title,
    }
}

fn strip_words_end<'a>(title: &'a str, tail: &str) -> &'a str {
    let at = title.len().saturating_sub(tail.len());
    let fits = title.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(tail));
    match title.get(..at) {
        Some(rest) if fits && (rest.is_empty() || rest.ends_with(char::is_whitespace)) => rest.trim_end(),
        _ => title,
    }
}

/// "tasks: milk, eggs and bread", "\"A\" and \"B\"", "milk, eggs and bread", bulleted lines: one task each.
fn several(clause: Clause<'_>, used: &[Found], noun: Option<&str>) -> Option<Vec<String>> {
    let parts = parts(clause, used);
    let quoted =
        parts.len() > 1 && parts.iter().all(|part| matches!(part.tokens, [only] if only.is_quoted()));
    let plural = noun.is_some_and(|noun| among(noun, PLURALS)) && parts.len() > 1;
    let verbs = "buy|get|pick|order|call|email|talk|meet|pack|bring|cook|make|clean|prepare|invite|discuss|\
        check|review";
    let short = parts.len() > 2
        && parts.iter().all(|part| part.len() <= 2)
        && !parts.first().is_some_and(|part| part.is(0, verbs) && part.len() > 1);
    if !(quoted || plural || short) {
        return None;
    }
    let titles: Vec<String> =
        parts.iter().map(|part| title(&part.written())).filter(|title| !title.is_empty()).collect();
    (titles.len() > 1).then_some(titles)
}

/// The pieces between commas, "and" and line breaks, the slots left out.
fn parts<'a>(clause: Clause<'a>, used: &[Found]) -> Vec<Clause<'a>> {
    let in_slot = |at: usize| used.iter().any(|found| found.range.contains(&at));
    let mut parts = Vec::new();
    let mut start = 0;
    for at in 0..=clause.len() {
        let splits = clause.is(at, ",|and|;|&")
            || clause.tokens.get(at).is_some_and(|token| token.kind == crate::text::Kind::Break)
            || in_slot(at);
        if splits || at == clause.len() {
            let part = clause.until(at).from(start);
            if !part.is_empty() {
                parts.push(part);
            }
            start = at + 1;
        }
    }
    parts
}
