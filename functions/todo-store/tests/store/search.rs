use todo_domain::ListQuery;
use todo_store::tasks;
use todo_store::testing::TestDatabase;

use crate::{add, change, on_both_databases, task};

on_both_databases! {
    all_words_are_found_by_their_beginnings_in_any_case,
    nothing_a_person_types_is_query_syntax,
    a_changed_or_deleted_task_is_found_by_its_new_words_only,
}

async fn found(database: &TestDatabase, search: &str) -> Vec<i64> {
    let mut tx = database.begin("ada").await.unwrap();
    let query = ListQuery { search: Some(search.to_owned()), ..ListQuery::default() };
    let page = tasks::list(&mut tx, &query).await.unwrap();
    page.tasks.iter().map(|task| task.id.0).collect()
}

async fn fill(database: &TestDatabase) {
    let tasks = [
        ("Buy oat-milk & bread", Some("At the corner shop")),
        ("Call Zoë about the milk", None),
        ("https://example.com/report.pdf v2.0", Some("-5 degrees, 3.14 and 1e5")),
        ("ПОЗВОНИТЬ маме", Some("İstanbul")),
        ("牛奶を買う", None),
        ("The and or not near", None),
        ("!!!", None),
        ("e-mail: ada@example.org", Some(&*"x".repeat(4000))),
    ];
    for (title, description) in tasks {
        let new = task(serde_json::json!({"title": title, "description": description}));
        add(database, "ada", new).await;
    }
}

/// The same answers are expected of both databases.
async fn all_words_are_found_by_their_beginnings_in_any_case(database: TestDatabase) {
    fill(&database).await;
    let expected: [(&str, &[i64]); 22] = [
        ("milk", &[1, 2]),
        ("MILK oat", &[1]),
        ("mil", &[1, 2]),
        ("ilk", &[]),
        ("milk bread zoë", &[]),
        ("oat-milk", &[1]),
        ("corner", &[1]),
        ("zoë", &[2]),
        ("zoe", &[]),
        ("ZOË", &[2]),
        ("report", &[3]),
        ("example", &[3, 8]),
        ("example.com", &[3]),
        ("5", &[3]),
        ("-5", &[3]),
        ("3.14", &[3]),
        ("позвонить", &[4]),
        ("i̇stanbul", &[4]),
        ("牛奶", &[5]),
        ("the", &[1, 2, 6]),
        ("ada@example.org", &[8]),
        (&"x".repeat(100), &[8]),
    ];
    for (search, tasks) in expected {
        assert_eq!(found(&database, search).await, tasks, "{search:?}");
    }
}

async fn nothing_a_person_types_is_query_syntax(database: TestDatabase) {
    fill(&database).await;
    let typed = [
        "milk'",
        "milk\"",
        "milk:*",
        "milk & bread |",
        "(milk",
        "milk)",
        "NOT milk",
        "milk OR zoë",
        "milk NEAR bread",
        "owner : ada",
        "words:milk",
        "milk*",
        "^milk",
        "{milk}",
        "-milk",
        "milk;--",
        "\\milk",
        "milk <-> bread",
        "!milk",
        "%",
        "milk$1",
    ];
    for search in typed {
        let answer = found(&database, search).await;
        assert!(answer.iter().all(|id| [1, 2, 6].contains(id)) || search == "%", "{search:?}: {answer:?}");
    }
    assert_eq!(found(&database, "and or not near the").await, [6], "operators are words");
    assert_eq!(
        found(&database, "milk OR zoë").await,
        Vec::<i64>::new(),
        "all words must be there, also \"or\""
    );
}

async fn a_changed_or_deleted_task_is_found_by_its_new_words_only(database: TestDatabase) {
    fill(&database).await;
    let mut tx = database.begin("ada").await.unwrap();
    let first = todo_domain::TaskId(1);
    tasks::update(&mut tx, first, change(serde_json::json!({"title": "Buy butter", "description": null})))
        .await
        .unwrap();
    tasks::delete(&mut tx, todo_domain::TaskId(2)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found(&database, "milk").await, Vec::<i64>::new());
    assert_eq!(found(&database, "corner").await, Vec::<i64>::new());
    assert_eq!(found(&database, "butter").await, [1]);
}
