#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
//! Function tokens: the same rules as people's tokens, on the small path that components carry. Signed here by another
//! implementation (jsonwebtoken), so that both agree on what a token is.

use jsonwebtoken::{Algorithm, EncodingKey, Header, get_current_timestamp as now};
use serde_json::{Value, json};
use todo_identity::{FunctionKey, Keys, Policy, Refusal, Verifier};

const FUNCTION: &str = "tool-add-task";

struct Chat {
    key: FunctionKey,
    verifier: Verifier,
}

impl Chat {
    fn new() -> Self {
        let key = FunctionKey::generate().unwrap();
        let verifier = Verifier::function(&key.public_jwks(), FUNCTION).unwrap();
        Self { key, verifier }
    }

    fn header(&self) -> Header {
        let jwks: Value = serde_json::from_str(&self.key.public_jwks()).unwrap();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(jwks["keys"][0]["kid"].as_str().unwrap().to_owned());
        header
    }

    fn token(&self, header: &Header, claims: &Value) -> String {
        let key = EncodingKey::from_ed_pem(self.key.private_pem().as_bytes()).unwrap();
        jsonwebtoken::encode(header, claims, &key).unwrap()
    }

    fn verify(&self, header: &Header, claims: &Value) -> Result<String, Refusal> {
        self.verifier.verify(&self.token(header, claims)).map(|tenant| tenant.user_id().to_owned())
    }

    fn with(&self, name: &str, value: Value) -> Result<String, Refusal> {
        let mut claims = claims();
        claims[name] = value;
        self.verify(&self.header(), &claims)
    }

    fn without(&self, name: &str) -> Result<String, Refusal> {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        self.verify(&self.header(), &claims)
    }
}

fn claims() -> Value {
    json!({"sub": "alice", "iss": "todo-chat", "aud": FUNCTION, "iat": now(), "exp": now() + 60})
}

#[test]
fn a_good_token_names_its_person() {
    let chat = Chat::new();
    assert_eq!(chat.verify(&chat.header(), &claims()).unwrap(), "alice");
    assert_eq!(chat.with("aud", json!(["other", FUNCTION])).unwrap(), "alice");
    assert_eq!(chat.with("sub", json!("josé|оля 🦀")).unwrap(), "josé|оля 🦀");
    assert_eq!(chat.with("nbf", json!(now() + 3)).unwrap(), "alice");
    assert_eq!(chat.with("iat", json!(now() as f64 - 0.5)).unwrap(), "alice");
    assert!(chat.without("iat").is_ok());
}

#[test]
fn what_is_minted_verifies_elsewhere_too() {
    let chat = Chat::new();
    let alice = chat.verifier.verify(&chat.token(&chat.header(), &claims())).unwrap();
    let minted = chat.key.mint(&alice, FUNCTION).unwrap();
    assert_eq!(chat.verifier.verify(&minted).unwrap(), alice);
    let policy = Policy { issuer: Some("todo-chat".into()), audience: Some(FUNCTION.into()) };
    let elsewhere = Verifier::people(Keys::jwks(&chat.key.public_jwks()).unwrap(), policy);
    assert_eq!(elsewhere.verify(&minted).unwrap(), alice);
}

#[test]
fn every_claim_is_checked() {
    let chat = Chat::new();
    for (name, value, refusal) in [
        ("exp", json!(now() - 6), Refusal::Expired),
        ("exp", json!("tomorrow"), Refusal::Claims),
        ("nbf", json!(now() + 60), Refusal::NotYetValid),
        ("iat", json!(now() + 60), Refusal::NotYetValid),
        ("iat", json!("yesterday"), Refusal::Claims),
        ("iss", json!("https://id.example"), Refusal::Issuer),
        ("iss", json!(["todo-chat"]), Refusal::Issuer),
        ("aud", json!("tool-delete-task"), Refusal::Audience),
        ("aud", json!([]), Refusal::Audience),
        ("aud", json!({FUNCTION: true}), Refusal::Audience),
        ("sub", json!(""), Refusal::Subject),
        ("sub", json!("  "), Refusal::Subject),
        ("sub", json!(7), Refusal::Subject),
        ("sub", json!(null), Refusal::Subject),
        ("sub", json!("a\nb"), Refusal::Subject),
        ("sub", json!("x".repeat(256)), Refusal::Subject),
    ] {
        assert_eq!(chat.with(name, value.clone()), Err(refusal), "{name}: {value}");
    }
    for (name, refusal) in [
        ("exp", Refusal::Claims),
        ("iss", Refusal::Issuer),
        ("aud", Refusal::Audience),
        ("sub", Refusal::Subject),
    ] {
        assert_eq!(chat.without(name), Err(refusal), "without {name}");
    }
}

