use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use todo_domain::TaskId;
use todo_store::outbox::{Batch, End, Lease, Settled};
use todo_store::testing::{TestDatabase, in_relay, tenant};
use todo_store::{Dialect, Error, inbox, tasks};

use crate::{add, change, on_both_databases, titled};

on_both_databases! {
    events_are_numbered_without_a_gap_in_the_order_of_their_commits,
    a_rolled_back_change_uses_no_number,
    a_change_takes_the_lease_when_it_is_wanted_and_free,
    the_holder_gets_the_oldest_first_and_gives_the_lease_back,
    a_full_batch_keeps_the_lease,
    a_change_that_commits_while_the_lease_is_given_back_is_not_forgotten,
    concurrent_changes_are_published_in_order_and_none_is_left,
    a_lease_that_ran_out_is_the_relays,
    after_a_failure_nobody_but_the_relay_tries,
    what_can_never_be_published_holds_up_nothing,
    the_relay_finds_who_waits_longest,
    events_from_before_they_were_numbered_come_first,
    what_has_served_its_purpose_is_cleared_away_in_batches,
    the_relay_can_do_nothing_else,
    an_event_is_received_once,
}

/// A change of ada's that wants to publish.
async fn changed(database: &TestDatabase) -> Option<Lease> {
    let mut tx = database.begin("ada").await.unwrap();
    tx.want_lease();
    tasks::add(&mut tx, titled("Task")).await.unwrap();
    tx.commit_to_publish().await.unwrap()
}

async fn relay_lease(database: &TestDatabase, user_id: &str) -> Option<Lease> {
    let mut relay = database.database().begin_relay().await.unwrap();
    let lease = relay.lease(user_id).await.unwrap();
    relay.commit().await.unwrap();
    lease
}

async fn people(database: &TestDatabase) -> Vec<String> {
    let mut relay = database.database().begin_relay().await.unwrap();
    relay.people_waiting(Timestamp::now(), 100).await.unwrap()
}

async fn unsent(database: &TestDatabase) -> usize {
    database.as_owner("SELECT event_id FROM outbox WHERE sent_at IS NULL").await.unwrap().len()
}

fn sent(events: &[todo_store::outbox::Waiting], end: End) -> Batch {
    Batch { sent: events.iter().map(|event| event.event_id.clone()).collect(), end, ..Batch::default() }
}

fn sequence(body: &str) -> i64 {
    serde_json::from_str::<Value>(body).unwrap()["sequence"].as_str().unwrap().parse().unwrap()
}

/// Publishes as the skeleton does, `limit` at once, telling each event to `publish`.
async fn publish_all(
    database: &TestDatabase,
    lease: &mut Lease,
    limit: usize,
    mut publish: impl FnMut(i64),
) -> Settled {
    loop {
        let events = lease.waiting(database.database(), limit).await.unwrap();
        for event in &events {
            publish(sequence(&event.body));
        }
        let end = if events.len() < limit { End::Complete } else { End::More };
        match lease.settle(database.database(), &sent(&events, end)).await.unwrap() {
            Settled::MoreWaiting => {}
            settled => return settled,
        }
    }
}

async fn events_are_numbered_without_a_gap_in_the_order_of_their_commits(database: TestDatabase) {
    let database = Arc::new(database);
    let changes = (0..8).map(|_| {
        let database = database.clone();
        tokio::spawn(async move {
            for _ in 0..5 {
                let id = add(&database, "ada", titled("Task")).await.id;
                let mut tx = database.begin("ada").await.unwrap();
                tasks::complete(&mut tx, id).await.unwrap();
                tx.commit().await.unwrap();
            }
        })
    });
    for change in futures::future::join_all(changes).await {
        change.unwrap();
    }
    let rows = database.as_owner("SELECT sequence, body FROM outbox ORDER BY sequence").await.unwrap();
    let numbers: Vec<i64> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=160).collect::<Vec<_>>());
    assert!(rows.iter().all(|row| sequence(&row[1]).to_string() == row[0]));
}

