//! Inboxes of users with several devices: each has its own cursor, until it is forgotten.

use super::{NEVER, NOW, ack, app, ids, in_inbox, keep_all, kept, ok, open, reader, to_user, unread, user, waiting};
use crate::id::{DeviceId, MessageId};
use crate::store::{Arrival, InboxReader, Keep, KeepInInbox, Store};

/// Whether a message is kept anywhere.
async fn is_kept(store: &dyn Store, id: u64) -> bool {
    ok(store.message(&app("app"), MessageId(id)).await).is_some()
}

async fn forget(store: &dyn Store, device: &str) -> usize {
    ok(store.inbox_forget(&app("app"), &user("reader"), Some(&DeviceId::from_trusted(device))).await)
}

/// Registers a device where there may be two, beside those that are there.
async fn arrive(store: &dyn Store, device: &str, after_ms: u64, present: &[&str]) {
    let present = present.iter().map(|device| DeviceId::from_trusted(device)).collect();
    ok(store.inbox_open(&reader(device), &Arrival { at_ms: NOW + after_ms, max: 2, present }).await);
}

/// Which of the devices are registered: those to whom a new message is unread after `acker`, who is, has acked it.
async fn registered<'a>(store: &dyn Store, id: u64, acker: &str, devices: &[&'a str]) -> Vec<&'a str> {
    ok(store.keep(kept(id, 200)).await);
    ack(store, acker, [id]).await;
    let mut registered = Vec::new();
    for device in devices {
        if unread(store, device).await.contains(&id) {
            registered.push(*device);
        }
    }
    registered
}

/// A message stays until every device that opened the inbox has acked it.
pub async fn each_device_acks_for_itself(store: &dyn Store) {
    for device in ["phone", "laptop", "phone"] {
        open(store, device).await;
    }
    keep_all(store, (1..=4).map(|id| kept(id, 200))).await;
    ack(store, "phone", [1, 2]).await;
    ack(store, "laptop", [2, 3]).await;
    assert_eq!(unread(store, "phone").await, [3, 4]);
    assert_eq!(unread(store, "laptop").await, [1, 4]);
    assert_eq!((is_kept(store, 1).await, is_kept(store, 2).await), (true, false));
    ack(store, "laptop", [1]).await;
    ack(store, "phone", [3]).await;
    assert_eq!((is_kept(store, 1).await, is_kept(store, 3).await), (false, false));
    assert_eq!(unread(store, "laptop").await, [4]);
}

/// What one device has acked is not unread for a device that comes later; the rest is.
pub async fn a_new_device_does_not_get_what_was_acked(store: &dyn Store) {
    open(store, "phone").await;
    open(store, "laptop").await;
    keep_all(store, (1..=3).map(|id| kept(id, 200))).await;
    ack(store, "phone", [1]).await;
    assert_eq!(unread(store, "tablet").await, [2, 3], "not open yet: what it would get");
    open(store, "tablet").await;
    ack(store, "phone", [2]).await;
    assert_eq!(unread(store, "tablet").await, [2, 3]);
    open(store, "tablet").await;
    assert_eq!(unread(store, "tablet").await, [2, 3], "opening again changes nothing");
    ack(store, "laptop", [1, 2]).await;
    assert_eq!(unread(store, "laptop").await, [3]);
    ack(store, "tablet", [2]).await;
    assert_eq!((is_kept(store, 1).await, is_kept(store, 2).await, is_kept(store, 3).await), (false, false, true));
}

/// An ack registers its device, as opening does; even one of nothing.
pub async fn a_device_that_acks_is_open(store: &dyn Store) {
    keep_all(store, (1..=2).map(|id| kept(id, 200))).await;
    ack(store, "phone", [1]).await;
    open(store, "laptop").await;
    ack(store, "laptop", [2]).await;
    assert_eq!(unread(store, "phone").await, [2]);
    assert_eq!(unread(store, "laptop").await, [0u64; 0]);
    ack(store, "tablet", []).await;
    assert_eq!(registered(store, 3, "phone", &["laptop", "tablet", "watch"]).await, ["laptop", "tablet"]);
}

