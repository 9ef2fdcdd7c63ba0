use std::time::{SystemTime, UNIX_EPOCH};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::Serialize;

use crate::{KeyError, Tenant};

/// `iss` of every function token.
pub(crate) const ISSUER: &str = "todo-chat";

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
        self.key.sign(ISSUER, audience, tenant.user_id(), LIFETIME_SECONDS)
    }

    /// The JWK set that functions verify with. Nothing in it is secret.
    pub fn public_jwks(&self) -> String {
        self.key.public_jwks()
    }
}

/// An Ed25519 key that signs JWTs.
#[derive(Clone)]
pub(crate) struct Signer {
    encoding: EncodingKey,
    public: Jwk,
    pem: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: u64,
    exp: u64,
}

impl Signer {
    /// Without a `key_id` the key's own thumbprint (RFC 7638) names it.
    pub fn generate(key_id: Option<&str>) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(crypto)?;
        Self::new(&SigningKey::from_bytes(&seed), key_id)
    }

    pub fn from_pem(pem: &str, key_id: Option<&str>) -> Result<Self, KeyError> {
        Self::new(&SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyError::Pem)?, key_id)
    }

    fn new(key: &SigningKey, key_id: Option<&str>) -> Result<Self, KeyError> {
        let encoding = EncodingKey::from_ed_der(key.to_pkcs8_der().map_err(crypto)?.as_bytes());
        let verifying = DecodingKey::from_ed_der(key.verifying_key().as_bytes());
        let mut public = Jwk::from_decoding_key(&verifying, Some(Algorithm::EdDSA)).map_err(crypto)?;
        let thumbprint = public.thumbprint(ThumbprintHash::SHA256).map_err(crypto)?;
        public.common.key_id = Some(key_id.map_or(thumbprint, str::to_owned));
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(crypto)?.to_string();
        Ok(Self { encoding, public, pem })
    }

    pub fn sign(
        &self,
        issuer: &str,
        audience: &str,
        user_id: &str,
        seconds: u64,
    ) -> Result<String, KeyError> {
        let iat = SystemTime::now().duration_since(UNIX_EPOCH).map_err(crypto)?.as_secs();
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = self.public.common.key_id.clone();
        let claims = Claims { iss: issuer, aud: audience, sub: user_id, iat, exp: iat + seconds };
        jsonwebtoken::encode(&header, &claims, &self.encoding).map_err(crypto)
    }

    pub fn public_jwks(&self) -> String {
        let set = JwkSet { keys: vec![self.public.clone()] };
        serde_json::to_string(&set).unwrap_or_default()
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }
}

fn crypto(error: impl std::fmt::Display) -> KeyError {
    KeyError::Crypto(error.to_string())
}
