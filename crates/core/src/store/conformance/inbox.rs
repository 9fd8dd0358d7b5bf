//! Inbox: order, cap, age, devices.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    NEVER, NOW, ack, app, ids, in_inbox, keep_all, kept, ok, open, reader, recorded, to_room, to_user, unread, user,
    waiting,
};
use crate::id::{AppId, DeviceId, MessageId, RoomId, UserId};
use crate::message::{Marks, Message, Target};
use crate::records::RecordKind;
use crate::store::{Change, HistoryFilter, HistoryPage, InboxReader, Keep, KeepInHistory, KeepInInbox, Scan, Store};

/// Messages are read in the order of their IDs, however they arrived.
pub async fn pages_are_ordered_by_id(store: &dyn Store) {
    keep_all(store, [5, 1, 4, 2, 3].map(|id| kept(id, 200))).await;
    assert_eq!(unread(store, "").await, [1, 2, 3, 4, 5]);
}

/// At the cap, the newest by ID stay, whatever arrived last.
pub async fn cap_keeps_the_newest_by_id(store: &dyn Store) {
    keep_all(store, [10, 30, 20, 40, 15].map(|id| kept(id, 3))).await;
    assert_eq!(unread(store, "").await, [20, 30, 40]);
    keep_all(store, (100..400).map(|id| kept(id, 200))).await;
    assert_eq!(unread(store, "").await, (200..400).collect::<Vec<_>>());
}

/// 200 kept, 150 scattered ones acked: 150 more fit before the oldest unacked one goes.
pub async fn cap_is_exact_after_scattered_acks(store: &dyn Store) {
    open(store, "").await;
    keep_all(store, (1..=200).map(|id| kept(id, 200))).await;
    ack(store, "", (1..=200).filter(|id| id % 4 != 1)).await;
    keep_all(store, (201..=350).map(|id| kept(id, 200))).await;
    let old: Vec<u64> = (1..=200).filter(|id| id % 4 == 1).collect();
    let expected: Vec<u64> = old.iter().copied().chain(201..=350).collect();
    assert_eq!(unread(store, "").await, expected);
    assert_eq!(waiting(store).await, 200);
    ok(store.keep(kept(351, 200)).await);
    assert_eq!(unread(store, "").await, expected.iter().copied().skip(1).chain([351]).collect::<Vec<_>>());
}

/// At the cap, a message older than all others does not push one of them out.
pub async fn cap_refuses_what_is_older_than_all(store: &dyn Store) {
    keep_all(store, [10, 11, 12].map(|id| kept(id, 3))).await;
    keep_all(store, [9, 1].map(|id| kept(id, 3))).await;
    assert_eq!(unread(store, "").await, [10, 11, 12]);
    ack(store, "", [11]).await;
    ok(store.keep(kept(5, 3)).await);
    assert_eq!(unread(store, "").await, [5, 10, 12]);
}

/// A cap that shrank is enforced by the next keep, down to nothing.
pub async fn a_smaller_cap_trims_at_once(store: &dyn Store) {
    keep_all(store, (1..=10).map(|id| kept(id, 200))).await;
    ok(store.keep(kept(11, 4)).await);
    assert_eq!(unread(store, "").await, [8, 9, 10, 11]);
    ok(store.keep(kept(12, 0)).await);
    assert_eq!(unread(store, "").await, [0u64; 0]);
}

/// Neither another user nor another app sees, pushes out or acks a message.
pub async fn users_and_apps_are_apart(store: &dyn Store) {
    let keep = |id, app_name: &str, owner: &str| Keep {
        app: app(app_name),
        message: to_user(id, "sender", owner),
        inbox: in_inbox(owner, 2, NEVER),
        history: None,
        changes: Vec::new(),
    };
    let mut id = 0;
    for _ in 0..3 {
        for (app_name, owner) in [("app", "reader"), ("app", "reader2"), ("app2", "reader")] {
            id += 1;
            ok(store.keep(keep(id, app_name, owner)).await);
        }
    }
    ack(store, "", [4, 5, 6, 8, 9]).await;
    assert_eq!(unread(store, "").await, [7]);
    for (app_name, owner, expected) in [("app", "reader2", [5, 8]), ("app2", "reader", [6, 9])] {
        let other = InboxReader { app: app(app_name), user: user(owner), device: DeviceId::only() };
        let page = ok(store.inbox_page(&other, MessageId::ZERO, MessageId::MAX, 10, NOW).await);
        assert_eq!(ids(&page), expected);
    }
}

