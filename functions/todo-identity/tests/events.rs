#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
//! Signatures of events: what they bind, and that nothing else passes for one.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use todo_identity::{EventKey, EventVerifier, FunctionKey, Keys, Policy, Refusal, Verifier};

const HASH: [u8; 32] = [7; 32];

fn verifier(key: &EventKey) -> EventVerifier {
    EventVerifier::new(&key.public_jwks()).unwrap()
}

fn jwk(jwks: &str) -> Value {
    serde_json::from_str::<Value>(jwks).unwrap()["keys"][0].clone()
}

#[test]
fn a_signed_event_names_its_person() {
    let key = EventKey::generate().unwrap();
    let signature = key.sign("1", "task.created", "alice", &HASH).unwrap();
    let tenant = verifier(&key).verify(&signature, "1", "task.created", "alice", &HASH).unwrap();
    assert_eq!(tenant.user_id(), "alice");
}

#[test]
fn a_signature_fits_no_other_event() {
    let key = EventKey::generate().unwrap();
    let signature = key.sign("1", "task.created", "alice", &HASH).unwrap();
    for (id, event_type, user_id, hash) in [
        ("2", "task.created", "alice", HASH),
        ("1", "task.deleted", "alice", HASH),
        ("1", "task.created", "bob", HASH),
        ("1", "task.created", "alice", [8; 32]),
    ] {
        let refused = verifier(&key).verify(&signature, id, event_type, user_id, &hash);
        assert_eq!(refused, Err(Refusal::Signature), "{id} {event_type} {user_id}");
    }
}

#[test]
fn a_signature_of_an_unknown_key_is_refused_and_a_rotation_knows_both() {
    let (old, new) = (EventKey::generate().unwrap(), EventKey::generate().unwrap());
    let of_old = old.sign("1", "task.created", "alice", &HASH).unwrap();
    let of_new = new.sign("1", "task.created", "alice", &HASH).unwrap();
    let both = json!({"keys": [jwk(&old.public_jwks()), jwk(&new.public_jwks())]}).to_string();
    let rotating = EventVerifier::new(&both).unwrap();
    assert!(rotating.verify(&of_old, "1", "task.created", "alice", &HASH).is_ok());
    assert!(rotating.verify(&of_new, "1", "task.created", "alice", &HASH).is_ok());
    let refused = verifier(&new).verify(&of_old, "1", "task.created", "alice", &HASH);
    assert_eq!(refused, Err(Refusal::UnknownKey));
}

#[test]
fn a_person_without_a_usable_name_is_refused() {
    let key = EventKey::generate().unwrap();
    let signature = key.sign("1", "task.created", "", &HASH).unwrap();
    assert_eq!(verifier(&key).verify(&signature, "1", "task.created", "", &HASH), Err(Refusal::Subject));
}

/// The worst deployment: one key for everything. Even then a token is no signature and a signature no token.
#[test]
fn no_token_passes_for_a_signature_nor_the_reverse() {
    let tokens = FunctionKey::generate().unwrap();
    let events = EventKey::from_pem(tokens.private_pem()).unwrap();
    let jwks = events.public_jwks();
    assert_eq!(jwks, tokens.public_jwks());
    let function = Verifier::function(&jwks, "tool-add-task").unwrap();
    let people = Verifier::people(Keys::jwks(&jwks).unwrap(), Policy::default());

    let signature = events.sign("1", "task.created", "alice", &HASH).unwrap();
    assert_eq!(function.verify(&signature), Err(Refusal::Malformed));
    assert_eq!(people.verify(&signature), Err(Refusal::Claims));

    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(jwk(&jwks)["kid"].as_str().unwrap().to_owned());
    let key = EncodingKey::from_ed_pem(tokens.private_pem().as_bytes()).unwrap();
    let statement = json!({
        "id": "1", "type": "task.created", "sub": "alice", "data": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
    });
    let mut sign = |typ: &str| {
        header.typ = Some(typ.to_owned());
        jsonwebtoken::encode(&header, &statement, &key).unwrap()
    };
    let (token, event) = (sign("JWT"), sign("todo-event+jws"));
    let verify = |signature| verifier(&events).verify(signature, "1", "task.created", "alice", &HASH);
    assert_eq!(verify(&token), Err(Refusal::Malformed));
    assert!(verify(&event).is_ok(), "the same words under the right type");
}

#[test]
fn a_statement_with_more_or_less_in_it_is_refused() {
    let key = EventKey::generate().unwrap();
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(jwk(&key.public_jwks())["kid"].as_str().unwrap().to_owned());
    header.typ = Some("todo-event+jws".to_owned());
    let encoding = EncodingKey::from_ed_pem(key.private_pem().as_bytes()).unwrap();
    let data = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    for statement in [
        json!({"id": "1", "type": "task.created", "sub": "alice"}),
        json!({"id": "1", "type": "task.created", "sub": "alice", "data": data, "exp": 0}),
        json!({"id": 1, "type": "task.created", "sub": "alice", "data": data}),
    ] {
        let signature = jsonwebtoken::encode(&header, &statement, &encoding).unwrap();
        let refused = verifier(&key).verify(&signature, "1", "task.created", "alice", &HASH);
        assert_eq!(refused, Err(Refusal::Claims), "{statement}");
    }
}

#[test]
fn a_key_in_a_file_is_kept_and_only_its_owner_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event-key.pem");
    let made = EventKey::load_or_create(&path).unwrap();
    assert_eq!(EventKey::load_or_create(&path).unwrap().public_jwks(), made.public_jwks());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
