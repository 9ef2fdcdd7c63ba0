use todo_store::dead_letters::{DeadLetter, Filter, Kept, Place};
use todo_store::testing::{TestDatabase, in_relay, in_transaction};
use todo_store::{Dialect, Error};

use crate::on_both_databases;

on_both_databases! {
    a_letter_is_kept_once_and_counted,
    letters_are_listed_in_both_directions_and_by_consumer_and_type,
    a_dropped_letter_is_gone_and_its_number_is_not_given_again,
    a_retry_in_vain_is_noted,
    components_can_put_letters_there_and_read_none,
}

fn letter(consumer: &str, event: u32) -> DeadLetter {
    DeadLetter {
        consumer: consumer.to_owned(),
        path: "/".to_owned(),
        digest: format!("digest {event}"),
        event_id: format!("event-{event}"),
        event_type: if event.is_multiple_of(2) { "task.created" } else { "task.deleted" }.to_owned(),
        topic: "task-events".to_owned(),
        user_id: event.is_multiple_of(2).then(|| "ada".to_owned()),
        status: event.is_multiple_of(2).then_some(503),
        reason: "its consumer could not be reached".to_owned(),
        body: format!("{{\"id\":\"event-{event}\"}}"),
    }
}

async fn keep(database: &TestDatabase, letter: &DeadLetter) {
    let mut relay = database.database().begin_relay().await.unwrap();
    relay.keep_dead_letter(letter).await.unwrap();
    relay.commit().await.unwrap();
}

async fn list(database: &TestDatabase, filter: &Filter, place: Place, limit: usize) -> Vec<Kept> {
    let mut operator = database.database().begin_operator().await.unwrap();
    operator.dead_letters(filter, place, limit).await.unwrap()
}

async fn all(database: &TestDatabase) -> Vec<Kept> {
    list(database, &Filter::default(), Place::After(0), 100).await
}

async fn a_letter_is_kept_once_and_counted(database: TestDatabase) {
    keep(&database, &letter("event-a", 2)).await;
    let first = all(&database).await;
    let again = DeadLetter {
        status: None,
        reason: "another".to_owned(),
        body: "{}".to_owned(),
        ..letter("event-a", 2)
    };
    keep(&database, &again).await;
    keep(&database, &letter("event-b", 2)).await;
    let kept = all(&database).await;
    assert_eq!(kept.len(), 2);
    let undecided = database.database().begin_relay().await.unwrap().backlog().await.unwrap().undecided;
    assert_eq!(undecided, [("event-a".to_owned(), 1), ("event-b".to_owned(), 1)].into());
    let it = &kept[0];
    assert_eq!(
        (it.number, it.attempts, it.status, it.reason.as_str()),
        (first[0].number, 2, None, "another")
    );
    assert_eq!((it.first_at, it.user_id.as_deref()), (first[0].first_at, Some("ada")));
    assert!(it.last_at >= it.first_at);
    let mut operator = database.database().begin_operator().await.unwrap();
    assert_eq!(operator.dead_letter(it.number).await.unwrap().as_ref(), Some(it));
    assert_eq!(operator.dead_letter_body(it.number).await.unwrap().as_deref(), Some("{\"id\":\"event-2\"}"));
    assert_eq!(operator.dead_letter(it.number + 100).await.unwrap(), None);
    assert_eq!(operator.dead_letter_body(it.number + 100).await.unwrap(), None);
}

async fn letters_are_listed_in_both_directions_and_by_consumer_and_type(database: TestDatabase) {
    for event in 0..6 {
        keep(&database, &letter(if event < 4 { "event-a" } else { "event-b" }, event)).await;
    }
    let ids = |kept: Vec<Kept>| kept.into_iter().map(|it| it.event_id).collect::<Vec<_>>();
    let everything = Filter::default();
    let newest = list(&database, &everything, Place::Before(i64::MAX), 2).await;
    let third = newest[1].number;
    assert_eq!(ids(newest), ["event-5", "event-4"]);
    assert_eq!(ids(list(&database, &everything, Place::Before(third), 2).await), ["event-3", "event-2"]);
    assert_eq!(
        ids(list(&database, &everything, Place::After(0), 3).await),
        ["event-0", "event-1", "event-2"]
    );
    let of_a = Filter { consumer: Some("event-a".to_owned()), event_type: None };
    assert_eq!(list(&database, &of_a, Place::After(0), 9).await.len(), 4);
    let created = Filter { consumer: None, event_type: Some("task.created".to_owned()) };
    assert_eq!(
        ids(list(&database, &created, Place::Before(i64::MAX), 9).await),
        ["event-4", "event-2", "event-0"]
    );
    let both = Filter { consumer: of_a.consumer, event_type: created.event_type };
    assert_eq!(ids(list(&database, &both, Place::After(0), 9).await), ["event-0", "event-2"]);
}

async fn a_dropped_letter_is_gone_and_its_number_is_not_given_again(database: TestDatabase) {
    keep(&database, &letter("event-a", 1)).await;
    let number = all(&database).await[0].number;
    let mut repair = database.database().begin_repair().await.unwrap();
    assert!(repair.drop_dead_letter(number).await.unwrap());
    assert!(!repair.drop_dead_letter(number).await.unwrap());
    repair.commit().await.unwrap();
    assert!(all(&database).await.is_empty());
    keep(&database, &letter("event-a", 1)).await;
    assert!(all(&database).await[0].number > number);
}

async fn a_retry_in_vain_is_noted(database: TestDatabase) {
    keep(&database, &letter("event-a", 1)).await;
    let number = all(&database).await[0].number;
    let mut repair = database.database().begin_repair().await.unwrap();
    repair.dead_letter_failed(number, Some(422)).await.unwrap();
    repair.commit().await.unwrap();
    let it = all(&database).await.remove(0);
    assert_eq!((it.attempts, it.status), (2, Some(422)));
}

async fn components_can_put_letters_there_and_read_none(database: TestDatabase) {
    if database.dialect() == Dialect::Sqlite {
        return;
    }
    keep(&database, &letter("event-a", 1)).await;
    for statement in
        ["SELECT body FROM dead_letters", "DELETE FROM dead_letters", "SELECT task FROM rebuilt_tasks"]
    {
        let mut relay = database.database().begin_relay().await.unwrap();
        let refused = in_relay(&mut relay, statement).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(_)), "{statement}: {refused}");
        let mut tenant = database.begin("ada").await.unwrap();
        let refused = in_transaction(&mut tenant, statement).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(_)), "{statement}: {refused}");
    }
    let mut operator = database.database().begin_operator().await.unwrap();
    assert_eq!(operator.dead_letters(&Filter::default(), Place::After(0), 9).await.unwrap().len(), 1);
}
