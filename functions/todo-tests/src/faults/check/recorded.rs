//! The audit and the outbox: each change exactly once, and what open pages were told.

use std::collections::{BTreeMap, BTreeSet};

use super::expected::{Expected, Sure, Times};
use super::{Claim, Verdict};
use crate::evidence::{Recorded, Theirs};
use crate::history::{Deed, Outcome, Person};
use crate::load::title;

/// Who adds tasks for people, not for the system.
const ADDING: &str = "tool-add-task";

pub fn check(verdict: &mut Verdict, person: &Person, expected: &Expected, theirs: &Theirs) {
    calls(verdict, person, theirs);
    tasks(verdict, &person.name, expected, theirs);
    events(verdict, &person.name, theirs);
    twins(verdict, &person.name, theirs);
    pushed(verdict, &person.name, theirs);
}

/// Additions and changes can be told by their token.
fn calls(verdict: &mut Verdict, person: &Person, theirs: &Theirs) {
    for call in &person.calls {
        let (token, event_type) = match &call.deed {
            Deed::Add(added) => (&added.token, "task.created"),
            Deed::Rename { token, .. } => (token, "task.updated"),
            _ => continue,
        };
        let times = match call.outcome {
            Outcome::Acknowledged(_) => Times { least: 1, most: 1 },
            Outcome::Refused(_) => Times::default(),
            Outcome::Abandoned | Outcome::Silence(_) => Times { least: 0, most: 1 },
        };
        let title = title(token);
        let made = |entry: &&Recorded| match event_type {
            "task.created" => entry.source == ADDING,
            _ => entry.changed.iter().any(|field| field == "title"),
        };
        let found = theirs.of_tasks(event_type).filter(|entry| entry.title() == Some(&title)).filter(made);
        let ids: Vec<_> = found.map(|entry| entry.task_id).collect();
        verdict.expect(Claim::RecordedOnce, &person.name, times.allow(ids.len()), || {
            format!("{:?} ({:?}) is recorded {} times", call.deed, call.outcome, ids.len())
        });
        if let Some(id) = call.added() {
            verdict.expect(
                Claim::RecordedOnce,
                &person.name,
                ids.iter().all(|found| *found == Some(id)),
                || format!("{:?} was acknowledged as task {id} and recorded as {ids:?}", call.deed),
            );
        }
    }
}

/// The other changes are counted for each task.
fn tasks(verdict: &mut Verdict, name: &str, expected: &Expected, theirs: &Theirs) {
    for (id, task) in &expected.tasks {
        let counted = [
            ("task.completed", task.completions),
            ("task.reopened", task.reopenings),
            ("task.deleted", task.deletions),
        ];
        for (event_type, times) in counted {
            let found = theirs.of_tasks(event_type).filter(|entry| entry.task_id == Some(*id)).count();
            verdict.expect(Claim::RecordedOnce, name, times.allow(found), || {
                format!("{event_type} of task {id} is recorded {found} times, and should be {times:?}")
            });
        }
        if task.exists == Sure::Yes {
            let created = theirs.of_tasks("task.created").filter(|entry| entry.task_id == Some(*id)).count();
            verdict.expect(Claim::RecordedOnce, name, created == 1, || {
                format!("task {id} was created {created} times")
            });
        }
    }
}

/// What was written down to be told, and what was recorded, is the same.
fn events(verdict: &mut Verdict, name: &str, theirs: &Theirs) {
    let mut recorded: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &theirs.audit {
        *recorded.entry(&entry.event_id).or_default() += 1;
    }
    for event in &theirs.outbox {
        let times = recorded.remove(event.event_id.as_str()).unwrap_or(0);
        verdict.expect(Claim::RecordedOnce, name, times == 1, || {
            format!("{} {} is recorded {times} times", event.event_type, event.event_id)
        });
        verdict.expect(Claim::Published, name, event.sent && event.problem.is_none(), || {
            let why = event.problem.as_deref().unwrap_or("it waits");
            format!("{} {} is not published: {why}", event.event_type, event.event_id)
        });
    }
    verdict.expect(Claim::RecordedOnce, name, recorded.is_empty(), || {
        format!("recorded, and never written by anybody: {:?}", recorded.keys())
    });
}

/// Each change of a task is told on both topics.
fn twins(verdict: &mut Verdict, name: &str, theirs: &Theirs) {
    let mut balance: BTreeMap<(&str, Option<i64>), i64> = BTreeMap::new();
    for entry in theirs.audit.iter().filter(|entry| entry.event_type.starts_with("task.")) {
        *balance.entry((&entry.event_type, entry.task_id)).or_default() +=
            if entry.topic == "task-events" { 1 } else { -1 };
    }
    for ((event_type, task), balance) in balance {
        verdict.expect(Claim::NeverHalf, name, balance == 0, || {
            format!("{event_type} of task {task:?} is on one topic more often than on the other")
        });
    }
}

fn pushed(verdict: &mut Verdict, name: &str, theirs: &Theirs) {
    let told: BTreeSet<_> = theirs.pushed.iter().copied().collect();
    let wanted = theirs.audit.iter().filter(|entry| entry.topic == "task-updates");
    let wanted: BTreeSet<_> = wanted.map(|entry| entry.sequence).collect();
    verdict.expect(Claim::Pushed, name, told == wanted, || {
        format!(
            "not told: {:?}; told of nothing: {:?}",
            wanted.difference(&told).collect::<Vec<_>>(),
            told.difference(&wanted).collect::<Vec<_>>()
        )
    });
    verdict.expect(Claim::Pushed, name, told.len() == theirs.pushed.len(), || {
        "something was told twice".to_owned()
    });
}
