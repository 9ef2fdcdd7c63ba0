//! One suite on both databases: every test runs on SQLite and, where a server is to be had, on Postgres.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod audit;
mod calls;
mod conversations;
mod dead_letters;
mod events;
mod lists;
mod migrations;
mod plans;
mod publishing;
mod rebuild;
mod reminders;
mod repeat;
mod search;
mod tasks;
mod tenancy;
mod updates;

/// The tests of a module, on each database.
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(todo_store::testing::TestDatabase::sqlite().await.unwrap()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(database) = todo_store::testing::TestDatabase::postgres().await.unwrap() {
                    super::$test(database).await;
                }
            })+
        }
    };
}
pub(crate) use on_both_databases;

use todo_domain::{AddTask, NewTask, Task, UpdateTask, arguments};
use todo_store::testing::TestDatabase;

/// A task that has only a title.
fn titled(title: &str) -> NewTask {
    NewTask { title: title.to_owned(), ..NewTask::default() }
}

/// A task by the arguments of `add_task`.
fn task(mut json: serde_json::Value) -> NewTask {
    json["user_id"] = "ada".into();
    arguments::parse::<AddTask>(json).unwrap().validate().unwrap()
}

/// A change by the arguments of `update_task`.
fn change(mut json: serde_json::Value) -> todo_domain::TaskChange {
    json["user_id"] = "ada".into();
    json["task_id"] = 1.into();
    arguments::parse::<UpdateTask>(json).unwrap().validate().unwrap().1
}

/// Adds a task of this person in a transaction of its own.
async fn add(database: &TestDatabase, user_id: &str, new: NewTask) -> Task {
    let mut tx = database.begin(user_id).await.unwrap();
    let task = todo_store::tasks::add(&mut tx, new).await.unwrap();
    tx.commit().await.unwrap();
    task
}
