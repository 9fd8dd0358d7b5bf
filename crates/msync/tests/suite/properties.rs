//! Whatever comes in, nothing panics; what was written is read as it was.

use proptest::collection::vec;
use proptest::prelude::*;
use stentor_msync::{KeyValue, KeyValueData, Message, MessageBody, Meta, SyncUp, decode, decode_body};

#[path = "../../fuzz/fuzzed.rs"]
mod fuzzed;

fn value() -> impl Strategy<Value = KeyValue> {
    let data = prop_oneof![
        any::<i64>().prop_map(KeyValueData::Varint),
        any::<f32>().prop_map(KeyValueData::Float),
        any::<f64>().prop_map(KeyValueData::Double),
        ".{0,20}".prop_map(KeyValueData::String),
    ];
    (proptest::option::of(".{0,8}"), proptest::option::of(0..12i32), proptest::option::of(data))
        .prop_map(|(key, kind, value)| KeyValue { key, kind, value })
}

proptest! {
    #[test]
    fn anything_is_read_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        fuzzed::frames(&bytes);
    }

    #[test]
    fn anything_is_unpacked_or_refused_and_packed(bytes in vec(any::<u8>(), 0..3000)) {
        fuzzed::compressed(&bytes);
    }

    /// Wherever a frame breaks off, and whatever a bit of it becomes.
    #[test]
    fn damaged_frames_are_read_or_refused(values in vec(value(), 0..4), cut in any::<prop::sample::Index>(), bit in any::<prop::sample::Index>()) {
        let body = MessageBody { contents: vec![Default::default()], ext: values, ..MessageBody::default() };
        let meta = Meta { ns: Some(1), payload: Some(body.encode_to_vec().into()), ..Meta::default() };
        let sync = SyncUp { meta: Some(meta), ..SyncUp::default() };
        let frame = stentor_msync::MSync { payload: Some(sync.encode_to_vec().into()), command: Some(0), ..Default::default() };
        let mut bytes = frame.encode_to_vec();
        fuzzed::frames(&bytes[..cut.index(bytes.len())]);
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        fuzzed::frames(&bytes);
    }

    #[test]
    fn what_was_written_is_read(values in vec(value(), 0..8)) {
        let body = MessageBody { ext: values, ..MessageBody::default() };
        let written = body.encode_to_vec();
        let read = decode_body(written.clone().into()).expect("read");
        prop_assert_eq!(read.encode_to_vec(), written.clone());
        prop_assert_eq!(decode::<MessageBody>(written.into()).expect("read").ext.len(), body.ext.len());
    }
}