/// A message waits while it is kept and no device has acked it.
pub async fn what_waits_is_what_no_device_has(store: &dyn Store) {
    open(store, "phone").await;
    open(store, "laptop").await;
    keep_all(store, (1..=3).map(|id| kept(id, 200))).await;
    ok(store.keep(Keep { inbox: in_inbox("reader", 200, NOW), ..kept(4, 200) }).await);
    let waits = |id, now_ms| store.inbox_holds(&app("app"), &user("reader"), MessageId(id), now_ms);
    assert_eq!(waiting(store).await, 3);
    assert!(ok(waits(1, NOW).await));
    assert_eq!((ok(waits(4, NOW).await), ok(waits(4, NOW - 1).await)), (false, true), "from its expiry on it does not");
    ack(store, "phone", [1]).await;
    assert_eq!((ok(waits(1, NOW).await), waiting(store).await), (false, 2), "one device is enough");
    assert_eq!(unread(store, "laptop").await, [1, 2, 3]);
    for (app_name, owner, id) in [("app", "reader", 9), ("app", "other", 2), ("app2", "reader", 2)] {
        assert!(!ok(store.inbox_holds(&app(app_name), &user(owner), MessageId(id), NOW).await));
    }
}

/// A device that sent a message has it: the others of its user get it, and none if there is no other.
pub async fn the_device_that_sent_it_has_it(store: &dyn Store) {
    let sent = |id, device: &str| {
        let had_by = Some((user("reader"), DeviceId::from_trusted(device)));
        let inbox = in_inbox("reader", 2, NEVER).map(|inbox| KeepInInbox {
            users: vec![user("other"), user("reader")],
            had_by,
            ..inbox
        });
        Keep { inbox, ..kept(id, 2) }
    };
    let other = InboxReader { user: user("other"), ..reader("") };
    let others = || store.inbox_page(&other, MessageId::ZERO, MessageId::MAX, 9, NOW);
    // Nobody else needs it, and it takes no place.
    open(store, "phone").await;
    keep_all(store, [kept(1, 2), kept(2, 2), sent(3, "phone")]).await;
    assert_eq!((unread(store, "phone").await, ids(&ok(others().await))), (vec![1, 2], vec![3]));
    assert_eq!(unread(store, "new").await, [1, 2]);

    open(store, "laptop").await;
    ok(store.keep(sent(4, "phone")).await);
    ok(store.keep(sent(4, "laptop")).await);
    assert_eq!(unread(store, "phone").await, [2], "the cap holds");
    assert_eq!(unread(store, "laptop").await, [2, 4], "kept again, it stays as it is");
    assert_eq!(unread(store, "new").await, [2], "it was acked somewhere");
    ack(store, "laptop", [4]).await;
    ok(store.inbox_ack(&other, &[MessageId(4)]).await);
    assert!(!is_kept(store, 4).await);
}

/// What only a forgotten device had not acked leaves; what nobody has acked stays.
pub async fn a_forgotten_device_holds_nothing_up(store: &dyn Store) {
    for device in ["phone", "laptop", "dead"] {
        open(store, device).await;
    }
    keep_all(store, (1..=4).map(|id| kept(id, 200))).await;
    ack(store, "phone", [1, 2]).await;
    ack(store, "laptop", [1, 3]).await;
    assert_eq!(forget(store, "unknown").await, 0);
    assert_eq!(forget(store, "dead").await, 1);
    assert_eq!((is_kept(store, 1).await, is_kept(store, 2).await), (false, true));
    assert_eq!((unread(store, "phone").await, unread(store, "laptop").await), (vec![3, 4], vec![2, 4]));
    assert_eq!(forget(store, "dead").await, 0);
    assert_eq!(unread(store, "dead").await, [4], "it is a new one now");
    open(store, "dead").await;
    assert_eq!(unread(store, "dead").await, [4]);
}

/// The acks of a device that is forgotten still count: for the others, for itself, and when it was the last one.
pub async fn what_a_forgotten_device_had_stays_acked(store: &dyn Store) {
    open(store, "phone").await;
    open(store, "laptop").await;
    keep_all(store, (1..=3).map(|id| kept(id, 200))).await;
    ack(store, "phone", [1, 2]).await;
    assert_eq!(forget(store, "phone").await, 0, "the other device has not acked it");
    assert_eq!((unread(store, "new").await, waiting(store).await), (vec![3], 1));
    open(store, "phone").await;
    assert_eq!(unread(store, "phone").await, [3]);
    ack(store, "laptop", [1]).await;
    assert!(!is_kept(store, 1).await);
    assert_eq!((forget(store, "phone").await, forget(store, "laptop").await), (0, 1));
    assert_eq!((is_kept(store, 2).await, unread(store, "new").await), (false, vec![3]));
}