/// A message is not read from its expiry on, even before anything removed it.
pub async fn expired_messages_are_not_read(store: &dyn Store) {
    for (id, expires_at_ms) in [(1, NOW - 1), (2, NOW), (3, NOW + 1), (4, u64::MAX)] {
        ok(store.keep(Keep { inbox: in_inbox("reader", 200, expires_at_ms), ..kept(id, 200) }).await);
    }
    assert_eq!(unread(store, "").await, [3, 4]);
    assert_eq!(waiting(store).await, 2);
    assert_eq!(ok(store.inbox_count(&app("app"), &user("reader"), NOW - 1).await), 3);
}

/// `expire` removes what has expired and nothing else, and counts it.
pub async fn expire_removes_only_what_is_too_old(store: &dyn Store) {
    let keep = |id| Keep { inbox: in_inbox("reader", 2000, NOW + id % 2), ..kept(id, 2000) };
    keep_all(store, (1..=1001).map(keep)).await;
    assert_eq!(ok(store.expire(NOW).await), 500);
    assert_eq!(ok(store.expire(NOW).await), 0);
    assert_eq!(ok(store.inbox_count(&app("app"), &user("reader"), NOW - 1).await), 501);
    assert_eq!(unread(store, "").await.len(), 501);
}

/// A cancelled keep is left out of the inbox, not out of the history.
pub async fn a_cancelled_keep_stays_in_the_history(store: &dyn Store) {
    let history = Some(KeepInHistory { expires_at_ms: NEVER, max_bytes: u64::MAX, hidden_from: Vec::new() });
    let keep = Keep { history, ..kept(1, 200) };
    let cancelled = keep.inbox.clone().map(|inbox| inbox.cancelled);
    cancelled.into_iter().for_each(|c| c.cancel());
    ok(store.keep(keep).await);
    ok(store.keep(kept(2, 200)).await);
    assert_eq!(unread(store, "").await, [2]);
    let all = HistoryFilter::ALL;
    let page = HistoryPage { offset: 0, limit: 10, newest_first: false };
    assert_eq!(ids(&ok(store.history(&app("app"), &all, page, NOW).await)), [1]);
}

/// The same message kept again in the same inbox is there once, and still acked where it was acked.
pub async fn keeping_twice_changes_nothing(store: &dyn Store) {
    open(store, "a").await;
    open(store, "b").await;
    keep_all(store, [1, 1, 2].map(|id| kept(id, 200))).await;
    ack(store, "a", [1]).await;
    ok(store.keep(kept(1, 200)).await);
    assert_eq!(unread(store, "a").await, [2]);
    assert_eq!(unread(store, "b").await, [1, 2]);
    assert_eq!(waiting(store).await, 1);
}

/// Acks of what is not there, and acks twice, are not errors.
pub async fn acks_of_unknown_messages_are_ignored(store: &dyn Store) {
    ack(store, "", [7]).await;
    keep_all(store, (1..=3).map(|id| kept(id, 200))).await;
    ack(store, "", [2, 99, 2]).await;
    ack(store, "", [2]).await;
    ack(store, "", []).await;
    assert_eq!(unread(store, "").await, [1, 3]);
}

/// `after` is exclusive, `up_to` inclusive, and `limit` counts only what is returned.
pub async fn pages_end_where_they_should(store: &dyn Store) {
    open(store, "b").await;
    keep_all(store, (1..=9).map(|id| kept(id, 200))).await;
    ack(store, "a", [3, 4]).await;
    for (after, up_to, limit, expected) in [
        (0, 9, 3, vec![1, 2, 5]),
        (2, 7, 10, vec![5, 6, 7]),
        (5, 6, 10, vec![6]),
        (6, 6, 10, vec![]),
        (7, 5, 10, vec![]),
        (0, 9, 0, vec![]),
        (8, u64::MAX, usize::MAX, vec![9]),
    ] {
        let page = store.inbox_page(&reader("a"), MessageId(after), MessageId(up_to), limit, NOW).await;
        assert_eq!(ids(&ok(page)), expected, "after {after} up to {up_to} limit {limit}");
    }
}

