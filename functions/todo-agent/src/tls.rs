//! TLS by ring. The alternative, aws_lc_rs, needs a C toolchain that a fresh machine does not have.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Makes ring the process's TLS provider. Once this crate is linked, `reqwest` has TLS without a provider of its own,
/// and a `reqwest::Client` made anywhere in the process panics until this has been called. Call it first in `main`, and
/// where a library makes a client of its own; calling it again does nothing.
pub fn install_tls_provider() {
    // An error means that a provider is installed already, which is what was wanted.
    let _ = ring::default_provider().install_default();
}

/// For the model's client. With `secure`, trusts the machine's own roots (a company's among them, `SSL_CERT_FILE` too)
/// and Mozilla's, for images that have none. Without, trusts nobody: reading all roots takes time, and `http` needs none.
pub(crate) fn client_config(secure: bool) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    if secure {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
