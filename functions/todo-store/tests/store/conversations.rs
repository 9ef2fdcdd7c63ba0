use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use todo_store::Error;
use todo_store::conversations::{self, NewMessage, Role};
use todo_store::testing::TestDatabase;

use crate::on_both_databases;

on_both_databases! {
    conversations_are_listed_newest_first_page_by_page,
    messages_come_back_in_order_page_by_page,
    many_messages_are_appended_at_once,
    any_text_can_be_said,
    state_is_kept_and_cleared,
    a_conversation_is_renamed_and_deleted_with_its_messages,
    one_turn_at_a_time,
    a_claim_that_ran_out_is_taken_over,
    of_many_claims_at_once_one_wins,
    concurrent_appends_do_not_interleave,
}

async fn create(database: &TestDatabase) -> i64 {
    let mut tx = database.begin("ada").await.unwrap();
    let created = conversations::create(&mut tx, "Tasks").await.unwrap();
    tx.commit().await.unwrap();
    created.conversation_id
}

fn said(text: impl Into<String>) -> NewMessage {
    NewMessage { role: Role::User, content: json!({"text": text.into()}) }
}

fn soon() -> Timestamp {
    Timestamp::now() + SignedDuration::from_mins(2)
}

async fn conversations_are_listed_newest_first_page_by_page(database: TestDatabase) {
    for _ in 0..5 {
        create(&database).await;
    }
    let mut tx = database.begin("ada").await.unwrap();
    let mut numbers = Vec::new();
    let mut after = None;
    loop {
        let page = conversations::list(&mut tx, 2, after).await.unwrap();
        numbers.extend(page.iter().map(|conversation| conversation.conversation_id));
        after = page.last().map(|conversation| conversation.conversation_id);
        if page.len() < 2 {
            break;
        }
    }
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
}

async fn messages_come_back_in_order_page_by_page(database: TestDatabase) {
    let id = create(&database).await;
    let mut tx = database.begin("ada").await.unwrap();
    let roles = [Role::User, Role::ToolCall, Role::ToolResult, Role::Assistant];
    let new = roles
        .map(|role| NewMessage { role, content: json!({"role": role.as_str(), "text": "Grüße \"1\""}) });
    let appended = conversations::append(&mut tx, id, &new).await.unwrap();
    assert_eq!(conversations::messages(&mut tx, id, 10, None).await.unwrap(), appended);
    let last = conversations::messages(&mut tx, id, 3, None).await.unwrap();
    assert_eq!(last, appended[1..]);
    let before = conversations::messages(&mut tx, id, 3, Some(last[0].message_id)).await.unwrap();
    assert_eq!(before, appended[..1]);
}

async fn many_messages_are_appended_at_once(database: TestDatabase) {
    let id = create(&database).await;
    let mut tx = database.begin("ada").await.unwrap();
    let new: Vec<_> = (0..250).map(|n| said(n.to_string())).collect();
    conversations::append(&mut tx, id, &new).await.unwrap();
    conversations::append(&mut tx, id, &[said("last")]).await.unwrap();
    let messages = conversations::messages(&mut tx, id, 1000, None).await.unwrap();
    assert_eq!(
        messages.iter().map(|message| message.message_id).collect::<Vec<_>>(),
        (1..=251).collect::<Vec<_>>()
    );
    assert_eq!(messages[249].content, json!({"text": "249"}));
}

async fn any_text_can_be_said(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    let id = conversations::create(&mut tx, "a\0b").await.unwrap().conversation_id;
    conversations::append(&mut tx, id, &[said("a\0b \u{1F600} '); --")]).await.unwrap();
    let messages = conversations::messages(&mut tx, id, 1, None).await.unwrap();
    assert_eq!(messages[0].content, json!({"text": "a\0b \u{1F600} '); --"}));
    assert_eq!(conversations::get(&mut tx, id).await.unwrap().title, "ab");
}

async fn state_is_kept_and_cleared(database: TestDatabase) {
    let id = create(&database).await;
    let mut tx = database.begin("ada").await.unwrap();
    assert_eq!(conversations::state(&mut tx, id).await.unwrap(), None);
    let state = json!({"approval": {"tasks": [1, 2]}});
    conversations::set_state(&mut tx, id, Some(&state)).await.unwrap();
    assert_eq!(conversations::state(&mut tx, id).await.unwrap(), Some(state));
    conversations::set_state(&mut tx, id, None).await.unwrap();
    assert_eq!(conversations::state(&mut tx, id).await.unwrap(), None);
}

async fn a_conversation_is_renamed_and_deleted_with_its_messages(database: TestDatabase) {
    let id = create(&database).await;
    let mut tx = database.begin("ada").await.unwrap();
    conversations::append(&mut tx, id, &[said("Hello")]).await.unwrap();
    conversations::rename(&mut tx, id, "Groceries").await.unwrap();
    assert_eq!(conversations::get(&mut tx, id).await.unwrap().title, "Groceries");
    conversations::delete(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(database.as_owner("SELECT message_id FROM messages").await.unwrap().is_empty());
    let mut tx = database.begin("ada").await.unwrap();
    let gone = conversations::messages(&mut tx, id, 10, None).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound { what: "conversation", .. }), "{gone:?}");
}

async fn one_turn_at_a_time(database: TestDatabase) {
    let id = create(&database).await;
    let mut tx = database.begin("ada").await.unwrap();
    assert!(conversations::claim_turn(&mut tx, id, "one", soon()).await.unwrap());
    assert!(conversations::claim_turn(&mut tx, id, "one", soon()).await.unwrap(), "its owner may extend it");
    assert!(!conversations::claim_turn(&mut tx, id, "two", soon()).await.unwrap());
    assert!(!conversations::release_turn(&mut tx, id, "two").await.unwrap());
    assert!(conversations::release_turn(&mut tx, id, "one").await.unwrap());
    assert!(conversations::claim_turn(&mut tx, id, "two", soon()).await.unwrap());
}

async fn a_claim_that_ran_out_is_taken_over(database: TestDatabase) {
    let id = create(&database).await;
    let mut tx = database.begin("ada").await.unwrap();
    let past = tx.now() - SignedDuration::from_secs(1);
    assert!(conversations::claim_turn(&mut tx, id, "one", past).await.unwrap());
    assert!(conversations::claim_turn(&mut tx, id, "two", soon()).await.unwrap());
    assert!(!conversations::release_turn(&mut tx, id, "one").await.unwrap(), "it has lost the turn");
}

async fn of_many_claims_at_once_one_wins(database: TestDatabase) {
    let id = create(&database).await;
    let claims = (0..10).map(|n| {
        let database = &database;
        async move {
            let mut tx = database.begin("ada").await.unwrap();
            let won = conversations::claim_turn(&mut tx, id, &n.to_string(), soon()).await.unwrap();
            tx.commit().await.unwrap();
            won
        }
    });
    let won = futures::future::join_all(claims).await;
    assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
}

async fn concurrent_appends_do_not_interleave(database: TestDatabase) {
    let id = create(&database).await;
    let appends = (0..8).map(|n| {
        let database = &database;
        async move {
            let mut tx = database.begin("ada").await.unwrap();
            let new = [said(n.to_string()), said(n.to_string())];
            conversations::append(&mut tx, id, &new).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    futures::future::join_all(appends).await;
    let mut tx = database.begin("ada").await.unwrap();
    let messages = conversations::messages(&mut tx, id, 100, None).await.unwrap();
    assert_eq!(messages.len(), 16);
    assert!(messages.chunks(2).all(|pair| pair[0].content == pair[1].content), "{messages:?}");
}