/// Without a device, the whole inbox is forgotten, and every device.
pub async fn a_whole_inbox_is_forgotten(store: &dyn Store) {
    open(store, "phone").await;
    open(store, "laptop").await;
    keep_all(store, (1..=3).map(|id| kept(id, 200))).await;
    let elsewhere = Keep { message: to_user(4, "sender", "other"), inbox: in_inbox("other", 9, NEVER), ..kept(4, 9) };
    ok(store.keep(elsewhere).await);
    ack(store, "phone", [1]).await;
    assert_eq!(ok(store.inbox_forget(&app("app"), &user("reader"), None).await), 3);
    assert_eq!(ok(store.inbox_forget(&app("app"), &user("reader"), None).await), 0);
    assert_eq!((is_kept(store, 1).await, is_kept(store, 2).await, is_kept(store, 4).await), (false, false, true));
    open(store, "tablet").await;
    assert_eq!(registered(store, 5, "tablet", &["phone", "laptop"]).await, [""; 0]);
}

/// One device more than there may be: the one that was seen longest ago goes.
pub async fn the_device_idle_longest_is_forgotten(store: &dyn Store) {
    let seen = |device: &str, after_ms: u64| store.inbox_seen(&reader(device), NOW + after_ms);
    arrive(store, "a", 10, &[]).await;
    arrive(store, "b", 20, &[]).await;
    arrive(store, "b", 5, &[]).await; // it was seen later before
    ok(seen("b", 4).await);
    ok(seen("unknown", 99).await);
    ok(store.keep(kept(1, 200)).await);
    ack(store, "b", [1]).await;
    arrive(store, "c", 30, &[]).await;
    assert!(!is_kept(store, 1).await, "only the forgotten device had not acked it");
    assert_eq!(registered(store, 2, "c", &["a", "b", "unknown"]).await, ["b"]);

    ok(seen("b", 40).await);
    arrive(store, "d", 41, &[]).await;
    assert_eq!(registered(store, 3, "d", &["a", "b", "c"]).await, ["b"], "c was idle longer");
    // At the same time: the first by name. An ack does not say when.
    arrive(store, "e", 42, &["b"]).await;
    ack(store, "acker", []).await;
    arrive(store, "e", 43, &[]).await;
    assert_eq!(registered(store, 4, "e", &["acker", "b", "d"]).await, ["b"]);
    arrive(store, "a", 40, &["e"]).await;
    assert_eq!(registered(store, 5, "a", &["b", "e"]).await, ["e"]);
    arrive(store, "b", 43, &[]).await;
    arrive(store, "f", 44, &[]).await;
    assert_eq!(registered(store, 6, "f", &["a", "b", "e"]).await, ["e"], "b and e were seen at the same time");
}

/// Neither the device that arrives nor one that is there is forgotten, however long it was idle.
pub async fn devices_that_are_there_are_not_forgotten(store: &dyn Store) {
    arrive(store, "a", 1, &[]).await;
    arrive(store, "b", 2, &[]).await;
    arrive(store, "c", 3, &["a"]).await;
    assert_eq!(registered(store, 1, "c", &["a", "b"]).await, ["a"]);
    arrive(store, "d", 4, &["c", "a", "unknown"]).await;
    assert_eq!(registered(store, 2, "d", &["a", "b", "c"]).await, ["a", "c"], "more than there may be");
    arrive(store, "e", 0, &["d"]).await;
    assert_eq!(registered(store, 3, "e", &["a", "b", "c", "d"]).await, ["d"], "down to the bound at once");
}

/// First it is registered, then others are forgotten: it does not get what those had.
pub async fn a_new_device_knows_the_acks_of_those_it_replaces(store: &dyn Store) {
    arrive(store, "a", 1, &[]).await;
    arrive(store, "b", 2, &[]).await;
    keep_all(store, (1..=3).map(|id| kept(id, 200))).await;
    ack(store, "a", [1]).await;
    ack(store, "b", [2]).await;
    arrive(store, "c", 3, &[]).await;
    assert_eq!((unread(store, "b").await, unread(store, "c").await), (vec![1, 3], vec![3]));
    assert!(!is_kept(store, 2).await);
}

/// A device of another user or app of the same name is another device.
pub async fn devices_of_users_and_apps_are_apart(store: &dyn Store) {
    open(store, "phone").await;
    open(store, "laptop").await;
    for (app_name, owner) in [("app", "other"), ("app2", "reader")] {
        let other = InboxReader { app: app(app_name), user: user(owner), device: DeviceId::from_trusted("phone") };
        ok(store.inbox_open(&other, &Arrival { at_ms: NOW, max: 1, present: Vec::new() }).await);
        ok(store.inbox_ack(&InboxReader { device: DeviceId::from_trusted("tv"), ..other.clone() }, &[]).await);
        assert_eq!(ok(store.inbox_forget(&other.app, &other.user, Some(&other.device)).await), 0);
        assert_eq!(ok(store.inbox_forget(&other.app, &other.user, None).await), 0);
    }
    assert_eq!(registered(store, 1, "laptop", &["phone", "tv"]).await, ["phone"]);
}
