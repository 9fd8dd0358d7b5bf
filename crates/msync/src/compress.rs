//! Compression, where a client's PROVISION offers one: of whole frames by LZ4, and of payloads by zlib.
//!
//! LZ4 is what `easemob-websdk` 4.21 offers (`protocolCompressType`): a frame becomes its length in a varint of at most four bytes,
//! its CRC-32, the highest byte first, and an LZ4 block that may refer to the [`HISTORY`] bytes of frames before it.
//! zlib (`compressType`, `compressAlgorimth` in the frame) is offered by no published build.
//!
//! # Limits
//! What is unpacked is never larger than the caller says, nor takes more memory than that and the history.

use std::io::{Read as _, Write as _};

use bytes::{BufMut, Bytes};
use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;
use lz4_flex::block;

/// How far back a block may refer: LZ4's own bound.
pub const HISTORY: usize = 64 * 1024;

/// How far back our own blocks refer. The further, the more memory a connection takes, and time a frame.
pub const OWN_HISTORY: usize = 8 * 1024;

/// The varint of a length has seven bits in each byte.
const LENGTH_BYTES: usize = 4;

/// Why something is not unpacked. Quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnpackError {
    /// It says that it is larger than it may be, or is.
    #[error("what was compressed is too large")]
    TooLarge,
    /// It was not packed like that, or was changed on its way.
    #[error("malformed compression")]
    Malformed,
}

/// Packs the frames of one direction of a connection, in the order in which they are written.
#[derive(Debug, Default)]
pub struct Packer {
    history: Vec<u8>,
}

impl Packer {
    /// The next frame, packed.
    #[must_use]
    pub fn pack(&mut self, frame: &[u8]) -> Vec<u8> {
        let block = block::compress_with_dict(frame, &self.history);
        remember(&mut self.history, frame, OWN_HISTORY);
        let mut packed = Vec::with_capacity(LENGTH_BYTES + 4 + block.len());
        put_length(&mut packed, frame.len());
        packed.put_u32(crc32fast::hash(frame));
        packed.extend_from_slice(&block);
        packed
    }
}

/// Unpacks the frames of one direction of a connection.
#[derive(Debug, Default)]
pub struct Unpacker {
    history: Vec<u8>,
}

impl Unpacker {
    /// The next frame, of at most `max` bytes.
    ///
    /// # Errors
    /// [`UnpackError`]: nothing that follows can be unpacked.
    pub fn unpack(&mut self, packed: &[u8], max: usize) -> Result<Vec<u8>, UnpackError> {
        let (length, rest) = length(packed).ok_or(UnpackError::Malformed)?;
        if length > max {
            return Err(UnpackError::TooLarge);
        }
        let (sum, block) = rest.split_first_chunk().ok_or(UnpackError::Malformed)?;
        let frame = block::decompress_with_dict(block, length, &self.history).map_err(|_| UnpackError::Malformed)?;
        if frame.len() != length || crc32fast::hash(&frame) != u32::from_be_bytes(*sum) {
            return Err(UnpackError::Malformed);
        }
        remember(&mut self.history, &frame, HISTORY);
        Ok(frame)
    }
}

/// Keeps the last `bound` bytes.
fn remember(history: &mut Vec<u8>, frame: &[u8], bound: usize) {
    let new = &frame[frame.len().saturating_sub(bound)..];
    let forgotten = (history.len() + new.len()).saturating_sub(bound);
    history.drain(..forgotten);
    history.extend_from_slice(new);
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    let mut rest = length;
    loop {
        let seven = u8::try_from(rest & 0x7f).unwrap_or_default();
        rest >>= 7;
        if rest == 0 {
            return out.push(seven);
        }
        out.push(seven | 0x80);
    }
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0;
    for (at, byte) in bytes.iter().enumerate().take(LENGTH_BYTES) {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((length, &bytes[at + 1..]));
        }
    }
    None
}

/// Packs a payload by zlib.
#[must_use]
pub fn deflate(payload: &[u8]) -> Bytes {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(payload.len() / 2), Compression::fast());
    // A Vec takes everything.
    let _ = encoder.write_all(payload);
    encoder.finish().unwrap_or_default().into()
}

