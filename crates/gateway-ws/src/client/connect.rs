//! Connecting and logging in.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::ClientError;
use super::actor::{Actor, Event};
use super::link::Link;
use super::memory::{Memory, Resume};

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Peer messages are acked when they arrive, and those that come again are dropped.
    pub auto_ack: bool,
    /// Pings when nothing else was sent for the interval that the server asks for.
    pub auto_ping: bool,
    /// A server that says nothing for this time, pings or not, is taken for gone. Only with `auto_ping`.
    pub silence: Duration,
    /// Events that may wait for `Client::next`; then nothing more is read.
    pub event_queue: usize,
    /// For `wss://`: whom to trust.
    pub tls: Option<Arc<ClientConfig>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { auto_ack: true, auto_ping: true, silence: Duration::from_secs(15), event_queue: 1024, tls: None }
    }
}

/// What a welcome of any protocol says.
pub(super) trait Greeting: DeserializeOwned {
    fn session(&self) -> &str;
    fn rooms(&self) -> &[String];
    fn ping_interval_ms(&self) -> u64;
}

struct Target {
    tls: bool,
    host: String,
    port: u16,
    url: String,
}

/// Connects and sends the first frame. `earlier` is the session that it asks to go on with.
pub(super) async fn connect<W: Greeting, E: Event>(
    (url, path): (&str, &str),
    first_frame: String,
    earlier: Option<Resume>,
    options: ClientOptions,
) -> Result<(W, Link<E>), ClientError> {
    let target = target(url, path)?;
    let tcp = TcpStream::connect((target.host.as_str(), target.port)).await.map_err(connect_error)?;
    tcp.set_nodelay(true).map_err(connect_error)?;
    if !target.tls {
        return log_in(&target, tcp, first_frame, earlier, options).await;
    }
    let config = options.tls.clone().ok_or_else(|| ClientError::Url("wss needs a TLS configuration".to_owned()))?;
    let name = ServerName::try_from(target.host.clone()).map_err(connect_error)?;
    let tls = TlsConnector::from(config).connect(name, tcp).await.map_err(connect_error)?;
    log_in(&target, tls, first_frame, earlier, options).await
}

async fn log_in<S, W, E>(
    target: &Target,
    stream: S,
    first_frame: String,
    earlier: Option<Resume>,
    options: ClientOptions,
) -> Result<(W, Link<E>), ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    W: Greeting,
    E: Event,
{
    // The library's buffers are made for few connections; the load generator has very many.
    let sizes = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
    let (mut socket, _) = tokio_tungstenite::client_async_with_config(target.url.as_str(), stream, Some(sizes))
        .await
        .map_err(connect_error)?;
    futures_util::SinkExt::send(&mut socket, Message::text(first_frame)).await.map_err(connect_error)?;
    let welcome: W = answer(&mut socket).await?;
    let memory = Arc::new(Mutex::new(Memory::new(welcome.session(), welcome.rooms(), earlier)));
    let (commands, received_commands) = mpsc::channel(64);
    let (sent_events, events) = mpsc::channel(options.event_queue.max(1));
    let ping_every = welcome.ping_interval_ms();
    let actor = Actor::new(socket, received_commands, sent_events, Arc::clone(&memory), &options, ping_every);
    tokio::spawn(actor.run());
    Ok((welcome, Link { commands, events, memory }))
}

fn target(url: &str, default_path: &str) -> Result<Target, ClientError> {
    let bad = || ClientError::Url(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| bad())?;
    let tls = match uri.scheme_str() {
        Some("ws" | "http") => false,
        Some("wss" | "https") => true,
        _ => return Err(bad()),
    };
    let authority = uri.authority().ok_or_else(bad)?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let path = match uri.path() {
        "" | "/" => default_path,
        path => path,
    };
    let scheme = if tls { "wss" } else { "ws" };
    Ok(Target { tls, host, port, url: format!("{scheme}://{authority}{path}") })
}

async fn answer<S, W>(socket: &mut WebSocketStream<S>) -> Result<W, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    W: Greeting,
{
    #[derive(serde::Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Answer<W> {
        Welcome(W),
        Refused { code: u32, reason: String },
    }
    loop {
        match futures_util::StreamExt::next(socket).await {
            Some(Ok(Message::Text(text))) => {
                return match serde_json::from_str(&text).map_err(super::replies::unexpected)? {
                    Answer::Welcome(welcome) => Ok(welcome),
                    Answer::Refused { code, reason } => Err(ClientError::LoginRefused { code, reason }),
                };
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(other)) => return Err(ClientError::Unexpected(format!("{other:?}"))),
            Some(Err(error)) => return Err(connect_error(error)),
            None => return Err(ClientError::Closed),
        }
    }
}

fn connect_error(error: impl std::fmt::Display) -> ClientError {
    ClientError::Connect(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let parsed = |url| target(url, "/ws/rtm").map(|t| (t.tls, t.host, t.port, t.url)).ok();
        let plain = (false, "127.0.0.1".to_owned(), 8480, "ws://127.0.0.1:8480/ws/rtm".to_owned());
        assert_eq!(parsed("ws://127.0.0.1:8480"), Some(plain.clone()));
        assert_eq!(parsed("http://127.0.0.1:8480/"), Some(plain));
        let tls = (true, "::1".to_owned(), 443, "wss://[::1]/other".to_owned());
        assert_eq!(parsed("https://[::1]/other"), Some(tls));
        assert_eq!(parsed("ftp://host"), None);
        assert_eq!(parsed("host:80"), None);
    }
}
