//! Whom the command line trusts when it speaks TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::exit::{Exit, Failed};

/// Whom to trust.
#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// Whoever presents this certificate: the server on this machine, whatever name it goes by.
    Exactly(PathBuf),
    /// Whoever these authorities vouch for.
    Authorities(PathBuf),
    /// Whoever the system's authorities vouch for.
    System,
}

/// Where distributions keep their authorities, if `SSL_CERT_FILE` does not say.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

impl Trust {
    /// The TLS configuration of a client that trusts so.
    pub(super) fn client(&self) -> Result<Arc<ClientConfig>, Failed> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| Failed::new(Exit::Failure, error))?;
        let builder = match self {
            Self::Exactly(path) => {
                let expected = certificates(path)?.into_iter().next().ok_or_else(|| none_in(path))?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(Pinned { expected, provider }))
            }
            Self::Authorities(path) => builder.with_root_certificates(roots(path)?),
            Self::System => {
                let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
                let known = SYSTEM.iter().map(PathBuf::from).find(|path| path.exists());
                let path = named.or(known).ok_or_else(|| {
                    Failed::new(Exit::Usage, "no certificate authorities found: name a file of them with --ca")
                })?;
                builder.with_root_certificates(roots(&path)?)
            }
        };
        Ok(Arc::new(builder.with_no_client_auth()))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Failed> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| Failed::new(Exit::Usage, format!("{}: {error}", path.display())))
}

fn none_in(path: &Path) -> Failed {
    Failed::new(Exit::Usage, format!("{} has no certificate", path.display()))
}

fn roots(path: &Path) -> Result<RootCertStore, Failed> {
    let mut roots = RootCertStore::empty();
    let (added, _odd) = roots.add_parsable_certificates(certificates(path)?);
    if added == 0 { Err(none_in(path)) } else { Ok(roots) }
}

/// Accepts one certificate and no other. The handshake still proves that the peer has its key.
#[derive(Debug)]
struct Pinned {
    expected: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        presented: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *presented == self.expected {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