/// Unpacks a payload of at most `max` bytes by zlib.
///
/// # Errors
/// [`UnpackError`].
pub fn inflate(packed: &[u8], max: usize) -> Result<Bytes, UnpackError> {
    let mut decoder = ZlibDecoder::new(packed).take(max as u64 + 1);
    let mut payload = Vec::new();
    decoder.read_to_end(&mut payload).map_err(|_| UnpackError::Malformed)?;
    if payload.len() > max { Err(UnpackError::TooLarge) } else { Ok(payload.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 64 * 1024;

    /// Frames that are like each other, as frames are.
    fn frames() -> impl Iterator<Item = Vec<u8>> {
        (0..300usize).map(|number| {
            format!("{{\"number\":{number},\"text\":\"{}\"}}", "so it goes ".repeat(number % 40)).into_bytes()
        })
    }

    #[test]
    fn what_is_packed_is_unpacked_whatever_came_before() {
        let (mut packer, mut unpacker) = (Packer::default(), Unpacker::default());
        let (mut plain, mut small) = (0, 0);
        for frame in frames().chain([vec![7; MAX], b"after".to_vec()]) {
            let packed = packer.pack(&frame);
            plain += frame.len();
            small += packed.len();
            assert_eq!(unpacker.unpack(&packed, MAX), Ok(frame));
        }
        assert!(small * 4 < plain, "{small} of {plain}");
        assert_eq!((packer.history.len(), unpacker.history.len()), (OWN_HISTORY, HISTORY));
    }

    #[test]
    fn blocks_refer_to_frames_before() {
        let (mut packer, mut unpacker) = (Packer::default(), Unpacker::default());
        let frame = b"the quick brown fox jumps over the lazy dog, and so on";
        let (first, second) = (packer.pack(frame), packer.pack(frame));
        assert!(second.len() * 2 < first.len());
        assert_eq!(unpacker.unpack(&first, MAX).as_deref(), Ok(&frame[..]));
        assert_eq!(unpacker.unpack(&second, MAX).as_deref(), Ok(&frame[..]));
        assert_eq!(Unpacker::default().unpack(&second, MAX), Err(UnpackError::Malformed), "nothing to refer to");
    }

    #[test]
    fn nothing_is_larger_than_it_may_be() {
        let packed = Packer::default().pack(&vec![0; MAX]);
        assert!(packed.len() < 300);
        assert_eq!(Unpacker::default().unpack(&packed, MAX).map(|frame| frame.len()), Ok(MAX));
        assert_eq!(Unpacker::default().unpack(&packed, MAX - 1), Err(UnpackError::TooLarge));
        // It says that it is small, and is not.
        let lie = [&[5][..], &packed[3..]].concat();
        assert_eq!(Unpacker::default().unpack(&lie, MAX), Err(UnpackError::Malformed));
        let bomb = deflate(&vec![0; 10 << 20]);
        assert!(bomb.len() < 60_000);
        assert_eq!(inflate(&bomb, MAX), Err(UnpackError::TooLarge));
        let full = deflate(&vec![0; MAX]);
        assert_eq!(inflate(&full, MAX).map(|payload| payload.len()), Ok(MAX));
        assert_eq!(inflate(&full, MAX - 1), Err(UnpackError::TooLarge));
    }

    #[test]
    fn what_was_changed_is_malformed() {
        let frame = b"0123456789abcdefghij 0123456789abcdefghij";
        let packed = Packer::default().pack(frame);
        for at in 0..packed.len() {
            let mut changed = packed.clone();
            changed[at] ^= 1;
            // A few bits of a block mean nothing.
            let unpacked = Unpacker::default().unpack(&changed, MAX);
            assert!(unpacked == Err(UnpackError::Malformed) || unpacked.as_deref() == Ok(frame), "{at}");
        }
        for end in 0..packed.len() {
            assert_eq!(Unpacker::default().unpack(&packed[..end], MAX), Err(UnpackError::Malformed), "{end}");
        }
        for bytes in [&[0xff; 9][..], &[0x80, 0x80, 0x80, 0x80, 0]] {
            assert_eq!(Unpacker::default().unpack(bytes, MAX), Err(UnpackError::Malformed));
        }
        assert_eq!(inflate(b"", MAX), Err(UnpackError::Malformed));
        let packed = deflate(b"hello");
        assert_eq!(inflate(&packed, MAX).as_deref(), Ok(&b"hello"[..]));
        assert_eq!(inflate(&packed[..packed.len() - 1], MAX), Err(UnpackError::Malformed));
    }
}
