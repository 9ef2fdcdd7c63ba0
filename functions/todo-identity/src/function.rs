use std::sync::Arc;
use std::time::{SystemTime, SystemTimeError, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::jws::{self, PublicKeys, Signer, crypto};
use crate::recent::Recent;
use crate::{KeyError, LEEWAY_SECONDS, Refusal, Tenant};

/// `typ` of tokens; another than that of signed events.
const TYPE: &str = "JWT";

/// `iss` of every function token.
const ISSUER: &str = "todo-chat";

/// Long enough for one call with its retries, too short to be worth stealing.
const LIFETIME_SECONDS: u64 = 60;

/// How long a token is given out again: the calls of a turn then share one, and it is good for the other half of its life
/// whenever it is given out.
const SHARED_SECONDS: u64 = LIFETIME_SECONDS / 2;

/// The private key with which `chat` tells functions on whose behalf it calls.
#[derive(Clone)]
pub struct FunctionKey {
    key: Signer,
    /// The tokens by audience and person.
    minted: Arc<Recent<(String, Tenant), String>>,
}

impl FunctionKey {
    /// A new random key. Functions must be given its [`FunctionKey::public_jwks`].
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self { key: Signer::generate(None)?, minted: Arc::default() })
    }

    /// Reads an Ed25519 private key in PKCS#8 PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Ok(Self { key: Signer::from_pem(pem, None)?, minted: Arc::default() })
    }

    /// The private key in PKCS#8 PEM, to hand to another `chat` process. A secret.
    pub fn private_pem(&self) -> &str {
        self.key.pem()
    }

    /// A token for one function (`audience`, its name) on behalf of one person; valid for 30 to 60 seconds.
    pub fn mint(&self, tenant: &Tenant, audience: &str) -> Result<String, KeyError> {
        let now = seconds_since_1970().map_err(crypto)?;
        let whose = (audience.to_owned(), tenant.clone());
        if let Some(token) = self.minted.get(&whose, now) {
            return Ok(token);
        }
        let token = token(&self.key, ISSUER, audience, tenant.user_id(), LIFETIME_SECONDS)?;
        self.minted.keep(whose, token.clone(), now, now + SHARED_SECONDS);
        Ok(token)
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
    let iat = seconds_since_1970().map_err(crypto)?;
    key.sign(TYPE, &Minted { iss: issuer, aud: audience, sub: user_id, iat, exp: iat + seconds })
}

/// What a function checks its callers' tokens with.
#[derive(Debug, Clone)]
pub(crate) struct FunctionTokens {
    keys: PublicKeys,
    /// Whose tokens they are: ours, or those of people's identity provider.
    issuer: String,
    audience: String,
    /// Who the tokens that were found good are of, by SHA-256 of the token: the token itself is not kept.
    verified: Arc<Recent<[u8; 32], Tenant>>,
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
        Self::issued_by(ISSUER, public_keys, audience)
    }

    /// Tokens that somebody else signs with Ed25519.
    pub fn issued_by(issuer: &str, public_keys: &str, audience: &str) -> Result<Self, KeyError> {
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        Ok(Self { keys: PublicKeys::read(public_keys)?, issuer, audience, verified: Arc::default() })
    }

    pub fn verify(&self, token: &str) -> Result<Tenant, Refusal> {
        let now = seconds_since_1970().map_err(|_| Refusal::NotYetValid)?;
        let digest = Sha256::digest(token.as_bytes()).into();
        if let Some(tenant) = self.verified.get(&digest, now) {
            return Ok(tenant);
        }
        let (tenant, until) = self.examine(token, now)?;
        self.verified.keep(digest, tenant.clone(), now, until);
        Ok(tenant)
    }

    /// Whose the token is, and until when.
    fn examine(&self, token: &str, now: u64) -> Result<(Tenant, u64), Refusal> {
        let opened = match self.issuer.as_str() {
            ISSUER => self.keys.open(TYPE, token),
            _ => self.keys.open_untyped(TYPE, token),
        };
        let claims: Claims = jws::claims(&opened?)?;
        claims.valid_at(now)?;
        if claims.iss.as_ref().and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Refusal::Issuer);
        }
        if !claims.aud.as_ref().is_some_and(|aud| names(aud, &self.audience)) {
            return Err(Refusal::Audience);
        }
        let person = claims.sub.as_ref().and_then(Value::as_str).and_then(Tenant::authenticated);
        Ok((person.ok_or(Refusal::Subject)?, claims.exp as u64))
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

fn seconds_since_1970() -> Result<u64, SystemTimeError> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// `aud` is one name or several.
fn names(aud: &Value, audience: &str) -> bool {
    match aud {
        Value::Array(several) => several.iter().any(|one| one.as_str() == Some(audience)),
        one => one.as_str() == Some(audience),
    }
}
