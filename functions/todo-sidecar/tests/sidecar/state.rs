//! State.

use serde_json::{Value, json};

use crate::world::{World, takes};

async fn save(world: &World, body: Value) -> (u16, Value) {
    world.post("/v1.0/state/state", body).await
}

async fn etag(world: &World, key: &str) -> String {
    let response = world.client.get(world.url(&format!("/v1.0/state/state/{key}"))).send().await.unwrap();
    response.headers()["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_value_is_saved_read_and_deleted() {
    let mut world = World::new(takes).await;
    assert_eq!(world.get("/v1.0/state/state/k").await.0, 204);
    assert_eq!(save(&world, json!([{"key": "k", "value": {"a": [1, "x", null]}}])).await.0, 204);
    assert_eq!(world.get("/v1.0/state/state/k").await, (200, json!({"a": [1, "x", null]})));
    world.restart().await;
    assert_eq!(world.get("/v1.0/state/state/k").await.0, 200);
    for _ in 0..2 {
        assert_eq!(world.send(world.client.delete(world.url("/v1.0/state/state/k"))).await.0, 204);
    }
    assert_eq!(world.get("/v1.0/state/state/k").await.0, 204);
}

#[tokio::test]
async fn an_etag_that_does_not_match_changes_nothing() {
    let world = World::new(takes).await;
    save(&world, json!([{"key": "k", "value": 1}])).await;
    let first = etag(&world, "k").await;
    assert_eq!(save(&world, json!([{"key": "k", "value": 2, "etag": first}])).await.0, 204);
    let (status, answer) = save(&world, json!([{"key": "k", "value": 3, "etag": first}])).await;
    assert_eq!((status, answer["errorCode"].as_str()), (409, Some("ERR_STATE_SAVE")));
    assert_eq!(
        answer["message"],
        "failed saving state in state store state: possible etag mismatch. error from state store"
    );
    let delete = |etag: &str| world.client.delete(world.url("/v1.0/state/state/k")).header("if-match", etag);
    let (status, answer) = world.send(delete(&first)).await;
    assert_eq!((status, answer["errorCode"].as_str()), (409, Some("ERR_STATE_DELETE")));
    assert_eq!(world.get("/v1.0/state/state/k").await.1, json!(2));
    assert_eq!(world.send(delete(&etag(&world, "k").await)).await.0, 204);
}

#[tokio::test]
async fn the_first_write_wins_when_asked() {
    let world = World::new(takes).await;
    let write = |value: u8| json!([{"key": "k", "value": value, "options": {"concurrency": "first-write"}}]);
    assert_eq!(save(&world, write(1)).await.0, 204);
    assert_eq!(save(&world, write(2)).await.0, 409);
    assert_eq!(world.get("/v1.0/state/state/k").await.1, json!(1));
    let (status, answer) =
        save(&world, json!([{"key": "k", "value": 1, "options": {"concurrency": "mine"}}])).await;
    assert_eq!((status, answer["errorCode"].as_str()), (500, Some("ERR_STATE_SAVE")));
}

#[tokio::test]
async fn a_value_may_have_a_time_to_live() {
    let world = World::new(takes).await;
    save(&world, json!([{"key": "k", "value": 1, "metadata": {"ttlInSeconds": "1"}}])).await;
    let response = world.client.get(world.url("/v1.0/state/state/k")).send().await.unwrap();
    let expires: jiff::Timestamp =
        response.headers()["metadata.ttlexpiretime"].to_str().unwrap().parse().unwrap();
    assert!(expires <= jiff::Timestamp::now() + jiff::SignedDuration::from_secs(1));
    while world.get("/v1.0/state/state/k").await.0 == 200 {}
    assert!(jiff::Timestamp::now() >= expires);
    // What has expired is not there for a first write either.
    let again = json!([{"key": "k", "value": 2, "options": {"concurrency": "first-write"}}]);
    assert_eq!(save(&world, again).await.0, 204);
    let (status, answer) =
        save(&world, json!([{"key": "k", "value": 1, "metadata": {"ttlInSeconds": "x"}}])).await;
    assert_eq!((status, answer["errorCode"].as_str()), (500, Some("ERR_STATE_SAVE")));
}

#[tokio::test]
async fn many_are_read_at_once() {
    let world = World::new(takes).await;
    save(&world, json!([{"key": "a", "value": 1}, {"key": "b", "value": "x"}])).await;
    let (status, items) = world.post("/v1.0/state/state/bulk", json!({"keys": ["a", "b", "c"]})).await;
    assert_eq!(status, 200);
    assert_eq!((&items[0]["key"], &items[0]["data"]), (&json!("a"), &json!(1)));
    assert_eq!(items[1]["etag"], etag(&world, "b").await);
    assert_eq!(items[2], json!({"key": "c"}));
    assert_eq!(world.post("/v1.0/state/state/bulk", json!({"keys": []})).await, (200, json!([])));
}

#[tokio::test]
async fn a_transaction_is_done_whole_or_not_at_all() {
    let world = World::new(takes).await;
    save(&world, json!([{"key": "old", "value": 0}])).await;
    let both = json!({"operations": [
        {"operation": "upsert", "request": {"key": "new", "value": 1}},
        {"operation": "delete", "request": {"key": "old"}},
    ]});
    assert_eq!(world.post("/v1.0/state/state/transaction", both).await.0, 204);
    assert_eq!(world.get("/v1.0/state/state/new").await.1, json!(1));
    assert_eq!(world.get("/v1.0/state/state/old").await.0, 204);
    let failing = json!({"operations": [
        {"operation": "upsert", "request": {"key": "new", "value": 2}},
        {"operation": "upsert", "request": {"key": "new", "value": 3, "etag": "another"}},
    ]});
    let (status, answer) = world.post("/v1.0/state/state/transaction", failing).await;
    assert_eq!((status, answer["errorCode"].as_str()), (500, Some("ERR_STATE_TRANSACTION")));
    assert_eq!(world.get("/v1.0/state/state/new").await.1, json!(1));
    let unknown = json!({"operations": [{"operation": "merge", "request": {"key": "new"}}]});
    let (status, answer) = world.post("/v1.0/state/state/transaction", unknown).await;
    assert_eq!((status, answer["errorCode"].as_str()), (400, Some("ERR_NOT_SUPPORTED_STATE_OPERATION")));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let world = World::new(takes).await;
    let (status, answer) = world.post("/v1.0/state/other", json!([{"key": "k", "value": 1}])).await;
    assert_eq!((status, answer["errorCode"].as_str()), (400, Some("ERR_STATE_STORE_NOT_FOUND")));
    assert_eq!(answer["details"][0]["reason"], "DAPR_STATE_NOT_FOUND");
    for body in [json!({"key": "k"}), json!([{"value": 1}]), json!([{"key": "a||b", "value": 1}])] {
        let (status, answer) = save(&world, body).await;
        assert_eq!((status, answer["errorCode"].as_str()), (400, Some("ERR_MALFORMED_REQUEST")), "{answer}");
    }
    assert_eq!(save(&world, json!([])).await.0, 204);
}
