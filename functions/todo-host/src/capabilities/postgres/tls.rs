//! TLS to Postgres: always verified, against the public authorities or the one the component names.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::bindings::postgres::Error;

/// Whether a connection by `config` should try TLS.
///
/// `prefer`, the default, does so towards other machines only: a server on this one commonly has a certificate that
/// nobody signed, and the way to it is not a network.
pub fn wanted(config: &Config) -> bool {
    match config.get_ssl_mode() {
        SslMode::Disable => false,
        SslMode::Prefer => !config.get_hosts().iter().all(local),
        _ => true,
    }
}

fn local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Makes TLS connections that trust the public authorities and those in `authority` (PEM).
pub fn connector(authority: Option<&str>) -> Result<MakeRustlsConnect, Error> {
    let failed = |reason: String| Error::ConnectionFailed(format!("TLS: {reason}"));
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in certificates(authority.unwrap_or_default())? {
        roots.add(certificate).map_err(|error| failed(error.to_string()))?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// The certificates in `pem`.
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| Error::Other(format!("not a certificate in PEM form: {error:?}")))
}
