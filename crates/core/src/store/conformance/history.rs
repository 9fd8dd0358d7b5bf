//! History: what is found, in which order, and what goes.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    NEVER, NOW, ack, app, ids, in_inbox, keep_all, kept, message, ok, recorded, to_room, to_user, unread, user,
};
use crate::id::{MessageId, RoomId};
use crate::message::{Marks, Message, MessageKind, Priority, Target};
use crate::store::{HistoryFilter, HistoryPage, Keep, KeepInHistory, Store};

pub(super) const ALL: HistoryFilter = HistoryFilter::ALL;
const OLDEST: HistoryPage = HistoryPage { offset: 0, limit: 100, newest_first: false };

fn filter(from: &str, to: &str) -> HistoryFilter {
    let some = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    HistoryFilter { from: some(from).map(|name| user(&name)), to: some(to), ..ALL }
}

/// What is found, after checking that the count says the same.
pub(super) async fn found(store: &dyn Store, filter: &HistoryFilter, now_ms: u64) -> Vec<u64> {
    let found = ids(&ok(store.history(&app("app"), filter, OLDEST, now_ms).await));
    assert_eq!(ok(store.history_count(&app("app"), filter, now_ms).await), found.len() as u64, "{filter:?}");
    found
}

/// By sender, by receiver or room, by both, by neither; a name may be a user's and a room's at once.
pub async fn filters_by_sender_and_target(store: &dyn Store) {
    let messages = [
        to_user(1, "userA", "userB"),
        to_user(2, "userB", "userA"),
        to_room(3, "userA", "roomA"),
        to_room(4, "userB", "roomA"),
        to_user(5, "userC", "userA"),
        to_user(6, "userA", "userB"),
        to_room(7, "userC", "userA"),
    ];
    keep_all(store, messages.iter().map(recorded)).await;
    for (from, to, expected) in [
        ("", "", vec![1, 2, 3, 4, 5, 6, 7]),
        ("", "userA", vec![2, 5, 7]),
        ("", "roomA", vec![3, 4]),
        ("userA", "", vec![1, 3, 6]),
        ("userA", "userB", vec![1, 6]),
        ("userA", "roomA", vec![3]),
        ("userC", "userA", vec![5, 7]),
        ("roomA", "", vec![]),
        ("userA", "userA", vec![]),
        ("", "usera", vec![]),
        ("", "user%", vec![]),
    ] {
        assert_eq!(found(store, &filter(from, to), NOW).await, expected, "from {from:?} to {to:?}");
    }
}

/// Offset and limit count matches, from the end that was asked for, in the order of the IDs.
pub async fn pages_by_offset_limit_and_order(store: &dyn Store) {
    keep_all(store, [4, 1, 3, 5, 2].map(|id| recorded(&to_room(id * 10, "userA", "room")))).await;
    keep_all(store, [11, 31].map(|id| recorded(&to_room(id, "userB", "room")))).await;
    for (offset, limit, newest_first, expected) in [
        (0, 3, false, vec![10, 20, 30]),
        (3, 3, false, vec![40, 50]),
        (0, 3, true, vec![50, 40, 30]),
        (4, 3, true, vec![10]),
        (5, 3, true, vec![]),
        (u64::MAX, u64::MAX, false, vec![]),
        (0, 0, false, vec![]),
        (1, u64::MAX, false, vec![20, 30, 40, 50]),
    ] {
        let page = HistoryPage { offset, limit, newest_first };
        let found = ok(store.history(&app("app"), &filter("userA", "room"), page, NOW).await);
        assert_eq!(ids(&found), expected, "{page:?}");
    }
    assert_eq!(ok(store.history_count(&app("app"), &filter("userA", "room"), NOW).await), 5);
}

/// Both bounds of the time belong to it.
pub async fn times_are_inclusive(store: &dyn Store) {
    keep_all(store, (1..=5).map(|id| recorded(&to_user(id, "userA", "userB")))).await;
    for (start_ms, end_ms, expected) in [
        (NOW + 2, NOW + 4, vec![2, 3, 4]),
        (NOW + 3, NOW + 3, vec![3]),
        (NOW + 4, NOW + 3, vec![]),
        (NOW + 6, u64::MAX, vec![]),
        (0, NOW + 1, vec![1]),
    ] {
        for base in [filter("", "userB"), filter("userA", ""), ALL] {
            assert_eq!(found(store, &HistoryFilter { start_ms, end_ms, ..base }, NOW).await, expected);
        }
    }
}

