//! Whom providers' connections trust, and with which certificate we show ourselves.

use std::fmt;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::BadSetup;

/// Authorities that are trusted.
#[derive(Debug, Clone)]
pub struct Trust(Arc<RootCertStore>);

impl Trust {
    /// The system's authorities, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Without any, no server is trusted.
    /// Reads files: for the start, not for a request.
    #[must_use]
    pub fn system() -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "some certificate authorities could not be read");
        }
        let mut roots = RootCertStore::empty();
        let (added, _odd) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            tracing::warn!("there are no certificate authorities: pushes will fail");
        }
        Self(Arc::new(roots))
    }

    /// These authorities (DER) only.
    #[must_use]
    pub fn only(authorities: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.into_iter().map(CertificateDer::from));
        Self(Arc::new(roots))
    }

    pub(crate) fn config(&self, identity: Option<&Identity>) -> Result<ClientConfig, BadSetup> {
        let failed = |error: tokio_rustls::rustls::Error| BadSetup::Client(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(self.0.clone());
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
                .map_err(|_| BadSetup::Credential("the client certificate"))?,
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// A client certificate with its key. `Debug` hides it.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads certificate and key from PEM. Both may be in the same text.
    ///
    /// # Errors
    /// When there is no certificate or no key (PKCS #8, PKCS #1 or SEC 1, not encrypted).
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, BadSetup> {
        let bad = || BadSetup::Credential("the client certificate");
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let chain = chain.map_err(|_| bad())?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| bad())?;
        if chain.is_empty() { Err(bad()) } else { Ok(Self { chain, key }) }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}
