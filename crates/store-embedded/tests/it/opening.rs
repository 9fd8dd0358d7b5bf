//! Data directories: what survives, what is refused, who may read.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::common::{Fresh, NOW, app, fresh, keep, open, reader, rows, unread};
use stentor_core::events::{EventKind, EventType, Transition};
use stentor_core::id::{DeviceId, MessageId, RoomId, SessionId, UserId};
use stentor_core::store::{Arrival, EventStore, HistoryFilter, HistoryStore, InboxStore, Store, StoreHealth};
use stentor_store_embedded::{EmbeddedStore, OpenError, Options};

fn try_open(dir: &Path) -> Result<EmbeddedStore, OpenError> {
    EmbeddedStore::open(dir, &Options::default())
}

fn transition(event_type: EventType, room: Option<&str>) -> Transition {
    Transition {
        event_type,
        user: UserId::from_trusted("user"),
        device: DeviceId::only(),
        session: SessionId(u64::MAX),
        room: room.map(RoomId::from_trusted),
        at_ms: NOW,
        forced: false,
        last: false,
        changes: Vec::new(),
    }
}

/// Everything is there after a reopen, whether the store was closed or dropped, and again after that.
#[tokio::test]
async fn everything_survives_a_reopen() {
    let Fresh { mut store, dir } = fresh();
    let arrival = Arrival { at_ms: NOW, max: 1, present: Vec::new() };
    store.inbox_open(&reader("user"), &arrival).await.expect("opened");
    let changes = vec![transition(EventType::Login, None), transition(EventType::Join, Some("room"))];
    store.record(&app(), changes, 2000).await.expect("recorded");
    for id in 1..=20 {
        store.keep(keep(id, "user", 100)).await.expect("kept");
        store.keep(keep(100 + id, "user", 100)).await.expect("kept");
        store.inbox_ack(&reader("user"), &[MessageId(100 + id)]).await.expect("acked");
        if id % 2 == 0 {
            store.close().await.expect("closed");
            assert!(!dir.path().join("stentor.db-wal").exists(), "a closed store leaves one file");
        }
        drop(store);
        store = open(dir.path());
        assert_eq!(unread(&store, "user").await, (1..=id).collect::<Vec<_>>());
        assert_eq!(store.newest_message().await.expect("an ID"), MessageId(100 + id));
    }
    let all = HistoryFilter::ALL;
    assert_eq!(store.history_count(&app(), &all, NOW).await.expect("a count"), 40);
    let open = store.open_sessions().await.expect("sessions");
    assert_eq!((open.len(), open[0].session, open[0].rooms.len()), (1, SessionId(u64::MAX), 1));
    assert_eq!(store.pull_events(&app(), EventKind::User, 10).await.expect("events").len(), 1);
    assert_eq!(store.pull_events(&app(), EventKind::Room, 10).await.expect("events").len(), 1);
}

/// A copy of the files, taken while the store is open, is what a crash leaves.
#[tokio::test]
async fn what_was_acknowledged_is_in_the_files() {
    let fresh = fresh();
    for id in 1..=50 {
        fresh.keep(keep(id, "user", 100)).await.expect("kept");
    }
    let crashed = tempfile::tempdir().expect("a directory");
    for name in ["stentor.db", "stentor.db-wal"] {
        fs::copy(fresh.dir.path().join(name), crashed.path().join(name)).expect("copied");
    }
    assert_eq!(unread(&open(crashed.path()), "user").await, (1..=50).collect::<Vec<_>>());
}

#[test]
fn a_directory_is_opened_once() {
    let fresh = fresh();
    let refused = try_open(fresh.dir.path()).expect_err("in use");
    assert!(matches!(refused, OpenError::InUse(_)), "{refused:?}");
    assert!(refused.to_string().contains("in use by another process"));
    let Fresh { store, dir } = fresh;
    drop(store);
    open(dir.path());
}

