use todo_store::testing::TestDatabase;
use todo_store::updates::{self, Head, Update};

use crate::{add, on_both_databases, titled};

on_both_databases! {
    updates_are_numbered_as_their_events_and_a_late_one_comes_last,
    pushes_at_once_become_visible_in_their_order,
    a_push_that_is_rolled_back_leaves_nothing,
    old_updates_are_cleared_away_and_the_head_says_so,
}

async fn push(database: &TestDatabase, user_id: &str, sequence: i64) -> i64 {
    let mut tx = database.begin(user_id).await.unwrap();
    let offset = updates::push(&mut tx, sequence, "{}").await.unwrap();
    tx.commit().await.unwrap();
    offset
}

async fn after(database: &TestDatabase, user_id: &str, offset: i64) -> Vec<i64> {
    let mut tx = database.begin(user_id).await.unwrap();
    let updates = updates::after(&mut tx, offset, 1000).await.unwrap();
    updates.into_iter().map(|update| update.offset).collect()
}

async fn head(database: &TestDatabase, user_id: &str) -> Head {
    updates::head(&mut database.begin(user_id).await.unwrap()).await.unwrap()
}

async fn updates_are_numbered_as_their_events_and_a_late_one_comes_last(database: TestDatabase) {
    assert_eq!(head(&database, "ada").await, Head::default());
    let given = [(2, 2), (8, 8), (4, 9), (9, 10), (0, 11), (20, 20)];
    for (sequence, offset) in given {
        assert_eq!(push(&database, "ada", sequence).await, offset);
    }
    assert_eq!(push(&database, "bob", 1).await, 1);
    assert_eq!(after(&database, "ada", 8).await, [9, 10, 11, 20]);
    let mut tx = database.begin("ada").await.unwrap();
    let first = updates::after(&mut tx, 8, 1).await.unwrap();
    assert_eq!(first, [Update { offset: 9, sequence: 4, body: "{}".to_owned() }]);
    drop(tx);
    add(&database, "ada", titled("Task")).await;
    assert_eq!(head(&database, "ada").await, Head { offset: 20, cut: 0, sequence: 2 });
}

/// Whoever reads up to an offset must not find something before it later.
async fn pushes_at_once_become_visible_in_their_order(database: TestDatabase) {
    const PUSHES: i64 = 60;
    let database = std::sync::Arc::new(database);
    let pushing = (1..=PUSHES).rev().map(|sequence| {
        let database = database.clone();
        tokio::spawn(async move { push(&database, "ada", sequence).await })
    });
    let pushing: Vec<_> = pushing.collect();
    let mut read = Vec::new();
    while i64::try_from(read.len()).unwrap() < PUSHES {
        let last = read.last().copied().unwrap_or(0);
        read.extend(after(&database, "ada", last).await);
    }
    let mut pushed = Vec::new();
    for push in pushing {
        pushed.push(push.await.unwrap());
    }
    pushed.sort_unstable();
    assert_eq!(read, pushed);
}

async fn a_push_that_is_rolled_back_leaves_nothing(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    updates::push(&mut tx, 5, "{}").await.unwrap();
    drop(tx);
    assert_eq!(head(&database, "ada").await, Head::default());
    assert_eq!(push(&database, "ada", 1).await, 1);
}

async fn old_updates_are_cleared_away_and_the_head_says_so(database: TestDatabase) {
    for sequence in 1..=4 {
        push(&database, "ada", sequence).await;
        push(&database, "bob", sequence).await;
    }
    let old = "UPDATE updates SET pushed_at = update_offset WHERE user_id = 'ada' AND update_offset <= 3";
    database.as_owner(old).await.unwrap();
    for left in [vec![3, 4], vec![4], vec![4]] {
        let mut relay = database.database().begin_relay().await.unwrap();
        relay.clear_updates(2).await.unwrap();
        relay.commit().await.unwrap();
        assert_eq!(after(&database, "ada", 0).await, left);
    }
    assert_eq!(head(&database, "ada").await, Head { offset: 4, cut: 3, sequence: 0 });
    assert_eq!(after(&database, "bob", 0).await, [1, 2, 3, 4]);
}