/// A read sees the writes that were queued before it, though nobody has waited for them.
pub async fn a_read_sees_the_writes_before_it(store: &dyn Store) {
    for round in 0..50 {
        let keeps: Vec<_> = (1..=3).map(|n| store.keep(kept(round * 3 + n, 200))).collect();
        let count = store.inbox_count(&app("app"), &user("reader"), NOW);
        let acked = store.inbox_ack(&reader(""), &[MessageId(round * 3 + 1)]);
        let page = store.inbox_page(&reader(""), MessageId(round * 3), MessageId::MAX, 10, NOW);
        assert_eq!(ids(&ok(page.await)), [round * 3 + 2, round * 3 + 3]);
        assert!(ok(count.await) as u64 >= round * 2 + 2);
        drop((keeps, acked));
    }
}

/// The message of two inboxes is there for one user after the other has acked it.
pub async fn one_message_in_two_inboxes(store: &dyn Store) {
    let message = to_room(1, "sender", "room");
    let keep = |owner| Keep {
        app: app("app"),
        message: message.clone(),
        inbox: in_inbox(owner, 200, NEVER),
        history: None,
        changes: Vec::new(),
    };
    keep_all(store, ["reader", "other"].map(keep)).await;
    ack(store, "", [1]).await;
    assert_eq!(unread(store, "").await, [0u64; 0]);
    let other = InboxReader { user: user("other"), ..reader("") };
    let page = || store.inbox_page(&other, MessageId::ZERO, MessageId::MAX, 10, NOW);
    assert_eq!(ok(page().await), std::slice::from_ref(&message));
    ok(store.inbox_ack(&other, &[MessageId(1)]).await);
    assert_eq!(ok(page().await), []);
    // Kept again, it comes back whole: nothing of the first time is in the way.
    ok(store.keep(keep("other")).await);
    assert_eq!(ok(page().await), [message]);
}

/// Any name and any payload comes back as it went in, from the inbox and from the history.
pub async fn messages_come_back_unchanged(store: &dyn Store) {
    let names = ["", " ", "a'b\"c;--", "\0", "a\0b", "é漢字🦀", "%_", "null", "0", &"n".repeat(64)];
    let everything: Bytes = (0..=255u8).cycle().take(70_000).collect();
    let payloads = [Bytes::new(), Bytes::from_static(b"\0"), Bytes::from_static(b"text"), everything];
    for (n, name) in names.iter().enumerate() {
        let id = 1 + n as u64 * (1 << 40);
        let target = if n % 2 == 0 {
            Target::User(UserId::from_trusted(name))
        } else {
            Target::Room(RoomId::from_trusted(name))
        };
        let payload = payloads[n % payloads.len()].clone();
        let message = Message {
            id: MessageId(id),
            from: user(name),
            to: target,
            payload,
            sent_at_ms: NOW,
            marks: Marks::default(),
        };
        let message = Arc::new(message);
        let app = AppId::from_trusted(&format!("{name}{n}"));
        let keep = Keep { app: app.clone(), inbox: in_inbox(name, 200, NEVER), ..recorded(&message) };
        ok(store.keep(keep).await);
        let reader = InboxReader { app: app.clone(), user: user(name), device: DeviceId::from_trusted(name) };
        let page = store.inbox_page(&reader, MessageId::ZERO, MessageId::MAX, 10, NOW).await;
        assert_eq!(ok(page), std::slice::from_ref(&message));
        let filter = HistoryFilter {
            from: Some(user(name)),
            to: Some((*name).to_owned()),
            start_ms: NOW,
            end_ms: NOW,
            ..HistoryFilter::ALL
        };
        let page = HistoryPage { offset: 0, limit: 10, newest_first: false };
        assert_eq!(ok(store.history(&app, &filter, page, NOW).await), [message]);
    }
}

