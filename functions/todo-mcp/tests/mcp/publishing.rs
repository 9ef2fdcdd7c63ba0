//! The events of a change go out after its answer.

use serde_json::json;
use todo_delivery::testing::{self, Mood};
use todo_identity::Verifier;
use todo_mcp::{Server, Tool, function_of};
use tool_add_task::AddTask;
use tool_list_tasks::ListTasks;

use crate::world::World;

/// A world whose tools publish, and the sidecar.
async fn publishing<T: Tool>() -> (World, testing::World, Server) {
    let sidecar = testing::World::new().await;
    let world = World::new().await;
    let verifier = Verifier::function(&world.key.public_jwks(), &function_of(T::NAME)).unwrap();
    let server = Server::new(sidecar.database.database().clone(), verifier)
        .publishing(sidecar.settings.publisher().unwrap());
    (world, sidecar, server)
}

#[tokio::test]
async fn a_call_is_answered_before_its_events_are_published() {
    let (world, sidecar, server) = publishing::<AddTask>().await;
    sidecar.mood(Mood::Waits);
    let reply = world.send_to::<AddTask>(&server, world.call_post::<AddTask>(json!({"title": "Task"}))).await;
    assert_eq!(reply.result()["structuredContent"]["task_id"], 1);
    assert_eq!((sidecar.unsent().await, sidecar.sent().len()), (2, 0));
    sidecar.mood(Mood::Takes);
    sidecar.until_published().await;
    assert_eq!(sidecar.numbers(), [1, 2]);
}

#[tokio::test]
async fn a_refused_access_is_published_too_also_by_a_tool_that_only_reads() {
    let (world, sidecar, server) = publishing::<ListTasks>().await;
    let reply =
        world.send_to::<ListTasks>(&server, world.call_post::<ListTasks>(json!({"user_id": "bob"}))).await;
    assert_eq!(reply.status, 403);
    sidecar.until_published().await;
    let told: Vec<_> = sidecar
        .sent()
        .into_iter()
        .map(|(_, user_id, event)| (user_id, event.event_type.to_string()))
        .collect();
    assert_eq!(told, [("ada".to_owned(), "access.refused".to_owned())]);
}
