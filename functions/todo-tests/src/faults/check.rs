//! What was found, held against what people were told. No I/O: everything here can be tried on data that was doctored.

mod expected;
mod recorded;
mod reminders;
mod series;
mod tasks;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::evidence::{Evidence, Theirs};
use crate::history::{History, Outcome, Person};
use expected::Expected;

/// What must hold, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    Answered,
    Acknowledged,
    NeverHalf,
    Published,
    RecordedOnce,
    Chain,
    NoGap,
    Successors,
    Reminded,
    Webhook,
    Pushed,
    Rebuilt,
    NoDeadLetters,
    Alive,
}

impl Claim {
    pub const ALL: [Self; 14] = [
        Self::Answered,
        Self::Acknowledged,
        Self::NeverHalf,
        Self::Published,
        Self::RecordedOnce,
        Self::Chain,
        Self::NoGap,
        Self::Successors,
        Self::Reminded,
        Self::Webhook,
        Self::Pushed,
        Self::Rebuilt,
        Self::NoDeadLetters,
        Self::Alive,
    ];

    /// For a person to read.
    pub fn words(self) -> &'static str {
        match self {
            Self::Answered => "every call is answered in the end, and rightly",
            Self::Acknowledged => "every acknowledged change is in the tasks",
            Self::NeverHalf => "no change is there by half",
            Self::Published => "every event was published",
            Self::RecordedOnce => "every change is in the audit exactly once",
            Self::Chain => "every audit chain verifies",
            Self::NoGap => "no person's numbering of events has a gap",
            Self::Successors => "each completed repeating task has exactly one successor",
            Self::Reminded => "each reminder that was due was shown exactly once",
            Self::Webhook => "each reached the webhook at least once",
            Self::Pushed => "open pages were told each change exactly once",
            Self::Rebuilt => "the tasks rebuilt from the audit are the live ones",
            Self::NoDeadLetters => "nothing became a dead letter",
            Self::Alive => "nothing ended by itself",
        }
    }
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Violation {
    pub claim: Claim,
    /// Who is concerned; empty when nobody is.
    pub person: String,
    pub what: String,
}

/// What was looked at, and what was wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verdict {
    /// How many things were looked at for each claim.
    pub checked: BTreeMap<Claim, u64>,
    pub violations: Vec<Violation>,
}

impl Verdict {
    /// Looks at one thing.
    fn expect(&mut self, claim: Claim, person: &str, holds: bool, what: impl FnOnce() -> String) {
        *self.checked.entry(claim).or_default() += 1;
        if !holds {
            self.violations.push(Violation { claim, person: person.to_owned(), what: what() });
        }
    }
}

/// Holds everything against everything.
pub fn check(history: &History, evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict::default();
    for person in &history.people {
        match evidence.people.get(&person.name) {
            Some(theirs) => check_person(&mut verdict, person, theirs),
            None => verdict.expect(Claim::Acknowledged, &person.name, person.calls.is_empty(), || {
                "there is nothing of this person at all".to_owned()
            }),
        }
    }
    verdict.expect(Claim::NoDeadLetters, "", true, String::new);
    for letter in &evidence.dead_letters {
        verdict.expect(Claim::NoDeadLetters, "", false, || letter.clone());
    }
    verdict.expect(Claim::Alive, "", true, String::new);
    for ended in &evidence.ended {
        verdict.expect(Claim::Alive, "", false, || ended.clone());
    }
    verdict
}

fn check_person(verdict: &mut Verdict, person: &Person, theirs: &Theirs) {
    for call in &person.calls {
        let silent = matches!(call.outcome, Outcome::Silence(_));
        verdict.expect(Claim::Answered, &person.name, !silent, || {
            format!("{:?}: {:?}", call.deed, call.outcome)
        });
    }
    let expected = Expected::of(person, theirs);
    for refused in &expected.refused {
        verdict.expect(Claim::Answered, &person.name, false, || refused.clone());
    }
    tasks::check(verdict, person, &expected, theirs);
    recorded::check(verdict, person, &expected, theirs);
    series::check(verdict, person, &expected, theirs);
    reminders::check(verdict, person, &expected, theirs);
    rebuilt(verdict, &person.name, theirs);
}

fn rebuilt(verdict: &mut Verdict, name: &str, theirs: &Theirs) {
    let rebuilt = &theirs.rebuilt;
    let same = rebuilt.differing == 0 && rebuilt.unreadable.is_empty();
    verdict.expect(Claim::Rebuilt, name, same, || {
        format!(
            "{} tasks differ: {:?}; unreadable entries: {:?}",
            rebuilt.differing, rebuilt.differences, rebuilt.unreadable
        )
    });
    verdict.expect(Claim::Chain, name, rebuilt.chain.first_break.is_none(), || {
        format!("{:?}", rebuilt.chain.first_break)
    });
    let whole = rebuilt.chain.missing.is_empty() && rebuilt.chain.last_sequence == theirs.last_event;
    verdict.expect(Claim::NoGap, name, whole, || {
        let (missing, last) = (&rebuilt.chain.missing, rebuilt.chain.last_sequence);
        format!("events {missing:?} are missing; the last one recorded is {last} of {}", theirs.last_event)
    });
}
