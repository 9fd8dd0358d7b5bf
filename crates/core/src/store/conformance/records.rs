//! Records: values under keys, in families.

use bytes::Bytes;

use super::{app, ok};
use crate::records::RecordKind;
use crate::store::{Change, Changed, Scan, Store};

const KIND: RecordKind = RecordKind::Member;

fn put(key: &str, value: &str) -> Change {
    Change::Put { kind: KIND, key: key.to_owned(), value: Bytes::copy_from_slice(value.as_bytes()) }
}

fn delete(key: &str) -> Change {
    Change::Delete { kind: KIND, key: key.to_owned() }
}

fn expect(key: &str, value: Option<&str>) -> Change {
    let value = value.map(|value| Bytes::copy_from_slice(value.as_bytes()));
    Change::Expect { kind: KIND, key: key.to_owned(), value }
}

async fn change(store: &dyn Store, changes: impl Into<Vec<Change>>) -> Changed {
    ok(store.change(&app("app"), changes.into()).await)
}

async fn read(store: &dyn Store, key: &str) -> Option<String> {
    let value = ok(store.read_record(&app("app"), KIND, key).await);
    value.map(|value| String::from_utf8_lossy(&value).into_owned())
}

async fn keys(store: &dyn Store, scan: Scan) -> Vec<String> {
    ok(store.scan_records(&app("app"), scan).await).into_iter().map(|(key, _)| key).collect()
}

fn all(prefix: &str) -> Scan {
    Scan::of(KIND, prefix, usize::MAX)
}

/// Written, written over, removed.
pub async fn a_record_is_written_read_and_removed(store: &dyn Store) {
    assert_eq!(read(store, "a").await, None);
    assert_eq!(change(store, [put("a", "one")]).await, Changed::Done);
    assert_eq!(read(store, "a").await.as_deref(), Some("one"));
    change(store, [put("a", "")]).await;
    assert_eq!(read(store, "a").await.as_deref(), Some(""), "empty is not missing");
    change(store, [delete("a"), delete("b")]).await;
    assert_eq!(read(store, "a").await, None);
    assert_eq!(change(store, []).await, Changed::Done);
}

/// Missing ones are in their places, and one that is asked for twice is there twice.
pub async fn several_records_in_the_order_asked(store: &dyn Store) {
    change(store, [put("a", "1"), put("b", "2")]).await;
    let keys = ["b", "x", "a", "b"].map(str::to_owned).to_vec();
    let found = ok(store.read_records(&app("app"), KIND, keys).await);
    let found: Vec<_> = found.iter().map(|value| value.as_deref()).collect();
    assert_eq!(found, [Some(&b"2"[..]), None, Some(b"1"), Some(b"2")]);
    assert_eq!(ok(store.read_records(&app("app"), KIND, Vec::new()).await), Vec::<Option<Bytes>>::new());
}

/// In the order of the bytes, whatever the order of writing; the beginning of a key is its bytes, too.
pub async fn scans_follow_the_bytes(store: &dyn Store) {
    let written = ["b", "a/2", "a", "a/10", "a0", "a/é", "A", "a/漢", "a/\u{10ffff}", "a\u{10ffff}", "a%", "a_", ""];
    change(store, written.map(|key| put(key, key))).await;
    let mut sorted: Vec<_> = written.iter().map(|key| (*key).to_owned()).collect();
    sorted.sort();
    assert_eq!(keys(store, all("")).await, sorted);
    for prefix in ["a", "a/", "a/1", "A", "b", "x", "a/\u{10ffff}", "a%", "a_", "é"] {
        let expected: Vec<_> = sorted.iter().filter(|key| key.starts_with(prefix)).cloned().collect();
        assert_eq!(keys(store, all(prefix)).await, expected, "{prefix}");
        let backwards: Vec<_> = expected.iter().rev().cloned().collect();
        assert_eq!(keys(store, Scan { backwards: true, ..all(prefix) }).await, backwards, "{prefix}");
        assert_eq!(ok(store.count_records(&app("app"), KIND, prefix).await), expected.len() as u64, "{prefix}");
    }
    let values = ok(store.scan_records(&app("app"), all("a/")).await);
    assert!(values.iter().all(|(key, value)| key.as_bytes() == value));
}

/// Page by page, in both directions; the key need not be there any more.
pub async fn scans_go_on_behind_a_key(store: &dyn Store) {
    change(store, (0..10).map(|n| put(&format!("k{n}"), "")).chain([put("l", "")]).collect::<Vec<_>>()).await;
    let scan =
        |after: Option<&str>, limit, backwards| Scan { after: after.map(str::to_owned), limit, backwards, ..all("k") };
    for (after, limit, backwards, expected) in [
        (None, 3, false, &["k0", "k1", "k2"][..]),
        (Some("k2"), 3, false, &["k3", "k4", "k5"]),
        (Some("k2x"), 1, false, &["k3"]),
        (Some("k8"), 3, false, &["k9"]),
        (Some("k9"), 3, false, &[]),
        (Some("a"), 1, false, &["k0"]),
        (Some("z"), 1, false, &[]),
        (None, 2, true, &["k9", "k8"]),
        (Some("k8"), 2, true, &["k7", "k6"]),
        (Some("k0"), 2, true, &[]),
        (Some("z"), 1, true, &["k9"]),
        (None, 0, false, &[]),
    ] {
        assert_eq!(keys(store, scan(after, limit, backwards)).await, expected, "{after:?} {limit} {backwards}");
    }
}

