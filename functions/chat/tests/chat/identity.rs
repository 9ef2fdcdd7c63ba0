//! Who is let in, over HTTP, one refusal after the other.

use chat::{Chat, Config, Environment, KeySource, StartError};
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use todo_agent::Offline;
use todo_identity::Policy;

use crate::world::{Replica, World};

const SECRET: &str = "a secret of more than thirty-two bytes";

fn policy() -> Policy {
    Policy { issuer: Some("https://id.example.com".to_owned()), audience: Some("todo".to_owned()) }
}

/// Good claims of `ada`, with these changed; `null` takes one out.
fn token(changes: &Value) -> String {
    token_with(Header::new(Algorithm::HS256), changes, SECRET)
}

fn token_with(header: Header, changes: &Value, secret: &str) -> String {
    let now = jiff::Timestamp::now().as_second();
    let mut claims = json!({
        "iss": "https://id.example.com", "aud": "todo", "sub": "ada", "iat": now, "exp": now + 60,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    encode(&header, &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

async fn replica(world: &World) -> Replica {
    world.serve_people(KeySource::Secret(SECRET.to_owned()), policy()).await
}

async fn ask(world: &World, replica: &Replica, path: &str, token: &str) -> (StatusCode, String, Value) {
    let request = world.http.post(format!("{}{path}", replica.url));
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    let response = request.json(&json!({ "message": "hello" })).send().await.unwrap();
    let challenge =
        response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    (response.status(), challenge.unwrap_or_default(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_good_token_is_let_in() {
    let world = World::new().await;
    let replica = replica(&world).await;
    let (status, _, answer) = ask(&world, &replica, "/api/ada/chat", &token(&json!({}))).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

#[tokio::test]
async fn a_request_without_a_token_gets_the_bare_challenge() {
    let world = World::new().await;
    let replica = replica(&world).await;
    let (status, challenge, answer) = ask(&world, &replica, "/api/ada/chat", "").await;
    assert_eq!((status, challenge.as_str()), (StatusCode::UNAUTHORIZED, "Bearer realm=\"todo\""));
    assert_eq!(answer["error"]["code"], "unauthorized");
}

#[tokio::test]
async fn each_fault_of_a_token_is_refused() {
    let world = World::new().await;
    let replica = replica(&world).await;
    let now = jiff::Timestamp::now().as_second();
    let mut critical = Header::new(Algorithm::HS256);
    critical.crit = Some(vec!["b64".to_owned()]);
    let good = token(&json!({}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    let none = format!("eyJhbGciOiJub25lIn0.{}.", signed.split('.').nth(1).unwrap());
    let faults = [
        ("no JWT", "nonsense".to_owned()),
        ("alg none", none),
        ("another alg", token_with(Header::new(Algorithm::HS384), &json!({}), SECRET)),
        ("crit", token_with(critical, &json!({}), SECRET)),
        (
            "another secret",
            token_with(Header::default(), &json!({}), "another secret of more than thirty-two"),
        ),
        ("no signature", format!("{signed}.")),
        ("expired", token(&json!({ "exp": now - 10 }))),
        ("no exp", token(&json!({ "exp": null }))),
        ("not yet", token(&json!({ "nbf": now + 60 }))),
        ("from the future", token(&json!({ "iat": now + 60 }))),
        ("iat as text", token(&json!({ "iat": "now" }))),
        ("another issuer", token(&json!({ "iss": "https://evil.example.com" }))),
        ("no issuer", token(&json!({ "iss": null }))),
        ("another audience", token(&json!({ "aud": "bank" }))),
        ("no audience", token(&json!({ "aud": null }))),
        ("no sub", token(&json!({ "sub": null }))),
        ("empty sub", token(&json!({ "sub": "" }))),
        ("sub as number", token(&json!({ "sub": 7 }))),
    ];
    for (fault, token) in faults {
        let (status, challenge, answer) = ask(&world, &replica, "/api/ada/chat", &token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{fault}: {answer}");
        assert!(challenge.contains("error=\"invalid_token\""), "{fault}: {challenge}");
    }
}

#[tokio::test]
async fn a_token_opens_only_its_persons_path() {
    let world = World::new().await;
    let replica = replica(&world).await;
    let (status, challenge, answer) = ask(&world, &replica, "/api/bob/chat", &token(&json!({}))).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
    assert!(challenge.contains("insufficient_scope"), "{challenge}");
}

#[tokio::test]
async fn the_path_is_percent_decoded() {
    let world = World::new().await;
    let replica = replica(&world).await;
    let token = token(&json!({ "sub": "ada@example.com/ä b" }));
    let (status, _, answer) = ask(&world, &replica, "/api/ada%40example.com%2F%C3%A4%20b/chat", &token).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let (status, _, _) = ask(&world, &replica, "/api/ada%FF/chat", &token).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "a path that is no text is nobody's");
}

#[tokio::test]
async fn two_authorization_headers_are_as_good_as_none() {
    let world = World::new().await;
    let replica = replica(&world).await;
    let request =
        world.http.post(format!("{}/api/ada/chat", replica.url)).json(&json!({ "message": "hello" }));
    let request = request.bearer_auth(token(&json!({}))).header("authorization", "Bearer x");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn production_does_not_start_with_a_development_key() {
    let world = World::new().await;
    let config = Config { environment: Environment::Production, ..world.config(Offline) };
    assert!(matches!(Chat::open(config).await, Err(StartError::DevelopmentKey)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, world.people.public_jwks()).unwrap();
    let config =
        Config { environment: Environment::Production, keys: KeySource::File(file), ..world.config(Offline) };
    assert!(matches!(Chat::open(config).await, Err(StartError::DevelopmentKey)));
}

#[tokio::test]
async fn production_does_not_start_without_issuer_and_audience() {
    let world = World::new().await;
    for policy in [Policy { issuer: None, ..policy() }, Policy { audience: None, ..policy() }] {
        let keys = KeySource::Secret(SECRET.to_owned());
        let config = Config { environment: Environment::Production, keys, policy, ..world.config(Offline) };
        assert!(matches!(Chat::open(config).await, Err(StartError::OpenPolicy)));
    }
}

#[tokio::test]
async fn a_secret_that_can_be_guessed_is_refused() {
    let world = World::new().await;
    let config = Config { keys: KeySource::Secret("short".to_owned()), ..world.config(Offline) };
    assert!(matches!(Chat::open(config).await, Err(StartError::Keys(_))));
}

#[tokio::test]
async fn keys_over_plain_http_are_for_this_machine_only() {
    let world = World::new().await;
    for url in ["http://id.example.com/jwks", "ftp://localhost/jwks", "http://localhost.example.com/", "jwks"]
    {
        let config = Config { keys: KeySource::Url(url.to_owned()), ..world.config(Offline) };
        assert!(matches!(Chat::open(config).await, Err(StartError::KeyUrl(_))), "{url}");
    }
}
