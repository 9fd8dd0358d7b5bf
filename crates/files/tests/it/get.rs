//! Downloads: whole, and in ranges.

use std::fs::OpenOptions;

use bytes::Bytes;
use futures_util::TryStreamExt;
use proptest::prelude::*;
use stentor_files::GetError;
use tokio::runtime::Runtime;

use crate::world::{PLENTY, World, bytes, key, read, source, uuid};

/// What is read from a folder at a time.
const CHUNK: usize = 128 * 1024;

#[tokio::test]
async fn what_is_not_there() {
    let world = World::new();
    assert!(matches!(world.files.get(&key(1), None).await, Err(GetError::NotFound)));
    assert!(matches!(world.files.get(&key(1), Some(0..1)).await, Err(GetError::NotFound)));
    assert!(matches!(world.files.size(&key(1)).await, Err(GetError::NotFound)));
}

#[tokio::test]
async fn ranges_at_the_edges() {
    let world = World::new();
    let whole = bytes(100);
    world.files.put(&key(1), source(&whole, 100), PLENTY).await.unwrap();
    world.files.put(&key(2), source(&Bytes::new(), 100), PLENTY).await.unwrap();
    for (range, expected) in
        [(0..100, 0..100), (0..1, 0..1), (99..100, 99..100), (99..500, 99..100), (50..u64::MAX, 50..100)]
    {
        let blob = world.files.get(&key(1), Some(range)).await.unwrap();
        assert_eq!((blob.size, blob.range.clone()), (100, expected.clone()));
        assert_eq!(read(blob).await, whole.slice(expected.start as usize..expected.end as usize));
    }
    for range in [100..101, 100..200, 5..5, 0..0, u64::MAX - 1..u64::MAX] {
        let refused = world.files.get(&key(1), Some(range)).await;
        assert!(matches!(refused, Err(GetError::OutOfRange { size: 100 })), "{refused:?}");
    }
    assert!(matches!(world.files.get(&key(2), Some(0..1)).await, Err(GetError::OutOfRange { size: 0 })));
    let empty = world.files.get(&key(2), None).await.unwrap();
    assert_eq!((empty.size, empty.range.clone()), (0, 0..0));
    assert!(read(empty).await.is_empty());
}

#[tokio::test]
async fn chunks_are_bounded() {
    let world = World::new();
    world.files.put(&key(1), source(&bytes(CHUNK * 2 + 1), CHUNK), PLENTY).await.unwrap();
    let chunks: Vec<Bytes> = world.files.get(&key(1), None).await.unwrap().body.try_collect().await.unwrap();
    assert_eq!(chunks.iter().map(Bytes::len).collect::<Vec<_>>(), [CHUNK, CHUNK, 1]);
}

#[tokio::test]
async fn a_reader_outlives_the_file() {
    let world = World::new();
    let whole = bytes(CHUNK * 2);
    world.files.put(&key(1), source(&whole, CHUNK), PLENTY).await.unwrap();
    let blob = world.files.get(&key(1), None).await.unwrap();
    world.files.delete(&key(1)).await.unwrap();
    assert_eq!(read(blob).await, whole);
}

#[tokio::test]
async fn a_file_that_was_cut_short_does_not_end_as_if_it_were_whole() {
    let world = World::new();
    world.files.put(&key(1), source(&bytes(CHUNK * 2), CHUNK), PLENTY).await.unwrap();
    let blob = world.files.get(&key(1), None).await.unwrap();
    let path = world.dir.path().join("acme_23demo").join(uuid(1));
    OpenOptions::new().write(true).open(path).unwrap().set_len(CHUNK as u64 + 5).unwrap();
    assert!(blob.body.try_collect::<Vec<_>>().await.is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_range_is_a_slice(
        size in prop_oneof![0..200usize, CHUNK - 2..CHUNK + 2, CHUNK * 3..CHUNK * 3 + 2],
        start in any::<prop::sample::Index>(),
        end in any::<prop::sample::Index>(),
    ) {
        let (start, end) = (start.index(size + 3), end.index(size + 3));
        Runtime::new().unwrap().block_on(async {
            let world = World::new();
            let whole = bytes(size);
            world.files.put(&key(1), source(&whole, 50_000), PLENTY).await.unwrap();
            match world.files.get(&key(1), Some(start as u64..end as u64)).await {
                Ok(blob) => {
                    assert!(start < end.min(size));
                    assert_eq!(read(blob).await, whole.slice(start..end.min(size)));
                }
                Err(GetError::OutOfRange { size: told }) => {
                    assert_eq!(told, size as u64);
                    assert!(start >= end.min(size));
                }
                Err(error) => panic!("{error:?}"),
            }
        });
    }
}
