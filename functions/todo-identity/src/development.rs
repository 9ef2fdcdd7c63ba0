use std::io::Write as _;
use std::path::Path;

use crate::function_key::Signer;
use crate::{KeyError, Policy};

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
        let file = |source| KeyError::File { path: path.display().to_string(), source };
        match std::fs::read_to_string(path) {
            Ok(pem) => Ok(Self { key: Signer::from_pem(&pem, Some(DEVELOPMENT_KEY_ID))? }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = Signer::generate(Some(DEVELOPMENT_KEY_ID))?;
                write_private(path, key.pem()).map_err(file)?;
                Ok(Self { key })
            }
            Err(error) => Err(file(error)),
        }
    }

    /// A token for `user_id`, valid for `seconds`.
    pub fn token(&self, user_id: &str, seconds: u64) -> Result<String, KeyError> {
        self.key.sign(DEVELOPMENT_ISSUER, DEVELOPMENT_AUDIENCE, user_id, seconds)
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

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
