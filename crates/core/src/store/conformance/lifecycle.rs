//! What holds for the store as a whole.

use super::{NEVER, NOW, ack, app, in_inbox, kept, ok, reader, recorded, to_user, unread, user};
use crate::events::EventKind;
use crate::id::MessageId;
use crate::store::{HistoryFilter, HistoryPage, Keep, Store, StoreHealth};

async fn newest(store: &dyn Store) -> u64 {
    ok(store.newest_message().await).0
}

/// The newest ID is remembered when its message is gone, and when older ones come after it.
pub async fn the_newest_message_never_goes_down(store: &dyn Store) {
    assert_eq!(newest(store).await, 0);
    ok(store.keep(kept(5, 200)).await);
    ok(store.keep(kept(3, 200)).await);
    assert_eq!(newest(store).await, 5);
    ack(store, "", [5, 3]).await;
    assert_eq!(newest(store).await, 5);
    ok(store.keep(Keep { inbox: in_inbox("reader", 200, NOW), ..kept(7, 200) }).await);
    ok(store.expire(NEVER).await);
    assert_eq!(newest(store).await, 7);
    ok(store.keep(kept(9, 0)).await);
    assert_eq!(newest(store).await, 9, "kept, though the cap took it at once");
    ok(store.keep(recorded(&to_user(i64::MAX as u64, "userA", "userB"))).await);
    assert_eq!(newest(store).await, i64::MAX as u64);
}

/// Nothing is there before anything was written, and the store is ready.
pub async fn an_empty_store_answers(store: &dyn Store) {
    assert_eq!(store.health(), StoreHealth::Ready);
    assert_eq!(unread(store, "").await, [0u64; 0]);
    assert_eq!(ok(store.inbox_count(&app("app"), &user("reader"), NOW).await), 0);
    assert_eq!(ok(store.pull_events(&app("app"), EventKind::User, 10).await), []);
    assert_eq!(ok(store.open_sessions().await), []);
    let all = HistoryFilter::ALL;
    let page = HistoryPage { offset: 0, limit: 10, newest_first: true };
    assert_eq!(ok(store.history(&app("app"), &all, page, NOW).await), []);
    assert_eq!(ok(store.expire(NOW).await), 0);
}

/// What was queued before the close is done; what comes later fails, and the store does not call itself ready.
pub async fn writes_fail_after_close(store: &dyn Store) {
    let before: Vec<_> = (1..=100).map(|id| store.keep(kept(id, 200))).collect();
    let closed = store.close();
    let late = store.keep(kept(101, 200));
    for keep in before {
        ok(keep.await);
    }
    ok(closed.await);
    assert!(late.await.is_err());
    assert!(store.inbox_ack(&reader(""), &[MessageId(1)]).await.is_err());
    assert!(store.health() != StoreHealth::Ready);
    ok(store.close().await);
}
