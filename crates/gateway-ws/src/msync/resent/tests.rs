//! What is known again, for how long, and who gives way.

use std::sync::atomic::Ordering;

use super::*;

const APPS: [&str; 2] = ["acme#demo", "other#demo"];

fn resent(max: usize, max_of_device: usize) -> Resent {
    let items = |app| (AppId::from_trusted(app), Mutex::new(Items::new(max, max_of_device)));
    Resent { apps: APPS.map(items).into(), counters: Arc::default() }
}

fn item(user: &str, number: u64) -> ItemKey {
    let place = (UserId::from_trusted(user), DeviceId::from_trusted("web"));
    ItemKey { app: AppId::from_trusted(APPS[0]), place, number, content: 7 }
}

/// Asks for an item, and has it done if it is new.
fn is_new(resent: &Resent, key: &ItemKey, now_ms: u64) -> bool {
    let done = Done { server_id: key.number, at_ms: 1 };
    match resent.reply(key, now_ms, || std::future::ready(Bytes::from_static(b"done"))) {
        Again::New(reply) => {
            assert_eq!(reply.now_or_never().as_deref(), Some(&b"done"[..]));
            resent.done(key, done);
            true
        }
        Again::Done(known) => {
            assert_eq!(known, done);
            false
        }
        Again::Asked(_) => panic!("it was done"),
    }
}

fn forgotten(resent: &Resent) -> (u64, u64) {
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    (read(&resent.counters.resent_forgotten_of_device), read(&resent.counters.resent_forgotten_of_app))
}

fn count(resent: &Resent) -> usize {
    let items = resent.apps[APPS[0]].lock();
    assert_eq!(items.count, items.devices.values().map(|device| device.items.len()).sum::<usize>());
    assert_eq!(items.order.len(), items.devices.len());
    items.count
}

#[test]
fn an_item_is_known_for_a_while() {
    let resent = resent(10, 10);
    assert!(is_new(&resent, &item("bob", 1), 0));
    assert!(is_new(&resent, &item("bob", 2), 0));
    assert!(!is_new(&resent, &item("bob", 1), KEPT_MS - 1));
    // A later one makes those be looked at.
    assert!(is_new(&resent, &item("bob", 3), KEPT_MS));
    assert!(is_new(&resent, &item("bob", 1), KEPT_MS));
    assert_eq!((count(&resent), forgotten(&resent)), (2, (0, 0)), "it was their time");
    resent.forget(&item("bob", 1));
    assert!(is_new(&resent, &item("bob", 1), KEPT_MS));
    resent.clear();
    assert!(is_new(&resent, &item("bob", 1), KEPT_MS));
}

#[test]
fn what_differs_in_anything_is_another_item() {
    let resent = resent(10, 10);
    let first = item("bob", 1);
    let other_device = (first.place.0.clone(), DeviceId::from_trusted("phone"));
    let others = [
        item("bob", 2),
        item("eve", 1),
        ItemKey { content: 8, ..first.clone() },
        ItemKey { app: AppId::from_trusted(APPS[1]), ..first.clone() },
        ItemKey { place: other_device, ..first.clone() },
    ];
    for key in std::iter::once(&first).chain(&others) {
        assert!(is_new(&resent, key, 0), "{key:?}");
    }
    for key in std::iter::once(&first).chain(&others) {
        assert!(!is_new(&resent, key, 0), "{key:?}");
    }
    assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
}

#[test]
fn what_is_being_done_is_known_and_what_was_not_done_takes_nobody_s_place() {
    let resent = resent(10, 10);
    assert!(is_new(&resent, &item("bob", 1), 0));
    for number in 2..100 {
        let begin = || std::future::pending::<Bytes>();
        assert!(matches!(resent.reply(&item("bob", number), 0, begin), Again::New(_)));
        assert!(matches!(resent.reply(&item("bob", number), 0, begin), Again::Asked(_)));
        resent.forget(&item("bob", number));
    }
    assert_eq!((count(&resent), forgotten(&resent)), (1, (0, 0)));
    assert!(!is_new(&resent, &item("bob", 1), 0));
    resent.forget(&item("bob", 1));
    assert!(resent.apps[APPS[0]].lock().devices.is_empty());
    assert_eq!(count(&resent), 0);
}

