use serde_json::{Value, json};
use todo_domain::{
    AddTask, CompleteTask, Invalid, ListTasks, Order, Sort, Status, TaskId, UpdateTask, arguments,
};

fn add(mut json: Value) -> Result<todo_domain::NewTask, Invalid> {
    json["user_id"] = "ada".into();
    arguments::parse::<AddTask>(json)?.validate()
}

fn list(mut json: Value) -> Result<todo_domain::ListQuery, Invalid> {
    json["user_id"] = "ada".into();
    arguments::parse::<ListTasks>(json)?.validate()
}

/// That the arguments are refused for this field, and the text says this.
fn refused<T: std::fmt::Debug>(result: Result<T, Invalid>, field: &str, says: &str) {
    let error = result.unwrap_err();
    assert!(error.field == field && error.to_string().contains(says), "{field}, {says}: {error:?}");
}

#[test]
fn a_title_is_trimmed_and_bounded() {
    assert_eq!(add(json!({"title": "  Buy milk\n"})).unwrap().title, "Buy milk");
    assert_eq!(add(json!({"title": "ü".repeat(200)})).unwrap().title.chars().count(), 200);
    refused(add(json!({"title": " \t"})), "title", "it is empty");
    refused(add(json!({"title": "ü".repeat(201)})), "title", "201 characters are too many");
    refused(add(json!({"title": "a\0b"})), "title", "NUL");
}

#[test]
fn a_description_is_bounded_and_an_empty_one_is_none() {
    assert_eq!(add(json!({"title": "x", "description": "  "})).unwrap().description, None);
    add(json!({"title": "x", "description": "d".repeat(4000)})).unwrap();
    refused(add(json!({"title": "x", "description": "d".repeat(4001)})), "description", "4000");
}

#[test]
fn an_unknown_a_missing_and_a_mistyped_argument_are_named() {
    refused(add(json!({"title": "x", "deadline": "2026-11-27"})), "deadline", "expected one of");
    refused(add(json!({})), "arguments", "missing field `title`");
    refused(add(json!({"title": 5})), "title", "expected a string");
    refused(add(json!({"title": "x", "tags": "work"})), "tags", "expected a sequence");
    refused(add(json!({"title": "x", "tags": ["work", 5]})), "tags[1]", "expected a string");
    refused(add(json!({"title": "x", "priority": "higher"})), "priority", "`urgent`");
    refused(arguments::parse::<AddTask>(json!("text")), "arguments", "input schema");
}

#[test]
fn a_model_that_invents_an_argument_is_not_told_of_the_one_it_never_sees() {
    let error = add(json!({"title": "x", "deadline": "2026-11-27"})).unwrap_err().to_string();
    assert!(error.contains("unknown field `deadline`, expected one of `title`, `description`,"), "{error}");
    let complete = json!({"user_id": "ada", "task_id": 1, "id": 1});
    let error = arguments::parse::<CompleteTask>(complete).unwrap_err().to_string();
    assert!(error.contains("unknown field `id`, expected `task_id`"), "{error}");
    let nobodys = arguments::parse::<CompleteTask>(json!({"task_id": 1}));
    refused(nobodys, "arguments", "missing field `user_id`");
}

#[test]
fn null_is_as_good_as_absent_where_nothing_can_be_cleared() {
    let new =
        add(json!({"title": "x", "due": null, "tags": null, "priority": null, "remind": null})).unwrap();
    assert_eq!((new.due, new.tags, new.priority, new.remind), (None, vec![], None, vec![]));
}

#[test]
fn what_needs_a_due_date_says_so() {
    refused(add(json!({"title": "x", "repeat": "FREQ=DAILY"})), "repeat", "Send `due`");
    refused(add(json!({"title": "x", "remind": ["-PT5M"]})), "remind", "Send `due` too");
    add(json!({"title": "x", "remind": ["2026-11-27T08:30:00Z"]})).unwrap();
}

#[test]
fn tags_are_words_of_their_own() {
    let tags = |tags: Value| add(json!({"title": "x", "tags": tags}));
    let read = tags(json!([" #Work ", "work", "Zuhause"])).unwrap().tags;
    assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Work", "Zuhause"]);
    refused(tags(json!(["a,b"])), "tags", "its own array element");
    refused(tags(json!(["#"])), "tags", "empty");
    refused(tags(json!(["t".repeat(51)])), "tags", "at most 50");
    let many: Vec<_> = (0..21).map(|n| n.to_string()).collect();
    refused(tags(json!(many)), "tags", "at most 20");
}

#[test]
fn a_list_has_defaults_and_bounds() {
    let query = list(json!({})).unwrap();
    assert_eq!(
        (query.status, query.sort, query.order, query.limit),
        (Status::All, Sort::Created, Order::Asc, 50)
    );
    assert_eq!(list(json!({"sort": "priority"})).unwrap().order, Order::Desc);
    assert_eq!(list(json!({"sort": "due"})).unwrap().order, Order::Asc);
    for limit in [0, -1, 201] {
        refused(list(json!({"limit": limit})), "limit", "1 to 200");
    }
    refused(list(json!({"search": "?!"})), "search", "has no word");
    refused(list(json!({"due_before": "soon"})), "due_before", "2026-11-27");
    assert_eq!(list(json!({"search": " "})).unwrap().search, None);
}

#[test]
fn a_bound_is_the_start_of_the_day_in_its_zone() {
    let query =
        list(json!({"due_before": "2026-11-28", "due_after": "2026-11-27T09:00", "timezone": "Asia/Tokyo"}))
            .unwrap();
    assert_eq!(query.due_before.unwrap().to_string(), "2026-11-27T15:00:00Z");
    assert_eq!(query.due_after.unwrap().to_string(), "2026-11-27T00:00:00Z");
}

#[test]
fn a_task_number_begins_at_one() {
    let complete =
        |id: Value| arguments::parse::<CompleteTask>(json!({"user_id": "ada", "task_id": id}))?.validate();
    assert_eq!(complete(json!(1)).unwrap(), TaskId(1));
    refused(complete(json!(0)), "task_id", "list_tasks");
    refused(complete(json!("1")), "task_id", "expected i64");
}

#[test]
fn an_update_that_names_nothing_is_refused() {
    let update = |mut json: Value| {
        json["user_id"] = "ada".into();
        json["task_id"] = 1.into();
        arguments::parse::<UpdateTask>(json)?.validate()
    };
    refused(update(json!({})), "arguments", "nothing to change");
    refused(update(json!({"timezone": "UTC"})), "arguments", "nothing to change");
    refused(update(json!({"remind": ["soon"]})), "remind", "-PT30M");
    update(json!({"tags": null})).unwrap();
}
