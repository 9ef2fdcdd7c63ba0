use serde_json::json;
use todo_domain::{ListQuery, TaskId};
use todo_store::testing::{TestDatabase, in_transaction};
use todo_store::{Dialect, Error, conversations, tasks};

use crate::{add, change, on_both_databases, task, titled};

on_both_databases! {
    anothers_task_is_not_found,
    anothers_tasks_are_not_listed_and_not_searched,
    anothers_conversation_is_not_found,
    without_any_filter_row_level_security_shows_nothing_of_others,
    row_level_security_refuses_a_row_in_anothers_name,
    a_connection_does_not_remember_its_last_tenant,
}

async fn anothers_task_is_not_found(database: TestDatabase) {
    add(&database, "ada", titled("Ada's")).await;
    let mut tx = database.begin("bob").await.unwrap();
    let errors = [
        tasks::get(&mut tx, TaskId(1)).await.unwrap_err(),
        tasks::complete(&mut tx, TaskId(1)).await.unwrap_err(),
        tasks::delete(&mut tx, TaskId(1)).await.unwrap_err(),
        tasks::update(&mut tx, TaskId(1), change(json!({"title": "Bob's"}))).await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| matches!(error, Error::NotFound { .. })), "{errors:?}");
    tx.commit().await.unwrap();
    let mut tx = database.begin("ada").await.unwrap();
    let task = tasks::get(&mut tx, TaskId(1)).await.unwrap();
    assert_eq!((task.title.as_str(), task.completed()), ("Ada's", false));
}

async fn anothers_tasks_are_not_listed_and_not_searched(database: TestDatabase) {
    add(&database, "ada", task(json!({"title": "Secret plan", "tags": ["work"]}))).await;
    let own = add(&database, "bob", task(json!({"title": "Plan B", "tags": ["work"]}))).await;
    let mut tx = database.begin("bob").await.unwrap();
    let queries = [
        ListQuery::default(),
        ListQuery { search: Some("plan".to_owned()), ..ListQuery::default() },
        ListQuery { tags: own.tags.clone(), ..ListQuery::default() },
    ];
    for query in queries {
        assert_eq!(tasks::list(&mut tx, &query).await.unwrap().tasks, std::slice::from_ref(&own));
    }
}

async fn anothers_conversation_is_not_found(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    let id = conversations::create(&mut tx, "Ada's").await.unwrap().conversation_id;
    tx.commit().await.unwrap();
    let mut tx = database.begin("bob").await.unwrap();
    let until = tx.now();
    let errors = [
        conversations::get(&mut tx, id).await.map(drop).unwrap_err(),
        conversations::messages(&mut tx, id, 10, None).await.map(drop).unwrap_err(),
        conversations::append(&mut tx, id, &[]).await.map(drop).unwrap_err(),
        conversations::state(&mut tx, id).await.map(drop).unwrap_err(),
        conversations::set_state(&mut tx, id, None).await.unwrap_err(),
        conversations::rename(&mut tx, id, "Bob's").await.unwrap_err(),
        conversations::claim_turn(&mut tx, id, "bob", until).await.map(drop).unwrap_err(),
        conversations::delete(&mut tx, id).await.unwrap_err(),
    ];
    let not_found = |error: &Error| matches!(error, Error::NotFound { what: "conversation", .. });
    assert!(errors.iter().all(not_found), "{errors:?}");
    assert!(conversations::list(&mut tx, 10, None).await.unwrap().is_empty());
}

/// The tables that hold what belongs to somebody.
const TABLES: [&str; 16] = [
    "users",
    "tasks",
    "task_tags",
    "reminders",
    "outbox",
    "inbox",
    "calls",
    "conversations",
    "messages",
    "audit",
    "audit_heads",
    "scheduled_reminders",
    "notifications",
    "deliveries",
    "updates",
    "update_heads",
];
/// Those of which nobody may delete anything.
const KEPT: [&str; 4] = ["audit", "audit_heads", "updates", "update_heads"];

async fn without_any_filter_row_level_security_shows_nothing_of_others(database: TestDatabase) {
    if database.dialect() == Dialect::Sqlite {
        return;
    }
    add(
        &database,
        "ada",
        task(json!({"title": "Task", "due": "2026-11-27", "tags": ["a"], "remind": ["-P1D"]})),
    )
    .await;
    let fill = "INSERT INTO inbox VALUES ('c', 'e', 'ada', 1)";
    database.as_owner(fill).await.unwrap();
    database.as_owner("INSERT INTO calls VALUES ('ada', 'c', 't', 'x', '{}', 1)").await.unwrap();
    database
        .as_owner("INSERT INTO conversations VALUES ('ada', 1, 't', NULL, 0, NULL, NULL, 1, 1)")
        .await
        .unwrap();
    database.as_owner("INSERT INTO messages VALUES ('ada', 1, 1, 'user', '{}', 1)").await.unwrap();
    database.as_owner("INSERT INTO audit_heads (user_id) VALUES ('ada')").await.unwrap();
    database
        .as_owner("INSERT INTO audit VALUES ('ada', 1, 'e', 't', 't', 1, 1, 1, '{}', '', 'h')")
        .await
        .unwrap();
    for reminders in [
        "INSERT INTO scheduled_reminders VALUES ('ada', 1, 'j', '-P1D', 1, 1, 1, NULL)",
        "INSERT INTO notifications VALUES ('ada', 'e', 1, '{}', 1)",
        "INSERT INTO deliveries VALUES ('ada', 'e', 'in-app', 1, 1, 1)",
    ] {
        database.as_owner(reminders).await.unwrap();
    }
    database.as_owner("INSERT INTO updates VALUES ('ada', 1, 1, '{}', 1)").await.unwrap();
    database.as_owner("INSERT INTO update_heads VALUES ('ada', 1, 0)").await.unwrap();
    for table in TABLES {
        let all = format!("SELECT user_id FROM {table}");
        let mut own = database.begin("ada").await.unwrap();
        assert!(
            !in_transaction(&mut own, &all).await.unwrap().is_empty(),
            "{table} is empty even for its owner"
        );
        let mut others = database.begin("bob").await.unwrap();
        assert!(in_transaction(&mut others, &all).await.unwrap().is_empty(), "{table} shows others' rows");
        let change = format!("DELETE FROM {table} RETURNING user_id");
        let deleted = in_transaction(&mut others, &change).await;
        assert_eq!(deleted.is_err(), KEPT.contains(&table), "{table}");
        assert!(deleted.unwrap_or_default().is_empty(), "{table} lets others delete");
    }
    let protected = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relrowsecurity ORDER BY 1";
    let mut tables = TABLES;
    tables.sort_unstable();
    assert_eq!(
        database.as_owner(protected).await.unwrap().concat(),
        tables,
        "every tenant table, and no other"
    );
}

async fn row_level_security_refuses_a_row_in_anothers_name(database: TestDatabase) {
    if database.dialect() == Dialect::Sqlite {
        return;
    }
    let mut tx = database.begin("bob").await.unwrap();
    let foreign = "INSERT INTO users (user_id, created_at) VALUES ('ada', 1)";
    let error = in_transaction(&mut tx, foreign).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error:?}");
}

async fn a_connection_does_not_remember_its_last_tenant(database: TestDatabase) {
    if database.dialect() == Dialect::Sqlite {
        return;
    }
    add(&database, "ada", titled("Ada's")).await;
    // The owner sees all rows again, so the role was given back with the transaction, and the setting is empty.
    let seen =
        database.as_owner("SELECT user_id, current_setting('app.user_id', true) FROM tasks").await.unwrap();
    assert_eq!(seen, [["ada", ""]]);
}
