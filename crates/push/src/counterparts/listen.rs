//! Connections: plain HTTP/1.1, or TLS with HTTP/2.

use std::io;
use std::sync::Arc;

use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// A certificate of our own, for `localhost` and `127.0.0.1`.
#[derive(Debug)]
pub(super) struct SelfSigned {
    pub(super) certificate: Vec<u8>,
    key: Vec<u8>,
}

impl SelfSigned {
    pub(super) fn new() -> io::Result<Self> {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        Ok(Self { certificate: made.cert.der().to_vec(), key: made.signing_key.serialize_der() })
    }

    /// TLS with HTTP/2 only. Clients may show a certificate that these authorities signed.
    pub(super) fn config(&self, client_authorities: &[Vec<u8>]) -> io::Result<Arc<ServerConfig>> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let builder = if client_authorities.is_empty() {
            builder.with_no_client_auth()
        } else {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(client_authorities.iter().cloned().map(CertificateDer::from));
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.allow_unauthenticated().build().map_err(io::Error::other)?)
        };
        let key = PrivateKeyDer::Pkcs8(self.key.clone().into());
        let chain = vec![self.certificate.clone().into()];
        let mut config = builder.with_single_cert(chain, key).map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }
}