/// A message is not found from its expiry on, and `expire` removes it.
pub async fn old_messages_are_not_found(store: &dyn Store) {
    for (id, expires_at_ms) in [(1, NOW - 1), (2, NOW), (3, NOW + 1), (4, u64::MAX)] {
        let history = Some(KeepInHistory { expires_at_ms, max_bytes: u64::MAX, hidden_from: Vec::new() });
        ok(store.keep(Keep { history, ..recorded(&to_user(id, "userA", "userB")) }).await);
    }
    assert_eq!(found(store, &ALL, NOW).await, [3, 4]);
    assert_eq!(found(store, &filter("", "userB"), NOW - 1).await, [2, 3, 4]);
    assert_eq!(ok(store.expire(NOW).await), 2);
    assert_eq!(found(store, &ALL, NOW - 1).await, [3, 4]);
    assert_eq!(ok(store.expire(NOW).await), 0);
}

/// Above its bytes, an app's history gives up its oldest messages by ID; what expires makes room.
pub async fn the_newest_bytes_are_kept(store: &dyn Store) {
    let keep = |id: u64, bytes: usize, expires_at_ms| {
        let message = Message { payload: Bytes::from(vec![7; bytes]), ..(*to_room(id, "userA", "room")).clone() };
        let history = Some(KeepInHistory { expires_at_ms, max_bytes: 100, hidden_from: Vec::new() });
        Keep { history, ..recorded(&Arc::new(message)) }
    };
    keep_all(store, [(10, 40), (20, 40), (30, 20)].map(|(id, bytes)| keep(id, bytes, NEVER))).await;
    assert_eq!(found(store, &ALL, NOW).await, [10, 20, 30]);
    ok(store.keep(keep(40, 1, NEVER)).await);
    assert_eq!(found(store, &ALL, NOW).await, [20, 30, 40]);
    ok(store.keep(keep(5, 50, NEVER)).await);
    assert_eq!(found(store, &ALL, NOW).await, [20, 30, 40], "the oldest by ID goes, though it came last");
    ok(store.keep(keep(50, 39, NOW)).await);
    ok(store.keep(keep(50, 39, NOW)).await);
    assert_eq!(found(store, &ALL, NOW - 1).await, [20, 30, 40, 50], "kept twice, counted once");
    ok(store.expire(NOW).await);
    ok(store.keep(keep(60, 39, NEVER)).await);
    assert_eq!(found(store, &ALL, NOW).await, [20, 30, 40, 60]);
    ok(store.keep(keep(70, 101, NEVER)).await);
    assert_eq!(found(store, &ALL, NOW).await, [0u64; 0]);
}

/// What was kept only in an inbox is not in the history, until it is kept there too.
pub async fn a_keep_without_history_is_not_found(store: &dyn Store) {
    ok(store.keep(kept(1, 200)).await);
    assert_eq!(found(store, &ALL, NOW).await, [0u64; 0]);
    ok(store.keep(recorded(&to_user(1, "sender", "reader"))).await);
    assert_eq!(found(store, &ALL, NOW).await, [1]);
    assert_eq!(unread(store, "").await, [1]);
    ok(store.keep(Keep { inbox: None, ..kept(2, 200) }).await);
    assert_eq!(found(store, &ALL, NOW).await, [1]);
}

/// Acks and the cap of the inbox leave the history alone; age and size of the history leave the inbox alone.
pub async fn inbox_and_history_do_not_depend_on_each_other(store: &dyn Store) {
    let keep = |id, inbox_until, history_until, max_bytes| Keep {
        app: app("app"),
        message: to_user(id, "sender", "reader"),
        inbox: in_inbox("reader", 3, inbox_until),
        history: Some(KeepInHistory { expires_at_ms: history_until, max_bytes, hidden_from: Vec::new() }),
        changes: Vec::new(),
    };
    keep_all(store, (1..=4).map(|id| keep(id, NEVER, NEVER, u64::MAX))).await;
    ack(store, "", [3]).await;
    assert_eq!(unread(store, "").await, [2, 4]);
    assert_eq!(found(store, &ALL, NOW).await, [1, 2, 3, 4]);
    ok(store.keep(keep(5, NEVER, NOW, u64::MAX)).await);
    assert_eq!(ok(store.expire(NOW).await), 1);
    assert_eq!(unread(store, "").await, [2, 4, 5]);
    assert_eq!(found(store, &ALL, NOW - 1).await, [1, 2, 3, 4]);
    ok(store.keep(keep(6, NEVER, NEVER, 0)).await);
    assert_eq!(found(store, &ALL, NOW).await, [0u64; 0]);
    assert_eq!(unread(store, "").await, [4, 5, 6], "too large for the history only");
    ok(store.keep(keep(3, NEVER, NEVER, u64::MAX)).await);
    assert_eq!(unread(store, "").await, [4, 5, 6], "too old for the inbox only");
    assert_eq!(found(store, &ALL, NOW).await, [3]);
    ack(store, "", [4, 5, 6]).await;
    assert_eq!(unread(store, "").await, [0u64; 0]);
    assert_eq!(found(store, &ALL, NOW).await, [3]);
}

