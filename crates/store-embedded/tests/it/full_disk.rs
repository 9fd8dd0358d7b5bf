//! A full disk: refused clearly, nothing half-written, reads go on, and it passes.

use std::time::Duration;

use crate::common::{Fresh, NOW, app, fresh, keep, open, reader, unread};
use stentor_core::events::EventKind;
use stentor_core::id::MessageId;
use stentor_core::store::{EventStore, HistoryFilter, HistoryStore, InboxStore, Store, StoreError, StoreHealth};

fn no_space() -> StoreHealth {
    StoreHealth::Refusing("no space left on the device".to_owned())
}

/// Keeps messages until one is refused. Returns its ID.
async fn fill(store: &stentor_store_embedded::EmbeddedStore, from: u64) -> u64 {
    for id in from..from + 10_000 {
        match store.keep(keep(id, "user", 4000)).await {
            Ok(()) => {}
            Err(StoreError::Full) => return id,
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("never full");
}

#[tokio::test]
async fn writes_are_refused_until_space_returns() {
    let Fresh { store, dir } = fresh();
    store.limit_pages(Some(100));
    let refused = fill(&store, 1).await;
    assert!(refused > 10, "{refused}");
    assert_eq!(store.health(), no_space());

    // Reads go on and see nothing of what was refused.
    assert_eq!(unread(&store, "user").await, (1..refused).collect::<Vec<_>>());
    assert_eq!(store.newest_message().await.expect("an ID"), MessageId(refused - 1));
    for batch in 0..3 {
        let queued: Vec<_> = (0..20).map(|n| store.keep(keep(20_000 + batch * 20 + n, "user", 4000))).collect();
        for keep in queued {
            assert!(matches!(keep.await, Err(StoreError::Full)));
        }
    }
    let all = HistoryFilter::ALL;
    assert_eq!(store.history_count(&app(), &all, NOW).await.expect("a count"), refused - 1);

    // Space returns: a write finds out, at the latest the next one after a moment.
    store.limit_pages(None);
    let mut id = 50_000;
    while store.keep(keep(id, "user", 4000)).await.is_err() {
        id += 1;
        assert!(id < 50_100, "it never recovers");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(store.health(), StoreHealth::Ready);
    let expected: Vec<u64> = (1..refused).chain([id]).collect();
    assert_eq!(unread(&store, "user").await, expected);
    drop(store);
    assert_eq!(unread(&open(dir.path()), "user").await, expected);
}

/// A node out of service gets no writes: the store finds out by itself.
#[tokio::test]
async fn the_store_finds_out_without_writes() {
    let fresh = fresh();
    fresh.limit_pages(Some(100));
    fill(&fresh, 1).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(fresh.health(), no_space(), "its own probes are refused, too");
    fresh.limit_pages(None);
    for _ in 0..100 {
        if fresh.health() == StoreHealth::Ready {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never recovers");
}

/// What a full disk refuses does not spoil what the caller does next.
#[tokio::test]
async fn a_refused_pull_takes_nothing() {
    let fresh = fresh();
    fresh.limit_pages(Some(100));
    let refused = fill(&fresh, 1).await;
    let pull = fresh.pull_events(&app(), EventKind::User, 10);
    let ack = fresh.inbox_ack(&reader("user"), &[MessageId(1)]);
    assert!(matches!(pull.await, Err(StoreError::Full)), "refused untried, shortly after a failure");
    assert!(matches!(ack.await, Err(StoreError::Full)));
    assert_eq!(unread(&fresh, "user").await.len() as u64, refused - 1);
}

/// The same with a real device, which must be small: `TMPDIR=/mnt/of-a-few-megabytes cargo test … -- --ignored`.
#[ignore = "needs a small file system in TMPDIR"]
#[tokio::test]
async fn a_real_device_runs_out() {
    let Fresh { store, dir } = fresh();
    let ballast = dir.path().join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).expect("a megabyte");
    let refused = fill(&store, 1).await;
    assert_eq!(store.health(), no_space());
    let kept: Vec<u64> = (refused.saturating_sub(200).max(1)..refused).collect();
    assert_eq!(unread(&store, "user").await, kept);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(store.health(), no_space());
    std::fs::remove_file(ballast).expect("removed");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(store.health(), StoreHealth::Ready, "found out by itself");
    store.keep(keep(20_000, "user", 4000)).await.expect("kept");
    drop(store);
    let reopened = open(dir.path());
    assert_eq!(unread(&reopened, "user").await.last(), Some(&20_000));
    assert_eq!(reopened.newest_message().await.expect("an ID"), MessageId(20_000));
}
