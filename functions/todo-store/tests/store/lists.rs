use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::json;
use todo_domain::{ListQuery, ListTasks, Order, Priority, Sort, Status, Tag, Task, arguments};
use todo_store::testing::TestDatabase;
use todo_store::{Error, Transaction, tasks};

use crate::{add, change, on_both_databases, task, titled};

on_both_databases! {
    paging_loses_and_repeats_nothing_under_any_sort,
    filters_hold_together,
    an_all_day_task_is_due_until_its_day_ends,
    a_cursor_of_another_list_is_invalid,
    a_page_goes_on_where_it_ended_when_tasks_come_and_go,
    tags_are_compared_without_regard_to_case,
}

/// A question by the arguments of `list_tasks`.
fn query(mut json: serde_json::Value) -> ListQuery {
    json["user_id"] = "ada".into();
    arguments::parse::<ListTasks>(json).unwrap().validate().unwrap()
}

async fn titles(database: &TestDatabase, json: serde_json::Value) -> Vec<String> {
    let mut tx = database.begin("ada").await.unwrap();
    let page = tasks::list(&mut tx, &query(json)).await.unwrap();
    page.tasks.into_iter().map(|task| task.title).collect()
}

/// All tasks of a query, page by page.
async fn pages(tx: &mut Transaction, query: &ListQuery) -> Vec<Task> {
    let mut query = query.clone();
    let mut all = Vec::new();
    loop {
        let page = tasks::list(tx, &query).await.unwrap();
        all.extend(page.tasks);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return all;
        }
    }
}

