//! Due dates moved by a length of time.

use super::Update;
use crate::clause::Clause;
use crate::numbers::quantity;
use crate::reading::{Changes, DueChange, Shift};
use crate::when::calendar::{Unit, unit};
use crate::when::minutes;

/// "postpone it by 2 days", "push the report back a week", "move 3 an hour earlier", "snooze it"
pub(super) fn shift(clause: Clause<'_>) -> Option<Update> {
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
