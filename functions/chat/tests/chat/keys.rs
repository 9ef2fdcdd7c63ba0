//! Keys behind a URL: rotation, an issuer that is away, and one that misbehaves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use chat::{Chat, Config, Environment, KeySource, Limits, StartError};
use http::StatusCode;
use serde_json::json;
use todo_agent::Offline;
use todo_identity::{FunctionKey, Policy};
use todo_store::testing::tenant;
use tokio::net::TcpListener;

use crate::world::{Replica, World};

/// An identity provider: an answer that may change, and how often it was asked.
struct Issuer {
    url: String,
    state: Arc<IssuerState>,
}

struct IssuerState {
    answer: Mutex<(StatusCode, String)>,
    asked: AtomicUsize,
}

impl Issuer {
    async fn with(status: StatusCode, body: String) -> Self {
        let state = Arc::new(IssuerState { answer: Mutex::new((status, body)), asked: AtomicUsize::new(0) });
        let answer = async |State(state): State<Arc<IssuerState>>| {
            state.asked.fetch_add(1, Ordering::SeqCst);
            state.answer.lock().unwrap().clone()
        };
        let router = Router::new().route("/jwks", axum::routing::get(answer)).with_state(state.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, state }
    }

    fn now_answers(&self, status: StatusCode, body: String) {
        *self.state.answer.lock().unwrap() = (status, body);
    }

    fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }
}

/// The issuer's tokens are those of a key that is not the development key.
fn policy() -> Policy {
    Policy { issuer: Some("todo-chat".to_owned()), audience: Some("people".to_owned()) }
}

fn token(key: &FunctionKey) -> String {
    key.mint(&tenant("ada").unwrap(), "people").unwrap()
}

async fn serve(world: &World, issuer: &Issuer, refetch_keys: Duration) -> Replica {
    let limits = Limits { refetch_keys, ..Limits::default() };
    let keys = KeySource::Url(issuer.url.clone());
    let environment = Environment::Production;
    Replica::start(Config { environment, keys, policy: policy(), limits, ..world.config(Offline) }).await
}

async fn status(world: &World, replica: &Replica, token: &str) -> StatusCode {
    let request = world.http.post(format!("{}/api/ada/chat", replica.url)).bearer_auth(token);
    request.json(&json!({ "type": "threads.list", "params": {} })).send().await.unwrap().status()
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let world = World::new().await;
    let (old, new) = (FunctionKey::generate().unwrap(), FunctionKey::generate().unwrap());
    let issuer = Issuer::with(StatusCode::OK, old.public_jwks()).await;
    let replica = serve(&world, &issuer, Duration::ZERO).await;
    assert_eq!(status(&world, &replica, &token(&old)).await, StatusCode::OK);
    assert_eq!(issuer.asked(), 1, "known keys are not fetched again");
    issuer.now_answers(StatusCode::OK, new.public_jwks());
    assert_eq!(status(&world, &replica, &token(&new)).await, StatusCode::OK);
    assert_eq!(status(&world, &replica, &token(&old)).await, StatusCode::UNAUTHORIZED, "it was rotated out");
}

#[tokio::test]
async fn unknown_keys_do_not_make_us_hammer_the_issuer() {
    let world = World::new().await;
    let (known, unknown) = (FunctionKey::generate().unwrap(), FunctionKey::generate().unwrap());
    let issuer = Issuer::with(StatusCode::OK, known.public_jwks()).await;
    let replica = serve(&world, &issuer, Duration::from_secs(3600)).await;
    for _ in 0..5 {
        assert_eq!(status(&world, &replica, &token(&unknown)).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn the_last_good_keys_stay_while_the_issuer_fails() {
    let world = World::new().await;
    let (known, unknown) = (FunctionKey::generate().unwrap(), FunctionKey::generate().unwrap());
    let issuer = Issuer::with(StatusCode::OK, known.public_jwks()).await;
    let replica = serve(&world, &issuer, Duration::ZERO).await;
    let bad = [
        (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        (StatusCode::OK, "<html>".to_owned()),
        (StatusCode::OK, "{\"keys\": []}".to_owned()),
        (StatusCode::OK, " ".repeat(300 * 1024)),
        (StatusCode::FOUND, String::new()),
        (StatusCode::OK, world.people.public_jwks()),
    ];
    for (answer, body) in bad {
        issuer.now_answers(answer, body);
        assert_eq!(status(&world, &replica, &token(&unknown)).await, StatusCode::UNAUTHORIZED);
        assert_eq!(status(&world, &replica, &token(&known)).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_issuer_that_is_away_at_the_start_is_asked_when_somebody_comes() {
    let world = World::new().await;
    let key = FunctionKey::generate().unwrap();
    let issuer = Issuer::with(StatusCode::SERVICE_UNAVAILABLE, String::new()).await;
    let replica = serve(&world, &issuer, Duration::ZERO).await;
    assert_eq!(status(&world, &replica, &token(&key)).await, StatusCode::SERVICE_UNAVAILABLE);
    issuer.now_answers(StatusCode::OK, key.public_jwks());
    assert_eq!(status(&world, &replica, &token(&key)).await, StatusCode::OK);
}

#[tokio::test]
async fn production_does_not_start_when_the_issuer_gives_out_a_development_key() {
    let world = World::new().await;
    let issuer = Issuer::with(StatusCode::OK, world.people.public_jwks()).await;
    let keys = KeySource::Url(issuer.url.clone());
    let config =
        Config { environment: Environment::Production, keys, policy: policy(), ..world.config(Offline) };
    assert!(matches!(Chat::open(config).await, Err(StartError::DevelopmentKey)));
}

#[tokio::test]
async fn a_file_of_keys_is_read_again_when_it_changes() {
    let world = World::new().await;
    let (old, new) = (FunctionKey::generate().unwrap(), FunctionKey::generate().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, old.public_jwks()).unwrap();
    let limits = Limits { refetch_keys: Duration::ZERO, ..Limits::default() };
    let keys = KeySource::File(file.clone());
    let replica = Replica::start(Config { keys, policy: policy(), limits, ..world.config(Offline) }).await;
    assert_eq!(status(&world, &replica, &token(&old)).await, StatusCode::OK);
    std::fs::write(&file, new.public_jwks()).unwrap();
    assert_eq!(status(&world, &replica, &token(&new)).await, StatusCode::OK);
}