async fn a_rolled_back_change_uses_no_number(database: TestDatabase) {
    add(&database, "ada", titled("Task")).await;
    let mut tx = database.begin("ada").await.unwrap();
    tasks::delete(&mut tx, TaskId(1)).await.unwrap();
    drop(tx);
    add(&database, "ada", titled("Task")).await;
    let numbers = database.as_owner("SELECT sequence FROM outbox ORDER BY sequence").await.unwrap().concat();
    assert_eq!(numbers, ["1", "2", "3", "4"]);
}

async fn a_change_takes_the_lease_when_it_is_wanted_and_free(database: TestDatabase) {
    add(&database, "ada", titled("Nobody wants to publish this")).await;
    let lease = changed(&database).await.unwrap();
    assert_eq!(lease.user_id(), "ada");
    assert!(changed(&database).await.is_none(), "it is taken");
    let mut tx = database.begin("bob").await.unwrap();
    tx.want_lease();
    tasks::add(&mut tx, titled("Task")).await.unwrap();
    tasks::update(&mut tx, TaskId(1), change(json!({"title": "New"}))).await.unwrap();
    assert!(tx.commit_to_publish().await.unwrap().is_some(), "another person's is free, and one's own stays");
    let mut tx = database.begin("cleo").await.unwrap();
    tx.want_lease();
    assert!(tx.commit_to_publish().await.unwrap().is_none(), "nothing was written");
}

