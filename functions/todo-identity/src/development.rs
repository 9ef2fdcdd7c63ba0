use std::path::Path;

use crate::function;
use crate::jws::Signer;
use crate::{KeyError, Policy, key_file};

/// The `kid` by which a deployment recognises, and refuses, a development key.
pub const DEVELOPMENT_KEY_ID: &str = "development";
/// `iss` of development tokens.
pub const DEVELOPMENT_ISSUER: &str = "todo-development";
/// `aud` of development tokens.
pub const DEVELOPMENT_AUDIENCE: &str = "todo";

/// Stands in for the identity provider on a developer's machine: a key in a file, and tokens for any user.
pub struct DevelopmentKey {
    key: Signer,
}

impl DevelopmentKey {
    /// Reads the key at `path`, or makes one there that only its owner may read.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        Ok(Self { key: key_file::load_or_create(path, Some(DEVELOPMENT_KEY_ID))? })
    }

    /// A token for `user_id`, valid for `seconds`.
    pub fn token(&self, user_id: &str, seconds: u64) -> Result<String, KeyError> {
        function::token(&self.key, DEVELOPMENT_ISSUER, DEVELOPMENT_AUDIENCE, user_id, seconds)
    }

    /// The JWK set that verifies these tokens.
    pub fn public_jwks(&self) -> String {
        self.key.public_jwks()
    }

    /// The policy that fits these tokens.
    pub fn policy() -> Policy {
        Policy {
            issuer: Some(DEVELOPMENT_ISSUER.to_owned()),
            audience: Some(DEVELOPMENT_AUDIENCE.to_owned()),
        }
    }
}
