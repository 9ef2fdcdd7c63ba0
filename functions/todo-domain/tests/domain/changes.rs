use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use todo_domain::{AddTask, Series, Task, TaskId, TaskView, UpdateTask, arguments};

fn task(mut json: Value) -> Task {
    json["user_id"] = "ada".into();
    let new = arguments::parse::<AddTask>(json).unwrap().validate().unwrap();
    new.numbered(TaskId(1), Timestamp::UNIX_EPOCH)
}

fn update(task: &Task, mut json: Value) -> Result<Task, todo_domain::Invalid> {
    json["user_id"] = "ada".into();
    json["task_id"] = 1.into();
    let (_, change) = arguments::parse::<UpdateTask>(json)?.validate()?;
    task.apply(change, Timestamp::from_second(60).unwrap())
}

fn full() -> Task {
    task(json!({
        "title": "Task", "description": "Text", "due": "2026-11-27T09:00", "timezone": "Europe/Berlin", "repeat": "FREQ=DAILY",
        "repeat_from": "completion", "remind": ["-PT30M"], "priority": "low", "tags": ["a", "b"],
    }))
}

#[test]
fn absent_null_and_a_value_are_three_things() {
    let before = full();
    assert_eq!(update(&before, json!({"priority": "high"})).unwrap().description.as_deref(), Some("Text"));
    assert_eq!(update(&before, json!({"description": null})).unwrap().description, None);
    assert_eq!(update(&before, json!({"description": "New"})).unwrap().description.as_deref(), Some("New"));
}

#[test]
fn every_field_but_the_title_can_be_cleared() {
    let cleared = json!({
        "description": null, "due": null, "repeat": null, "repeat_from": null, "remind": null, "priority": null, "tags": null,
    });
    let after = update(&full(), cleared).unwrap();
    let view = serde_json::to_value(TaskView::from(&after)).unwrap();
    let expected =
        json!({"id": 1, "title": "Task", "completed": false, "created_at": "1970-01-01T00:00:00Z"});
    assert_eq!(view, expected);
    assert!(update(&full(), json!({"title": null})).unwrap_err().problem.contains("cannot be removed"));
}

#[test]
fn a_new_time_is_read_in_the_zone_the_task_has() {
    let after = update(&full(), json!({"due": "2026-12-01T10:00", "remind": ["2026-12-01T08:00"]})).unwrap();
    assert_eq!(after.due.unwrap().to_string(), "2026-12-01T10:00:00+01:00");
    assert_eq!(after.remind[0].to_string(), "2026-12-01T07:00:00Z");
}

#[test]
fn what_needs_a_due_date_refuses_to_lose_it() {
    let error = update(&full(), json!({"due": null})).unwrap_err();
    assert_eq!(error.field, "repeat");
    let error = update(&full(), json!({"due": null, "repeat": null})).unwrap_err();
    assert_eq!(error.field, "remind");
    update(&full(), json!({"due": null, "repeat": null, "remind": []})).unwrap();
}

#[test]
fn moving_one_occurrence_leaves_the_series_alone() {
    let before = full();
    let after = update(&before, json!({"due": "2026-11-28T09:00"})).unwrap();
    assert_eq!(before.series.as_ref().unwrap().anchor.to_string(), "2026-11-27T09:00:00+01:00");
    assert_eq!((after.series, after.repeat), (before.series, before.repeat));
}

#[test]
fn a_series_begins_where_a_task_begins_to_repeat() {
    let before = task(json!({"title": "Task", "due": "2026-11-27"}));
    assert_eq!(before.series, None);
    let series = update(&before, json!({"repeat": "FREQ=WEEKLY"})).unwrap().series.unwrap();
    let found = (series.id, series.anchor.to_string(), series.ordinal, series.occurrence);
    assert_eq!(found, (TaskId(1), "2026-11-27".to_owned(), 1, None));
}

#[test]
fn another_rule_begins_another_series_and_the_same_one_does_not() {
    let third = Series { id: TaskId(7), ordinal: 3, ..full().series.unwrap() };
    let before = Task { series: Some(third), ..full() };
    let anew = ["2026-11-27T09:00:00+01:00", "2026-11-30T10:00:00+01:00"];
    let changes = [
        (json!({"title": "New", "repeat": "FREQ=DAILY", "due": "2026-11-27T09:00"}), None),
        (json!({"due": "2026-11-30T10:00"}), None),
        (json!({"repeat": "FREQ=WEEKLY"}), Some(anew[0])),
        (json!({"repeat_from": "due"}), Some(anew[0])),
        (json!({"repeat": "FREQ=DAILY", "due": "2026-11-30T10:00"}), Some(anew[1])),
    ];
    for (change, anchor) in changes {
        let series = update(&before, change.clone()).unwrap().series;
        match anchor {
            None => assert_eq!(series, before.series, "{change}"),
            Some(anchor) => {
                let series = series.unwrap();
                let found = (series.id, series.ordinal, series.anchor.to_string());
                assert_eq!(found, (TaskId(1), 1, anchor.to_owned()), "{change}");
            }
        }
    }
    assert_eq!(update(&before, json!({"repeat": null})).unwrap().series, None);
}

#[test]
fn completing_keeps_the_first_moment_and_reopening_forgets_it() {
    let done = update(&full(), json!({"completed": true})).unwrap();
    assert_eq!(done.completed_at, Some(Timestamp::from_second(60).unwrap()));
    let again = update(
        &Task { completed_at: Some(Timestamp::UNIX_EPOCH), ..done.clone() },
        json!({"completed": true}),
    );
    assert_eq!(again.unwrap().completed_at, Some(Timestamp::UNIX_EPOCH));
    assert_eq!(update(&done, json!({"completed": false})).unwrap().completed_at, None);
}

#[test]
fn a_task_is_shown_whole() {
    let view = serde_json::to_value(TaskView::from(&full())).unwrap();
    let expected = json!({
        "id": 1, "title": "Task", "completed": false, "description": "Text", "due": "2026-11-27T09:00:00+01:00",
        "timezone": "Europe/Berlin", "repeat": "FREQ=DAILY", "repeat_text": "every day", "repeat_from": "completion",
        "remind": ["-PT30M"], "priority": "low", "tags": ["a", "b"], "created_at": "1970-01-01T00:00:00Z",
    });
    assert_eq!(view, expected);
}

proptest! {
    /// An update names what it changed, and an update to what is already there changes nothing.
    #[test]
    fn an_update_is_idempotent(title in "[a-z]{1,9}", due in prop::option::of("202[6-9]-0[1-9]-1[0-9]"),
                               tags in prop::collection::vec("[a-c]", 0..4), completed in any::<bool>()) {
        let before = task(json!({"title": "Task"}));
        let change = json!({"title": title, "due": due, "tags": tags, "completed": completed});
        let once = update(&before, change.clone()).unwrap();
        let twice = update(&once, change).unwrap();
        prop_assert!(once.changed_fields(&twice).is_empty());
        prop_assert_eq!(before.changed_fields(&once).contains(&"due"), due.is_some());
    }
}
