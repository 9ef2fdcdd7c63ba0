use serde_json::json;
use todo_domain::ListQuery;
use todo_store::calls::{self, Call};
use todo_store::testing::TestDatabase;
use todo_store::{Error, tasks};

use crate::{on_both_databases, titled};

on_both_databases! {
    a_repeated_call_gets_the_first_answer,
    any_text_will_do_as_an_id,
    a_call_id_used_for_something_else_is_a_conflict,
    the_same_id_of_two_people_is_two_calls,
    of_two_equal_calls_at_once_one_changes_something,
}

fn call(id: &str) -> Call {
    Call::new(id, "add_task", &json!({"title": "Task"}))
}

async fn a_repeated_call_gets_the_first_answer(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    assert_eq!(calls::first_answer(&mut tx, &call("1")).await.unwrap(), None);
    let answer = json!({"task_id": 1, "status": "created", "title": "Täsk \"1\""});
    calls::remember(&mut tx, &call("1"), &answer).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = database.begin("ada").await.unwrap();
    assert_eq!(calls::first_answer(&mut tx, &call("1")).await.unwrap(), Some(answer));
}

#[test]
fn the_order_of_arguments_does_not_matter() {
    let [one, other] = [r#"{"a": 1, "b": {"c": 2, "d": 3}}"#, r#"{"b": {"d": 3, "c": 2}, "a": 1}"#]
        .map(|arguments| Call::new("1", "add_task", &serde_json::from_str(arguments).unwrap()));
    assert_eq!(one, other);
}

async fn a_call_id_used_for_something_else_is_a_conflict(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    calls::remember(&mut tx, &call("1"), &json!({})).await.unwrap();
    for other in [
        Call::new("1", "add_task", &json!({"title": "Else"})),
        Call::new("1", "delete_task", &json!({"title": "Task"})),
    ] {
        let error = calls::first_answer(&mut tx, &other).await.unwrap_err();
        assert!(matches!(error, Error::Conflict(_)), "{error:?}");
        assert!(!error.is_transient() && error.is_callers());
    }
}

async fn any_text_will_do_as_an_id(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    for id in ["", "\0", "'); --", &"é".repeat(10_000)] {
        assert_eq!(calls::first_answer(&mut tx, &call(id)).await.unwrap(), None, "{id:?}");
        calls::remember(&mut tx, &call(id), &json!(id)).await.unwrap();
        assert_eq!(calls::first_answer(&mut tx, &call(id)).await.unwrap(), Some(json!(id)));
    }
}

async fn the_same_id_of_two_people_is_two_calls(database: TestDatabase) {
    let mut tx = database.begin("ada").await.unwrap();
    calls::remember(&mut tx, &call("1"), &json!("ada's")).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = database.begin("bob").await.unwrap();
    assert_eq!(calls::first_answer(&mut tx, &call("1")).await.unwrap(), None);
    calls::remember(&mut tx, &call("1"), &json!("bob's")).await.unwrap();
}

async fn of_two_equal_calls_at_once_one_changes_something(database: TestDatabase) {
    let answered = async || {
        let mut tx = database.begin("ada").await?;
        if let Some(answer) = calls::first_answer(&mut tx, &call("1")).await? {
            return Ok::<_, todo_store::testing::Failure>(answer);
        }
        let task = tasks::add(&mut tx, titled("Task")).await?;
        let answer = json!({"task_id": task.id});
        calls::remember(&mut tx, &call("1"), &answer).await?;
        tx.commit().await?;
        Ok(answer)
    };
    let answers = futures::future::join_all((0..8).map(|_| async {
        match answered().await {
            Ok(answer) => answer,
            Err(error) => {
                assert!(error.downcast_ref::<Error>().unwrap().is_transient(), "{error:?}");
                answered().await.unwrap()
            }
        }
    }))
    .await;
    assert!(answers.iter().all(|answer| *answer == json!({"task_id": 1})), "{answers:?}");
    let mut tx = database.begin("ada").await.unwrap();
    assert_eq!(tasks::list(&mut tx, &ListQuery::default()).await.unwrap().tasks.len(), 1);
}