#[test]
fn a_newer_version_is_refused_and_left_alone() {
    let Fresh { store, dir } = fresh();
    drop(store);
    let file = dir.path().join("stentor.db");
    rusqlite::Connection::open(&file).and_then(|c| c.pragma_update(None, "user_version", 99)).expect("changed");
    let before = fs::read(&file).expect("read");
    let refused = try_open(dir.path()).expect_err("newer");
    assert!(matches!(refused, OpenError::Newer { found: 99, known: 2 }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.contains("99") && text.contains('2'), "{text}");
    assert_eq!(fs::read(&file).expect("read"), before);
}

/// Whatever happened to the file, it is never taken for an empty store.
#[tokio::test]
async fn a_damaged_file_is_refused() {
    let make = || async {
        let Fresh { store, dir } = fresh();
        for id in 1..=200 {
            store.keep(keep(id, &format!("user{id}"), 2000)).await.expect("kept");
        }
        store.close().await.expect("closed");
        dir
    };
    type Damage = fn(&Path);
    let checks: [(&str, Damage); 5] = [
        ("emptied", |file| fs::write(file, b"").expect("written")),
        ("garbage", |file| fs::write(file, vec![b'x'; 100_000]).expect("written")),
        ("header lost", |file| {
            let mut bytes = fs::read(file).expect("read");
            bytes[..100].fill(0);
            fs::write(file, bytes).expect("written");
        }),
        ("cut", |file| {
            let length = file.metadata().expect("metadata").len();
            fs::File::options().write(true).open(file).and_then(|f| f.set_len(length / 2)).expect("cut");
        }),
        ("removed, the log left", |file| {
            fs::rename(file, file.with_extension("db-wal")).expect("renamed");
        }),
    ];
    for (what, damage) in checks {
        let dir = make().await;
        damage(&dir.path().join("stentor.db"));
        let refused = try_open(dir.path()).expect_err(what);
        assert!(matches!(refused, OpenError::Damaged { .. }), "{what}: {refused:?}");
        assert!(refused.to_string().contains("damaged"), "{what}: {refused}");
    }
}

/// A page that went bad: found by the check at the start; without it, reads fail and say so.
#[tokio::test]
async fn a_damaged_page_is_not_read_as_empty() {
    let Fresh { store, dir } = fresh();
    for id in 1..=200 {
        store.keep(keep(id, "user", 2000)).await.expect("kept");
    }
    store.close().await.expect("closed");
    drop(store);
    let file = dir.path().join("stentor.db");
    let pages = file.metadata().expect("metadata").len() / 8192;
    let schema_pages = rows(dir.path(), "SELECT max(rootpage) FROM sqlite_schema").cast_unsigned();
    let mut bytes = fs::File::options().write(true).open(&file).expect("opened");
    for page in schema_pages..pages {
        bytes.seek(SeekFrom::Start(page * 8192)).expect("sought");
        bytes.write_all(&[0xff; 8192]).expect("written");
    }
    drop(bytes);
    let checked = EmbeddedStore::open(dir.path(), &Options { check_pages: true, ..Options::default() });
    assert!(matches!(checked, Err(OpenError::Damaged { .. })), "{checked:?}");
    let store = open(dir.path());
    let page = store.inbox_page(&reader("user"), MessageId::ZERO, MessageId::MAX, 1000, NOW).await;
    assert!(page.is_err(), "{page:?}");
    assert_eq!(store.health(), StoreHealth::Refusing("the store's file is damaged".to_owned()));
}

/// A file of another program, and a draft that a crash left.
#[tokio::test]
async fn only_our_files_are_opened() {
    let dir = tempfile::tempdir().expect("a directory");
    rusqlite::Connection::open(dir.path().join("stentor.db"))
        .and_then(|c| c.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)"))
        .expect("made");
    assert!(matches!(try_open(dir.path()), Err(OpenError::Damaged { .. })));
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("stentor.db.new"), b"half a file").expect("written");
    let store = open(dir.path());
    store.keep(keep(1, "user", 10)).await.expect("kept");
    assert!(!dir.path().join("stentor.db.new").exists());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().expect("a directory");
    let dir = parent.path().join("deep").join("data");
    let store = open(&dir);
    store.keep(keep(1, "user", 10)).await.expect("kept");
    let mode = |path: &Path| path.metadata().expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let files: Vec<_> = fs::read_dir(&dir).expect("listed").map(|e| e.expect("an entry").path()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("file"), b"").expect("written");
    let refused = try_open(&dir.path().join("file").join("data")).expect_err("a file is in the way");
    assert!(matches!(refused, OpenError::Io { .. }), "{refused:?}");
}