/// A list of messages is kept in its order, each with its records; an empty list is nothing to do.
pub async fn a_list_is_kept_as_one_step(store: &dyn Store) {
    let record = |id: u64| Change::Put { kind: RecordKind::Counter, key: "last".into(), value: format!("{id}").into() };
    let keeps = [3, 1, 2].map(|id| Keep { changes: vec![record(id)], ..kept(id, 2) });
    ok(store.keep_all(keeps.into()).await);
    assert_eq!(unread(store, "").await, [2, 3], "the cap holds for a list too");
    let last = ok(store.read_record(&app("app"), RecordKind::Counter, "last").await);
    assert_eq!(last.as_deref(), Some(&b"2"[..]), "in order");
    ok(store.keep_all(Vec::new()).await);
    assert_eq!(unread(store, "").await, [2, 3]);
}

/// One message in the inboxes of many, each with its own cap; who stands there twice has it once.
pub async fn one_step_for_many_inboxes(store: &dyn Store) {
    let keep = |id, owners: &[&str]| {
        let users = owners.iter().map(|owner| user(owner)).collect();
        let inbox = in_inbox("", 2, NEVER).map(|inbox| KeepInInbox { users, ..inbox });
        Keep { inbox, ..kept(id, 2) }
    };
    let page = async |owner: &str| {
        let reader = InboxReader { user: user(owner), ..reader("") };
        ids(&ok(store.inbox_page(&reader, MessageId::ZERO, MessageId::MAX, 9, NOW).await))
    };
    let keeps = [keep(1, &["a", "b", "a"]), keep(2, &["b"]), keep(3, &["c", "b", "a"]), keep(4, &["b", "c"])];
    keep_all(store, keeps).await;
    assert_eq!((page("a").await, page("b").await, page("c").await), (vec![1, 3], vec![3, 4], vec![3, 4]));
    // Too old for the first and the last of them, kept for the one between.
    keep_all(store, [keep(11, &["full", "full2"]), keep(12, &["full", "full2"]), keep(10, &["full", "d", "full2"])])
        .await;
    assert_eq!((page("full").await, page("d").await, page("full2").await), (vec![11, 12], vec![10], vec![11, 12]));
    let many: Vec<_> = (0..1000).map(|n| format!("user{n}")).collect();
    ok(store.keep(keep(5, &many.iter().map(String::as_str).collect::<Vec<_>>())).await);
    for owner in ["user0", "user500", "user999"] {
        assert_eq!(page(owner).await, [5]);
    }
}

/// Records are written with the message they belong to, in its app, also when the message itself needs no place.
pub async fn records_are_kept_with_the_message(store: &dyn Store) {
    let put = |key: &str| Change::Put { kind: RecordKind::Callback, key: key.to_owned(), value: Bytes::new() };
    let keep = |id, key: &str| Keep { changes: vec![put(key)], ..kept(id, 200) };
    let cancelled = keep(2, "cancelled");
    cancelled.inbox.iter().for_each(|inbox| inbox.cancelled.cancel());
    let remove = Keep {
        changes: vec![Change::Delete { kind: RecordKind::Callback, key: "first".into() }, put("last")],
        ..kept(4, 200)
    };
    keep_all(store, [keep(1, "first"), cancelled, Keep { inbox: None, ..keep(3, "alone") }, remove]).await;
    let found = ok(store.scan_records(&app("app"), Scan::of(RecordKind::Callback, "", 9)).await);
    assert_eq!(found.iter().map(|(key, _)| &key[..]).collect::<Vec<_>>(), ["alone", "cancelled", "last"]);
    assert_eq!(unread(store, "").await, [1, 4]);
    assert_eq!(ok(store.scan_records(&app("app2"), Scan::of(RecordKind::Callback, "", 9)).await), []);
}

/// A message for nobody is nowhere; it counts as seen all the same.
pub async fn a_message_for_nobody_is_not_kept(store: &dyn Store) {
    let nobody = in_inbox("", 2, NEVER).map(|inbox| KeepInInbox { users: Vec::new(), ..inbox });
    ok(store.keep(Keep { inbox: nobody.clone(), ..kept(7, 2) }).await);
    assert_eq!(ok(store.message(&app("app"), MessageId(7)).await), None);
    ok(store.keep(Keep { inbox: nobody, ..recorded(&to_user(8, "sender", "reader")) }).await);
    assert!(ok(store.message(&app("app"), MessageId(8)).await).is_some());
    assert_eq!(ok(store.newest_message().await), MessageId(8));
}
