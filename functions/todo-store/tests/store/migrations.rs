use todo_domain::TaskId;
use todo_store::testing::{TestDatabase, tenant};
use todo_store::{Database, Error, migrate};

use crate::{add, on_both_databases, titled};

on_both_databases! {
    migrating_again_changes_nothing,
    migrating_at_once_does_it_once,
    every_constraint_has_a_name_of_ours,
    a_database_that_is_there_says_so,
}

async fn a_database_that_is_there_says_so(database: TestDatabase) {
    database.database().ping().await.unwrap();
}

async fn migrating_again_changes_nothing(database: TestDatabase) {
    add(&database, "ada", titled("Task")).await;
    migrate(&database.url).await.unwrap();
    assert_eq!(add(&database, "ada", titled("Task")).await.id, TaskId(2));
}

async fn migrating_at_once_does_it_once(database: TestDatabase) {
    let url = match database.url.strip_suffix("todo.db") {
        Some(folder) => format!("{folder}another.db"),
        None => {
            // Back to an empty database.
            database.as_owner("DROP SCHEMA public CASCADE").await.unwrap();
            database.as_owner("CREATE SCHEMA public").await.unwrap();
            database.url.clone()
        }
    };
    for migrated in futures::future::join_all((0..6).map(|_| migrate(&url))).await {
        migrated.unwrap();
    }
    let database = Database::open(&url).await.unwrap();
    let mut tx = database.begin(&tenant("ada").unwrap()).await.unwrap();
    assert_eq!(todo_store::tasks::add(&mut tx, titled("Task")).await.unwrap().id, TaskId(1));
}

async fn every_constraint_has_a_name_of_ours(database: TestDatabase) {
    let named = match database.dialect() {
        todo_store::Dialect::Postgres => {
            "SELECT conname::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
             AND conrelid::regclass::text <> '_sqlx_migrations' AND conname ~ '_(pkey|check[0-9]+|fkey[0-9]+)$'"
        }
        // SQLite keeps the text: an unnamed constraint stands without the word before it.
        todo_store::Dialect::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' \
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'task\\_words%' ESCAPE '\\' \
             AND (length(sql) - length(replace(sql, ' FOREIGN KEY (', ''))) / 14 \
             + (length(sql) - length(replace(sql, ' CHECK (', ''))) / 8 \
             + (length(sql) - length(replace(sql, ' UNIQUE (', ''))) / 9 \
             + (length(sql) - length(replace(sql, ' PRIMARY KEY (', ''))) / 14 \
             <> (length(sql) - length(replace(sql, 'CONSTRAINT ', ''))) / 11"
        }
    };
    assert_eq!(database.as_owner(named).await.unwrap().concat(), Vec::<String>::new());
}

#[tokio::test]
async fn a_missing_sqlite_file_is_unavailable_until_it_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("todo.db").display());
    let missing = Database::open(&url).await.unwrap_err();
    assert!(matches!(missing, Error::Unavailable(_)), "{missing:?}");
    migrate(&url).await.unwrap();
    Database::open(&url).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let refused = Database::open(&format!("postgres://todo@127.0.0.1:{port}/todo")).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable(_)) && refused.is_transient(), "{refused:?}");
}

#[tokio::test]
async fn an_url_of_another_kind_says_what_to_use() {
    let error = Database::open("mysql://localhost/todo").await.unwrap_err();
    assert!(error.to_string().contains("sqlite:path/to/file.db"), "{error}");
}
