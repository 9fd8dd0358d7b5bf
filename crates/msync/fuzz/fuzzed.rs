//! What the fuzz target runs, shared with `tests/fuzz_corpus.rs`, which runs it on stable.

use bytes::Bytes;
use stentor_msync::compress::{Packer, Unpacker, deflate, inflate};
use stentor_msync::{
    Content, Logout, MSync, Message, MucBody, Provision, RosterBody, StatisticsBody, SyncDown, SyncUp, content, decode,
    decode_body,
};

/// `data` as a frame, and its payload as everything that it might be: nothing panics, and what was read is read again as the
/// same once it is written.
pub(crate) fn frames(data: &[u8]) {
    let Some(frame) = again::<MSync>(Bytes::copy_from_slice(data)) else { return };
    let payload = frame.payload.unwrap_or_default();
    again::<Provision>(payload.clone());
    again::<Logout>(payload.clone());
    let down = again::<SyncDown>(payload.clone()).map(|down| down.metas).unwrap_or_default();
    let up = again::<SyncUp>(payload).and_then(|up| up.meta);
    for meta in down.into_iter().chain(up) {
        let payload = meta.payload.unwrap_or_default();
        again::<MucBody>(payload.clone());
        again::<RosterBody>(payload.clone());
        again::<StatisticsBody>(payload.clone());
        if let Ok(body) = decode_body(payload) {
            body.contents.iter().for_each(json);
            let ext = content::ext_to_json(&body.ext);
            assert!(ext.is_none_or(|ext| is_object(&ext)));
        }
    }
}

/// `data` as packed frames, each behind its length in a byte, and as a zipped payload: nothing panics, and what comes out is
/// no larger than it may be. And as frames that are packed: they come out again.
pub(crate) fn compressed(data: &[u8]) {
    const MAX: usize = 2000;
    let (mut packer, mut back, mut unpacker) = (Packer::default(), Unpacker::default(), Unpacker::default());
    let mut rest = data;
    while let [length, behind @ ..] = rest {
        let (frame, behind) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = behind;
        if let Ok(unpacked) = unpacker.unpack(frame, MAX) {
            assert!(unpacked.len() <= MAX);
        }
        let packed = packer.pack(frame);
        assert_eq!(back.unpack(&packed, frame.len()).as_deref(), Ok(frame));
    }
    if let Ok(payload) = inflate(data, MAX) {
        assert!(payload.len() <= MAX);
    }
    assert_eq!(inflate(&deflate(data), data.len()).as_deref(), Ok(data));
}

fn json(content: &Content) {
    if let Ok((_, body)) = content::to_json(content) {
        assert!(is_object(&body), "{body}");
    }
}

/// Texts within texts may be nested as deeply as they are long: what is kept is bounded by who keeps it.
fn is_object(json: &str) -> bool {
    json.starts_with('{') && serde_json::from_str::<&serde_json::value::RawValue>(json).is_ok()
}

fn again<T: Message + Default + Clone>(bytes: Bytes) -> Option<T> {
    let read: T = decode(bytes).ok()?;
    let written = read.encode_to_vec();
    assert_eq!(written.len(), read.encoded_len());
    let second: T = decode(written.clone().into()).ok()?;
    // Not compared as values: a number that is none is unlike itself.
    assert_eq!(second.encode_to_vec(), written);
    Some(read)
}
