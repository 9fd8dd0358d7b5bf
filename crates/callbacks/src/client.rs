//! One POST to one endpoint. Redirects are not followed: they are a failure like any other status.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;

use crate::connect::{Resolve, connect};
use crate::endpoint::Endpoint;
use crate::signature;

/// A connection that was not used for so long is not used again: the other side may be about to close it.
const IDLE: Duration = Duration::from_secs(20);

/// Why a request failed. Says nothing of the URL or the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The name has no address.
    #[error("the name cannot be resolved")]
    Name,
    /// Every address is a private one, and the rule does not allow them.
    #[error("the address is private")]
    Forbidden,
    /// Nobody listens there.
    #[error("no connection")]
    Connect,
    /// The certificate or the handshake.
    #[error("TLS failed")]
    Tls,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or what came is no HTTP.
    #[error("the connection was lost")]
    Lost,
    /// An answer, but not 200.
    #[error("status {0}")]
    Status(u16),
    /// An answer that is longer than allowed.
    #[error("the answer is too long")]
    TooLong,
    /// Too many requests under way already.
    #[error("too many requests under way")]
    Busy,
}

/// What requests are made with. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    names: Arc<dyn Resolve>,
    tls: Arc<ClientConfig>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that looks up names so, and trusts so.
    #[must_use]
    pub fn new(names: Arc<dyn Resolve>, tls: Arc<ClientConfig>) -> Self {
        Self { names, tls }
    }
}

/// The way to one endpoint, with the connections that are open.
#[derive(Debug)]
pub(crate) struct Line {
    client: Client,
    endpoint: Endpoint,
    allow_private: bool,
    timeout: Duration,
    idle: Mutex<Vec<Idle>>,
    /// At most so many stay open.
    keep: usize,
}

struct Idle {
    sender: SendRequest<Full<Bytes>>,
    since: Instant,
}

impl fmt::Debug for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Idle")
    }
}

/// A body and its signature.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    body: Bytes,
    signature: String,
}

impl Signed {
    /// Signs a body at `now_ms` (Unix time in milliseconds).
    pub(crate) fn new(body: Bytes, secret: &str, now_ms: u64) -> Self {
        let signature = signature::sign(secret, now_ms / 1000, &body);
        Self { body, signature }
    }
}

impl Line {
    pub(crate) fn new(client: Client, endpoint: Endpoint, allow_private: bool, timeout: Duration, keep: usize) -> Self {
        Self { client, endpoint, allow_private, timeout, idle: Mutex::default(), keep }
    }

    /// Posts a body and reads at most `max` bytes of the answer.
    pub(crate) async fn ask(&self, signed: &Signed, max: usize) -> Result<Bytes, PostError> {
        let asked = async {
            let (response, sender) = self.send(signed).await?;
            let read = Limited::new(response.into_body(), max).collect().await;
            let body = read
                .map_err(|error| if error.is::<LengthLimitError>() { PostError::TooLong } else { PostError::Lost })?;
            self.put_back(sender);
            Ok(body.to_bytes())
        };
        timeout(self.timeout, asked).await.unwrap_or(Err(PostError::Timeout))
    }

    /// Posts a body. The answer's head is all that counts; its body is read only to use the connection again.
    pub(crate) async fn tell(&self, signed: &Signed) -> Result<(), PostError> {
        const POLITENESS: Duration = Duration::from_secs(1);
        let (response, sender) = timeout(self.timeout, self.send(signed)).await.unwrap_or(Err(PostError::Timeout))?;
        let read = Limited::new(response.into_body(), 4096).collect();
        if let Ok(Ok(_)) = timeout(POLITENESS.min(self.timeout), read).await {
            self.put_back(sender);
        }
        Ok(())
    }

    /// Sends a request over a connection that is open, or a new one.
    async fn send(
        &self,
        signed: &Signed,
    ) -> Result<(http::Response<hyper::body::Incoming>, SendRequest<Full<Bytes>>), PostError> {
        while let Some(mut sender) = self.take() {
            if sender.ready().await.is_err() {
                continue;
            }
            // Broken under the request: perhaps it was closed just now. A new connection tells.
            if let Ok(response) = sender.send_request(self.request(signed)?).await {
                return Ok((good(response)?, sender));
            }
        }
        let mut sender = self.open().await?;
        let response = sender.send_request(self.request(signed)?).await.map_err(|_| PostError::Lost)?;
        Ok((good(response)?, sender))
    }

    fn request(&self, signed: &Signed) -> Result<Request<Full<Bytes>>, PostError> {
        Request::post(self.endpoint.target().clone())
            .header(HOST, self.endpoint.authority().clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(USER_AGENT, HeaderValue::from_static("Stentor"))
            .header(signature::HEADER, &signed.signature)
            .body(Full::new(signed.body.clone()))
            .map_err(|_| PostError::Lost)
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, PostError> {
        let tcp = connect(&*self.client.names, &self.endpoint, self.allow_private).await?;
        if !self.endpoint.is_tls() {
            return handshake(tcp).await;
        }
        let name = ServerName::try_from(self.endpoint.host().to_owned()).map_err(|_| PostError::Tls)?;
        let tls = TlsConnector::from(self.client.tls.clone()).connect(name, tcp).await.map_err(|_| PostError::Tls)?;
        handshake(tls).await
    }

    /// The connection that was used last.
    fn take(&self) -> Option<SendRequest<Full<Bytes>>> {
        let mut idle = self.idle.lock();
        idle.retain(|one| one.since.elapsed() < IDLE && !one.sender.is_closed());
        idle.pop().map(|one| one.sender)
    }

    fn put_back(&self, sender: SendRequest<Full<Bytes>>) {
        let mut idle = self.idle.lock();
        if !sender.is_closed() && idle.len() < self.keep {
            idle.push(Idle { sender, since: Instant::now() });
        }
    }
}

fn good(response: http::Response<hyper::body::Incoming>) -> Result<http::Response<hyper::body::Incoming>, PostError> {
    match response.status() {
        StatusCode::OK => Ok(response),
        status => Err(PostError::Status(status.as_u16())),
    }
}

async fn handshake<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, PostError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| PostError::Lost)?;
    // Ends with its sender; its error is the request's as well.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}
