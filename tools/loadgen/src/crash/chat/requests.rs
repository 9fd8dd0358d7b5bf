//! The requests on a connection that the server opened: what it tells a backend, and what it sends to devices.

use anyhow::ensure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::head::Head;

/// A request.
pub(super) struct Asked {
    pub(super) path: String,
    /// `X-Stentor-Signature`; empty if there is none.
    pub(super) signature: String,
    pub(super) body: Vec<u8>,
}

/// A connection. Dropping it cuts it.
pub(super) struct Requests {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Requests {
    pub(super) fn new(stream: TcpStream) -> anyhow::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// The next request.
    ///
    /// # Errors
    /// When the connection ends, as it does when the server is killed.
    pub(super) async fn next(&mut self) -> anyhow::Result<Asked> {
        loop {
            if let Some(head) = Head::read(&self.buffer)? {
                let end = head.len + head.content_length;
                if let Some(body) = self.buffer.get(head.len..end) {
                    let asked = Asked {
                        path: head.first_line.split(' ').nth(1).unwrap_or_default().to_owned(),
                        signature: head.field("x-stentor-signature").unwrap_or_default().to_owned(),
                        body: body.to_vec(),
                    };
                    self.buffer.drain(..end);
                    return Ok(asked);
                }
            }
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the end");
        }
    }

    /// Answers with a status line and nothing else, such as `200 OK`.
    pub(super) async fn answer(&mut self, status: &str) -> anyhow::Result<()> {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        Ok(self.stream.write_all(answer.as_bytes()).await?)
    }
}
