//! Uploads: limits, broken and abandoned ones.

use std::fs;
use std::io;
use std::task::Poll;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, poll, stream};
use stentor_files::{FileStore, Options, PutError, Stored};

use crate::world::{PLENTY, World, bytes, key, open, read, source, stalling, uuid};

/// What a folder writes at a time.
const PART: usize = 256 * 1024;

#[tokio::test]
async fn what_was_put_is_there() {
    let world = World::new();
    // Around the size where one write becomes many, and nothing at all.
    for (n, size) in [0, 1, 63, 64, 65, PART - 1, PART, PART + 1, 2 * PART, 3 * PART + 17].into_iter().enumerate() {
        let (key, whole) = (key(u32::try_from(n).unwrap()), bytes(size));
        let stored = world.files.put(&key, source(&whole, 10_000), PLENTY).await.unwrap();
        assert_eq!(stored, Stored { size: size as u64, head: whole.slice(..size.min(64)) });
        assert_eq!(world.files.size(&key).await.unwrap(), size as u64);
        assert_eq!(read(world.files.get(&key, None).await.unwrap()).await, whole, "{size}");
    }
    assert!(world.on_disk().await.iter().all(|name| name.starts_with("acme_23demo/") && !name.contains('#')));
}

#[tokio::test]
async fn chunks_of_any_size() {
    let world = World::new();
    for (n, chunk) in [1, 7, PART, PART * 2 + 5].into_iter().enumerate() {
        let (key, whole) = (key(u32::try_from(n).unwrap()), bytes(if chunk == 1 { 3000 } else { PART * 2 + 5 }));
        let with_gaps = source(&whole, chunk).flat_map(|chunk| stream::iter([Ok(Bytes::new()), chunk]));
        world.files.put(&key, with_gaps, PLENTY).await.unwrap();
        assert_eq!(read(world.files.get(&key, None).await.unwrap()).await, whole, "{chunk}");
    }
}

#[tokio::test]
async fn at_the_limit_and_one_past_it() {
    let world = World::new();
    for (n, max) in [0, 1, 1000, PART, PART * 3].into_iter().enumerate() {
        let key = key(u32::try_from(n).unwrap());
        let refused = world.files.put(&key, source(&bytes(max + 1), 1000), max as u64).await;
        assert!(matches!(refused, Err(PutError::TooLarge { max: told }) if told == max as u64), "{refused:?}");
        world.files.close().await;
        assert_eq!(world.files.put(&key, source(&bytes(max), 1000), max as u64).await.unwrap().size, max as u64);
    }
    assert_eq!(world.on_disk().await.len(), 5);
}

#[tokio::test]
async fn a_refused_source_is_read_no_further() {
    let world = World::new();
    let mut taken = 0;
    let endless = stream::repeat_with(|| {
        taken += 1;
        Ok::<_, io::Error>(bytes(1000))
    });
    let refused = world.files.put(&key(1), endless, 2500).await;
    assert!(matches!(refused, Err(PutError::TooLarge { max: 2500 })));
    assert_eq!(taken, 3);
    assert!(world.on_disk().await.is_empty());
}

#[tokio::test]
async fn a_broken_source_leaves_nothing() {
    let world = World::new();
    for sent in [0, 1000, PART * 2] {
        let broken = source(&bytes(sent), 1000).chain(stream::iter([Err(io::Error::other("gone"))]));
        let refused = world.files.put(&key(1), broken, PLENTY).await;
        assert!(matches!(refused, Err(PutError::Source(error)) if error.to_string() == "gone"));
    }
    assert!(world.on_disk().await.is_empty());
}

#[tokio::test]
async fn nothing_is_visible_before_the_end_and_nothing_after_a_cancellation() {
    let world = World::new();
    // Several parts are on the disk by now, under another name.
    let key = key(1);
    let mut put = Box::pin(world.files.put(&key, stalling(&bytes(PART * 3), 1000), PLENTY));
    while staged(&world) != [format!("acme_23demo/{}#1", uuid(1))] {
        assert!(poll!(&mut put).is_pending());
        tokio::task::yield_now().await;
    }
    assert!(world.files.get(&key, None).await.is_err());
    assert_eq!(world.files.list().count().await, 0);
    drop(put);
    assert!(world.on_disk().await.is_empty());
}