/// Everything that begins so is removed and counted, and nothing else.
pub async fn a_prefix_is_removed_and_counted(store: &dyn Store) {
    change(store, ["room/a", "room/b", "room", "room0", "roo"].map(|key| put(key, ""))).await;
    assert_eq!(ok(store.count_records(&app("app"), KIND, "room/").await), 2);
    change(store, [Change::DeletePrefix { kind: KIND, prefix: "room/".into() }]).await;
    assert_eq!(keys(store, all("")).await, ["roo", "room", "room0"]);
    change(store, [Change::DeletePrefix { kind: KIND, prefix: String::new() }]).await;
    assert_eq!(ok(store.count_records(&app("app"), KIND, "").await), 0);
}

/// One record that is not as expected refuses the whole list; all that are let it through.
pub async fn what_is_not_as_expected_changes_nothing(store: &dyn Store) {
    change(store, [put("a", "one"), put("empty", "")]).await;
    for (key, value) in [("a", None), ("a", Some("two")), ("a", Some("")), ("b", Some("one")), ("empty", None)] {
        // Wherever the expectation stands, it is of the time before the list.
        let lists = [
            vec![expect(key, value), put("c", "x"), delete("a")],
            vec![put(key, "one"), put("c", "x"), expect(key, value)],
        ];
        for list in lists {
            assert_eq!(change(store, list).await, Changed::Conflict, "{key} {value:?}");
        }
    }
    assert_eq!(keys(store, all("")).await, ["a", "empty"]);
    let expected = [expect("a", Some("one")), expect("b", None), expect("empty", Some("")), put("b", "two")];
    assert_eq!(change(store, expected.clone()).await, Changed::Done);
    assert_eq!(change(store, expected).await, Changed::Conflict);
    assert_eq!(change(store, [expect("b", Some("two"))]).await, Changed::Done, "nothing but an expectation");
}

/// The later change of the same record wins.
pub async fn a_list_of_changes_applies_in_order(store: &dyn Store) {
    let prefix = Change::DeletePrefix { kind: KIND, prefix: "a".into() };
    change(store, [put("a1", "x"), delete("a1"), put("b", "1"), put("b", "2"), put("a2", ""), prefix, put("a3", "")])
        .await;
    assert_eq!(keys(store, all("")).await, ["a3", "b"]);
    assert_eq!(read(store, "b").await.as_deref(), Some("2"));
}

/// The same key in another app or family is another record.
pub async fn apps_and_families_are_apart(store: &dyn Store) {
    change(store, [put("a", "here")]).await;
    let other = RecordKind::Membership;
    assert_eq!(ok(store.read_record(&app("app2"), KIND, "a").await), None);
    assert_eq!(ok(store.read_record(&app("app"), other, "a").await), None);
    ok(store.change(&app("app2"), vec![put("a", "there"), delete("b")]).await);
    ok(store.change(&app("app"), vec![Change::DeletePrefix { kind: other, prefix: String::new() }]).await);
    assert_eq!(read(store, "a").await.as_deref(), Some("here"));
    ok(store.change(&app("app2"), vec![Change::DeletePrefix { kind: KIND, prefix: String::new() }]).await);
    assert_eq!(read(store, "a").await.as_deref(), Some("here"));
    assert_eq!(ok(store.count_records(&app("app2"), KIND, "").await), 0);
    assert_eq!(ok(store.scan_records(&app("app3"), all("")).await), []);
}

/// Any key and any value comes back as it went in.
pub async fn records_come_back_unchanged(store: &dyn Store) {
    let everything: Bytes = (0..=255u8).cycle().take(70_000).collect();
    let values = [Bytes::new(), Bytes::from_static(b"\0"), Bytes::from_static(b"text"), everything];
    let written = ["", " ", "a'b\"c;--", "a\0b", "é漢字🦀", "%_", "null", "0", &"n".repeat(300)];
    for (key, value) in written.iter().zip(values.iter().cycle()) {
        let put = Change::Put { kind: KIND, key: (*key).to_owned(), value: value.clone() };
        ok(store.change(&app("app"), vec![put]).await);
        let expect = Change::Expect { kind: KIND, key: (*key).to_owned(), value: Some(value.clone()) };
        assert_eq!(change(store, [expect]).await, Changed::Done);
        assert_eq!(ok(store.read_record(&app("app"), KIND, key).await).as_ref(), Some(value));
        let found = ok(store.scan_records(&app("app"), all(key)).await);
        assert!(found.contains(&((*key).to_owned(), value.clone())));
    }
}
