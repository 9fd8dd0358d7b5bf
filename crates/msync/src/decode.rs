//! Reading what clients send.

use bytes::{Buf, Bytes};
use prost::Message;
use prost::encoding::{DecodeContext, decode_key, skip_field};

use crate::MessageBody;

/// How many contents a message may have; clients send and read one.
pub const MAX_CONTENTS: usize = 8;

/// The tag of [`MessageBody::contents`].
const CONTENTS: u32 = 4;

/// Bytes that are no message of this type, or one with too many parts. Quotes nothing of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed protobuf")]
pub struct DecodeError;

/// Reads a message. Unknown fields are ignored, as protobuf has it.
///
/// # Errors
/// [`DecodeError`].
pub fn decode<T: Message + Default>(bytes: Bytes) -> Result<T, DecodeError> {
    T::decode(bytes).map_err(|_| DecodeError)
}

/// Reads a message's body. An empty content takes two bytes on the wire and some hundred in memory, so they are counted
/// first.
///
/// # Errors
/// [`DecodeError`], also if there are more than [`MAX_CONTENTS`].
pub fn decode_body(bytes: Bytes) -> Result<MessageBody, DecodeError> {
    if contents(bytes.clone()).map_err(|_| DecodeError)? > MAX_CONTENTS {
        return Err(DecodeError);
    }
    decode(bytes)
}

fn contents(mut bytes: Bytes) -> Result<usize, prost::DecodeError> {
    let mut count = 0;
    while bytes.has_remaining() {
        let (tag, wire_type) = decode_key(&mut bytes)?;
        count += usize::from(tag == CONTENTS);
        skip_field(wire_type, tag, &mut bytes, DecodeContext::default())?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Content;

    #[test]
    fn contents_are_counted_before_they_take_memory() {
        let body = |count| MessageBody { contents: vec![Content::default(); count], ..MessageBody::default() };
        let read = |count| decode_body(body(count).encode_to_vec().into());
        assert_eq!(read(MAX_CONTENTS), Ok(body(MAX_CONTENTS)));
        assert_eq!(read(MAX_CONTENTS + 1), Err(DecodeError));
        assert_eq!(decode_body(Bytes::from_static(b"\x22")), Err(DecodeError));
    }
}
