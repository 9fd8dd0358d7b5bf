//! The two halves of an upgraded socket. Nothing here waits on its own: the connection's task polls for
//! readiness, and whoever has something to write just tries.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::rustls::ServerConnection;

use crate::stream::Stream;

/// So many frames go into one write at most.
pub(crate) const FRAMES_PER_WRITE: usize = 64;

/// Owned by the connection's task, which alone waits for readiness.
#[derive(Debug)]
pub(crate) struct ReadHalf {
    tcp: OwnedReadHalf,
    tls: bool,
}

/// Written by whoever has the connection's lock. Holds the TLS state, which reading needs as well.
#[derive(Debug)]
pub(crate) struct WriteHalf {
    tcp: OwnedWriteHalf,
    tls: Option<Box<ServerConnection>>,
}

/// Takes a stream apart.
pub(crate) fn split(stream: Stream) -> (ReadHalf, WriteHalf) {
    let (tcp, tls) = match stream {
        Stream::Plain(tcp) => (tcp, None),
        Stream::Tls(tls) => {
            let (tcp, tls) = tls.into_inner();
            (tcp, Some(Box::new(tls)))
        }
    };
    // Frames are collected here, before the write; the kernel need not wait for more. Failing is no harm.
    let _ = tcp.set_nodelay(true);
    let (read, write) = tcp.into_split();
    (ReadHalf { tcp: read, tls: tls.is_some() }, WriteHalf { tcp: write, tls })
}

impl ReadHalf {
    /// Whether the bytes on the wire are not those of the frames.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls
    }

    /// Reads into `buffer`; 0 at the end of the stream. Without TLS only: see [`WriteHalf::poll_decrypt`].
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        Pin::new(&mut self.tcp).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
    }

    /// Waits until the socket takes more.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp.as_ref().poll_write_ready(cx)
    }
}

impl WriteHalf {
    /// Reads and decrypts into `buffer`; 0 at the end of the stream.
    pub(crate) fn poll_decrypt(
        &mut self,
        read: &mut ReadHalf,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Some(tls) = &mut self.tls else { return read.poll_read(cx, buffer) };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
            match tls.read_tls(&mut Readable { half: read, cx }) {
                Ok(0) => return Poll::Ready(Ok(0)),
                Ok(_) => {
                    tls.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Writes what the socket takes now of the first [`FRAMES_PER_WRITE`] frames.
    pub(crate) fn try_write(&mut self, frames: &[Bytes]) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE];
        let count = frames.len().min(FRAMES_PER_WRITE);
        for (slice, frame) in slices.iter_mut().zip(frames) {
            *slice = IoSlice::new(frame);
        }
        let slices = &slices[..count];
        let Some(tls) = &mut self.tls else { return try_write(&self.tcp, slices) };
        let mut tcp = Writable(&self.tcp);
        drain(tls, &mut tcp)?;
        let taken = if slices.is_empty() { 0 } else { tls.writer().write_vectored(slices)? };
        match drain(tls, &mut tcp) {
            // What was encrypted stays in the TLS state: see `has_unsent`.
            Err(error) if error.kind() == ErrorKind::WouldBlock && taken > 0 => Ok(taken),
            Err(error) => Err(error),
            Ok(()) => Ok(taken),
        }
    }

    /// Whether TLS has bytes that the socket did not take.
    pub(crate) fn has_unsent(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Ends the TLS stream, if the socket takes that now.
    pub(crate) fn end_tls(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = drain(tls, &mut Writable(&self.tcp));
        }
    }
}

fn try_write(tcp: &OwnedWriteHalf, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    match slices {
        // One buffer goes out by send(), which costs less than writev().
        [one] => tcp.try_write(one),
        many => tcp.try_write_vectored(many),
    }
}

fn drain(tls: &mut ServerConnection, tcp: &mut Writable<'_>) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(tcp)?;
    }
    Ok(())
}

struct Writable<'a>(&'a OwnedWriteHalf);

impl Write for Writable<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.try_write(buffer)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        try_write(self.0, slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Readable<'a, 'c> {
    half: &'a mut ReadHalf,
    cx: &'a mut Context<'c>,
}

impl Read for Readable<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.half.poll_read(self.cx, buffer) {
            Poll::Ready(done) => done,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}
