//! A private key in a file, for one machine.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::KeyError;
use crate::jws::Signer;

/// Reads the key at `path`, or makes one there that only its owner may read.
pub(crate) fn load_or_create(path: &Path, key_id: Option<&str>) -> Result<Signer, KeyError> {
    let file = |source| KeyError::File { path: path.display().to_string(), source };
    match std::fs::read_to_string(path) {
        Ok(pem) => Signer::from_pem(&pem, key_id),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = Signer::generate(key_id)?;
            write_private(path, key.pem()).map_err(file)?;
            Ok(key)
        }
        Err(error) => Err(file(error)),
    }
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
