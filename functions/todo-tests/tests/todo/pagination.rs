//! A list that is longer than a page comes whole, page by page.

use std::collections::BTreeSet;

use serde_json::json;
use todo_tests::on_both_databases;

on_both_databases! {
    async fn pages_hold_every_task_once(world: World) {
        let add = world.function("tool-add-task", "alice");
        for number in 0..45 {
            add.call(json!({"title": format!("task {}", number % 7), "priority": "high"})).await.result();
        }
        let list = world.function("tool-list-tasks", "alice");
        let (mut seen, mut cursor, mut pages) = (BTreeSet::new(), None, 0);
        loop {
            let mut arguments = json!({"limit": 10, "sort": "priority", "order": "desc"});
            if let Some(cursor) = &cursor {
                arguments["cursor"] = json!(cursor);
            }
            let page = list.call(arguments).await;
            for task in page.result().as_array().unwrap() {
                assert!(seen.insert(task["id"].as_i64().unwrap()), "twice: {task}");
            }
            pages += 1;
            cursor = page.body["result"]["_meta"]["todo/next-cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((seen.len(), pages), (45, 5));
    }

    async fn a_cursor_of_another_list_is_a_mistake(world: World) {
        let add = world.function("tool-add-task", "alice");
        for _ in 0..3 {
            add.call(json!({"title": "again"})).await.result();
        }
        let list = world.function("tool-list-tasks", "alice");
        let page = list.call(json!({"limit": 2})).await;
        let cursor = page.body["result"]["_meta"]["todo/next-cursor"].as_str().unwrap();
        let wrong = list.call(json!({"limit": 2, "status": "completed", "cursor": cursor})).await;
        assert!(wrong.mistake().contains("cursor"), "{}", wrong.mistake());
        assert!(list.call(json!({"cursor": "nonsense"})).await.mistake().contains("cursor"));
    }
}