/// 500 tasks with few distinct values, and many without one, so that every sort has long ties.
async fn many(database: &TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    for n in 0..500_i64 {
        let mut new = titled(&format!("Task {n}"));
        new.priority = Priority::from_rank(n * 7 % 5);
        if n % 3 != 0 {
            new.due = task(json!({"title": "x", "due": format!("2026-12-{:02}", n * 11 % 20 + 1)})).due;
        }
        let added = tasks::add(&mut tx, new).await.unwrap();
        if n % 4 == 0 {
            tasks::complete(&mut tx, added.id).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
}

async fn paging_loses_and_repeats_nothing_under_any_sort(database: TestDatabase) {
    many(&database).await;
    let mut tx = database.begin("ada").await.unwrap();
    for sort in [Sort::Created, Sort::Due, Sort::Priority, Sort::Completed] {
        for order in [Order::Asc, Order::Desc] {
            for (status, count) in [(Status::All, 500), (Status::Pending, 375), (Status::Completed, 125)] {
                let query = ListQuery { sort, order, status, limit: 37, ..ListQuery::default() };
                let tasks = pages(&mut tx, &query).await;
                let numbers: BTreeSet<_> = tasks.iter().map(|task| task.id).collect();
                assert_eq!((tasks.len(), numbers.len()), (count, count), "{sort:?} {order:?} {status:?}");
                assert!(is_sorted(&tasks, sort, order), "{sort:?} {order:?} {status:?}");
            }
        }
    }
}

fn is_sorted(tasks: &[Task], sort: Sort, order: Order) -> bool {
    let key = |task: &Task| match sort {
        Sort::Created => Some(task.id.0),
        Sort::Due => task.due.as_ref().map(|due| due.instant().as_millisecond()),
        Sort::Priority => task.priority.map(Priority::rank),
        Sort::Completed => task.completed_at.map(|at| at.as_millisecond()),
    };
    // Without a value last in either order.
    match order {
        Order::Asc => tasks.is_sorted_by_key(|task| (key(task).is_none(), key(task), task.id)),
        Order::Desc => tasks.is_sorted_by_key(|task| (key(task).is_none(), Reverse((key(task), task.id)))),
    }
}

async fn filters_hold_together(database: TestDatabase) {
    let new = [
        json!({"title": "a", "priority": "high", "tags": ["work", "home"], "due": "2026-11-27"}),
        json!({"title": "b", "priority": "high", "tags": ["work"], "due": "2026-11-28"}),
        json!({"title": "c", "priority": "low", "tags": ["work"]}),
        json!({"title": "d", "description": "about a"}),
    ];
    for new in new {
        add(&database, "ada", task(new)).await;
    }
    let mut tx = database.begin("ada").await.unwrap();
    tasks::complete(&mut tx, todo_domain::TaskId(2)).await.unwrap();
    tx.commit().await.unwrap();
    let expected = [
        (json!({}), "abcd"),
        (json!({"status": "pending"}), "acd"),
        (json!({"status": "completed"}), "b"),
        (json!({"priority": "high"}), "ab"),
        (json!({"priority": "high", "status": "pending"}), "a"),
        (json!({"tags": ["work"]}), "abc"),
        (json!({"tags": ["work", "HOME"]}), "a"),
        (json!({"tags": ["nothing"]}), ""),
        (json!({"due_before": "2026-11-28"}), "a"),
        (json!({"due_after": "2026-11-28"}), "b"),
        (json!({"due_after": "2026-11-01", "due_before": "2027-01-01"}), "ab"),
        (json!({"search": "a"}), "ad"),
        (
            json!({"search": "a", "tags": ["work"], "status": "pending", "priority": "high", "due_before": "2027-01-01"}),
            "a",
        ),
        (json!({"sort": "due"}), "abcd"),
        (json!({"sort": "due", "order": "desc"}), "badc"),
        (json!({"sort": "priority"}), "bacd"),
        (json!({"sort": "completed"}), "bdca"),
        (json!({"limit": 2}), "ab"),
    ];
    for (arguments, titles_expected) in expected {
        assert_eq!(titles(&database, arguments.clone()).await.concat(), titles_expected, "{arguments}");
    }
}

async fn an_all_day_task_is_due_until_its_day_ends(database: TestDatabase) {
    add(&database, "ada", task(json!({"title": "day", "due": "2026-11-27", "timezone": "Asia/Tokyo"}))).await;
    add(
        &database,
        "ada",
        task(json!({"title": "nine", "due": "2026-11-27T09:00", "timezone": "Asia/Tokyo"})),
    )
    .await;
    let at = |bound: &str, time: &str| json!({bound: time, "timezone": "Asia/Tokyo", "sort": "due"});
    assert_eq!(titles(&database, at("due_before", "2026-11-27T12:00")).await, ["nine"]);
    assert_eq!(titles(&database, at("due_after", "2026-11-27T12:00")).await, ["day"]);
    assert_eq!(titles(&database, at("due_before", "2026-11-28")).await, ["nine", "day"]);
    assert_eq!(titles(&database, at("due_after", "2026-11-27")).await, ["nine", "day"]);
    assert_eq!(titles(&database, at("due_after", "2026-11-28")).await, Vec::<String>::new());
    assert_eq!(
        titles(&database, at("due_before", "2026-11-27T09:00")).await,
        Vec::<String>::new(),
        "exclusive"
    );
    assert_eq!(titles(&database, at("due_after", "2026-11-27T09:00")).await, ["nine", "day"], "inclusive");
}

async fn a_cursor_of_another_list_is_invalid(database: TestDatabase) {
    for n in 0..3 {
        add(&database, "ada", titled(&format!("Task {n}"))).await;
    }
    let mut tx = database.begin("ada").await.unwrap();
    let first = query(json!({"limit": 1, "status": "pending"}));
    let cursor = tasks::list(&mut tx, &first).await.unwrap().next_cursor;
    let others = [
        query(json!({"limit": 1})),
        query(json!({"limit": 1, "status": "pending", "sort": "due"})),
        query(json!({"limit": 1, "status": "pending", "order": "desc"})),
        query(json!({"limit": 1, "status": "pending", "search": "task"})),
    ];
    for other in others {
        let other = ListQuery { cursor: cursor.clone(), ..other };
        let error = tasks::list(&mut tx, &other).await.unwrap_err();
        assert!(matches!(&error, Error::Invalid(invalid) if invalid.field == "cursor"), "{error:?}");
    }
    let garbage = ListQuery { cursor: Some("garbage".to_owned()), ..first.clone() };
    assert!(matches!(tasks::list(&mut tx, &garbage).await, Err(Error::Invalid(_))));
    let larger = ListQuery { cursor, limit: 10, ..first };
    assert_eq!(tasks::list(&mut tx, &larger).await.unwrap().tasks.len(), 2, "the size of a page may change");
}

async fn a_page_goes_on_where_it_ended_when_tasks_come_and_go(database: TestDatabase) {
    for n in 1..=4 {
        add(&database, "ada", titled(&n.to_string())).await;
    }
    let mut tx = database.begin("ada").await.unwrap();
    let mut query = query(json!({"limit": 2}));
    query.cursor = tasks::list(&mut tx, &query).await.unwrap().next_cursor;
    tasks::delete(&mut tx, todo_domain::TaskId(1)).await.unwrap();
    tasks::delete(&mut tx, todo_domain::TaskId(2)).await.unwrap();
    tasks::add(&mut tx, titled("5")).await.unwrap();
    let rest = pages(&mut tx, &query).await;
    assert_eq!(rest.iter().map(|task| task.title.as_str()).collect::<Vec<_>>(), ["3", "4", "5"]);
}

async fn tags_are_compared_without_regard_to_case(database: TestDatabase) {
    add(&database, "ada", task(json!({"title": "a", "tags": ["Größe", "#Work", "work"]}))).await;
    let mut tx = database.begin("ada").await.unwrap();
    let listed = tasks::list(&mut tx, &query(json!({"tags": ["GRÖßE", "WORK"]}))).await.unwrap();
    let shown: Vec<_> = listed.tasks[0].tags.iter().map(Tag::as_str).collect();
    assert_eq!(shown, ["Größe", "Work"], "as first written, and once");
    tasks::update(&mut tx, todo_domain::TaskId(1), change(json!({"tags": ["Play"]}))).await.unwrap();
    assert!(tasks::list(&mut tx, &query(json!({"tags": ["work"]}))).await.unwrap().tasks.is_empty());
    assert_eq!(tasks::list(&mut tx, &query(json!({"tags": ["play"]}))).await.unwrap().tasks.len(), 1);
}
