//! Compression of what the vendor's Chat SDKs are sent and send (`stentor_msync::compress`), agreed upon at the login.

use bytes::Bytes;
use stentor_msync::compress::{self, Packer, UnpackError, Unpacker};
use stentor_msync::{MSync, Message as _, decode};

/// How a connection is compressed, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Packing {
    /// Not at all.
    #[default]
    None,
    /// Frames, by LZ4.
    Lz4,
    /// Payloads, by zlib.
    Zlib,
}

/// Payloads below this are sent as they are: most of a small one is no repetition.
const MIN_PAYLOAD: usize = 256;

/// Packs what is written.
#[derive(Debug)]
pub(crate) enum Out {
    Lz4(Packer),
    Zlib,
}

impl Packing {
    /// What packs the frames of a connection, in their order.
    pub(crate) fn out(self) -> Option<Box<Out>> {
        match self {
            Self::None => None,
            Self::Lz4 => Some(Box::new(Out::Lz4(Packer::default()))),
            Self::Zlib => Some(Box::new(Out::Zlib)),
        }
    }

    /// What unpacks the client's frames, in their order.
    pub(crate) fn unpacker(self) -> Option<Box<Unpacker>> {
        (self == Self::Lz4).then(Box::default)
    }
}

impl Out {
    /// A frame, packed.
    pub(crate) fn pack(&mut self, frame: Bytes) -> Bytes {
        match self {
            Self::Lz4(packer) => packer.pack(&frame).into(),
            Self::Zlib => zipped(&frame).unwrap_or(frame),
        }
    }
}

/// The frame with its payload packed, if that makes it smaller.
fn zipped(frame: &Bytes) -> Option<Bytes> {
    let mut frame: MSync = decode(frame.clone()).ok()?;
    let payload = frame.payload.as_ref().filter(|payload| payload.len() >= MIN_PAYLOAD)?;
    let packed = compress::deflate(payload);
    if packed.len() >= payload.len() {
        return None;
    }
    frame.compress_algorimth = Some(ZLIB);
    frame.payload = Some(packed);
    Some(frame.encode_to_vec().into())
}

/// The number of zlib in a frame.
const ZLIB: u32 = stentor_msync::CompressType::Zlib as u32;

/// The payload of a frame of the client, of at most `max` bytes.
///
/// # Errors
/// It is packed in a way that was not agreed upon, or not at all in the way that it says.
pub(crate) fn payload(frame: &mut MSync, packing: Packing, max: usize) -> Result<Bytes, UnpackError> {
    let payload = frame.payload.take().unwrap_or_default();
    match frame.compress_algorimth.unwrap_or_default() {
        0 => Ok(payload),
        ZLIB if packing == Packing::Zlib => compress::inflate(&payload, max),
        _ => Err(UnpackError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: usize) -> Bytes {
        MSync { payload: Some(vec![b'x'; payload].into()), ..MSync::default() }.encode_to_vec().into()
    }

    #[test]
    fn payloads_are_zipped_where_it_pays() {
        let mut out = Packing::Zlib.out().expect("zlib");
        assert_eq!(out.pack(frame(MIN_PAYLOAD - 1)), frame(MIN_PAYLOAD - 1));
        let packed = out.pack(frame(5000));
        assert!(packed.len() < 200);
        let mut packed: MSync = decode(packed).expect("a frame");
        assert_eq!(payload(&mut packed.clone(), Packing::Zlib, 5000).map(|payload| payload.len()), Ok(5000));
        assert_eq!(payload(&mut packed.clone(), Packing::Zlib, 4999), Err(UnpackError::TooLarge));
        assert_eq!(payload(&mut packed.clone(), Packing::None, 5000), Err(UnpackError::Malformed));
        packed.compress_algorimth = Some(2);
        assert_eq!(payload(&mut packed, Packing::Zlib, 5000), Err(UnpackError::Malformed));
        // What does not become smaller stays as it is.
        let mut random = fastrand::Rng::with_seed(7);
        let noise: Vec<u8> = (0..400).map(|_| random.u8(..)).collect();
        let noise = Bytes::from(MSync { payload: Some(noise.into()), ..MSync::default() }.encode_to_vec());
        assert_eq!(out.pack(noise.clone()), noise);
    }
}
