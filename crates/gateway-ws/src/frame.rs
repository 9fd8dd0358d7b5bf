//! WebSocket frames (RFC 6455) as a server needs them, without extensions: [`parser`] reads what clients send,
//! the functions here write what the server sends. Pure: knows neither sockets nor JSON.
//!
//! Why not a library's: server frames are unmasked, so one encoded frame, header included, serves every
//! subscriber, and several of them go out in one write. A library writes its own header per socket.

use bytes::Bytes;

pub mod parser;

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// The next part of a fragmented message.
    Continuation = 0x0,
    /// A text message, or its first part.
    Text = 0x1,
    /// A binary message, or its first part.
    Binary = 0x2,
    /// The end of the connection.
    Close = 0x8,
    /// Asks for a pong.
    Ping = 0x9,
    /// Answers a ping.
    Pong = 0xa,
}

impl Opcode {
    /// The opcode of a number, if there is one.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Text),
            0x2 => Some(Self::Binary),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xa => Some(Self::Pong),
            _ => None,
        }
    }

    /// Close, ping and pong: short, and allowed between the parts of a message.
    #[must_use]
    pub const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }
}

/// Why a client's bytes are refused. Every one of them ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A reserved bit is set, but no extension was agreed on.
    #[error("a reserved bit is set")]
    ReservedBit,
    /// The opcode has no meaning.
    #[error("unknown opcode")]
    UnknownOpcode,
    /// The frame is not masked.
    #[error("the frame is not masked")]
    Unmasked,
    /// The length is written in more bytes than it needs, or has its highest bit set.
    #[error("the length is not encoded minimally")]
    Length,
    /// A control frame has more than 125 bytes or is fragmented.
    #[error("malformed control frame")]
    Control,
    /// A continuation without a beginning, or a beginning where a continuation is due.
    #[error("parts of messages are out of order")]
    Fragment,
    /// A close frame with half a code, or a code that must not be sent.
    #[error("malformed close frame")]
    Close,
    /// Binary messages are not part of the protocol.
    #[error("binary messages are not supported")]
    Binary,
    /// Text messages are not part of the protocol.
    #[error("text messages are not supported")]
    Text,
    /// A text is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// A message is larger than `max_frame_bytes`.
    #[error("the message is too large")]
    TooLarge,
}

impl FrameError {
    /// The close code to answer with.
    #[must_use]
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Binary | Self::Text => 1003,
            Self::NotUtf8 => 1007,
            Self::TooLarge => 1009,
            _ => 1002,
        }
    }
}

/// Whether a peer may send this close code (RFC 6455 section 7.4 and the registry it founded).
#[must_use]
pub const fn is_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// The largest header of a server frame: what [`seal`] needs in front of the payload.
const HEADER_ROOM: usize = 10;

/// A complete text frame; `write` appends the text.
pub fn text(capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    message(Opcode::Text, capacity, write)
}

/// A complete binary frame; `write` appends the payload.
pub fn binary(capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    message(Opcode::Binary, capacity, write)
}

fn message(opcode: Opcode, capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut buffer = Vec::with_capacity(HEADER_ROOM + capacity);
    buffer.resize(HEADER_ROOM, 0);
    write(&mut buffer);
    seal(opcode, buffer)
}

/// A complete pong frame that answers a ping.
#[must_use]
pub fn pong(payload: &[u8]) -> Bytes {
    control(Opcode::Pong, payload)
}

/// A complete ping frame; its payload comes back with the pong. At most 125 bytes.
#[must_use]
pub fn ping(payload: &[u8]) -> Bytes {
    control(Opcode::Ping, payload)
}

/// A complete close frame. A reason that does not fit is cut.
#[must_use]
pub fn close(code: Option<u16>, reason: &str) -> Bytes {
    const REASON: usize = 123;
    let Some(code) = code else { return control(Opcode::Close, &[]) };
    let reason = &reason[..reason.floor_char_boundary(REASON)];
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    control(Opcode::Close, &payload)
}

fn control(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut buffer = Vec::with_capacity(HEADER_ROOM + payload.len());
    buffer.resize(HEADER_ROOM, 0);
    buffer.extend_from_slice(payload);
    seal(opcode, buffer)
}

/// Makes a frame of a payload that stands behind [`HEADER_ROOM`] spare bytes: the header goes right in front of
/// it, so the payload is not moved.
fn seal(opcode: Opcode, mut buffer: Vec<u8>) -> Bytes {
    let length = buffer.len() - HEADER_ROOM;
    let mut header = [0u8; HEADER_ROOM];
    header[0] = 0x80 | opcode as u8;
    let size = match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ 0..=125), _) => {
            header[1] = length;
            2
        }
        (_, Ok(length)) => {
            header[1] = 126;
            header[2..4].copy_from_slice(&length.to_be_bytes());
            4
        }
        _ => {
            header[1] = 127;
            header[2..10].copy_from_slice(&(length as u64).to_be_bytes());
            10
        }
    };
    let start = HEADER_ROOM - size;
    buffer[start..HEADER_ROOM].copy_from_slice(&header[..size]);
    Bytes::from(buffer).slice(start..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_the_smallest_size_that_holds_the_length() {
        for (length, header) in [
            (0, &[0x81, 0][..]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65535, &[0x81, 126, 0xff, 0xff]),
            (65536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = text(length, |out| out.resize(out.len() + length, b'x'));
            assert_eq!(&frame[..header.len()], header, "{length}");
            assert_eq!(frame.len(), header.len() + length);
        }
    }

    #[test]
    fn a_binary_frame_says_so() {
        assert_eq!(&binary(2, |out| out.extend_from_slice(b"hi"))[..], b"\x82\x02hi");
    }

    #[test]
    fn control_frames() {
        assert_eq!(&pong(b"hi")[..], b"\x8a\x02hi");
        assert_eq!(&close(Some(4002), "elsewhere")[..], b"\x88\x0b\x0f\xa2elsewhere");
        assert_eq!(&close(None, "")[..], b"\x88\x00");
        assert_eq!(close(Some(1000), &"é".repeat(100)).len(), 2 + 2 + 122);
    }
}
