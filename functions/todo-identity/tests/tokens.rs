#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
//! Every way in which a token is refused, one by one, beside the ones that are accepted.

use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp as now};
use serde_json::{Value, json};
use todo_identity::{DevelopmentKey, FunctionKey, Keys, Policy, Refusal, Verifier, bearer};

const SECRET: &str = "a secret of at least thirty-two bytes";

fn verifier() -> Verifier {
    let policy = Policy { issuer: Some("https://id.example".into()), audience: Some("todo".into()) };
    Verifier::people(Keys::secret(SECRET).unwrap(), policy)
}

fn claims() -> Value {
    json!({"sub": "alice", "iss": "https://id.example", "aud": "todo", "iat": now(), "exp": now() + 60})
}

fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

fn with(name: &str, value: Value) -> Result<String, Refusal> {
    let mut claims = claims();
    claims[name] = value;
    verifier().verify(&signed(&claims)).map(|tenant| tenant.user_id().to_owned())
}

fn without(name: &str) -> Result<String, Refusal> {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    verifier().verify(&signed(&claims)).map(|tenant| tenant.user_id().to_owned())
}

#[test]
fn a_good_token_names_its_person() {
    assert_eq!(verifier().verify(&signed(&claims())).unwrap().user_id(), "alice");
    assert_eq!(with("aud", json!(["other", "todo"])).unwrap(), "alice");
    assert_eq!(with("sub", json!("josé|оля 🦀")).unwrap(), "josé|оля 🦀");
    assert!(without("iat").is_ok());
}

#[test]
fn what_is_not_a_jwt_is_malformed() {
    for token in ["", "a", "a.b", "a.b.c", "....", &"x".repeat(100_000)] {
        assert!(
            matches!(verifier().verify(token), Err(Refusal::Malformed | Refusal::Algorithm)),
            "{token:.20}"
        );
    }
}

#[test]
fn an_expired_token_is_refused_after_five_seconds_of_leeway() {
    assert_eq!(with("exp", json!(now() - 30)), Err(Refusal::Expired));
    assert_eq!(with("exp", json!(now() - 6)), Err(Refusal::Expired));
    assert!(with("exp", json!(now() - 1)).is_ok());
}

#[test]
fn a_token_from_the_future_is_refused() {
    assert_eq!(with("nbf", json!(now() + 60)), Err(Refusal::NotYetValid));
    assert_eq!(with("iat", json!(now() + 60)), Err(Refusal::NotYetValid));
}

#[test]
fn another_issuer_or_audience_is_refused() {
    assert_eq!(with("iss", json!("https://evil.example")), Err(Refusal::Issuer));
    assert_eq!(without("iss"), Err(Refusal::Issuer));
    assert_eq!(with("aud", json!("billing")), Err(Refusal::Audience));
    assert_eq!(without("aud"), Err(Refusal::Audience));
}

#[test]
fn a_token_without_a_usable_subject_is_refused() {
    for sub in [
        json!(""),
        json!("  "),
        json!(7),
        json!(null),
        json!(["alice"]),
        json!("a\nb"),
        json!("x".repeat(256)),
    ] {
        assert!(matches!(with("sub", sub.clone()), Err(Refusal::Subject | Refusal::Claims)), "{sub}");
    }
    assert_eq!(without("sub"), Err(Refusal::Subject));
}

#[test]
fn a_token_without_an_end_or_with_odd_claims_is_refused() {
    assert_eq!(without("exp"), Err(Refusal::Claims));
    assert!(with("exp", json!("tomorrow")).is_err());
    assert_eq!(with("iat", json!("yesterday")), Err(Refusal::Claims));
}

#[test]
fn a_wrong_signature_is_refused() {
    let other = EncodingKey::from_secret(b"another secret of thirty-two bytes..");
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &other).unwrap();
    assert_eq!(verifier().verify(&token), Err(Refusal::Signature));
    let mut changed = signed(&claims());
    changed.pop();
    changed.push('!');
    assert!(verifier().verify(&changed).is_err());
}

