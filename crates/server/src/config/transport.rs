//! `[tls]`, `[http]`, `[gateway]`: how bytes come in.

use super::section::section;
use super::server::Directory;
use super::value::Bounded;

section! {
    /// TLS. With both files the server speaks HTTPS and WSS only; SIGHUP reads them again.
    pub struct TlsSection {
        /// The certificate chain, PEM, the server's own first.
        certificate: Option<Directory> = None, example "\"/etc/stentor/tls.crt\"";
        /// The private key, PEM: PKCS #8, PKCS #1 or SEC 1.
        key: Option<Directory> = None, example "\"/etc/stentor/tls.key\"";
        /// A client that has not finished the handshake after this time is cut.
        handshake_timeout_ms: Bounded<100, 60_000> = Bounded::clamped(10_000);
    }
}

section! {
    /// HTTP.
    pub struct HttpSection {
        /// A client that has not sent a whole request head after this time is cut. Also how long an idle connection
        /// is kept.
        header_timeout_ms: Bounded<100, 600_000> = Bounded::clamped(60_000);
        /// Bytes of one request head; more is answered with 431.
        header_bytes: Bounded<8_192, 1_048_576> = Bounded::clamped(65_536);
        /// A client that takes nothing of what is sent to it for this time is cut.
        stalled_timeout_ms: Bounded<100, 600_000> = Bounded::clamped(30_000);
        /// A client that has not sent a whole request body after this time gets 408.
        body_timeout_ms: Bounded<100, 600_000> = Bounded::clamped(15_000);
    }
}

section! {
    /// The WebSocket gateway.
    pub struct GatewaySection {
        /// Notices that wait in a client's mailbox or for their ack. One more, and it is a slow consumer: it is
        /// disconnected and resumes.
        mailbox_notices: Bounded<1, 1_000_000> = Bounded::clamped(1_024);
        /// The same in bytes.
        mailbox_bytes: Bounded<65_536, 1_073_741_824> = Bounded::clamped(4_194_304);
    }
}
