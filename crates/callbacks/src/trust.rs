//! Whom callbacks over TLS trust.

use std::sync::Arc;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore};

/// Trusts the system's authorities, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Without any, no server is
/// trusted. Reads files: for the start, not for a request.
///
/// # Errors
/// When TLS cannot be set up.
pub fn system_trust() -> Result<Arc<ClientConfig>, Error> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "some certificate authorities could not be read");
    }
    let mut roots = RootCertStore::empty();
    let (added, _odd) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!("there are no certificate authorities: callbacks to https:// will fail");
    }
    trusting(roots)
}

/// Trusts nobody: for a server without callback rules.
///
/// # Errors
/// When TLS cannot be set up.
pub fn no_trust() -> Result<Arc<ClientConfig>, Error> {
    trusting(RootCertStore::empty())
}

/// Trusts these authorities.
fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
