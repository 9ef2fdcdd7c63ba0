#![allow(clippy::indexing_slicing, reason = "the evidence is made here")]
//! The check must be able to fail: whole evidence passes, and each way of doctoring it is noticed as what it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use todo_store::audit::{Break, Report};
use todo_store::rebuild::Rebuilt;

use super::{Claim, check};
use crate::evidence::{Evidence, Recorded, Theirs, Written};
use crate::history::{Added, Call, Deed, History, Outcome, Person};
use crate::load::{description, title};

const NAME: &str = "ada";
/// When the reminder is due, and when it was asked for.
const REMIND_AT: i64 = 1_000;
const ASKED_AT: i64 = 990_000;

/// Three tasks were added: 1 repeats, was completed and has the successor 3; 2 was renamed and reminds.
fn history() -> History {
    let added = |token: &str, series: Option<&str>, remind_at| {
        Deed::Add(Added { token: token.to_owned(), series: series.map(str::to_owned), remind_at })
    };
    let calls = [
        (added("one", Some("series"), None), Outcome::Acknowledged(json!({"task_id": 1}))),
        (added("two", None, Some(REMIND_AT)), Outcome::Acknowledged(json!({"task_id": 2}))),
        (Deed::Complete { task: 1 }, Outcome::Acknowledged(json!({"task_id": 1}))),
        (Deed::Rename { task: 2, token: "new".to_owned() }, Outcome::Acknowledged(json!({"task_id": 2}))),
        (Deed::Rename { task: 2, token: "unknown".to_owned() }, Outcome::Abandoned),
    ];
    let calls = calls.map(|(deed, outcome)| Call { deed, outcome });
    History { people: vec![Person { name: NAME.to_owned(), calls: calls.to_vec(), ..Person::default() }] }
}

fn task(id: i64, token: &str, completed: bool) -> Value {
    let mut task =
        json!({"id": id, "title": title(token), "description": description(token), "completed": completed});
    if token == "one" {
        task["tags"] = json!(["series"]);
    }
    task
}

/// What a system that lost nothing has of that.
fn evidence() -> Evidence {
    let mut theirs = Theirs {
        listed: vec![task(1, "one", true), task(2, "new", false), task(3, "one", false)],
        audit: Vec::new(),
        rebuilt: whole(),
        outbox: Vec::new(),
        last_event: 0,
        notifications: vec![(2, REMIND_AT)],
        pushed: Vec::new(),
        webhooks: BTreeSet::from(["due".to_owned()]),
    };
    changed(&mut theirs, "task.created", "tool-add-task", task(1, "one", false), &[]);
    changed(&mut theirs, "task.created", "tool-add-task", task(2, "two", false), &[]);
    changed(&mut theirs, "task.completed", "tool-complete-task", task(1, "one", true), &[]);
    changed(
        &mut theirs,
        "task.updated",
        "tool-update-task",
        task(2, "new", false),
        &["title", "description"],
    );
    changed(&mut theirs, "task.created", "event-repeat-task", task(3, "one", false), &[]);
    let due = Recorded {
        event_id: "due".to_owned(),
        event_type: "reminder.due".to_owned(),
        topic: "reminders".to_owned(),
        task_id: Some(2),
        remind_at: Some(REMIND_AT),
        ..Recorded::default()
    };
    record(&mut theirs, due);
    theirs.rebuilt.chain.last_sequence = theirs.last_event;
    Evidence { people: BTreeMap::from([(NAME.to_owned(), theirs)]), ..Evidence::default() }
}

/// A change of a task and its twin for open pages.
fn changed(theirs: &mut Theirs, event_type: &str, source: &str, task: Value, fields: &[&str]) {
    for topic in ["task-events", "task-updates"] {
        let entry = Recorded {
            event_id: format!("{topic}-{}", theirs.last_event),
            event_type: event_type.to_owned(),
            topic: topic.to_owned(),
            source: source.to_owned(),
            task_id: task["id"].as_i64(),
            occurred_at: ASKED_AT,
            task: Some(task.clone()),
            changed: fields.iter().map(|field| (*field).to_owned()).collect(),
            ..Recorded::default()
        };
        record(theirs, entry);
    }
    theirs.pushed.push(theirs.last_event);
}