/// One app neither finds nor pushes out the messages of another.
pub async fn apps_have_their_own_history(store: &dyn Store) {
    let keep = |id, app_name| {
        let history = Some(KeepInHistory { expires_at_ms: NEVER, max_bytes: 20, hidden_from: Vec::new() });
        Keep { app: app(app_name), history, ..recorded(&to_user(id, "userA", "userB")) }
    };
    keep_all(store, [keep(1, "app"), keep(2, "app2"), keep(3, "app2"), keep(4, "app2")]).await;
    assert_eq!(found(store, &filter("userA", "userB"), NOW).await, [1]);
    assert_eq!(ids(&ok(store.history(&app("app2"), &ALL, OLDEST, NOW).await)), [3, 4]);
    assert_eq!(ok(store.history_count(&app("app3"), &ALL, NOW).await), 0);
}

/// Between two users: what either sent the other, and neither rooms nor groups of that name.
pub async fn a_conversation_is_found_both_ways(store: &dyn Store) {
    let messages = [
        to_user(1, "ann", "bob"),
        to_user(2, "bob", "ann"),
        to_user(3, "ann", "cy"),
        to_user(4, "cy", "bob"),
        to_room(5, "ann", "bob"),
        message(6, "bob", Target::Group(RoomId::from_trusted("ann"))),
        to_user(7, "bob", "ann"),
        to_user(8, "ann", "ann"),
        to_user(9, "ann", "bob"),
    ];
    keep_all(store, messages.iter().map(recorded)).await;
    let between = |one, other| HistoryFilter::between(&user(one), &user(other));
    for (one, other) in [("ann", "bob"), ("bob", "ann")] {
        let filter = between(one, other);
        assert_eq!(found(store, &filter, NOW).await, [1, 2, 7, 9]);
        for (offset, limit, newest_first, expected) in [
            (0, 3, false, vec![1, 2, 7]),
            (1, 2, false, vec![2, 7]),
            (3, 9, false, vec![9]),
            (4, 9, false, vec![]),
            (0, 3, true, vec![9, 7, 2]),
            (2, u64::MAX, true, vec![2, 1]),
            (u64::MAX, u64::MAX, true, vec![]),
            (0, 0, false, vec![]),
        ] {
            let page = HistoryPage { offset, limit, newest_first };
            assert_eq!(ids(&ok(store.history(&app("app"), &filter, page, NOW).await)), expected, "{page:?}");
        }
        let part = HistoryFilter { after: Some(MessageId(1)), start_ms: NOW + 2, end_ms: NOW + 8, ..filter };
        assert_eq!(found(store, &part, NOW).await, [2, 7]);
    }
    assert_eq!(found(store, &between("ann", "ann"), NOW).await, [8], "once");
    assert_eq!(found(store, &between("ann", "zoe"), NOW).await, [0u64; 0]);
}

/// A user, a room and a group of one name are three.
pub async fn a_target_is_of_one_kind(store: &dyn Store) {
    let group = |name: &str| Target::Group(RoomId::from_trusted(name));
    let messages =
        [to_user(1, "ann", "x"), to_room(2, "ann", "x"), message(3, "ann", group("x")), message(4, "bob", group("x"))];
    keep_all(store, messages.iter().map(recorded)).await;
    assert_eq!(found(store, &filter("", "x"), NOW).await, [1, 2, 3, 4]);
    for (target, expected) in [
        (Target::User(user("x")), vec![1]),
        (Target::Room(RoomId::from_trusted("x")), vec![2]),
        (group("x"), vec![3, 4]),
        (group("y"), vec![]),
    ] {
        assert_eq!(found(store, &HistoryFilter::to(target.clone()), NOW).await, expected);
        let from_ann =
            HistoryFilter { from: Some(user("ann")), to: Some("ignored".into()), ..HistoryFilter::to(target) };
        assert_eq!(found(store, &from_ann, NOW).await, &expected[..expected.len().min(1)]);
    }
}

/// Both numbers are exclusive, whatever else is asked for.
pub async fn pages_by_message(store: &dyn Store) {
    keep_all(store, (1..=6).map(|id| recorded(&to_user(id, "ann", "bob")))).await;
    let id = |number| (number > 0).then_some(MessageId(number));
    let bases = [ALL, filter("ann", ""), filter("", "bob"), filter("ann", "bob")];
    for base in bases.into_iter().chain([HistoryFilter::between(&user("ann"), &user("bob"))]) {
        for (after, before, expected) in [
            (2, 0, vec![3, 4, 5, 6]),
            (0, 3, vec![1, 2]),
            (2, 5, vec![3, 4]),
            (2, 3, vec![]),
            (5, 2, vec![]),
            (6, 0, vec![]),
            (0, 1, vec![]),
            (0, u64::MAX, vec![1, 2, 3, 4, 5, 6]),
        ] {
            let filter = HistoryFilter { after: id(after), before: id(before), ..base.clone() };
            assert_eq!(found(store, &filter, NOW).await, expected, "{filter:?}");
        }
        let newest = HistoryPage { offset: 0, limit: 2, newest_first: true };
        let filter = HistoryFilter { before: id(5), ..base };
        assert_eq!(ids(&ok(store.history(&app("app"), &filter, newest, NOW).await)), [4, 3]);
    }
}

