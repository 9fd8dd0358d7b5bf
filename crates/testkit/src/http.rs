//! An HTTP client for tests: a connection per request, so that no test depends on another's.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::DEADLINE;

/// Speaks to one server, with or without credentials.
#[derive(Debug, Clone)]
pub struct Http {
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

/// A reply.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Reply {
    /// The status as a number.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.status.as_u16()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(json) => json,
            Err(error) => panic!("{error}: {} {}", self.status, self.text()),
        }
    }
}

impl Http {
    /// Without credentials.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address, headers: Vec::new() }
    }

    /// With HTTP Basic.
    #[must_use]
    pub fn basic(self, id: &str, secret: &str) -> Self {
        let pair = STANDARD.encode(format!("{id}:{secret}"));
        self.header(AUTHORIZATION.as_str(), &format!("Basic {pair}"))
    }

    /// With `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// With `x-agora-token` and `x-agora-uid`.
    #[must_use]
    pub fn token(self, user: &str, token: &str) -> Self {
        self.header("x-agora-token", token).header("x-agora-uid", user)
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// GETs a path.
    ///
    /// # Panics
    /// When there is no reply.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// POSTs JSON to a path.
    ///
    /// # Panics
    /// When there is no reply.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        let client = self.clone().header(CONTENT_TYPE.as_str(), "application/json");
        client.send(Method::POST, path, Bytes::from(body.to_string())).await
    }

    /// PUTs JSON to a path.
    ///
    /// # Panics
    /// When there is no reply.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        let client = self.clone().header(CONTENT_TYPE.as_str(), "application/json");
        client.send(Method::PUT, path, Bytes::from(body.to_string())).await
    }

    /// DELETEs a path.
    ///
    /// # Panics
    /// When there is no reply.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, Bytes::new()).await
    }

    /// Sends any request.
    ///
    /// # Panics
    /// When there is no reply.
    pub async fn send(&self, method: Method, path: &str, body: Bytes) -> Reply {
        match self.try_send(method, path, body).await {
            Ok(reply) => reply,
            Err(error) => panic!("no reply from {}: {error}", self.address),
        }
    }

    /// Sends any request to a server that may not be there.
    ///
    /// # Errors
    /// When there is no reply.
    pub async fn try_send(&self, method: Method, path: &str, body: Bytes) -> Result<Reply, String> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, self.address.to_string());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let stream = TcpStream::connect(self.address).await.map_err(|error| error.to_string())?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let reply = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (head, body) = reply.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Reply { status: head.status, headers: head.headers, body })
    }
}

/// Sends bytes as they are, and returns what comes back until the server closes the connection.
///
/// # Panics
/// When there is no connection, or the server does not close it in time.
pub async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let talk = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(bytes).await?;
        let mut reply = Vec::new();
        // A reset after the reply is as good as its end.
        let _ = stream.read_to_end(&mut reply).await;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&reply).into_owned())
    };
    match tokio::time::timeout(DEADLINE, talk).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(error)) => panic!("{error}"),
        Err(_elapsed) => panic!("the server does not close the connection"),
    }
}
