//! Group commit: many writes a sync, one bad write alone, order, bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::{Fresh, NOW, app, counter, fresh, keep, open, reader, unread};
use stentor_core::id::{AppId, MessageId};
use stentor_core::store::{InboxStore, Keep, Store, StoreError, StoreHealth};
use stentor_store_embedded::{EmbeddedStore, Options};

/// So many tasks keep messages, each waiting for one before the next. IDs and expiries grow as in real life.
async fn closed_loop(store: &Arc<EmbeddedStore>, writers: u64, each: u64) {
    let ids = Arc::new(AtomicU64::new(1));
    let tasks: Vec<_> = (0..writers)
        .map(|writer| {
            let (store, ids) = (store.clone(), ids.clone());
            tokio::spawn(async move {
                for _ in 0..each {
                    let id = ids.fetch_add(1, Ordering::Relaxed);
                    store.keep(keep(id, &format!("user{writer}"), 512)).await.expect("kept");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a writer");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_writers_share_syncs() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Arc::new(open(dir.path()));
    closed_loop(&store, 64, 150).await;
    let (writes, fsyncs) = (counter(&store, "store_writes"), counter(&store, "store_fsyncs"));
    assert_eq!(writes, 64 * 150);
    assert!(writes >= 20 * fsyncs, "{writes} writes took {fsyncs} syncs");
}

#[tokio::test]
async fn a_lone_writer_has_each_write_synced() {
    let fresh = fresh();
    for id in 1..=20 {
        fresh.keep(keep(id, "user", 10)).await.expect("kept");
        assert_eq!(counter(&fresh, "store_commits"), id);
    }
}

#[tokio::test]
async fn a_write_that_does_nothing_is_not_synced() {
    let fresh = fresh();
    let cancelled = keep(1, "user", 10);
    let cancelled = Keep { history: None, ..cancelled };
    cancelled.inbox.as_ref().expect("an inbox").cancelled.cancel();
    fresh.keep(cancelled).await.expect("kept");
    assert_eq!(counter(&fresh, "store_commits"), 0);
    assert_eq!(counter(&fresh, "store_writes"), 1);
}

/// The ID of another app's message is refused. Its neighbours in the batch are done, in order.
#[tokio::test]
async fn a_bad_write_fails_alone() {
    let fresh = fresh();
    fresh.keep(keep(5, "user", 10)).await.expect("kept");
    for round in 0..20 {
        let first = 10 + round * 10;
        let before = [fresh.keep(keep(first, "user", 10)), fresh.keep(keep(first + 1, "user", 10))];
        let bad = fresh.keep(Keep { app: AppId::from_trusted("other"), ..keep(5, "user", 10) });
        let after = [fresh.keep(keep(first + 2, "user", 10)), fresh.inbox_ack(&reader("user"), &[MessageId(first)])];
        assert!(matches!(bad.await, Err(StoreError::Failed(_))));
        for good in before.into_iter().chain(after) {
            good.await.expect("done");
        }
    }
    assert_eq!(fresh.health(), StoreHealth::Ready);
    let expected: Vec<u64> = [5].into_iter().chain((0..20).flat_map(|r| [11 + r * 10, 12 + r * 10])).collect();
    assert_eq!(unread(&fresh, "user").await, expected);
    let other = stentor_core::store::InboxReader { app: AppId::from_trusted("other"), ..reader("user") };
    let page = fresh.inbox_page(&other, MessageId::ZERO, MessageId::MAX, 10, NOW).await.expect("a page");
    assert_eq!(page, []);
    assert_eq!(counter(&fresh, "store_writes_failed"), 20);
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = Options { queue_bound: 4, ..Options::default() };
    let store = EmbeddedStore::open(dir.path(), &options).expect("a store");
    let queued: Vec<_> = (1..=5000).map(|id| store.keep(keep(id, "user", 4096))).collect();
    let (mut kept, mut busy) = (0, 0);
    for keep in queued {
        match keep.await {
            Ok(()) => kept += 1,
            Err(StoreError::Busy) => busy += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(busy > 0 && kept >= 4, "{kept} kept, {busy} refused");
    assert_eq!(counter(&store, "store_writes"), kept);
    store.keep(keep(6000, "user", 10)).await.expect("room again");
}

/// Nobody waits for the writes, and still they are done: dropping the future takes nothing back.
#[tokio::test]
async fn dropped_futures_are_done_too() {
    let fresh = fresh();
    (1..=100).for_each(|id| drop(fresh.keep(keep(id, "user", 10))));
    drop(fresh.expire(NOW + 5000));
    assert_eq!(fresh.inbox_count(&app(), &reader("user").user, NOW).await.expect("a count"), 0);
    (101..=200).for_each(|id| drop(fresh.keep(keep(id, "user", 10))));
    let Fresh { store, dir } = fresh;
    drop(store);
    assert_eq!(unread(&open(dir.path()), "user").await, (101..=200).collect::<Vec<_>>());
}

/// A removal of thousands, with a write in the middle of it.
#[tokio::test]
async fn a_long_expiry_counts_everything() {
    let fresh = fresh();
    let queued: Vec<_> = (1..=2000).map(|id| fresh.keep(keep(id, &format!("user{}", id % 50), 10))).collect();
    for keep in queued {
        keep.await.expect("kept");
    }
    let expired = fresh.expire(NOW + 2000);
    fresh.keep(keep(3000, "late", 10)).await.expect("kept");
    assert_eq!(expired.await.expect("expired"), 4000);
    assert_eq!(unread(&fresh, "late").await, [3000]);
}

/// `cargo test --release -p stentor-store-embedded -- --ignored bench --nocapture`
#[ignore = "prints figures, asserts nothing"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bench() {
    for (writers, each) in [(1, 3000), (64, 1500), (512, 200), (64, 1500)] {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Arc::new(open(dir.path()));
        let started = std::time::Instant::now();
        closed_loop(&store, writers, each).await;
        let seconds = started.elapsed().as_secs_f64();
        let (writes, fsyncs) = (counter(&store, "store_writes"), counter(&store, "store_fsyncs"));
        let per_sync = writes as f64 / fsyncs as f64;
        println!("{writers} writers: {:.0} appends/s, {per_sync:.1} writes/sync", writes as f64 / seconds);
        let started = std::time::Instant::now();
        for n in 0..2000 {
            let page =
                store.inbox_page(&reader(&format!("user{}", n % writers)), MessageId::ZERO, MessageId::MAX, 20, NOW);
            page.await.expect("a page");
        }
        println!("  {:.0} inbox pages/s, one at a time", 2000.0 / started.elapsed().as_secs_f64());
    }
}
