//! `[server]`: addresses, directory and times.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::section::section;
use super::value::{Bounded, Invalid, Setting, Shape, quoted};

section! {
    /// The server itself.
    pub struct ServerSection {
        /// Where REST, WebSocket and documentation are served. Port 0 takes a free one.
        listen: ListenAddress = ListenAddress::loopback(8480);
        /// Where /metrics is served instead, if it is not to share `listen`. Plain HTTP.
        metrics_listen: Option<ListenAddress> = None, example "\"127.0.0.1:9480\"";
        /// The directory of everything that is kept. Created if it is not there.
        data_dir: Directory = Directory::from("./stentor-data");
        /// The URL under which clients reach the server, for the addresses of files in replies. Without one, that of the
        /// request's Host header.
        public_url: Option<String> = None, example "\"https://chat.example.com\"";
        /// A client that is back within this time after losing its connection: nobody notices.
        reconnect_grace_ms: Bounded<0, 3_600_000> = Bounded::clamped(30_000);
        /// How long a sender with wait_for_ack waits for the receiver's ack.
        ack_timeout_ms: Bounded<1, 600_000> = Bounded::clamped(8_000);
        /// Allow plain HTTP beyond loopback: behind a proxy that does the TLS, or on a network you trust.
        allow_plain_http: bool = false;
        /// Browser origins that may call the REST API. "*" stands for every origin. The caller's origin is echoed.
        cors_origins: Vec<Origin> = vec![Origin::any()];
        /// Connections served at once. Lowered to what the limit on open files allows. Beyond it, only the health
        /// pages answer, and everything else gets 503.
        max_connections: Bounded<1, 10_000_000> = Bounded::clamped(100_000);
        /// When the server goes down, clients are told to come back spread over this time.
        drain_spread_ms: Bounded<0, 600_000> = Bounded::clamped(5_000);
        /// When the server goes down, requests and connections that are not done after this time are cut.
        drain_timeout_ms: Bounded<0, 8_500> = Bounded::clamped(8_000);
    }
}

/// An address to listen on: IP and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress(pub SocketAddr);

impl ListenAddress {
    /// A port of 127.0.0.1.
    #[must_use]
    pub const fn loopback(port: u16) -> Self {
        Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }
}

impl Setting for ListenAddress {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let named = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        match named.as_deref().unwrap_or(text).parse() {
            Ok(address) => Ok(Self(address)),
            Err(_) => Err(Invalid(format!("expected an IP address and a port like 127.0.0.1:8480, found {text:?}"))),
        }
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0.to_string()))
    }
}

/// A path as written; relative to the working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory(pub PathBuf);

impl From<&str> for Directory {
    fn from(path: &str) -> Self {
        Self(PathBuf::from(path))
    }
}

impl Setting for Directory {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() { Err(Invalid("must not be empty".into())) } else { Ok(Self::from(text)) }
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0.to_string_lossy()))
    }
}

/// A browser origin like `https://app.example.com`, or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Every origin.
    #[must_use]
    pub fn any() -> Self {
        Self("*".to_owned())
    }

    /// The origin as a browser sends it, or `*`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for Origin {
    const SHAPE: Shape = Shape::Text;

    fn from_text(text: &str) -> Result<Self, Invalid> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |host: &str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && b != b'/');
        if text == "*" || host.is_some_and(plain) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(Invalid(format!("expected \"*\" or an origin like https://app.example.com, found {text:?}")))
        }
    }

    fn to_toml(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}