fn staged(world: &World) -> Vec<String> {
    crate::world::names(world.dir.path())
}

/// Dropped after each of its steps: the file is never there, except that the put said so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_at_every_step() {
    for size in [1000, PART * 2 + 1] {
        let (key, whole) = (key(1), bytes(size));
        for steps in 0.. {
            let world = World::new();
            let mut put = Box::pin(world.files.put(&key, source(&whole, PART), PLENTY));
            let mut done = false;
            for _ in 0..steps {
                // The next step is there when the last has woken us: no time passes for nothing.
                if let Poll::Ready(stored) = next_step(&mut put).await {
                    stored.unwrap();
                    done = true;
                    break;
                }
            }
            drop(put);
            assert_eq!(world.on_disk().await.len(), usize::from(done), "{size} bytes, {steps} steps");
            if done {
                break;
            }
        }
    }
}

/// Polls until the future was woken and polled once.
async fn next_step<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    let mut polled = false;
    std::future::poll_fn(|context| {
        let now = future.poll_unpin(context);
        if now.is_ready() || polled {
            return Poll::Ready(now);
        }
        polled = true;
        Poll::Pending
    })
    .await
}

#[tokio::test]
async fn uploads_at_a_time_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let files = FileStore::open(&Options { uploads: 1, ..Options::new(dir.path().to_str().unwrap()) }).unwrap();
    let (one, two) = (key(1), key(2));
    let mut first = Box::pin(files.put(&one, stalling(&bytes(10), 10), PLENTY));
    assert!(poll!(&mut first).is_pending());
    let second = files.put(&two, source(&bytes(10), 10), PLENTY).await;
    assert!(matches!(second, Err(PutError::Busy)));
    drop(first);
    files.put(&two, source(&bytes(10), 10), PLENTY).await.unwrap();
}

#[tokio::test]
async fn a_store_that_fails_says_so_and_leaves_nothing() {
    let world = World::new();
    // A folder where the file should be: everything works until the last step.
    let in_the_way = world.dir.path().join("acme_23demo").join(uuid(1));
    for size in [1000, PART * 2] {
        fs::create_dir_all(&in_the_way).unwrap();
        let failed = world.files.put(&key(1), source(&bytes(size), 1000), PLENTY).await;
        assert!(matches!(failed, Err(PutError::Store(_))), "{failed:?}");
    }
    assert!(world.on_disk().await.is_empty());
}

#[tokio::test]
async fn deleting_twice_and_what_never_was() {
    let world = World::new();
    world.files.put(&key(1), source(&bytes(10), 10), PLENTY).await.unwrap();
    world.files.put(&key(2), source(&bytes(10), 10), PLENTY).await.unwrap();
    world.files.delete(&key(1)).await.unwrap();
    world.files.delete(&key(1)).await.unwrap();
    assert!(world.files.get(&key(1), None).await.is_err());
    assert_eq!(world.on_disk().await, [format!("acme_23demo/{}", uuid(2))]);
}

#[tokio::test]
async fn the_list_knows_what_is_ours() {
    let world = World::new();
    world.files.put(&key(7), source(&bytes(12), 10), PLENTY).await.unwrap();
    fs::write(world.dir.path().join("acme_23demo/readme.txt"), "not ours").unwrap();
    let listed: Vec<_> = world.files.list().try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].key, listed[0].size, listed[0].is_thumbnail), (&key(7), 12, false));
    assert!(listed[0].written_at_ms > 1_700_000_000_000);
}

/// What a handler asks of us: it runs on a work-stealing runtime.
#[test]
fn puts_and_gets_may_change_threads() {
    fn sendable<T: Send>(_: T) {}
    let dir = tempfile::tempdir().unwrap();
    let files = open(dir.path());
    sendable(files.put(&key(1), source(&bytes(1), 1), 1));
    sendable(files.get(&key(1), None));
    sendable(files.delete(&key(1)));
    sendable(files.list());
}