#[test]
fn a_device_that_says_much_makes_only_its_own_be_forgotten() {
    let resent = resent(1_000, 10);
    assert!(is_new(&resent, &item("bob", 1), 0));
    for number in 0..10_000 {
        assert!(is_new(&resent, &item("eve", number), 1));
    }
    assert_eq!((count(&resent), forgotten(&resent)), (11, (9_990, 0)));
    assert!(!is_new(&resent, &item("bob", 1), 2));
    assert!((9_990..10_000).all(|number| !is_new(&resent, &item("eve", number), 2)));
    assert!(is_new(&resent, &item("eve", 9_989), 2));
}

#[test]
fn an_app_s_memory_is_its_own_and_who_said_nothing_for_longest_gives_way() {
    let resent = resent(20, 10);
    let elsewhere = ItemKey { app: AppId::from_trusted(APPS[1]), ..item("bob", 1) };
    assert!(is_new(&resent, &elsewhere, 0));
    for (at_ms, user) in ["ann", "bob", "cat"].into_iter().enumerate() {
        for number in 0..6 {
            assert!(is_new(&resent, &item(user, number), at_ms as u64));
        }
    }
    // She says something again: bob is the one.
    assert!(is_new(&resent, &item("ann", 6), 10));
    assert_eq!((count(&resent), forgotten(&resent)), (19, (0, 0)));
    assert!(is_new(&resent, &item("dan", 0), 11));
    assert_eq!((count(&resent), forgotten(&resent)), (20, (0, 0)), "at the limit");
    assert!(is_new(&resent, &item("dan", 1), 11));
    assert_eq!((count(&resent), forgotten(&resent)), (15, (0, 6)), "and one past it");
    assert!(!is_new(&resent, &item("ann", 0), 12));
    assert!(!is_new(&resent, &item("cat", 0), 12));
    assert!(!is_new(&resent, &elsewhere, 12));
    assert!(is_new(&resent, &item("bob", 0), 12));
}

#[test]
fn who_said_something_last_stays_longest() {
    let resent = resent(8, 10);
    let users = ["ann", "bob", "cat", "dan"];
    for (at_ms, user) in users.into_iter().enumerate() {
        assert!(is_new(&resent, &item(user, 1), at_ms as u64));
    }
    for (at_ms, user) in users.into_iter().rev().enumerate() {
        assert!(is_new(&resent, &item(user, 2), 10 + at_ms as u64));
    }
    assert!(is_new(&resent, &item("eve", 1), 20));
    assert_eq!((count(&resent), forgotten(&resent)), (7, (0, 2)));
    for user in ["ann", "bob", "cat"] {
        assert!(!is_new(&resent, &item(user, 1), 21));
    }
    assert!(is_new(&resent, &item("dan", 1), 21));
}

#[test]
fn devices_that_say_nothing_any_more_take_no_place() {
    let resent = resent(1_000, 10);
    for user in 0..500 {
        assert!(is_new(&resent, &item(&format!("user{user}"), 1), user));
    }
    assert_eq!(count(&resent), 500);
    for number in 0..300 {
        is_new(&resent, &item("bob", number), KEPT_MS + 1_000);
    }
    assert_eq!((count(&resent), forgotten(&resent)), (10, (290, 0)));
}

#[test]
fn a_device_has_what_it_may_send_in_20_s() {
    let with = |count, window_ms| at_hand(&[(Rule::ClientSends, Rate { count, window_ms })]);
    assert_eq!([with(100, 1_000), with(1, 60_000), with(1_000_000, 1_000)], [2_000, 256, 20_000]);
    assert_eq!(at_hand(&[]), 20_000);
}
