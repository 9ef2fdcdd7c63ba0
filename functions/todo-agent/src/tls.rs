//! TLS by ring. The alternative, aws_lc_rs, needs a C toolchain that a fresh machine does not have.

use std::sync::Arc;

use reqwest::{ClientBuilder, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Makes ring the process's TLS provider. Once this crate is linked, `reqwest` has TLS without a provider of its own,
/// and a `reqwest::Client` made without [`client_builder`] panics until this has been called. Call it where such a client
/// may be made; calling it again does nothing.
pub fn install_tls_provider() {
    // An error means that a provider is installed already, which is what was wanted.
    let _ = ring::default_provider().install_default();
}

/// The beginning of a client for the one service behind `url`: a model, an issuer's keys, the tool functions.
///
/// For `https` it trusts the machine's own roots (a company's among them, `SSL_CERT_FILE` too) and Mozilla's, for images
/// that have none. For anything else it trusts nobody: reading all roots takes time, and `http` needs none. It follows no
/// redirect, which would take a token or a conversation to an address that nobody configured.
///
/// # Errors
///
/// When ring lacks a protocol version that rustls wants, which is a mistake of the build.
pub fn client_builder(url: &str) -> Result<ClientBuilder, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let scheme = url.split(':').next().unwrap_or_default();
    if scheme.eq_ignore_ascii_case("https") {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(config).redirect(redirect::Policy::none()))
}
