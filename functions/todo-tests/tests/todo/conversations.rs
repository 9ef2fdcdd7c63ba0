//! A conversation lives in the database: after a restart, beside another message, and for nobody else.

use serde_json::{Value, json};
use todo_tests::{Person, World, on_both_databases};

on_both_databases! {
    async fn a_conversation_goes_on_after_a_restart(world: World) {
        let mut world = world;
        let mut alice = world.person("alice");
        alice.says("add call the dentist on Monday").await;
        let conversation = alice.conversation;
        world.restart().await;
        let mut alice = world.person("alice");
        alice.conversation = conversation;
        let reply = alice.says("make it Friday instead").await;
        assert_eq!(reply.tools().last(), Some(&"update_task"), "{reply:?}");
        assert_eq!(alice.conversation, conversation);
        assert_eq!(alice.tasks().await.len(), 1);
    }

    async fn an_approval_survives_a_restart(world: World) {
        let mut world = world;
        let mut alice = world.person("alice");
        alice.says("add buy milk").await;
        alice.says("add call mum").await;
        alice.says("delete tasks 1 and 2").await;
        let conversation = alice.conversation;
        world.restart().await;
        let mut alice = world.person("alice");
        alice.conversation = conversation;
        alice.says("yes, delete them").await;
        assert!(alice.tasks().await.is_empty());
    }

    async fn two_messages_at_once_are_put_in_order(world: World) {
        let mut alice = world.person("alice");
        alice.says("hello").await;
        let (mut one, mut other) = (same(&world, &alice), same(&world, &alice));
        tokio::join!(one.says("add buy milk"), other.says("add call mum"));
        let items = items(&alice).await;
        let kinds: Vec<_> = items.iter().map(|item| item["type"].as_str().unwrap()).collect();
        let people = kinds.iter().enumerate().filter(|(_, kind)| **kind == "user_message");
        for (position, _) in people {
            let next = kinds[position + 1..].iter().find(|kind| **kind != "workflow" && **kind != "task");
            assert_eq!(next, Some(&"assistant_message"), "each message is answered before the next: {kinds:?}");
        }
        assert_eq!(alice.tasks().await.len(), 2);
    }

    async fn an_unknown_conversation_is_not_found(world: World) {
        let alice = world.person("alice");
        let response = alice.posts(&json!({"message": "hello", "conversation_id": 99})).await;
        assert_eq!(response.status(), 404);
    }
}

fn same(world: &World, person: &Person) -> Person {
    let mut same = world.person("alice");
    same.conversation = person.conversation;
    same
}

async fn items(person: &Person) -> Vec<Value> {
    let params = json!({"thread_id": person.conversation.unwrap().to_string(), "limit": 100, "order": "asc"});
    let answer: Value =
        person.posts(&json!({"type": "items.list", "params": params})).await.json().await.unwrap();
    answer["data"].as_array().unwrap_or_else(|| panic!("no items: {answer}")).clone()
}
