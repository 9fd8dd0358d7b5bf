//! A keep-alive HTTP/1.1 client connection that sends prepared requests.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::head::Head;

/// The longest that a single answer may take: above every timeout of the server.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection; requests go one after the other.
#[derive(Debug)]
pub struct HttpConnection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

impl HttpConnection {
    /// Connects.
    ///
    /// # Errors
    /// When the server does not accept.
    pub async fn open(server: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(server).await.with_context(|| format!("connecting to {server}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(1024) })
    }

    /// Sends a complete request and reads the answer.
    ///
    /// # Errors
    /// When the connection fails or the answer takes more than 20 s.
    pub async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Response> {
        self.stream.write_all(request).await.context("sending a request")?;
        tokio::time::timeout(PATIENCE, self.response()).await.context("no answer to a request")?
    }

    /// Sends a request that must be answered with 200.
    ///
    /// # Errors
    /// As [`Self::exchange`], and for every other status.
    pub async fn expect_ok(&mut self, request: &[u8]) -> anyhow::Result<Vec<u8>> {
        let response = self.exchange(request).await?;
        if response.status != 200 {
            bail!("status {}: {}", response.status, String::from_utf8_lossy(&response.body));
        }
        Ok(response.body)
    }

    async fn response(&mut self) -> anyhow::Result<Response> {
        self.buffer.clear();
        loop {
            if let Some(head) = Head::read(&self.buffer)? {
                let status = head.status().context("no status")?;
                let (start, end) = (head.len, head.len + head.content_length);
                while self.buffer.len() < end {
                    self.read_more().await?;
                }
                return Ok(Response { status, body: self.buffer[start..end].to_vec() });
            }
            self.read_more().await?;
        }
    }

    async fn read_more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await.context("reading an answer")? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}
