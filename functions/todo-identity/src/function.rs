use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::jws::{self, PublicKeys, Signer, crypto};
use crate::{KeyError, LEEWAY_SECONDS, Refusal, Tenant};

/// `typ` of tokens; another than that of signed events.
const TYPE: &str = "JWT";

/// `iss` of every function token.
const ISSUER: &str = "todo-chat";

/// Long enough for one call with its retries, too short to be worth stealing.
const LIFETIME_SECONDS: u64 = 60;

/// The private key with which `chat` tells functions on whose behalf it calls.
#[derive(Clone)]
pub struct FunctionKey {
    key: Signer,
}

impl FunctionKey {
    /// A new random key. Functions must be given its [`FunctionKey::public_jwks`].
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self { key: Signer::generate(None)? })
    }

    /// Reads an Ed25519 private key in PKCS#8 PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Ok(Self { key: Signer::from_pem(pem, None)? })
    }

    /// The private key in PKCS#8 PEM, to hand to another `chat` process. A secret.
    pub fn private_pem(&self) -> &str {
        self.key.pem()
    }

    /// A token for one function (`audience`, its name) on behalf of one person; valid for 60 seconds.
    pub fn mint(&self, tenant: &Tenant, audience: &str) -> Result<String, KeyError> {
        token(&self.key, ISSUER, audience, tenant.user_id(), LIFETIME_SECONDS)
    }

    /// The JWK set that functions verify with. Nothing in it is secret.
    pub fn public_jwks(&self) -> String {
        self.key.public_jwks()
    }
}

#[derive(Serialize)]
struct Minted<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: u64,
    exp: u64,
}

/// A JWT that begins now and ends after `seconds`.
pub(crate) fn token(
    key: &Signer,
    issuer: &str,
    audience: &str,
    user_id: &str,
    seconds: u64,
) -> Result<String, KeyError> {
    let iat = SystemTime::now().duration_since(UNIX_EPOCH).map_err(crypto)?.as_secs();
    key.sign(TYPE, &Minted { iss: issuer, aud: audience, sub: user_id, iat, exp: iat + seconds })
}

/// What a function checks its callers' tokens with.
#[derive(Debug, Clone)]
pub(crate) struct FunctionTokens {
    keys: PublicKeys,
    audience: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<Value>,
    aud: Option<Value>,
    sub: Option<Value>,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
}

impl FunctionTokens {
    pub fn new(public_keys: &str, audience: &str) -> Result<Self, KeyError> {
        Ok(Self { keys: PublicKeys::read(public_keys)?, audience: audience.to_owned() })
    }

    pub fn verify(&self, token: &str) -> Result<Tenant, Refusal> {
        let claims: Claims = jws::claims(&self.keys.open(TYPE, token)?)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Refusal::NotYetValid)?.as_secs();
        claims.valid_at(now)?;
        if claims.iss.as_ref().and_then(Value::as_str) != Some(ISSUER) {
            return Err(Refusal::Issuer);
        }
        if !claims.aud.as_ref().is_some_and(|aud| names(aud, &self.audience)) {
            return Err(Refusal::Audience);
        }
        claims.sub.as_ref().and_then(Value::as_str).and_then(Tenant::authenticated).ok_or(Refusal::Subject)
    }
}

impl Claims {
    /// Seconds since 1970, as RFC 7519 writes them: fractions are allowed.
    fn valid_at(&self, now: u64) -> Result<(), Refusal> {
        if self.exp < now.saturating_sub(LEEWAY_SECONDS) as f64 {
            return Err(Refusal::Expired);
        }
        let latest = (now + LEEWAY_SECONDS) as f64;
        if self.nbf.into_iter().chain(self.iat).any(|begin| begin > latest) {
            return Err(Refusal::NotYetValid);
        }
        Ok(())
    }
}

/// `aud` is one name or several.
fn names(aud: &Value, audience: &str) -> bool {
    match aud {
        Value::Array(several) => several.iter().any(|one| one.as_str() == Some(audience)),
        one => one.as_str() == Some(audience),
    }
}
