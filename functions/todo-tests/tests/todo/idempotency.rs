//! A call that is repeated gives the first answer and changes nothing.

use serde_json::json;
use todo_tests::on_both_databases;

on_both_databases! {
    async fn a_repeated_call_gives_the_first_answer(world: World) {
        let add = world.function("tool-add-task", "alice");
        let first = add.call_with_id(json!({"title": "buy milk"}), "call-1").await;
        let again = add.call_with_id(json!({"title": "buy milk"}), "call-1").await;
        assert_eq!(first.result(), again.result());
        assert_eq!(world.person("alice").tasks().await.len(), 1);
    }

    async fn the_same_call_id_with_other_arguments_is_a_mistake(world: World) {
        let add = world.function("tool-add-task", "alice");
        add.call_with_id(json!({"title": "buy milk"}), "call-1").await;
        let other = add.call_with_id(json!({"title": "buy bread"}), "call-1").await;
        assert!(other.body["error"].is_object() || other.body["result"]["isError"] == true, "{other:?}");
        assert_eq!(world.person("alice").tasks().await.len(), 1);
    }

    async fn the_same_call_id_of_another_person_is_another_call(world: World) {
        world.function("tool-add-task", "alice").call_with_id(json!({"title": "buy milk"}), "call-1").await;
        let bob = world.function("tool-add-task", "bob").call_with_id(json!({"title": "walk the dog"}), "call-1").await;
        assert_eq!(bob.result()["title"], "walk the dog");
    }

    async fn a_hundred_repeats_at_once_add_one_task(world: World) {
        let add = world.function("tool-add-task", "alice");
        let calls = (0..100).map(|_| add.call_with_id(json!({"title": "buy milk"}), "call-1"));
        let answers = futures::future::join_all(calls).await;
        assert!(answers.iter().all(|answer| answer.result()["task_id"] == 1));
        assert_eq!(world.person("alice").tasks().await.len(), 1);
    }
}