fn record(theirs: &mut Theirs, mut entry: Recorded) {
    theirs.last_event += 1;
    entry.sequence = theirs.last_event;
    let (event_id, event_type) = (entry.event_id.clone(), entry.event_type.clone());
    theirs.outbox.push(Written { event_id, event_type, sent: true, problem: None });
    theirs.audit.push(entry);
}

fn whole() -> Rebuilt {
    Rebuilt {
        user_id: NAME.to_owned(),
        entries: 0,
        same: 0,
        older: 0,
        differing: 0,
        differences: Vec::new(),
        unreadable: Vec::new(),
        unrecorded: 0,
        chain: Report::default(),
    }
}

/// The claims that do not hold of doctored evidence.
fn broken_by(doctor: impl Fn(&mut Theirs)) -> Vec<Claim> {
    let mut evidence = evidence();
    evidence.people.values_mut().for_each(doctor);
    broken(&history(), &evidence)
}

fn broken(history: &History, evidence: &Evidence) -> Vec<Claim> {
    let claims: BTreeSet<_> =
        check(history, evidence).violations.into_iter().map(|violation| violation.claim).collect();
    claims.into_iter().collect()
}

fn take_entry(theirs: &mut Theirs, event_id: &str) -> Recorded {
    let index = theirs.audit.iter().position(|entry| entry.event_id == event_id);
    theirs.audit.remove(index.unwrap_or_default())
}

#[test]
fn what_is_whole_passes_and_everything_was_looked_at() {
    let verdict = check(&history(), &evidence());
    assert_eq!(verdict.violations, []);
    let looked_at: Vec<_> = verdict.checked.into_keys().collect();
    assert_eq!(looked_at, Claim::ALL);
}

#[test]
fn a_removed_audit_entry_is_missed() {
    // The renaming: nothing else tells of it.
    assert_eq!(
        broken_by(|theirs| _ = take_entry(theirs, "task-events-6")),
        [Claim::NeverHalf, Claim::RecordedOnce]
    );
}

#[test]
fn an_audit_entry_too_many_is_noticed() {
    let broken = broken_by(|theirs| {
        let again = theirs.audit.iter().find(|entry| entry.event_type == "task.updated").cloned();
        theirs.audit.extend(again);
    });
    assert_eq!(broken, [Claim::NeverHalf, Claim::RecordedOnce]);
}

#[test]
fn a_broken_chain_and_a_gap_are_told_apart() {
    let broken = broken_by(|theirs| theirs.rebuilt.chain.first_break = Some(Break { entry: 2, reason: "" }));
    assert_eq!(broken, [Claim::Chain]);
    assert_eq!(broken_by(|theirs| theirs.rebuilt.chain.missing.push((3, 4))), [Claim::NoGap]);
    // The last events leave no gap behind.
    assert_eq!(broken_by(|theirs| theirs.last_event += 1), [Claim::NoGap]);
}

#[test]
fn a_lost_task_is_missed() {
    assert_eq!(broken_by(|theirs| _ = theirs.listed.remove(1)), [Claim::Acknowledged]);
}

#[test]
fn a_change_that_was_taken_back_is_noticed() {
    assert_eq!(broken_by(|theirs| theirs.listed[1] = task(2, "two", false)), [Claim::Acknowledged]);
    assert_eq!(broken_by(|theirs| theirs.listed[0] = task(1, "one", false)), [Claim::Acknowledged]);
}

#[test]
fn a_change_that_was_not_answered_may_be_there_but_not_half_of_it() {
    assert_eq!(broken_by(|theirs| theirs.listed[1] = task(2, "unknown", false)), []);
    assert_eq!(broken_by(|theirs| theirs.listed[1]["title"] = json!(title("unknown"))), [Claim::NeverHalf]);
}

