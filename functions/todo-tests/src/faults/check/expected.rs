//! What a person's tasks must be like, from what they were told. A call without an answer leaves both possible: each number that is not
//! certain is a range.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::Theirs;
use crate::history::{Added, Call, Deed, Outcome, Person};
use crate::load::title;

/// Whether something is so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sure {
    Yes,
    #[default]
    No,
    Maybe,
}

/// How often something happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub least: usize,
    pub most: usize,
}

impl Times {
    pub fn allow(self, times: usize) -> bool {
        (self.least..=self.most).contains(&times)
    }

    fn happened(&mut self, sure: Sure) {
        self.most += usize::from(sure != Sure::No);
        self.least += usize::from(sure == Sure::Yes);
    }
}

/// One task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Task {
    pub exists: Sure,
    pub completed: Sure,
    /// What it may be called; anything, when it was made by the system and not renamed since.
    pub tokens: Option<BTreeSet<String>>,
    pub completions: Times,
    pub reopenings: Times,
    pub deletions: Times,
    /// When to remind, if that is known for certain.
    pub remind_at: Option<i64>,
    /// Somebody tried to complete or delete it: then nobody can say whether a reminder was still wanted when it was due.
    pub disturbed: bool,
    /// It is not known of every call whether it was done.
    pub doubtful: bool,
}

/// Everything that a person may rely on.
#[derive(Debug, Default)]
pub struct Expected {
    pub tasks: BTreeMap<i64, Task>,
    /// Calls that were refused although nothing was wrong with them.
    pub refused: Vec<String>,
}

impl Expected {
    /// `theirs` only tells which numbers the tasks have whose addition was not answered.
    pub fn of(person: &Person, theirs: &Theirs) -> Self {
        let mut expected = Self::default();
        for call in &person.calls {
            match (&call.outcome, &call.deed) {
                (_, Deed::Add(added)) => expected.add(call, added, theirs),
                (Outcome::Refused(why), _) => expected.refuse(call, why),
                (Outcome::Acknowledged(_), _) => expected.apply(&call.deed, Sure::Yes),
                (Outcome::Abandoned | Outcome::Silence(_), _) => expected.apply(&call.deed, Sure::Maybe),
            }
        }
        expected
    }

    fn add(&mut self, call: &Call, added: &Added, theirs: &Theirs) {
        if let Outcome::Refused(why) = &call.outcome {
            self.refused.push(format!("{added:?} was refused: {why}"));
        }
        let Some(id) = call.added().or_else(|| theirs.created(&title(&added.token))) else { return };
        let tokens = Some(BTreeSet::from([added.token.clone()]));
        let task = Task { exists: Sure::Yes, tokens, remind_at: added.remind_at, ..Task::default() };
        self.tasks.insert(id, task);
    }

    /// Right only if a deletion that was not answered had been done after all.
    fn refuse(&mut self, call: &Call, why: &str) {
        let task = self.tasks.entry(task_of(&call.deed)).or_insert_with(made_by_the_system);
        match task.exists {
            Sure::Maybe => {
                task.exists = Sure::No;
                task.deletions = Times { least: 1, most: 1 };
            }
            _ => self.refused.push(format!("{:?} was refused: {why}", call.deed)),
        }
    }

    fn apply(&mut self, deed: &Deed, done: Sure) {
        let task = self.tasks.entry(task_of(deed)).or_insert_with(made_by_the_system);
        task.doubtful |= done == Sure::Maybe;
        if done == Sure::Yes && task.exists == Sure::Maybe {
            // It answers, so it had not been deleted.
            task.exists = Sure::Yes;
            task.deletions = Times::default();
        }
        match deed {
            Deed::Add(_) => {}
            Deed::Rename { token, .. } => match (done, &mut task.tokens) {
                (Sure::Yes, tokens) => *tokens = Some(BTreeSet::from([token.clone()])),
                (_, Some(tokens)) => _ = tokens.insert(token.clone()),
                (_, None) => {}
            },
            Deed::Move { remind_at, .. } => task.remind_at = (done == Sure::Yes).then_some(*remind_at),
            Deed::Complete { .. } => {
                task.disturbed = true;
                task.completions.happened(both(done, not(task.completed)));
                task.completed = either(task.completed, done);
            }
            Deed::Reopen { .. } => {
                task.reopenings.happened(both(done, task.completed));
                task.completed = not(either(not(task.completed), done));
            }
            Deed::Delete { .. } => {
                task.disturbed = true;
                task.deletions.happened(both(done, task.exists));
                task.exists = not(either(not(task.exists), done));
            }
        }
    }
}

fn made_by_the_system() -> Task {
    Task { exists: Sure::Yes, ..Task::default() }
}

fn task_of(deed: &Deed) -> i64 {
    match deed {
        Deed::Add(_) => 0,
        Deed::Rename { task, .. }
        | Deed::Move { task, .. }
        | Deed::Complete { task }
        | Deed::Reopen { task }
        | Deed::Delete { task } => *task,
    }
}

fn not(sure: Sure) -> Sure {
    match sure {
        Sure::Yes => Sure::No,
        Sure::No => Sure::Yes,
        Sure::Maybe => Sure::Maybe,
    }
}

fn both(one: Sure, other: Sure) -> Sure {
    match (one, other) {
        (Sure::No, _) | (_, Sure::No) => Sure::No,
        (Sure::Yes, Sure::Yes) => Sure::Yes,
        _ => Sure::Maybe,
    }
}

fn either(one: Sure, other: Sure) -> Sure {
    not(both(not(one), not(other)))
}
