//! Reminders that were due.

use std::collections::BTreeMap;

use super::expected::{Expected, Sure};
use super::{Claim, Verdict};
use crate::evidence::{Recorded, Theirs};
use crate::history::Person;

/// A moment that was over for a minute when it was asked for is not reminded of.
const GRACE_MS: i64 = 55_000;

/// A task and the second to be reminded at.
type Moment = (i64, i64);

pub fn check(verdict: &mut Verdict, person: &Person, expected: &Expected, theirs: &Theirs) {
    let name = &person.name;
    let mut due: BTreeMap<Moment, Vec<&str>> = BTreeMap::new();
    for entry in theirs.audit.iter().filter(|entry| entry.event_type == "reminder.due") {
        let moment = (entry.task_id.unwrap_or(0), entry.remind_at.unwrap_or(0));
        due.entry(moment).or_default().push(&entry.event_id);
    }
    let mut shown: BTreeMap<Moment, usize> = BTreeMap::new();
    for moment in &theirs.notifications {
        *shown.entry(*moment).or_default() += 1;
    }
    for (moment, events) in &due {
        verdict.expect(Claim::Reminded, name, events.len() == 1, || {
            format!("{moment:?} was due {} times", events.len())
        });
    }
    for (moment, times) in &shown {
        let right = *times == 1 && due.contains_key(moment);
        verdict
            .expect(Claim::Reminded, name, right, || format!("{moment:?} was shown {times} times: {due:?}"));
    }
    for moment in wanted(expected, theirs) {
        let times = shown.get(&moment).copied().unwrap_or(0);
        verdict.expect(Claim::Reminded, name, times == 1, || format!("{moment:?} was shown {times} times"));
        let received =
            due.get(&moment).is_some_and(|events| events.iter().any(|id| theirs.webhooks.contains(*id)));
        verdict.expect(Claim::Webhook, name, received, || format!("{moment:?} never reached the webhook"));
    }
}

/// The reminders of which it is certain that they were wanted when they were due: those of tasks that nobody tried to finish.
fn wanted(expected: &Expected, theirs: &Theirs) -> Vec<Moment> {
    let undisturbed = expected.tasks.iter().filter(|(_, task)| task.exists == Sure::Yes && !task.disturbed);
    let moments = undisturbed.filter_map(|(id, task)| Some((*id, task.remind_at?)));
    moments.filter(|moment| in_time(theirs, *moment)).collect()
}

fn in_time(theirs: &Theirs, (task, remind_at): Moment) -> bool {
    let says = |entry: &&Recorded| {
        entry.task_id == Some(task)
            && (entry.event_type == "task.created" || entry.changed.iter().any(|field| field == "remind"))
    };
    let said = theirs.audit.iter().rfind(|entry| entry.topic == "task-events" && says(entry));
    said.is_some_and(|entry| entry.occurred_at <= remind_at.saturating_mul(1_000).saturating_add(GRACE_MS))
}