#[test]
fn alg_none_and_other_algorithms_are_refused() {
    // {"alg":"none","typ":"JWT"}
    let token =
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.", signed(&claims()).split('.').nth(1).unwrap());
    assert_eq!(verifier().verify(&token), Err(Refusal::Algorithm));
    let hs512 = EncodingKey::from_secret(SECRET.as_bytes());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims(), &hs512).unwrap();
    assert_eq!(verifier().verify(&token), Err(Refusal::Algorithm));
}

#[test]
fn a_public_key_is_never_taken_for_a_shared_secret() {
    let key = FunctionKey::generate().unwrap();
    let verifier = Verifier::people(Keys::jwks(&key.public_jwks()).unwrap(), Policy::default());
    let forged = EncodingKey::from_secret(key.public_jwks().as_bytes());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims(), &forged).unwrap();
    assert_eq!(verifier.verify(&token), Err(Refusal::Algorithm));
}

#[test]
fn a_token_with_critical_extensions_is_refused() {
    let mut header = Header::new(Algorithm::HS256);
    header.crit = Some(vec!["exp".into()]);
    let token =
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    assert_eq!(verifier().verify(&token), Err(Refusal::Critical));
}

#[test]
fn a_short_secret_and_a_set_without_public_keys_are_refused_at_start() {
    assert!(Keys::secret("short").is_err());
    assert!(Keys::jwks("{\"keys\":[]}").is_err());
    assert!(Keys::jwks("{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"1\"}]}").is_err());
    assert!(Keys::jwks("no json").is_err());
}

#[test]
fn a_key_for_encryption_or_for_another_algorithm_does_not_verify() {
    let key = FunctionKey::generate().unwrap();
    let token = key.mint(&verifier().verify(&signed(&claims())).unwrap(), "tool-add-task").unwrap();
    let set: Value = serde_json::from_str(&key.public_jwks()).unwrap();
    for (name, value) in [("use", "enc"), ("alg", "ES256"), ("kid", "another")] {
        let mut other = set.clone();
        other["keys"][0][name] = json!(value);
        let refused = match Verifier::function(&other.to_string(), "tool-add-task") {
            Ok(verifier) => verifier.verify(&token).unwrap_err(),
            Err(_) => Refusal::UnknownKey,
        };
        assert_eq!(refused, Refusal::UnknownKey, "{name}");
    }
}

#[test]
fn a_function_token_is_good_for_its_function_only() {
    let key = FunctionKey::generate().unwrap();
    let alice = verifier().verify(&signed(&claims())).unwrap();
    let token = key.mint(&alice, "tool-add-task").unwrap();
    let function = |name| Verifier::function(&key.public_jwks(), name).unwrap();
    assert_eq!(function("tool-add-task").verify(&token).unwrap(), alice);
    assert_eq!(function("tool-delete-task").verify(&token), Err(Refusal::Audience));
    assert_eq!(verifier().verify(&token), Err(Refusal::Algorithm));
}

#[test]
fn a_development_key_is_kept_and_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("development-key.pem");
    let token = DevelopmentKey::load_or_create(&path).unwrap().token("alice", 60).unwrap();
    let key = DevelopmentKey::load_or_create(&path).unwrap();
    let keys = Keys::jwks(&key.public_jwks()).unwrap();
    assert!(keys.include_development_key());
    assert_eq!(Verifier::people(keys, DevelopmentKey::policy()).verify(&token).unwrap().user_id(), "alice");
}

#[test]
fn a_refusal_fits_its_header() {
    for refusal in [Refusal::Missing, Refusal::Critical, Refusal::Claims, Refusal::UnknownKey] {
        let challenge = refusal.challenge();
        assert!(challenge.is_ascii() && challenge.starts_with("Bearer "), "{challenge}");
    }
}

#[test]
fn a_bearer_token_is_read_from_exactly_one_header() {
    for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c "] {
        assert_eq!(bearer([&value]), Ok("a.b.c"), "{value}");
    }
    for value in ["", "Bearer", "a.b.c", "Basic YTpi", "Bearera.b.c"] {
        assert_eq!(bearer([&value]), Err(Refusal::Missing), "{value}");
    }
    assert_eq!(bearer::<&str>([]), Err(Refusal::Missing));
    assert_eq!(bearer(&["Bearer a.b.c"; 2]), Err(Refusal::Missing));
    assert_eq!(bearer([b"Bearer \xff"]), Err(Refusal::Missing));
}
