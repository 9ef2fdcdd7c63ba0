//! Compact JWS (RFC 7515) signed with Ed25519: the one form that what we sign ourselves has, function tokens and events.
//!
//! Small and on its own because every component carries it and checks a signature in every request; what people's identity
//! providers may send is wider and is checked in `people.rs`, which components do not carry.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier as _, VerifyingKey};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use crate::{KeyError, Refusal};

const ALGORITHM: &str = "EdDSA";
const KEY_TYPE: &str = "OKP";
const CURVE: &str = "Ed25519";

/// An Ed25519 key that signs.
#[derive(Clone)]
pub(crate) struct Signer {
    key: SigningKey,
    key_id: String,
    pem: String,
}

#[derive(Serialize)]
struct SignedHeader<'a> {
    typ: &'a str,
    alg: &'a str,
    kid: &'a str,
}

impl Signer {
    /// A random key. Without a `key_id` the key's own thumbprint (RFC 7638) names it.
    pub fn generate(key_id: Option<&str>) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(crypto)?;
        let key = SigningKey::from_bytes(&seed);
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(crypto)?.to_string();
        Ok(Self { key_id: named(&key, key_id), key, pem })
    }

    pub fn from_pem(pem: &str, key_id: Option<&str>) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyError::Pem)?;
        Ok(Self { key_id: named(&key, key_id), key, pem: pem.to_owned() })
    }

    /// `typ` keeps what was signed for one purpose from serving another.
    pub fn sign(&self, typ: &str, payload: &impl Serialize) -> Result<String, KeyError> {
        let header = SignedHeader { typ, alg: ALGORITHM, kid: &self.key_id };
        let mut token = BASE64.encode(serde_json::to_vec(&header).map_err(crypto)?);
        token.push('.');
        BASE64.encode_string(serde_json::to_vec(payload).map_err(crypto)?, &mut token);
        let signature = self.key.sign(token.as_bytes());
        token.push('.');
        BASE64.encode_string(signature.to_bytes(), &mut token);
        Ok(token)
    }

    /// A JWK set of the public half.
    pub fn public_jwks(&self) -> String {
        let x = BASE64.encode(self.key.verifying_key().as_bytes());
        let key = serde_json::json!({
            "kty": KEY_TYPE, "crv": CURVE, "x": x, "kid": self.key_id, "use": "sig", "alg": ALGORITHM,
        });
        serde_json::json!({ "keys": [key] }).to_string()
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }
}

fn named(key: &SigningKey, key_id: Option<&str>) -> String {
    match key_id {
        Some(key_id) => key_id.to_owned(),
        None => {
            let x = BASE64.encode(key.verifying_key().as_bytes());
            let members = format!(r#"{{"crv":"{CURVE}","kty":"{KEY_TYPE}","x":"{x}"}}"#);
            BASE64.encode(Sha256::digest(members))
        }
    }
}

pub(crate) fn crypto(error: impl std::fmt::Display) -> KeyError {
    KeyError::Crypto(error.to_string())
}

/// Public keys by name, decoded once.
#[derive(Debug, Clone)]
pub(crate) struct PublicKeys(Vec<(String, VerifyingKey)>);

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    key_ops: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Header {
    alg: Option<String>,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

impl PublicKeys {
    /// The Ed25519 keys of a JWK set that have a name and may verify signatures. None at all is an error.
    pub fn read(jwks: &str) -> Result<Self, KeyError> {
        let set: JwkSet = serde_json::from_str(jwks).map_err(|error| KeyError::Jwks(error.to_string()))?;
        let keys: Vec<_> = set.keys.into_iter().filter_map(Jwk::verifying).collect();
        if keys.is_empty() {
            return Err(KeyError::Jwks("it holds no public key for signatures with Ed25519".to_owned()));
        }
        Ok(Self(keys))
    }

    /// What was signed, once the header is as it must be (no `crit`, `alg`, `typ`, a known `kid`) and the signature verifies.
    pub fn open(&self, typ: &str, token: &str) -> Result<Vec<u8>, Refusal> {
        self.open_if(|found| found == Some(typ), token)
    }

    /// The same where `typ` may be absent: what others sign with keys that sign nothing else.
    pub fn open_untyped(&self, typ: &str, token: &str) -> Result<Vec<u8>, Refusal> {
        self.open_if(|found| found.is_none_or(|found| found.eq_ignore_ascii_case(typ)), token)
    }

    fn open_if(&self, typ: impl Fn(Option<&str>) -> bool, token: &str) -> Result<Vec<u8>, Refusal> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Refusal::Malformed)?;
        let key = self.key_for(&header, typ)?;
        let signature = Signature::from_slice(&decode(signature)?).map_err(|_| Refusal::Signature)?;
        key.verify(signed.as_bytes(), &signature).map_err(|_| Refusal::Signature)?;
        decode(payload)
    }

    fn key_for(&self, header: &Header, typ: impl Fn(Option<&str>) -> bool) -> Result<&VerifyingKey, Refusal> {
        if header.crit {
            return Err(Refusal::Critical);
        }
        if header.alg.as_deref() != Some(ALGORITHM) {
            return Err(Refusal::Algorithm);
        }
        if !typ(header.typ.as_deref()) {
            return Err(Refusal::Malformed);
        }
        let named = |(name, _): &&(String, VerifyingKey)| header.kid.as_ref() == Some(name);
        self.0.iter().find(named).map(|(_, key)| key).ok_or(Refusal::UnknownKey)
    }
}

impl Jwk {
    fn verifying(self) -> Option<(String, VerifyingKey)> {
        let fits = self.kty == KEY_TYPE
            && self.crv.as_deref() == Some(CURVE)
            && self.usage.is_none_or(|usage| usage == "sig")
            && self.alg.is_none_or(|alg| alg == ALGORITHM)
            && self.key_ops.is_none_or(|operations| operations.iter().any(|name| name == "verify"));
        let bytes = BASE64.decode(self.x.filter(|_| fits)?).ok()?;
        let key = VerifyingKey::try_from(bytes.as_slice()).ok()?;
        // A key of small order fits several messages; looking once here spares a dearer check in every request.
        (!key.is_weak()).then_some((self.kid?, key))
    }
}

/// Reads JSON that was signed by us: what does not fit is a claim of the wrong type.
pub(crate) fn claims<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(payload).map_err(|_| Refusal::Claims)
}

pub(crate) fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    BASE64.decode(part).map_err(|_| Refusal::Malformed)
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Even an empty or a `null` member is there.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}
