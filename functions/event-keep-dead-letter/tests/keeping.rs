//! Whatever comes is kept, once, and what is said of it is true.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use event_keep_dead_letter::Keeper;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use serde_json::{Value, json};
use todo_delivery::Settings;
use todo_events::{Event, Origin, sign};
use todo_identity::EventKey;
use todo_store::dead_letters::{Filter, Kept, Place};
use todo_store::testing::TestDatabase;

const STRUCTURED: &str = "application/cloudevents+json";

struct World {
    database: TestDatabase,
    key: EventKey,
    keeper: Keeper,
}

impl World {
    async fn new() -> Self {
        Self::over(TestDatabase::sqlite().await.unwrap()).await
    }

    async fn over(database: TestDatabase) -> Self {
        let key = EventKey::generate().unwrap();
        let settings = Settings {
            database_url: database.url.clone(),
            event_public_keys: key.public_jwks(),
            ..Settings::default()
        };
        let keeper = Keeper::open(&settings).await.unwrap();
        Self { database, key, keeper }
    }

    async fn post(&self, headers: &[(&str, &str)], body: impl Into<bytes::Bytes>) -> StatusCode {
        let mut request = Request::builder().method(Method::POST).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.keeper.serve(request.body(Full::new(body.into())).unwrap()).await;
        answer.status()
    }

    async fn keep(&self, event: &Value) {
        assert_eq!(
            self.post(&[("content-type", STRUCTURED)], event.to_string()).await,
            StatusCode::NO_CONTENT
        );
    }

    async fn kept(&self) -> Vec<Kept> {
        let mut operator = self.database.database().begin_operator().await.unwrap();
        operator.dead_letters(&Filter::default(), Place::After(0), 100).await.unwrap()
    }

    async fn body(&self, number: i64) -> Value {
        let mut operator = self.database.database().begin_operator().await.unwrap();
        serde_json::from_str(&operator.dead_letter_body(number).await.unwrap().unwrap()).unwrap()
    }

    /// An event of alice's as it came to a consumer, and what the delivery adds when it gives up.
    fn letter(&self, destination: &str, code: Option<&str>) -> Value {
        let event = Event::access_refused("alice", "bob", "a secret of hers", Timestamp::UNIX_EPOCH);
        let stored = event.cloud_event(&Origin::of("tool-add-task")).to_string();
        let mut letter: Value = serde_json::from_slice(&sign(&stored, &self.key).unwrap()).unwrap();
        letter["knativeerrordest"] = destination.into();
        if let Some(code) = code {
            letter["knativeerrorcode"] = code.into();
        }
        letter["knativeerrordata"] = "".into();
        letter
    }
}

#[tokio::test]
async fn an_event_is_kept_with_its_consumer_its_person_and_the_reason() {
    let world = World::new().await;
    let letter = world.letter("http://127.0.0.1:4000/event-record-audit/", Some("503"));
    world.keep(&letter).await;
    let kept = world.kept().await;
    assert_eq!(kept.len(), 1);
    let it = &kept[0];
    assert_eq!((it.consumer.as_str(), it.path.as_str()), ("event-record-audit", "/"));
    assert_eq!(
        (it.event_id.as_str(), it.event_type.as_str()),
        (letter["id"].as_str().unwrap(), "access.refused")
    );
    assert_eq!(
        (it.topic.as_str(), it.user_id.as_deref(), it.status),
        ("task-events", Some("alice"), Some(503))
    );
    assert_eq!((it.reason.as_str(), it.attempts), ("its consumer failed each time it was delivered", 1));
    assert_eq!(world.body(it.number).await, letter);
}

#[tokio::test]
async fn an_event_that_comes_again_is_counted() {
    let world = World::new().await;
    let first = world.letter("http://127.0.0.1:4000/event-record-audit/", Some("503"));
    let mut again = first.clone();
    again["knativeerrorcode"] = "422".into();
    world.keep(&first).await;
    world.keep(&again).await;
    let mut elsewhere = first.clone();
    elsewhere["knativeerrordest"] = "http://event-push-update.todo.svc.cluster.local/".into();
    world.keep(&elsewhere).await;
    let kept: Vec<_> =
        world.kept().await.into_iter().map(|it| (it.consumer, it.attempts, it.status, it.reason)).collect();
    let failed = "its consumer failed each time it was delivered".to_owned();
    let refused = "its consumer refused it".to_owned();
    assert_eq!(
        kept,
        [
            ("event-record-audit".to_owned(), 2, Some(422), refused),
            ("event-push-update".to_owned(), 1, Some(503), failed)
        ]
    );
}