#[test]
fn a_key_is_named_and_known() {
    let chat = Chat::new();
    let mut header = chat.header();
    header.kid = None;
    assert_eq!(chat.verify(&header, &claims()), Err(Refusal::UnknownKey));
    header.kid = Some("another".into());
    assert_eq!(chat.verify(&header, &claims()), Err(Refusal::UnknownKey));
    // A foreign key under our key's name.
    let forged = Chat::new().token(&chat.header(), &claims());
    assert_eq!(chat.verifier.verify(&forged), Err(Refusal::Signature));
}

#[test]
fn a_rotation_knows_two_keys() {
    let (old, new) = (Chat::new(), Chat::new());
    let set =
        |chat: &Chat| serde_json::from_str::<Value>(&chat.key.public_jwks()).unwrap()["keys"][0].clone();
    let both = json!({"keys": [set(&old), {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "r"}, set(&new)]});
    let verifier = Verifier::function(&both.to_string(), FUNCTION).unwrap();
    for chat in [old, new] {
        assert!(verifier.verify(&chat.token(&chat.header(), &claims())).is_ok());
    }
}

#[test]
fn only_an_ordinary_eddsa_header_is_read() {
    let chat = Chat::new();
    let token = chat.token(&chat.header(), &claims());
    let (_, rest) = token.split_once('.').unwrap();
    let kid = chat.header().kid.unwrap();
    for (header, refusal) in [
        (json!({"typ": "JWT", "alg": "none", "kid": kid}), Refusal::Algorithm),
        (json!({"typ": "JWT", "alg": "HS256", "kid": kid}), Refusal::Algorithm),
        (json!({"typ": "JWT", "kid": kid}), Refusal::Algorithm),
        (json!({"typ": "JWT", "alg": "EdDSA", "kid": kid, "crit": ["exp"]}), Refusal::Critical),
        (json!({"typ": "JWT", "alg": "EdDSA", "kid": kid, "crit": null}), Refusal::Critical),
        (json!({"typ": "at+jwt", "alg": "EdDSA", "kid": kid}), Refusal::Malformed),
        (json!({"alg": "EdDSA", "kid": kid}), Refusal::Malformed),
        (json!([1]), Refusal::Malformed),
    ] {
        let changed = format!("{}.{rest}", base64url(&header.to_string()));
        assert_eq!(chat.verifier.verify(&changed), Err(refusal), "{header}");
    }
    for broken in ["", ".", "..", "a.b.c", &format!("{token}=")] {
        assert_eq!(chat.verifier.verify(broken), Err(Refusal::Malformed), "{broken:.20}");
    }
    let (signed, _) = token.rsplit_once('.').unwrap();
    for broken in [format!("{signed}."), format!("{token}.")] {
        assert_eq!(chat.verifier.verify(&broken), Err(Refusal::Signature));
    }
}

#[test]
fn a_set_without_an_ed25519_key_that_verifies_is_refused_at_start() {
    let good: Value = serde_json::from_str(&FunctionKey::generate().unwrap().public_jwks()).unwrap();
    assert!(Verifier::function(&good.to_string(), FUNCTION).is_ok());
    for (name, value) in [
        ("kty", json!("EC")),
        ("crv", json!("X25519")),
        ("use", json!("enc")),
        ("alg", json!("ES256")),
        ("key_ops", json!(["sign"])),
        ("kid", json!(null)),
        ("x", json!("AAAA")),
        // The neutral element: with it anybody's signature fits.
        ("x", json!(base64url("\u{1}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"))),
    ] {
        let mut set = good.clone();
        set["keys"][0][name] = value;
        assert!(Verifier::function(&set.to_string(), FUNCTION).is_err(), "{set}");
    }
    assert!(Verifier::function("{\"keys\":[]}", FUNCTION).is_err());
    assert!(Verifier::function("no json", FUNCTION).is_err());
}

fn base64url(text: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn a_token_is_shared_by_one_persons_calls_of_one_function_and_by_nobody_else() {
    let chat = Chat::new();
    let person = |name: &str| {
        let mut claims = claims();
        claims["sub"] = json!(name);
        chat.verifier.verify(&chat.token(&chat.header(), &claims)).unwrap()
    };
    let (alice, bob) = (person("alice"), person("bob"));
    let first = chat.key.mint(&alice, FUNCTION).unwrap();
    assert_eq!(chat.key.mint(&alice, FUNCTION).unwrap(), first);
    assert_ne!(chat.key.mint(&bob, FUNCTION).unwrap(), first);
    assert_ne!(chat.key.mint(&alice, "tool-list-tasks").unwrap(), first);
}

#[test]
fn a_token_that_was_good_vouches_for_no_other() {
    let chat = Chat::new();
    let token = chat.token(&chat.header(), &claims());
    chat.verifier.verify(&token).unwrap();
    assert_eq!(chat.verifier.verify(&token).unwrap().user_id(), "alice");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut bob = claims();
    bob["sub"] = json!("bob");
    let (of_bob, _) =
        chat.token(&chat.header(), &bob).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!(chat.verifier.verify(&format!("{of_bob}.{signature}")).unwrap_err(), Refusal::Signature);
    assert!(chat.verifier.verify(signed).is_err());
}
