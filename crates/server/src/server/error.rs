//! Why a server does not start.

use std::net::SocketAddr;

use stentor_core::store::StoreError;
use stentor_store_embedded::OpenError;

use crate::data_dir::DataDirError;
use crate::first_start::CredentialsError;
use crate::transport::TlsError;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The made-up app cannot be used.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The store cannot be opened.
    #[error("{}", with_causes(.0))]
    Open(#[from] OpenError),
    /// The store cannot be read.
    #[error("{}", with_causes(.0))]
    Store(#[from] StoreError),
    /// The place of uploaded files cannot be used.
    #[error("files: {}", with_causes(.0))]
    Files(#[from] stentor_files::OpenError),
    /// Certificate or key cannot be used.
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
    /// TLS for callbacks cannot be set up.
    #[error("callbacks: {0}")]
    CallbackTls(tokio_rustls::rustls::Error),
    /// The certificate authorities of push services cannot be read.
    #[error("push.ca_file: {0}")]
    PushTrust(String),
    /// The translator of pushes cannot be set up.
    #[error("push.translator_url: {0}")]
    Translator(String),
    /// The certificates of push services cannot be loaded.
    #[error("push: {0}")]
    Certificates(#[from] stentor_push_queue::certificates::CertificateError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
    /// A task did not do its work.
    #[error("the start was interrupted")]
    Interrupted,
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
