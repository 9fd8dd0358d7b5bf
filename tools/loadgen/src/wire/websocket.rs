//! A WebSocket client connection: the opening handshake, then halves for reading and writing.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use anyhow::{Context, bail};
use base64::prelude::{BASE64_STANDARD, Engine};
use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpSocket, TcpStream};

use crate::wire::frame::{self, FrameReader};
use crate::wire::head::Head;

/// The constant of RFC 6455, section 1.3.
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// One buffer that all connections read into: what is read is used up before the next connection reads. Keeps
/// thousands of connections small and the bytes in the cache.
pub type Scratch = Rc<RefCell<Vec<u8>>>;

/// A new [`Scratch`].
#[must_use]
pub fn scratch() -> Scratch {
    Rc::new(RefCell::new(vec![0; 64 * 1024]))
}

/// The answer to a `Sec-WebSocket-Key`.
#[must_use]
pub fn accept(key: &str) -> String {
    let mut digest = Sha1::new();
    digest.update(key.as_bytes());
    digest.update(MAGIC.as_bytes());
    BASE64_STANDARD.encode(digest.finalize())
}

/// Reads frames.
#[derive(Debug)]
pub struct FrameSource {
    stream: OwnedReadHalf,
    reader: FrameReader,
    scratch: Scratch,
    /// What came in one packet with the answer to the handshake.
    early: Vec<u8>,
}

impl FrameSource {
    /// Wraps the reading half of a connection whose handshake is done.
    #[must_use]
    pub fn new(stream: OwnedReadHalf, scratch: Scratch, early: Vec<u8>) -> Self {
        Self { stream, reader: FrameReader::default(), scratch, early }
    }

    /// Waits for bytes, and calls `on_frame` for each frame that they complete. `false` at the end of the stream.
    ///
    /// # Errors
    /// When the connection or `on_frame` fails, or the bytes are not frames.
    pub async fn read(&mut self, mut on_frame: impl FnMut(u8, &[u8]) -> anyhow::Result<()>) -> anyhow::Result<bool> {
        if !self.early.is_empty() {
            let mut early = std::mem::take(&mut self.early);
            self.reader.feed(&mut early, on_frame)?;
            return Ok(true);
        }
        // Reading and parsing are one step without a pause, so that the scratch buffer can be shared.
        poll_fn(|context| {
            let mut scratch = self.scratch.borrow_mut();
            let mut buffer = ReadBuf::new(scratch.as_mut_slice());
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Ok(false)),
                Poll::Ready(Ok(())) => Poll::Ready(self.reader.feed(buffer.filled_mut(), &mut on_frame).map(|()| true)),
            }
        })
        .await
    }
}

/// Writes frames. Small ones, that fit the socket's buffer.
#[derive(Debug)]
pub struct FrameSink(OwnedWriteHalf);

impl FrameSink {
    /// Sends bytes of complete frames at once.
    ///
    /// # Errors
    /// When the connection failed or the server does not read, so that the socket's buffer is full.
    pub fn send_now(&self, frames: &[u8]) -> anyhow::Result<()> {
        let sent = self.0.try_write(frames).context("writing a frame")?;
        if sent != frames.len() {
            bail!("the server reads too slowly: {sent} of {} bytes were taken", frames.len());
        }
        Ok(())
    }

    /// Sends a text frame at once.
    ///
    /// # Errors
    /// As [`Self::send_now`].
    pub fn send_text(&self, text: &str) -> anyhow::Result<()> {
        self.send_now(&frame::from_client(frame::TEXT, text.as_bytes()))
    }

    /// Waits until the socket can be written to. A new one must be seen writable once before it takes anything.
    ///
    /// # Errors
    /// When the connection failed.
    pub async fn writable(&self) -> anyhow::Result<()> {
        self.0.writable().await.context("waiting to write")
    }
}

/// Connects and upgrades. `from` is the local address, where one has not ports enough.
///
/// # Errors
/// When the server does not accept or does not upgrade.
pub async fn connect(
    server: SocketAddr,
    from: Option<std::net::Ipv4Addr>,
    path: &str,
    scratch: &Scratch,
) -> anyhow::Result<(FrameSource, FrameSink)> {
    let socket = TcpSocket::new_v4()?;
    if let Some(from) = from {
        socket.bind((from, 0).into())?;
    }
    let mut stream = socket.connect(server).await.with_context(|| format!("connecting to {server}"))?;
    stream.set_nodelay(true)?;
    let key = BASE64_STANDARD.encode(fastrand::u128(..).to_ne_bytes());
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.context("sending the handshake")?;
    let early = upgraded(&mut stream, &accept(&key)).await?;
    let (read, write) = stream.into_split();
    let sink = FrameSink(write);
    sink.writable().await?;
    Ok((FrameSource::new(read, scratch.clone(), early), sink))
}

/// Reads the answer to the handshake and returns the bytes after it.
async fn upgraded(stream: &mut TcpStream, accept: &str) -> anyhow::Result<Vec<u8>> {
    let mut buffer = Vec::with_capacity(512);
    loop {
        if stream.read_buf(&mut buffer).await.context("reading the handshake")? == 0 {
            bail!("the server closed the connection during the handshake");
        }
        let Some(head) = Head::read(&buffer)? else { continue };
        if head.status() != Some(101) {
            bail!("no upgrade: {}", head.first_line);
        }
        if head.field("sec-websocket-accept") != Some(accept) {
            bail!("Sec-WebSocket-Accept is {:?} instead of {accept}", head.field("sec-websocket-accept"));
        }
        return Ok(buffer.split_off(head.len));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_key_of_the_rfc_is_answered() {
        assert_eq!(super::accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