async fn the_holder_gets_the_oldest_first_and_gives_the_lease_back(database: TestDatabase) {
    add(&database, "ada", titled("First")).await;
    add(&database, "bob", titled("Another's")).await;
    let mut lease = changed(&database).await.unwrap();
    let events = lease.waiting(database.database(), 10).await.unwrap();
    assert_eq!(events.iter().map(|event| sequence(&event.body)).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(events[0].topic, "task-events");
    let settled = lease.settle(database.database(), &sent(&events, End::Complete)).await.unwrap();
    assert_eq!(settled, Settled::Released);
    assert_eq!(unsent(&database).await, 2, "bob's");
    assert!(changed(&database).await.is_some(), "the next change takes the lease again");
}

async fn a_full_batch_keeps_the_lease(database: TestDatabase) {
    for _ in 0..5 {
        add(&database, "ada", titled("Task")).await;
    }
    let mut lease = changed(&database).await.unwrap();
    let mut numbers = Vec::new();
    let settled = publish_all(&database, &mut lease, 3, |number| numbers.push(number)).await;
    assert_eq!((settled, unsent(&database).await), (Settled::Released, 0));
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
}

/// The one race that a look into the outbox, in the statement that gives the lease back, would lose on Postgres.
async fn a_change_that_commits_while_the_lease_is_given_back_is_not_forgotten(database: TestDatabase) {
    let mut lease = changed(&database).await.unwrap();
    let events = lease.waiting(database.database(), 10).await.unwrap();
    let mut late = database.begin("ada").await.unwrap();
    late.want_lease();
    tasks::add(&mut late, titled("Late")).await.unwrap();
    let batch = sent(&events, End::Complete);
    let (settled, late) = tokio::join!(lease.settle(database.database(), &batch), async {
        until_somebody_waits(&database).await;
        late.commit_to_publish().await.unwrap()
    });
    assert!(late.is_none(), "the lease was taken when it wrote");
    assert_eq!(settled.unwrap(), Settled::MoreWaiting);
    let events = lease.waiting(database.database(), 10).await.unwrap();
    assert_eq!(events.len(), 2);
    let settled = lease.settle(database.database(), &sent(&events, End::Complete)).await.unwrap();
    assert_eq!(settled, Settled::Released);
}

/// On Postgres until a statement waits for a lock. In SQLite there is one writer at a time, and nothing to see.
async fn until_somebody_waits(database: &TestDatabase) {
    if database.dialect() == Dialect::Sqlite {
        return;
    }
    let waiting = "SELECT datname::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while database.as_owner(waiting).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

async fn concurrent_changes_are_published_in_order_and_none_is_left(database: TestDatabase) {
    let database = Arc::new(database);
    let published = Arc::new(Mutex::new(Vec::new()));
    let changes = (0..8).map(|_| {
        let (database, published) = (database.clone(), published.clone());
        tokio::spawn(async move {
            for _ in 0..8 {
                let Some(mut lease) = changed(&database).await else { continue };
                let publish = |number| published.lock().unwrap().push(number);
                let settled = publish_all(&database, &mut lease, 5, publish).await;
                assert_eq!(settled, Settled::Released);
            }
        })
    });
    for change in futures::future::join_all(changes).await {
        change.unwrap();
    }
    assert_eq!(*published.lock().unwrap(), (1..=128).collect::<Vec<_>>());
    assert_eq!(unsent(&database).await, 0);
}

async fn a_lease_that_ran_out_is_the_relays(database: TestDatabase) {
    let mut lost = changed(&database).await.unwrap();
    assert!(relay_lease(&database, "ada").await.is_none());
    assert_eq!(people(&database).await, Vec::<String>::new(), "somebody is at it");
    database.as_owner("UPDATE users SET publishing_until = 1").await.unwrap();
    assert_eq!(people(&database).await, ["ada"]);
    let mut lease = relay_lease(&database, "ada").await.unwrap();
    let events = lost.waiting(database.database(), 10).await.unwrap();
    let settled = lost.settle(database.database(), &sent(&events[..1], End::Complete)).await.unwrap();
    assert_eq!(settled, Settled::Lost, "but what it has sent is sent");
    let mut numbers = Vec::new();
    let settled = publish_all(&database, &mut lease, 10, |number| numbers.push(number)).await;
    assert_eq!((settled, numbers), (Settled::Released, vec![2]));
}

async fn after_a_failure_nobody_but_the_relay_tries(database: TestDatabase) {
    let mut lease = changed(&database).await.unwrap();
    let events = lease.waiting(database.database(), 10).await.unwrap();
    let settled = lease.settle(database.database(), &sent(&events[..1], End::Failed)).await.unwrap();
    assert_eq!((settled, unsent(&database).await), (Settled::Released, 1));
    assert!(changed(&database).await.is_none());
    let mut tx = database.begin("bob").await.unwrap();
    tx.want_lease();
    tasks::add(&mut tx, titled("A new person's")).await.unwrap();
    assert!(tx.commit_to_publish().await.unwrap().is_none());

    assert!(relay_lease(&database, "ada").await.is_some());
    let mut relay = database.database().begin_relay().await.unwrap();
    relay.recovered().await.unwrap();
    relay.commit().await.unwrap();
    let mut tx = database.begin("bob").await.unwrap();
    tx.want_lease();
    tasks::add(&mut tx, titled("Task")).await.unwrap();
    assert!(tx.commit_to_publish().await.unwrap().is_some());
}

async fn what_can_never_be_published_holds_up_nothing(database: TestDatabase) {
    let mut lease = changed(&database).await.unwrap();
    let events = lease.waiting(database.database(), 10).await.unwrap();
    let aside = vec![(events[0].event_id.clone(), "not an event".to_owned())];
    let batch = Batch { set_aside: aside, ..sent(&events[1..], End::Complete) };
    assert_eq!(lease.settle(database.database(), &batch).await.unwrap(), Settled::Released);
    let rows = database.as_owner("SELECT problem FROM outbox ORDER BY sequence").await.unwrap();
    assert_eq!(rows[0][0], "not an event");
    assert!(people(&database).await.is_empty());
}

async fn the_relay_finds_who_waits_longest(database: TestDatabase) {
    for (user_id, at) in [("cleo", 3), ("ada", 1), ("bob", 2), ("ada", 4)] {
        add(&database, user_id, titled("Task")).await;
        let aged =
            format!("UPDATE outbox SET created_at = {at} WHERE user_id = '{user_id}' AND created_at > 9");
        database.as_owner(&aged).await.unwrap();
    }
    assert_eq!(people(&database).await, ["ada", "bob", "cleo"]);
    let mut relay = database.database().begin_relay().await.unwrap();
    let before = Timestamp::from_millisecond(1).unwrap();
    assert_eq!(relay.people_waiting(before, 100).await.unwrap(), ["ada"]);
}

async fn events_from_before_they_were_numbered_come_first(database: TestDatabase) {
    add(&database, "ada", titled("Task")).await;
    add(&database, "ada", titled("Task")).await;
    let old = "UPDATE outbox SET sequence = 0, created_at = 1 WHERE sequence > 2";
    database.as_owner(old).await.unwrap();
    let mut lease = relay_lease(&database, "ada").await.unwrap();
    let events = lease.waiting(database.database(), 10).await.unwrap();
    let subjects: Vec<i64> = events.iter().map(|event| sequence(&event.body)).collect();
    assert_eq!(subjects, [3, 4, 1, 2], "as their bodies tell");
}

async fn what_has_served_its_purpose_is_cleared_away_in_batches(database: TestDatabase) {
    for _ in 0..3 {
        add(&database, "ada", titled("Task")).await;
    }
    database.as_owner("UPDATE outbox SET sent_at = sequence WHERE sequence <= 3").await.unwrap();
    database.as_owner("UPDATE outbox SET created_at = 1").await.unwrap();
    database.as_owner("INSERT INTO inbox VALUES ('c', 'e', 'ada', 1)").await.unwrap();
    database.as_owner("INSERT INTO calls VALUES ('ada', 'c', 't', 'x', '{}', 1)").await.unwrap();
    let count =
        "SELECT (SELECT COUNT(*) FROM outbox), (SELECT COUNT(*) FROM inbox), (SELECT COUNT(*) FROM calls)";
    for left in [["4", "0", "0"], ["3", "0", "0"], ["3", "0", "0"]] {
        let mut relay = database.database().begin_relay().await.unwrap();
        relay.clear(2).await.unwrap();
        relay.commit().await.unwrap();
        assert_eq!(database.as_owner(count).await.unwrap(), [left], "what was not sent stays, however old");
    }
}

async fn the_relay_can_do_nothing_else(database: TestDatabase) {
    if database.dialect() == Dialect::Sqlite {
        return;
    }
    add(&database, "ada", titled("Task")).await;
    let forbidden = [
        "SELECT title FROM tasks",
        "DELETE FROM tasks",
        "SELECT content FROM messages",
        "SELECT answer FROM calls",
        "SELECT body FROM audit",
        "UPDATE audit SET body = ''",
        "UPDATE audit_heads SET last_hash = ''",
        "UPDATE users SET last_event = 0",
        "UPDATE outbox SET body = ''",
        "INSERT INTO outbox SELECT * FROM outbox",
    ];
    for statement in forbidden {
        let mut relay = database.database().begin_relay().await.unwrap();
        let refused = in_relay(&mut relay, statement).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{statement}: {refused:?}");
    }
}

async fn an_event_is_received_once(database: TestDatabase) {
    let received = async |consumer: &'static str| {
        let mut tx = database.database().begin(&tenant("ada").unwrap()).await.unwrap();
        let first = inbox::receive(&mut tx, consumer, "event").await.unwrap();
        tx.commit().await.unwrap();
        first
    };
    let firsts = futures::future::join_all((0..10).map(|_| received("event-repeat-task"))).await;
    assert_eq!(firsts.iter().filter(|first| **first).count(), 1);
    assert!(received("event-record-audit").await, "another consumer's matter");
    let mut tx = database.begin("ada").await.unwrap();
    assert!(inbox::receive(&mut tx, "event-repeat-task", "another").await.unwrap());
    drop(tx);
    let mut tx = database.begin("ada").await.unwrap();
    let again =
        tokio::time::timeout(Duration::from_secs(5), inbox::receive(&mut tx, "event-repeat-task", "another"));
    assert!(again.await.unwrap().unwrap(), "rolled back with its effect");
}
