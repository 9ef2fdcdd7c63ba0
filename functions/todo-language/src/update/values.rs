//! What a value changes.

use crate::clause::Clause;
use crate::reading::{Changes, DueChange};
use crate::slots::{Found, Slot, level};
use crate::when::when;

/// The changes a value means, if it means nothing else: "Friday at 3", "high", "weekly", "6".
pub(super) fn value_changes(value: Clause<'_>) -> Option<Changes> {
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
