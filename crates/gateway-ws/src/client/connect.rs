//! Connecting and logging in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::actor::Actor;
use super::memory::{Memory, Resume};
use super::{Client, ClientError, Welcome, object};
use crate::codec::reply::VERSION;
use crate::upgrade::PATH;

/// Who logs in.
#[derive(Debug, Clone, Default)]
pub struct ClientLogin {
    /// The App ID.
    pub app: String,
    /// The user.
    pub user: String,
    /// The token, where the app wants one.
    pub token: Option<String>,
    /// The session to go on with.
    pub resume: Option<Resume>,
}

/// How a client behaves.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Peer messages are acked when they arrive, and those that come again are dropped.
    pub auto_ack: bool,
    /// Pings when nothing else was sent for the interval that the server asks for.
    pub auto_ping: bool,
    /// A server that says nothing for this time, pings or not, is taken for gone. Only with `auto_ping`.
    pub silence: Duration,
    /// Events that may wait for [`Client::next`]; then nothing more is read.
    pub event_queue: usize,
    /// For `wss://`: whom to trust.
    pub tls: Option<Arc<ClientConfig>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self { auto_ack: true, auto_ping: true, silence: Duration::from_secs(15), event_queue: 1024, tls: None }
    }
}

#[derive(Serialize)]
struct LoginFrame<'a> {
    version: u64,
    app: &'a str,
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<ResumeFrame<'a>>,
}

#[derive(Serialize)]
struct ResumeFrame<'a> {
    session: &'a str,
    channels: BTreeMap<&'a str, String>,
}

struct Target {
    tls: bool,
    host: String,
    port: u16,
    url: String,
}

impl Client {
    /// Connects and logs in. `url` may be `ws://host:port` or `wss://host:port`, with or without the path.
    ///
    /// # Errors
    /// When the server is not there or refuses the login.
    pub async fn connect_with(url: &str, login: ClientLogin, options: ClientOptions) -> Result<Self, ClientError> {
        let target = target(url)?;
        let tcp = TcpStream::connect((target.host.as_str(), target.port)).await.map_err(connect_error)?;
        tcp.set_nodelay(true).map_err(connect_error)?;
        if !target.tls {
            return Self::log_in(&target, tcp, login, options).await;
        }
        let config = options.tls.clone().ok_or_else(|| ClientError::Url("wss needs a TLS configuration".to_owned()))?;
        let name = ServerName::try_from(target.host.clone()).map_err(connect_error)?;
        let tls = TlsConnector::from(config).connect(name, tcp).await.map_err(connect_error)?;
        Self::log_in(&target, tls, login, options).await
    }

    async fn log_in<S>(
        target: &Target,
        stream: S,
        login: ClientLogin,
        options: ClientOptions,
    ) -> Result<Self, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // The library's buffers are made for few connections; the load generator has very many.
        let sizes = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let (mut socket, _) = tokio_tungstenite::client_async_with_config(target.url.as_str(), stream, Some(sizes))
            .await
            .map_err(connect_error)?;
        let frame = Message::text(login_frame(&login));
        futures_util::SinkExt::send(&mut socket, frame).await.map_err(connect_error)?;
        let welcome = answer(&mut socket).await?;
        let memory = Memory::new(&welcome.session, &welcome.channels, login.resume);
        let memory = Arc::new(Mutex::new(memory));
        let (commands, received_commands) = mpsc::channel(64);
        let (sent_events, events) = mpsc::channel(options.event_queue.max(1));
        let actor = Actor::new(socket, received_commands, sent_events, Arc::clone(&memory), &options, &welcome);
        tokio::spawn(actor.run());
        Ok(Self { welcome, commands, events, memory })
    }
}

fn target(url: &str) -> Result<Target, ClientError> {
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
        "" | "/" => PATH,
        path => path,
    };
    let scheme = if tls { "wss" } else { "ws" };
    Ok(Target { tls, host, port, url: format!("{scheme}://{authority}{path}") })
}

fn login_frame(login: &ClientLogin) -> String {
    let resume = login.resume.as_ref().map(|resume| ResumeFrame {
        session: &resume.session,
        channels: resume.channels.iter().map(|(channel, id)| (channel.as_str(), id.to_string())).collect(),
    });
    let frame =
        LoginFrame { version: VERSION, app: &login.app, user: &login.user, token: login.token.as_deref(), resume };
    object("login", None, &frame)
}

async fn answer<S>(socket: &mut WebSocketStream<S>) -> Result<Welcome, ClientError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    #[derive(serde::Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Answer {
        Welcome(Welcome),
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
        let parsed = |url| target(url).map(|t| (t.tls, t.host, t.port, t.url)).ok();
        let plain = (false, "127.0.0.1".to_owned(), 8480, "ws://127.0.0.1:8480/ws/rtm".to_owned());
        assert_eq!(parsed("ws://127.0.0.1:8480"), Some(plain.clone()));
        assert_eq!(parsed("http://127.0.0.1:8480/"), Some(plain));
        let tls = (true, "::1".to_owned(), 443, "wss://[::1]/other".to_owned());
        assert_eq!(parsed("https://[::1]/other"), Some(tls));
        assert_eq!(parsed("ftp://host"), None);
        assert_eq!(parsed("host:80"), None);
    }
}
