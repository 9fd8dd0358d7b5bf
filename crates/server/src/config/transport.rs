//! `[tls]`, `[http]`, `[gateway]`: how bytes come in.

use super::section::section;
use super::server::{Directory, ListenAddress};
use super::value::{Bounded, Invalid, Setting, Shape, quoted};

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
        /// Serve the vendor's own Chat SDKs (docs/clients.md).
        sdk: bool = true;
        /// Where: the path of the `url` that the SDKs are given.
        sdk_path: Route = Route::from("/websocket");
        /// Where those connect that do it by SockJS: the `url` of builds until 2023 (docs/clients.md).
        sdk_sockjs_path: Route = Route::from("/ws");
        /// Where those connect that do it without HTTP, for phones and desktops. With TLS if the server has it.
        sdk_tcp_listen: Option<ListenAddress> = None, example "\"0.0.0.0:6717\"";
        /// After how many seconds without a word they count as gone. Their SDKs give a sign of life every two minutes.
        sdk_tcp_silence_s: Bounded<60, 3_600> = Bounded::clamped(330);
        /// Items that the SDKs sent and that are known again, of each app, for ten minutes: 64 bytes of memory each. Beyond it, those
        /// of the device that has sent nothing for the longest time are forgotten.
        sdk_resent_items: Bounded<1_000, 100_000_000> = Bounded::clamped(600_000);
        /// Let those that offer it compress what they send and are sent. It takes up to 72 KiB of memory for each of them and
        /// some work for each delivery.
        sdk_compression: bool = false;
    }
}

/// The path that is shared with the other gateways.
const SOCKJS: &str = "/ws";

/// The path of a route: `/`, and then names between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route(String);

impl Route {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Route {
    fn from(path: &str) -> Self {
        Self(path.to_owned())
    }
}

impl Setting for Route {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let named =
            |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        let good = text.strip_prefix('/').is_some_and(|names| names.split('/').all(named));
        // The paths of the other gateways, health pages and descriptions are theirs.
        let taken = ["ws", "docs", "healthz", "readyz", "metrics", "easemob"];
        let first = text.split('/').nth(1).unwrap_or_default();
        // Below /ws there is place for SockJS.
        if good && (text == SOCKJS || !taken.contains(&first)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid(format!("expected a path like /websocket that nothing else is served at, found {text:?}")))
        }
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}
