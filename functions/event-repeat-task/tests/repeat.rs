//! One completion makes one next task, which is told like any other.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use event_repeat_task::RepeatTask;
use serde_json::json;
use todo_delivery::testing::World;
use todo_domain::{AddTask, TaskId, arguments};
use todo_store::tasks;

async fn complete_a_repeating_task(world: &World) {
    let add =
        json!({"user_id": "ada", "title": "Water plants", "due": "2026-11-27", "repeat": "FREQ=WEEKLY"});
    let mut tx = world.database.begin("ada").await.unwrap();
    tasks::add(&mut tx, arguments::parse::<AddTask>(add).unwrap().validate().unwrap()).await.unwrap();
    tasks::complete(&mut tx, TaskId(1)).await.unwrap();
    tx.commit().await.unwrap();
}

async fn tasks_of(world: &World, user_id: &str) -> Vec<String> {
    let all = format!("SELECT due_local FROM tasks WHERE user_id = '{user_id}' ORDER BY task_id");
    world.database.as_owner(&all).await.unwrap().concat()
}

#[tokio::test]
async fn completing_a_repeating_task_makes_the_next_one_exactly_once() {
    let world = World::new().await;
    complete_a_repeating_task(&world).await;
    let events = [world.events("task-events").await, world.events("task-updates").await].concat();
    let delivering = (0..10).flat_map(|_| &events).map(|event| world.deliver::<RepeatTask>(event.clone()));
    let statuses = futures::future::join_all(delivering).await;
    assert!(statuses.iter().all(|status| *status == 204), "{statuses:?}");
    assert_eq!(tasks_of(&world, "ada").await.len(), 2);
    world.until_published().await;
    let told: Vec<_> =
        world.sent().into_iter().map(|(_, _, event)| (event.event_type.to_string(), event.task_id)).collect();
    assert_eq!(told.last().unwrap(), &("task.created".to_owned(), Some(TaskId(2))));
}

#[tokio::test]
async fn an_inbox_that_was_cleared_makes_no_second_task() {
    let world = World::new().await;
    complete_a_repeating_task(&world).await;
    let events = world.events("task-events").await;
    for _ in 0..2 {
        for event in &events {
            assert_eq!(world.deliver::<RepeatTask>(event.clone()).await, 204);
        }
        world.database.as_owner("DELETE FROM inbox").await.unwrap();
    }
    assert_eq!(tasks_of(&world, "ada").await.len(), 2);
}

#[tokio::test]
async fn a_task_that_does_not_repeat_has_no_successor() {
    let world = World::new().await;
    drop(world.add("ada", "Task").await);
    let mut tx = world.database.begin("ada").await.unwrap();
    tasks::complete(&mut tx, TaskId(1)).await.unwrap();
    tx.commit().await.unwrap();
    for event in world.events("task-events").await {
        assert_eq!(world.deliver::<RepeatTask>(event).await, 204);
    }
    assert_eq!(tasks_of(&world, "ada").await.len(), 1);
}
