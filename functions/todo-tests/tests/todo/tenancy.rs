//! Nobody reaches another person's data: not by path, not by argument, not by number, not by conversation.

use serde_json::json;
use todo_tests::{Function, World, on_both_databases};

/// Every tool, with arguments that touch task 1.
fn calls() -> [(&'static str, serde_json::Value); 5] {
    [
        ("tool-add-task", json!({"title": "mine"})),
        ("tool-list-tasks", json!({})),
        ("tool-complete-task", json!({"task_id": 1})),
        ("tool-delete-task", json!({"task_id": 1})),
        ("tool-update-task", json!({"task_id": 1, "title": "taken"})),
    ]
}

on_both_databases! {
    async fn no_tool_accepts_another_persons_id(world: World) {
        world.function("tool-add-task", "alice").call(json!({"title": "secret"})).await.result();
        for (name, mut arguments) in calls() {
            arguments["user_id"] = json!("alice");
            let refused = world.function(name, "mallory").call(arguments).await;
            assert_eq!(refused.status, 403, "{name}: {refused:?}");
            assert!(refused.challenge.starts_with("Bearer "), "{name}: {refused:?}");
        }
        assert_eq!(world.person("alice").pending().await, ["secret"]);
    }

    async fn another_persons_task_is_not_found(world: World) {
        world.function("tool-add-task", "alice").call(json!({"title": "secret"})).await.result();
        for name in ["tool-complete-task", "tool-delete-task", "tool-update-task"] {
            let missed = world.function(name, "mallory").call(json!({"task_id": 1, "title": "x"})).await;
            let missed_without_title = world.function(name, "mallory").call(json!({"task_id": 1})).await;
            let mistakes = [missed, missed_without_title];
            assert!(mistakes.iter().all(|call| call.body["result"]["isError"] == true), "{name}: {mistakes:?}");
            assert!(!format!("{mistakes:?}").contains("secret"), "{name}");
        }
        assert_eq!(world.person("alice").pending().await, ["secret"]);
        assert!(world.person("mallory").tasks().await.is_empty());
    }

    async fn no_tool_accepts_another_functions_token(world: World) {
        for (name, arguments) in calls() {
            let other = if name == "tool-add-task" { "tool-list-tasks" } else { "tool-add-task" };
            let refused = wrong_audience(&world, name, other).call(arguments).await;
            assert_eq!(refused.status, 401, "{name}: {refused:?}");
            assert!(refused.challenge.contains("invalid_token"), "{name}: {refused:?}");
        }
    }

    async fn no_tool_accepts_a_persons_own_token(world: World) {
        for (name, arguments) in calls() {
            let refused = world.function(name, "alice").with_token(&world.token("alice")).call(arguments).await;
            assert_eq!(refused.status, 401, "{name}: {refused:?}");
        }
    }

    async fn a_conversation_of_another_person_is_not_found(world: World) {
        let mut alice = world.person("alice");
        alice.says("add buy milk").await;
        let mallory = world.person("mallory");
        let message = json!({"message": "show my tasks", "conversation_id": alice.conversation});
        assert_eq!(mallory.posts(&message).await.status(), 404);
        let thread = json!({"type": "threads.get_by_id", "params": {"thread_id": "1"}});
        assert_eq!(mallory.posts(&thread).await.status(), 404);
    }

    async fn the_same_numbers_are_everybodys_own(world: World) {
        let (mut alice, mut bob) = (world.person("alice"), world.person("bob"));
        alice.says("add buy milk").await;
        bob.says("add walk the dog").await;
        assert_eq!((alice.tasks().await[0]["id"].as_i64(), bob.tasks().await[0]["id"].as_i64()), (Some(1), Some(1)));
        bob.says("delete task 1").await;
        assert_eq!(alice.pending().await, ["buy milk"]);
    }
}

/// The function `name`, called with a token that was minted for `other`.
fn wrong_audience(world: &World, name: &str, other: &str) -> Function {
    let token = world.function(other, "alice").token().to_owned();
    world.function(name, "alice").with_token(&token)
}