#[test]
fn a_successor_too_few_or_too_many_is_noticed() {
    let lost = broken_by(|theirs| {
        theirs.audit.retain(|entry| entry.task_id != Some(3));
        theirs.outbox.retain(|event| theirs.audit.iter().any(|entry| entry.event_id == event.event_id));
        theirs.pushed.pop();
    });
    assert_eq!(lost, [Claim::Successors]);
    let twice = broken_by(|theirs| {
        changed(theirs, "task.created", "event-repeat-task", task(4, "one", false), &[]);
        theirs.rebuilt.chain.last_sequence = theirs.last_event;
    });
    assert_eq!(twice, [Claim::Successors]);
}

#[test]
fn a_reminder_that_was_not_shown_or_shown_twice_is_noticed() {
    assert_eq!(broken_by(|theirs| theirs.notifications.clear()), [Claim::Reminded]);
    assert_eq!(broken_by(|theirs| theirs.notifications.push((2, REMIND_AT))), [Claim::Reminded]);
    assert_eq!(broken_by(|theirs| theirs.webhooks.clear()), [Claim::Webhook]);
}

#[test]
fn a_reminder_of_a_minute_that_was_over_is_not_expected() {
    let broken = broken_by(|theirs| {
        theirs.notifications.clear();
        theirs.audit.iter_mut().for_each(|entry| entry.occurred_at = 1_060_000);
    });
    assert_eq!(broken, []);
}

#[test]
fn pages_that_were_told_twice_or_not_at_all_are_noticed() {
    assert_eq!(broken_by(|theirs| _ = theirs.pushed.pop()), [Claim::Pushed]);
    assert_eq!(broken_by(|theirs| theirs.pushed.push(theirs.pushed[0])), [Claim::Pushed]);
}

#[test]
fn an_event_that_was_set_aside_or_waits_is_noticed() {
    assert_eq!(broken_by(|theirs| theirs.outbox[0].sent = false), [Claim::Published]);
    assert_eq!(
        broken_by(|theirs| theirs.outbox[0].problem = Some("too large".to_owned())),
        [Claim::Published]
    );
}

#[test]
fn tasks_that_are_not_what_the_audit_says_are_noticed() {
    assert_eq!(broken_by(|theirs| theirs.rebuilt.differing = 1), [Claim::Rebuilt]);
}

#[test]
fn dead_letters_deaths_and_people_without_anything_are_noticed() {
    let mut evidence = evidence();
    evidence.dead_letters.push("task.created for event-record-audit".to_owned());
    evidence.ended.push("todo up".to_owned());
    assert_eq!(broken(&history(), &evidence), [Claim::NoDeadLetters, Claim::Alive]);
    assert_eq!(broken(&history(), &Evidence::default()), [Claim::Acknowledged]);
}

#[test]
fn a_call_that_is_refused_or_never_answered_is_a_violation() {
    for outcome in [Outcome::Refused("there is no task 2".to_owned()), Outcome::Silence("503".to_owned())] {
        let mut history = history();
        let deed = Deed::Rename { task: 2, token: "last".to_owned() };
        history
            .people
            .iter_mut()
            .for_each(|person| person.calls.push(Call { deed: deed.clone(), outcome: outcome.clone() }));
        assert_eq!(broken(&history, &evidence()), [Claim::Answered]);
    }
}

#[test]
fn after_a_deletion_without_an_answer_a_refusal_tells_that_it_was_done() {
    let mut history = history();
    let calls = [
        (Deed::Delete { task: 2 }, Outcome::Abandoned),
        (
            Deed::Rename { task: 2, token: "last".to_owned() },
            Outcome::Refused("there is no task 2".to_owned()),
        ),
    ];
    let calls = calls.map(|(deed, outcome)| Call { deed, outcome });
    history.people.iter_mut().for_each(|person| person.calls.extend(calls.clone()));
    // It is still there.
    assert_eq!(broken(&history, &evidence()), [Claim::Acknowledged, Claim::RecordedOnce]);
}
