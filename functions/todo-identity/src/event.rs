#[cfg(not(target_family = "wasm"))]
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::jws::{self, PublicKeys, Signer};
use crate::{KeyError, Refusal, Tenant};

/// `typ` of signed events; another than that of tokens, so that neither passes for the other whatever the key.
const TYPE: &str = "todo-event+jws";

/// The private key with which functions sign the events they publish.
#[derive(Clone)]
pub struct EventKey {
    key: Signer,
}

/// What a signature says. `data` is the base64url SHA-256 of the event's data.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    sub: String,
    data: String,
}

impl EventKey {
    /// A new random key. Consumers must be given its [`EventKey::public_jwks`].
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self { key: Signer::generate(None)? })
    }

    /// Reads an Ed25519 private key in PKCS#8 PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Ok(Self { key: Signer::from_pem(pem, None)? })
    }

    /// Reads the key at `path`, or makes one there that only its owner may read. An event outlives the process that
    /// published it, so one machine's key is kept.
    #[cfg(not(target_family = "wasm"))]
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        Ok(Self { key: crate::key_file::load_or_create(path, None)? })
    }

    /// The private key in PKCS#8 PEM, to hand to the functions that publish. A secret.
    pub fn private_pem(&self) -> &str {
        self.key.pem()
    }

    /// The JWK set that consumers verify with. Nothing in it is secret.
    pub fn public_jwks(&self) -> String {
        self.key.public_jwks()
    }

    /// The compact JWS that binds an event's id, type, person and data to each other; `data_sha256` is the SHA-256 of the
    /// data in its canonical form.
    pub fn sign(
        &self,
        id: &str,
        event_type: &str,
        user_id: &str,
        data_sha256: &[u8; 32],
    ) -> Result<String, KeyError> {
        self.key.sign(TYPE, &Statement::of(id, event_type, user_id, data_sha256))
    }
}

/// Tells our events from others'.
#[derive(Debug, Clone)]
pub struct EventVerifier {
    keys: PublicKeys,
}

impl EventVerifier {
    /// `public_jwks` is the JWK set of [`EventKey::public_jwks`], or several such keys: an event is signed once and may be
    /// delivered again long after a rotation, so a key stays in the set as long as its events are kept.
    pub fn new(public_jwks: &str) -> Result<Self, KeyError> {
        Ok(Self { keys: PublicKeys::read(public_jwks)? })
    }

    /// Checks that this signature was made for exactly this event, and names the person it belongs to.
    ///
    /// # Errors
    ///
    /// [`Refusal::Signature`] also when the signature is one of ours, but of another event.
    pub fn verify(
        &self,
        signature: &str,
        id: &str,
        event_type: &str,
        user_id: &str,
        data_sha256: &[u8; 32],
    ) -> Result<Tenant, Refusal> {
        let signed: Statement = jws::claims(&self.keys.open(TYPE, signature)?)?;
        let expected = Statement::of(id, event_type, user_id, data_sha256);
        if signed != expected {
            return Err(Refusal::Signature);
        }
        Tenant::authenticated(&signed.sub).ok_or(Refusal::Subject)
    }
}

impl Statement {
    fn of(id: &str, event_type: &str, user_id: &str, data_sha256: &[u8; 32]) -> Self {
        Self {
            id: id.to_owned(),
            event_type: event_type.to_owned(),
            sub: user_id.to_owned(),
            data: jws::encode(data_sha256),
        }
    }
}