/// Who is not to find a message does not, and everybody else does; kept in an inbox first, it is hidden all the same.
pub async fn hidden_messages_are_not_found(store: &dyn Store) {
    let keep = |id, hidden_from: &[&str]| {
        let hidden_from = hidden_from.iter().map(|name| user(name)).collect();
        let history = Some(KeepInHistory { expires_at_ms: NEVER, max_bytes: u64::MAX, hidden_from });
        Keep { history, ..recorded(&to_user(id, "ann", "bob")) }
    };
    ok(store.keep(Keep { message: to_user(3, "ann", "bob"), ..kept(3, 200) }).await);
    keep_all(store, [keep(1, &[]), keep(2, &["bob", "cy"]), keep(3, &["bob", "bob"]), keep(1, &["bob"])]).await;
    for base in [ALL, filter("ann", ""), filter("ann", "bob"), HistoryFilter::between(&user("bob"), &user("ann"))] {
        for (viewer, expected) in [("bob", vec![1]), ("cy", vec![1, 3]), ("ann", vec![1, 2, 3])] {
            let filter = HistoryFilter { seen_by: Some(user(viewer)), ..base.clone() };
            assert_eq!(found(store, &filter, NOW).await, expected, "{viewer}");
        }
        assert_eq!(found(store, &base, NOW).await, [1, 2, 3]);
    }
}

/// Hidden are the oldest first, at most so many at once, until nothing is left that matches.
pub async fn hiding_goes_step_by_step(store: &dyn Store) {
    let mut keeps: Vec<_> = (1..=5).map(|id| recorded(&to_user(id, "ann", "bob"))).collect();
    keeps.push(recorded(&to_user(6, "ann", "cy")));
    keep_all(store, keeps).await;
    let between = HistoryFilter::between(&user("bob"), &user("ann"));
    let seen = |name| HistoryFilter { seen_by: Some(user(name)), ..ALL };
    let hide = |app_name, filter: &HistoryFilter, limit| store.hide(&app(app_name), filter, &user("bob"), limit);
    assert_eq!(ok(hide("app2", &between, 9).await), 0);
    assert_eq!(ok(hide("app", &between, 0).await), 0);
    let newer = HistoryFilter { after: Some(MessageId(1)), ..between.clone() };
    assert_eq!(ok(hide("app", &newer, 2).await), 2);
    assert_eq!(found(store, &seen("bob"), NOW).await, [1, 4, 5, 6]);
    assert_eq!(ok(hide("app", &HistoryFilter { seen_by: Some(user("ann")), ..between.clone() }, 2).await), 2);
    assert_eq!(found(store, &seen("bob"), NOW).await, [5, 6]);
    assert_eq!((ok(hide("app", &between, 9).await), ok(hide("app", &between, 9).await)), (1, 0));
    assert_eq!(found(store, &seen("bob"), NOW).await, [6]);
    assert_eq!(found(store, &seen("ann"), NOW).await, [1, 2, 3, 4, 5, 6]);
}

/// What a message is for, how much it matters and to which kind of target it goes, from everywhere.
pub async fn marks_come_back(store: &dyn Store) {
    let targets =
        [Target::User(user("x")), Target::Group(RoomId::from_trusted("x")), Target::Room(RoomId::from_trusted("x"))];
    for (n, to) in (1..).zip(targets) {
        let kind = [MessageKind::Recall, MessageKind::Edit, MessageKind::Read][n as usize % 3];
        let priority = Priority::ALL[n as usize % 3];
        let marks =
            Marks { kind, priority, targeted: n == 1, broadcast: n == 2, edits: 3, echo: n == 1, receipt: n == 2 };
        let message = Arc::new(Message { marks, ..(*message(n, "ann", to.clone())).clone() });
        ok(store.keep(Keep { inbox: in_inbox("reader", 200, NEVER), ..recorded(&message) }).await);
        let all = store.inbox_page(&super::reader(""), MessageId(n - 1), MessageId::MAX, 9, NOW).await;
        assert_eq!(ok(all), std::slice::from_ref(&message));
        let found = store.history(&app("app"), &HistoryFilter::to(to), OLDEST, NOW).await;
        assert_eq!(ok(found), [message]);
    }
}
