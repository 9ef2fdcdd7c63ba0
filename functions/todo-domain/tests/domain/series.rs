//! What comes after a completed task: clocks, ends, completions early and late.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use todo_domain::{AddTask, Ended, Next, Occurrence, RepeatFrom, Task, TaskId, UpdateTask, arguments};

fn task(due: &str, zone: &str, rule: &str, from: RepeatFrom) -> Task {
    let call = json!({"user_id": "ada", "title": "Task", "due": due, "timezone": zone, "repeat": rule, "repeat_from": from});
    add(call)
}

fn add(call: Value) -> Task {
    let new = arguments::parse::<AddTask>(call).unwrap().validate().unwrap();
    new.numbered(TaskId(1), Timestamp::UNIX_EPOCH)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn next(task: &Task, completed_at: Timestamp) -> Result<Occurrence, Ended> {
    match task.next_occurrence(completed_at).unwrap() {
        Next::Due(occurrence) => Ok(occurrence),
        Next::Ended(why) => Err(why),
    }
}

/// The task of the next occurrence.
fn follow(task: &Task, completed_at: Timestamp) -> Option<Task> {
    let next = next(task, completed_at).ok()?;
    Some(task.successor(next).numbered(TaskId(task.id.0 + 1), completed_at))
}

/// When the tasks of a series are due, each completed the moment it is.
fn dues(mut task: Task, count: usize) -> Vec<String> {
    let mut dues = vec![task.due.as_ref().unwrap().to_string()];
    while let Some(following) =
        follow(&task, task.due.as_ref().unwrap().instant()).filter(|_| dues.len() < count)
    {
        dues.push(following.due.as_ref().unwrap().to_string());
        task = following;
    }
    dues
}

#[test]
fn nine_stays_nine_when_the_clocks_change() {
    let series = [
        (
            "Europe/Berlin",
            "2026-10-24T09:00",
            ["2026-10-24T09:00:00+02:00", "2026-10-25T09:00:00+01:00", "2026-10-26T09:00:00+01:00"],
        ),
        (
            "Europe/Berlin",
            "2027-03-27T09:00",
            ["2027-03-27T09:00:00+01:00", "2027-03-28T09:00:00+02:00", "2027-03-29T09:00:00+02:00"],
        ),
        (
            "America/New_York",
            "2026-10-31T09:00",
            ["2026-10-31T09:00:00-04:00", "2026-11-01T09:00:00-05:00", "2026-11-02T09:00:00-05:00"],
        ),
        // In a gap the time is shifted forward, and only on that day.
        (
            "Europe/Berlin",
            "2027-03-27T02:30",
            ["2027-03-27T02:30:00+01:00", "2027-03-28T03:30:00+02:00", "2027-03-29T02:30:00+02:00"],
        ),
        (
            "America/New_York",
            "2027-03-13T02:15",
            ["2027-03-13T02:15:00-05:00", "2027-03-14T03:15:00-04:00", "2027-03-15T02:15:00-04:00"],
        ),
        // Of a time that comes twice the first is meant.
        (
            "Europe/Berlin",
            "2026-10-24T02:30",
            ["2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"],
        ),
        (
            "America/New_York",
            "2026-10-31T01:30",
            ["2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"],
        ),
        // Midnight itself is skipped in these two.
        (
            "America/Sao_Paulo",
            "2018-11-03T00:00",
            ["2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"],
        ),
        (
            "Asia/Beirut",
            "2027-03-27T00:30",
            ["2027-03-27T00:30:00+02:00", "2027-03-28T01:30:00+03:00", "2027-03-29T00:30:00+03:00"],
        ),
        // And all-day tasks know nothing of it.
        ("America/Sao_Paulo", "2018-11-03", ["2018-11-03", "2018-11-04", "2018-11-05"]),
        ("Asia/Beirut", "2027-03-27", ["2027-03-27", "2027-03-28", "2027-03-29"]),
    ];
    for (zone, due, expected) in series {
        assert_eq!(dues(task(due, zone, "FREQ=DAILY", RepeatFrom::Due), 3), expected, "{zone} {due}");
    }
}

#[test]
fn a_month_end_does_not_drift() {
    let ends = ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"];
    assert_eq!(dues(task("2027-01-31", "UTC", "FREQ=MONTHLY", RepeatFrom::Due), 5), ends);
    let leap = ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"];
    assert_eq!(dues(task("2028-02-29", "UTC", "FREQ=YEARLY", RepeatFrom::Due), 5), leap);
}

#[test]
fn a_series_ends_by_count_and_by_until() {
    let end = |due, zone, rule, from| dues(task(due, zone, rule, from), 9).len();
    let (berlin, tokyo) = ("Europe/Berlin", "Asia/Tokyo");
    assert_eq!(end("2026-11-27", berlin, "FREQ=DAILY;COUNT=1", RepeatFrom::Due), 1);
    assert_eq!(end("2026-11-27", berlin, "FREQ=DAILY;COUNT=4", RepeatFrom::Due), 4);
    assert_eq!(end("2026-11-27", berlin, "FREQ=DAILY;COUNT=4", RepeatFrom::Completion), 4);
    // The first date is one of them, even where the rule would not give it.
    assert_eq!(end("2026-11-25", berlin, "FREQ=WEEKLY;BYDAY=FR;COUNT=3", RepeatFrom::Due), 3);
    assert_eq!(end("2026-11-27", berlin, "FREQ=DAILY;UNTIL=20261129", RepeatFrom::Due), 3);
    assert_eq!(end("2026-11-27T23:00", berlin, "FREQ=DAILY;UNTIL=20261129", RepeatFrom::Due), 3);
    assert_eq!(end("2026-11-27T09:00", berlin, "FREQ=DAILY;UNTIL=20261129T090000", RepeatFrom::Due), 3);
    assert_eq!(end("2026-11-27T09:00", berlin, "FREQ=DAILY;UNTIL=20261129T085959", RepeatFrom::Due), 2);
    assert_eq!(end("2026-11-27T09:00", berlin, "FREQ=DAILY;UNTIL=20261129T080000Z", RepeatFrom::Due), 3);
    assert_eq!(end("2026-11-27T09:00", berlin, "FREQ=DAILY;UNTIL=20261129T075959Z", RepeatFrom::Due), 2);
    assert_eq!(end("2026-11-27", tokyo, "FREQ=DAILY;UNTIL=20261128T150000Z", RepeatFrom::Due), 3);
    assert_eq!(end("2026-11-27", berlin, "FREQ=DAILY;UNTIL=20261129", RepeatFrom::Completion), 3);
    assert_eq!(end("9999-12-30", "UTC", "FREQ=DAILY", RepeatFrom::Due), 2);
}

#[test]
fn an_end_says_why() {
    let ended = |rule| {
        next(&task("2026-11-27", "UTC", rule, RepeatFrom::Due), at("2026-11-27T12:00:00Z")).unwrap_err()
    };
    assert_eq!(ended("FREQ=DAILY;COUNT=1"), Ended::Count);
    assert_eq!(ended("FREQ=DAILY;UNTIL=20261127"), Ended::Until);
    assert_eq!(ended("FREQ=MONTHLY;INTERVAL=12;BYMONTH=3"), Ended::Calendar);
}

#[test]
fn missed_occurrences_are_skipped_and_count() {
    let given = [
        // Done in time, early, and late by less than one, by one, by several.
        ("2026-11-27T09:00", "FREQ=DAILY", "2026-11-27T08:59:59Z", "2026-11-28T09:00:00+00:00", 0),
        ("2026-11-27T09:00", "FREQ=DAILY", "2026-11-20T12:00:00Z", "2026-11-28T09:00:00+00:00", 0),
        ("2026-11-27T09:00", "FREQ=DAILY", "2026-11-28T08:59:59Z", "2026-11-28T09:00:00+00:00", 0),
        ("2026-11-27T09:00", "FREQ=DAILY", "2026-11-28T09:00:00Z", "2026-11-29T09:00:00+00:00", 1),
        ("2026-11-27T09:00", "FREQ=DAILY", "2026-12-27T10:00:00Z", "2026-12-28T09:00:00+00:00", 30),
        // All day means until the day is over, so today's is not missed yet.
        ("2026-11-27", "FREQ=DAILY", "2026-11-28T23:59:59Z", "2026-11-28", 0),
        ("2026-11-27", "FREQ=DAILY", "2026-11-30T12:00:00Z", "2026-11-30", 2),
        ("2026-11-27", "FREQ=WEEKLY;BYDAY=MO,FR", "2026-12-10T12:00:00Z", "2026-12-11", 3),
        ("2027-01-31", "FREQ=MONTHLY", "2027-04-01T12:00:00Z", "2027-04-30", 2),
        ("2027-01-31", "FREQ=MONTHLY;COUNT=4", "2027-04-01T12:00:00Z", "2027-04-30", 2),
    ];
    for (due, rule, completed, expected, skipped) in given {
        let next = next(&task(due, "UTC", rule, RepeatFrom::Due), at(completed)).unwrap();
        let found = (next.due.to_string(), next.skipped, next.series.ordinal);
        assert_eq!(found, (expected.to_owned(), skipped, skipped + 2), "{due} {rule} {completed}");
    }
    let late = task("2027-01-31", "UTC", "FREQ=MONTHLY;COUNT=3", RepeatFrom::Due);
    assert_eq!(next(&late, at("2027-04-01T12:00:00Z")), Err(Ended::Count), "the third one was missed");
    let late = task("2027-01-31", "UTC", "FREQ=MONTHLY;UNTIL=20270331", RepeatFrom::Due);
    assert_eq!(next(&late, at("2027-04-01T12:00:00Z")), Err(Ended::Until));
}

#[test]
fn a_task_neglected_for_decades_is_caught_up_with_in_one_step() {
    let old = task("1976-11-27T09:00", "Europe/Berlin", "FREQ=DAILY", RepeatFrom::Due);
    let next_one = next(&old, at("2026-11-27T12:00:00Z")).unwrap();
    assert_eq!((next_one.due.to_string().as_str(), next_one.skipped), ("2026-11-28T09:00:00+01:00", 18_262));
}

#[test]
fn counted_from_completion_the_day_is_the_one_of_the_completion_in_the_series_zone() {
    let given = [
        ("2026-11-27T09:00", "FREQ=DAILY;INTERVAL=3", "2026-11-30T22:30:00Z", "2026-12-03T09:00:00+01:00"),
        // Half past midnight in Berlin is another day.
        ("2026-11-27T09:00", "FREQ=DAILY;INTERVAL=3", "2026-11-30T23:30:00Z", "2026-12-04T09:00:00+01:00"),
        // Done early, it counts from then all the same.
        ("2026-11-27", "FREQ=DAILY;INTERVAL=3", "2026-11-21T12:00:00Z", "2026-11-24"),
        ("2026-11-27", "FREQ=WEEKLY", "2026-11-29T12:00:00Z", "2026-12-06"),
        ("2026-11-27", "FREQ=MONTHLY", "2027-01-31T12:00:00Z", "2027-02-28"),
        ("2026-11-27", "FREQ=YEARLY", "2028-02-29T12:00:00Z", "2029-02-28"),
        // A rule that names its days keeps to them, and goes on from both the completion and the occurrence.
        ("2026-12-01", "FREQ=MONTHLY;BYMONTHDAY=1", "2026-11-28T12:00:00Z", "2027-01-01"),
        ("2026-12-01", "FREQ=MONTHLY;BYMONTHDAY=1", "2026-12-20T12:00:00Z", "2027-01-01"),
        ("2026-11-27", "FREQ=WEEKLY;BYDAY=FR", "2026-12-02T12:00:00Z", "2026-12-04"),
        ("2026-11-27", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", "2026-11-25T12:00:00Z", "2026-12-11"),
        ("2026-11-23", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "2026-11-25T12:00:00Z", "2026-11-27"),
        // The week in which it was done at last is not used again.
        ("2026-11-27", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", "2026-12-02T12:00:00Z", "2026-12-18"),
    ];
    for (due, rule, completed, expected) in given {
        let next = next(&task(due, "Europe/Berlin", rule, RepeatFrom::Completion), at(completed)).unwrap();
        let found = (next.due.to_string(), next.skipped, next.series.ordinal);
        assert_eq!(found, (expected.to_owned(), 0, 2), "{due} {rule} {completed}");
    }
}

#[test]
fn a_moved_occurrence_changes_nothing_that_follows() {
    let friday = task("2026-11-27T09:00", "Europe/Berlin", "FREQ=WEEKLY;BYDAY=FR", RepeatFrom::Due);
    for (moved, zone, completed) in [
        ("2026-11-30T15:00", "Europe/Berlin", "2026-11-30T15:00:00Z"),
        ("2026-11-25T15:00", "Europe/Berlin", "2026-11-25T15:00:00Z"),
        ("2026-11-28T20:00", "America/New_York", "2026-11-29T00:00:00Z"),
        ("2026-11-28", "Europe/Berlin", "2026-11-28T08:00:00Z"),
    ] {
        let call = json!({"user_id": "ada", "task_id": 1, "due": moved, "timezone": zone});
        let (_, change) = arguments::parse::<UpdateTask>(call).unwrap().validate().unwrap();
        let moved = friday.apply(change, Timestamp::UNIX_EPOCH).unwrap();
        let next = follow(&moved, at(completed)).unwrap();
        assert_eq!(next.due.as_ref().unwrap().to_string(), "2026-12-04T09:00:00+01:00");
        let after = follow(&next, at("2026-12-04T08:00:00Z")).unwrap();
        assert_eq!(after.due.unwrap().to_string(), "2026-12-11T09:00:00+01:00");
    }
}

#[test]
fn a_successor_is_the_same_but_for_its_due_date_and_reminders_at_a_fixed_time() {
    let first = add(json!({
        "user_id": "ada", "title": "Pay the rent", "description": "By transfer", "due": "2026-11-30T09:00", "timezone": "Europe/Berlin",
        "repeat": "FREQ=MONTHLY;BYMONTHDAY=-1", "remind": ["-PT30M", "2026-11-29T10:00:00Z"], "priority": "high", "tags": ["home"],
    }));
    let done = Task { completed_at: Some(at("2026-11-30T09:00:00Z")), next_id: Some(TaskId(2)), ..first };
    let next = follow(&done, at("2026-11-30T09:00:00Z")).unwrap();
    let mut expected = Task {
        id: TaskId(2),
        completed_at: None,
        next_id: None,
        created_at: at("2026-11-30T09:00:00Z"),
        updated_at: at("2026-11-30T09:00:00Z"),
        due: next.due.clone(),
        series: next.series.clone(),
        ..done.clone()
    };
    expected.remind.truncate(1);
    assert_eq!(next, expected);
    let (before, series) = (done.series.unwrap(), next.series.unwrap());
    assert_eq!((series.id, series.anchor, series.ordinal), (before.id, before.anchor, 2));
    assert_eq!(series.occurrence.unwrap().local_text(), "2026-12-31T09:00:00");
}

#[test]
fn a_task_that_does_not_repeat_has_no_next() {
    let once = add(json!({"user_id": "ada", "title": "Task", "due": "2026-11-27"}));
    assert_eq!(once.next_occurrence(at("2026-11-27T12:00:00Z")), None);
}

const RULES: [&str; 9] = [
    "FREQ=DAILY;INTERVAL=2",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYMONTHDAY=-1",
    "FREQ=MONTHLY;BYDAY=2TU",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
];

#[test]
fn five_hundred_steps_do_not_drift() {
    for rule in RULES {
        let first = task("2026-10-31T02:30", "Europe/Berlin", rule, RepeatFrom::Due);
        let (repeat, anchor) = (first.repeat.clone().unwrap(), first.due.clone().unwrap().local().date());
        let days: Vec<_> = repeat.days_after(anchor, anchor).take(500).collect();
        let mut current = first;
        for day in days {
            current = follow(&current, current.due.as_ref().unwrap().instant()).unwrap();
            let due = current.due.as_ref().unwrap().local();
            assert_eq!(due, day.at(2, 30, 0, 0), "{rule}");
        }
        assert_eq!(current.series.unwrap().ordinal, 501);
    }
}

proptest! {
    #[test]
    fn the_next_one_is_after_the_completed_one_and_after_now(
        rule in 0..RULES.len(), first in "20(1[0-9]|2[0-9])-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])(T(0[0-9]|1[0-9]|2[0-3]):[0-5]0)?",
        zone in "UTC|Europe/Berlin|America/New_York|America/Sao_Paulo|Asia/Beirut|Pacific/Apia|Australia/Lord_Howe",
        delays in prop::collection::vec(-100..400_i64, 1..8), from_completion in any::<bool>(),
    ) {
        let from = if from_completion { RepeatFrom::Completion } else { RepeatFrom::Due };
        let mut current = task(&first, &zone, RULES[rule], from);
        for hours in delays {
            let due = current.due.clone().unwrap();
            let now = due.instant() + jiff::SignedDuration::from_hours(hours);
            let found = next(&current, now).unwrap();
            prop_assert_eq!(&next(&current, now).unwrap(), &found, "the same question, another answer");
            prop_assert!(found.due.instant() > now, "{} {}", due, found.due);
            let counted = from_completion && !RULES[rule].contains("BYDAY") && !RULES[rule].contains("BYMONTHDAY");
            prop_assert!(counted || found.due.instant() > due.instant(), "{} {}", due, found.due);
            prop_assert_eq!(counted, found.series.occurrence.is_none());
            prop_assert_eq!(found.series.ordinal, current.series.as_ref().unwrap().ordinal + 1 + found.skipped);
            current = current.successor(found).numbered(TaskId(1), now);
        }
    }
}