#[tokio::test]
async fn a_forgery_takes_no_true_events_place_and_belongs_to_nobody() {
    let world = World::new().await;
    let letter = world.letter("http://127.0.0.1:4000/event-record-audit/", Some("422"));
    let mut forged = letter.clone();
    forged["data"]["user_id"] = "mallory".into();
    forged["partitionkey"] = "mallory".into();
    forged["subject"] = "user/mallory".into();
    world.keep(&forged).await;
    world.keep(&letter).await;
    let kept = world.kept().await;
    let people: Vec<_> = kept.iter().map(|it| it.user_id.as_deref()).collect();
    assert_eq!(people, [None, Some("alice")]);
    assert!(kept[0].reason.starts_with("the event's signature is refused"), "{}", kept[0].reason);
    assert_eq!(world.body(kept[1].number).await, letter);
}

#[tokio::test]
async fn what_is_no_event_is_kept_as_it_came() {
    let world = World::new().await;
    let error = ("ce-knativeerrordest", "http://127.0.0.1:4000/event-push-update/");
    for _ in 0..2 {
        let status =
            world.post(&[("content-type", STRUCTURED), error, ("authorization", "Bearer x")], "{\u{0}").await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    let kept = world.kept().await;
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].consumer.as_str(), kept[0].event_type.as_str()), ("event-push-update", "unreadable"));
    assert_eq!((kept[0].attempts, kept[0].user_id.as_deref(), kept[0].status), (2, None, None));
    let body = world.body(kept[0].number).await;
    assert_eq!(body["body_base64"], "ewA=");
    assert_eq!(body["headers"], json!({"content-type": STRUCTURED, error.0: error.1}));
}

#[tokio::test]
async fn a_persons_token_is_not_kept() {
    let world = World::new().await;
    let call = json!({
        "specversion": "1.0", "id": "call-1", "type": "tool.add_task.call", "source": "somebody", "usertoken": "their.own.token",
        "knativeerrordest": "http://tool-add-task.todo.svc.cluster.local/", "knativeerrorcode": "422",
        "data": {"event_id": "call-1", "event_type": "tool.add_task.call", "user_id": "alice",
            "timestamp": "2026-11-21T09:00:00Z", "payload": {"arguments": {"title": "x"}}}});
    world.keep(&call).await;
    let headers = [("ce-usertoken", "their.own.token"), ("content-type", "text/plain")];
    assert_eq!(world.post(&headers, "x").await, StatusCode::NO_CONTENT);
    let kept = world.kept().await;
    assert_eq!((kept[0].consumer.as_str(), kept[0].topic.as_str()), ("tool-add-task", "tool-calls"));
    assert_eq!((kept[0].user_id.as_deref(), kept[0].reason.as_str()), (None, "its consumer refused it"));
    for letter in kept {
        assert!(!world.body(letter.number).await.to_string().contains("their.own.token"));
    }
}

#[tokio::test]
async fn strange_names_and_too_much_are_kept_in_bounds() {
    let world = World::new().await;
    let mut event =
        json!({"specversion": "1.0", "id": "\u{0}".repeat(70_000), "type": "x".repeat(4_000), "source": "s"});
    event["knativeerrordest"] = "not a function".into();
    world.keep(&event).await;
    let huge = vec![b' '; 5 << 20];
    assert_eq!(world.post(&[("content-type", STRUCTURED)], huge).await, StatusCode::NO_CONTENT);
    let kept = world.kept().await;
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|it| it.consumer == "unknown"));
    assert!(kept.iter().all(|it| it.event_id.starts_with("sha256:") && it.event_type.len() < 100));
    assert!(world.body(kept[1].number).await.to_string().len() < 6 << 20);
}

#[tokio::test]
async fn the_relays_rights_are_enough_on_postgres() {
    let Some(database) = TestDatabase::postgres().await.unwrap() else { return };
    let world = World::over(database).await;
    let letter = world.letter("http://127.0.0.1:4000/event-record-audit/", None);
    world.keep(&letter).await;
    world.keep(&letter).await;
    let mut strange = letter.clone();
    strange["id"] = "\u{0}".into();
    world.keep(&strange).await;
    let kept = world.kept().await;
    assert_eq!((kept.len(), kept[0].attempts), (2, 2));
    assert_eq!(kept[0].reason, "its consumer could not be reached");
}

#[tokio::test]
async fn it_is_alive_and_takes_nothing_but_posts() {
    let world = World::new().await;
    for (method, path, status) in [
        (Method::GET, "/event-keep-dead-letter/healthz", StatusCode::OK),
        (Method::GET, "/", StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, "/", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let request =
            Request::builder().method(method).uri(path).body(Full::<bytes::Bytes>::default()).unwrap();
        assert_eq!(world.keeper.serve(request).await.status(), status);
    }
}
