//! WebSocket frames (RFC 6455): unfragmented, without extensions.

use anyhow::bail;

/// A text message.
pub const TEXT: u8 = 0x1;
/// A binary message.
pub const BINARY: u8 = 0x2;
/// The connection ends.
pub const CLOSE: u8 = 0x8;
/// A protocol ping.
pub const PING: u8 = 0x9;
/// The answer to a protocol ping.
pub const PONG: u8 = 0xA;

const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

/// The longest frame that is accepted.
const MAX_FRAME: usize = 1 << 20;

/// The bytes of a frame as a server sends it.
#[must_use]
pub fn from_server(opcode: u8, payload: &[u8]) -> Vec<u8> {
    encode(opcode, payload, None)
}

/// The bytes of a frame as a client sends it, masked.
#[must_use]
pub fn from_client(opcode: u8, payload: &[u8]) -> Vec<u8> {
    // A mask protects proxies from scripts in browsers; over loopback any will do.
    encode(opcode, payload, Some(fastrand::u32(..).to_ne_bytes()))
}

fn encode(opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(FINAL | opcode);
    let masked = if mask.is_some() { MASKED } else { 0 };
    match payload.len() {
        short @ 0..126 => frame.push(masked | short as u8),
        medium @ 126..65536 => {
            frame.push(masked | 126);
            frame.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            frame.push(masked | 127);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&mask.unwrap_or_default()[..if mask.is_some() { 4 } else { 0 }]);
    let start = frame.len();
    frame.extend_from_slice(payload);
    if let Some(mask) = mask {
        unmask(&mut frame[start..], mask);
    }
    frame
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for (byte, key) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    opcode: u8,
    mask: Option<[u8; 4]>,
    len: usize,
    payload_len: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> anyhow::Result<Option<Self>> {
        let &[first, second, ..] = bytes else { return Ok(None) };
        if first & 0xF0 != FINAL {
            bail!("a fragmented frame or one with an extension: first byte {first:#04x}");
        }
        let (extended, mut len) = match second & !MASKED {
            126 => (bytes.get(2..4), 4),
            127 => (bytes.get(2..10), 10),
            _ => (Some(&bytes[1..2]), 2),
        };
        let Some(extended) = extended else { return Ok(None) };
        let payload_len = match extended {
            [_] => usize::from(second & !MASKED),
            longer => longer.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)),
        };
        if payload_len > MAX_FRAME {
            bail!("a frame of {payload_len} bytes");
        }
        let mut mask = None;
        if second & MASKED != 0 {
            let Some(key) = bytes.get(len..len + 4) else { return Ok(None) };
            mask = key.try_into().ok();
            len += 4;
        }
        Ok(Some(Self { opcode: first & 0x0F, mask, len, payload_len }))
    }
}

/// Cuts a stream of bytes into frames. Holds memory only while a frame is incomplete.
#[derive(Debug, Default)]
pub struct FrameReader {
    rest: Vec<u8>,
}

impl FrameReader {
    /// Takes the next bytes and calls `on_frame` with opcode and payload of each complete frame.
    ///
    /// # Errors
    /// When the bytes are not unfragmented frames, or `on_frame` fails.
    pub fn feed(
        &mut self,
        chunk: &mut [u8],
        mut on_frame: impl FnMut(u8, &[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if self.rest.is_empty() {
            let used = cut(chunk, &mut on_frame)?;
            self.rest.extend_from_slice(&chunk[used..]);
        } else {
            self.rest.extend_from_slice(chunk);
            let used = cut(&mut self.rest, &mut on_frame)?;
            self.rest.drain(..used);
            if self.rest.is_empty() {
                self.rest = Vec::new();
            }
        }
        Ok(())
    }
}

/// Returns how many bytes complete frames took.
fn cut(bytes: &mut [u8], on_frame: &mut impl FnMut(u8, &[u8]) -> anyhow::Result<()>) -> anyhow::Result<usize> {
    let mut at = 0;
    while let Some(header) = Header::read(&bytes[at..])? {
        let start = at + header.len;
        let Some(payload) = bytes.get_mut(start..start + header.payload_len) else { break };
        if let Some(mask) = header.mask {
            unmask(payload, mask);
        }
        at = start + header.payload_len;
        on_frame(header.opcode, payload)?;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_lengths_survive_any_cut() {
        let payloads: Vec<Vec<u8>> =
            [0, 1, 125, 126, 127, 65535, 65536].iter().map(|len| (0..*len).map(|at| at as u8).collect()).collect();
        for encode in [from_server, from_client] {
            let stream: Vec<u8> = payloads.iter().flat_map(|payload| encode(TEXT, payload)).collect();
            for step in [1, 2, 3, 7, 1000, stream.len()] {
                let mut reader = FrameReader::default();
                let mut found = Vec::new();
                for chunk in stream.clone().chunks_mut(step) {
                    let kept = reader.feed(chunk, |opcode, payload| {
                        assert_eq!(opcode, TEXT);
                        found.push(payload.to_vec());
                        Ok(())
                    });
                    kept.unwrap();
                }
                assert!(found == payloads, "step {step}");
                assert!(reader.rest.is_empty());
            }
        }
    }

    #[test]
    fn fragments_and_extensions_are_refused() {
        for first in [0x01, 0x00, 0xC1] {
            assert!(FrameReader::default().feed(&mut [first, 0], |_, _| Ok(())).is_err());
        }
    }
}
