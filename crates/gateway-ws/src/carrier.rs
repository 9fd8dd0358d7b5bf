//! What the messages of the vendor's Chat SDKs travel in: WebSocket, SockJS over it, or TCP. They are encoded for the first,
//! and put into the others' wrapping on their way out, once for all who share a frame.

use bytes::{BufMut, Bytes, BytesMut};

use crate::frame::parser::Messages;
use crate::frame::{self, Opcode};
use crate::sockjs;

/// What carries the SDKs' messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// One binary WebSocket message each.
    WebSocket,
    /// Base64 in the JSON of SockJS: builds until 2023.
    SockJs,
    /// TCP, with the length before each in four bytes, the highest first: phones and desktops.
    Tcp,
}

impl Carrier {
    /// What comes in.
    pub(crate) const fn messages(self) -> Messages {
        match self {
            Self::WebSocket => Messages::Binary,
            Self::SockJs => Messages::Text,
            Self::Tcp => Messages::Prefixed,
        }
    }

    /// How long what comes in may be, so that a message of `max` bytes fits.
    pub(crate) const fn frame_bytes(self, max: usize) -> usize {
        match self {
            Self::WebSocket | Self::Tcp => max,
            Self::SockJs => sockjs::frame_bytes(max),
        }
    }

    /// What is said before the client has said anything.
    pub(crate) fn greeting(self) -> Option<Bytes> {
        (self == Self::SockJs).then(sockjs::open)
    }

    /// A WebSocket frame, wrapped as it is written here; empty if there is nothing to write.
    pub(crate) fn wrapped(self, frame: Bytes) -> Bytes {
        match self {
            Self::WebSocket => frame,
            Self::SockJs => payload(&frame).map_or_else(|| frame.clone(), |payload| self.message(&payload)),
            Self::Tcp => payload(&frame).map_or_else(Bytes::new, |payload| self.message(&payload)),
        }
    }

    /// A message, as it is written here.
    pub(crate) fn message(self, message: &[u8]) -> Bytes {
        match self {
            Self::WebSocket => frame::binary(message.len(), |out| out.extend_from_slice(message)),
            Self::SockJs => sockjs::message(message),
            Self::Tcp => prefixed(message),
        }
    }

    /// What is in something that is to be written; `None` if that is no message, or text.
    pub(crate) fn unwrapped(self, written: &Bytes) -> Option<Bytes> {
        match self {
            Self::WebSocket => payload(written),
            Self::SockJs => None,
            Self::Tcp => (written.len() >= PREFIX).then(|| written.slice(PREFIX..)),
        }
    }

    /// The frames that end a connection.
    pub(crate) fn close(self, code: u16, reason: &str) -> Vec<Bytes> {
        let close = frame::close(Some(code), reason);
        match self {
            Self::WebSocket => vec![close],
            Self::SockJs => vec![sockjs::close(code, reason), close],
            Self::Tcp => Vec::new(),
        }
    }
}

/// The bytes of a length.
const PREFIX: usize = 4;

/// What is in a binary frame; `None` for frames of WebSocket's own.
fn payload(frame: &Bytes) -> Option<Bytes> {
    let [first, length, ..] = **frame else { return None };
    let header = match length {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    (first & 0x0f == Opcode::Binary as u8).then(|| frame.slice(header..))
}

fn prefixed(payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(PREFIX + payload.len());
    // Frames are far smaller: see `PAGE_BYTES` of the shelf.
    frame.put_u32(u32::try_from(payload.len()).unwrap_or(u32::MAX));
    frame.put_slice(payload);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_message_in_every_wrapping() {
        for length in [0, 2, 125, 126, 65_535, 65_536] {
            let message = vec![b'x'; length];
            let frame = frame::binary(length, |out| out.extend_from_slice(&message));
            assert_eq!(Carrier::WebSocket.wrapped(frame.clone()), frame);
            let tcp = Carrier::Tcp.wrapped(frame.clone());
            assert_eq!((&tcp[..4], &tcp[4..]), (&u32::try_from(length).unwrap().to_be_bytes()[..], &message[..]));
            assert_eq!(Carrier::SockJs.wrapped(frame.clone()), sockjs::message(&message));
            assert_eq!(Carrier::Tcp.unwrapped(&tcp).as_deref(), Some(&message[..]));
            assert_eq!(Carrier::WebSocket.unwrapped(&frame).as_deref(), Some(&message[..]));
            assert_eq!(Carrier::WebSocket.message(&message), frame);
        }
    }

    #[test]
    fn frames_of_websockets_own_stay_there() {
        for frame in [frame::pong(b"hi"), frame::close(Some(1000), "")] {
            assert_eq!(Carrier::SockJs.wrapped(frame.clone()), frame);
            assert!(Carrier::Tcp.wrapped(frame).is_empty());
        }
        assert_eq!(Carrier::SockJs.close(1000, "a\"b")[0], &b"\x81\x0ec[1000,\"a\\\"b\"]"[..]);
        assert!(Carrier::Tcp.close(1000, "").is_empty());
    }
}
