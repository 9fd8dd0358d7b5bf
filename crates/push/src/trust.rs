//! Whom providers' connections trust, and with which certificate we show ourselves.

use std::fmt;
use std::sync::{Arc, LazyLock};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::error::BadSetup;

/// Authorities that are trusted.
#[derive(Debug, Clone)]
pub struct Trust(Arc<Roots>);

/// Authorities, read when the first client is made.
type Roots = LazyLock<Arc<RootCertStore>, Box<dyn FnOnce() -> Arc<RootCertStore> + Send>>;

impl Trust {
    /// The system's authorities, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Without any, no server is trusted.
    /// They are read when the first client is made.
    #[must_use]
    pub fn system() -> Self {
        Self::system_and_these(Vec::new())
    }

    /// The system's authorities, and those of a PEM file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds none.
    pub fn system_and(pem: &str) -> Result<Self, BadSetup> {
        let bad = || BadSetup::Credential("the certificate authorities");
        let these: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        let these = these.map_err(|_| bad())?;
        let (added, _odd) = RootCertStore::empty().add_parsable_certificates(these.iter().cloned());
        if added == 0 { Err(bad()) } else { Ok(Self::system_and_these(these)) }
    }

    fn system_and_these(these: Vec<CertificateDer<'static>>) -> Self {
        Self::of(move || {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "some certificate authorities could not be read");
            }
            let mut roots = RootCertStore::empty();
            let (added, _odd) = roots.add_parsable_certificates(found.certs.into_iter().chain(these));
            if added == 0 {
                tracing::warn!("there are no certificate authorities: pushes will fail");
            }
            roots
        })
    }

    /// These authorities (DER) only.
    #[must_use]
    pub fn only(authorities: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let authorities: Vec<_> = authorities.into_iter().map(CertificateDer::from).collect();
        Self::of(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(authorities);
            roots
        })
    }

    fn of(roots: impl FnOnce() -> RootCertStore + Send + 'static) -> Self {
        let read: Box<dyn FnOnce() -> Arc<RootCertStore> + Send> = Box::new(|| Arc::new(roots()));
        Self(Arc::new(LazyLock::new(read)))
    }

    pub(crate) fn config(&self, identity: Option<&Identity>) -> Result<ClientConfig, BadSetup> {
        let failed = |error: tokio_rustls::rustls::Error| BadSetup::Client(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(Arc::clone(LazyLock::force(&self.0)));
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
