//! What the tests of the engine share.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;
use stentor_core::id::{AppId, DeviceId, MessageId, UserId};
use stentor_core::message::{Marks, Message, Target};
use stentor_core::store::{Cancelled, InboxReader, InboxStore, Keep, KeepInHistory, KeepInInbox, Store};
use stentor_store_embedded::{EmbeddedStore, Options};
use tempfile::TempDir;

/// The time of the tests.
pub(crate) const NOW: u64 = 1_700_000_000_000;

/// A new store in a directory of its own.
pub(crate) struct Fresh {
    /// The store.
    pub(crate) store: EmbeddedStore,
    /// Its directory.
    pub(crate) dir: TempDir,
}

impl Deref for Fresh {
    type Target = EmbeddedStore;

    fn deref(&self) -> &EmbeddedStore {
        &self.store
    }
}

/// A new store.
pub(crate) fn fresh() -> Fresh {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    Fresh { store, dir }
}

/// The store in a directory.
pub(crate) fn open(dir: &Path) -> EmbeddedStore {
    EmbeddedStore::open(dir, &Options::default()).expect("a store")
}

/// The only app of the tests.
pub(crate) fn app() -> AppId {
    AppId::from_trusted("app")
}

/// A user's inbox.
pub(crate) fn reader(user: &str) -> InboxReader {
    InboxReader { app: app(), user: UserId::from_trusted(user), device: DeviceId::only() }
}

/// A message of so many bytes in a user's inbox, and in the history.
pub(crate) fn keep(id: u64, user: &str, bytes: usize) -> Keep {
    let user = UserId::from_trusted(user);
    let message = Message {
        id: MessageId(id),
        from: UserId::from_trusted("sender"),
        to: Target::User(user.clone()),
        payload: Bytes::from(vec![id as u8; bytes]),
        sent_at_ms: NOW,
        marks: Marks::default(),
    };
    let expires_at_ms = NOW + id;
    Keep {
        app: app(),
        message: Arc::new(message),
        inbox: Some(KeepInInbox {
            users: vec![user],
            cap: 200,
            expires_at_ms,
            cancelled: Cancelled::default(),
            had_by: None,
        }),
        history: Some(KeepInHistory { expires_at_ms, max_bytes: 1 << 40, hidden_from: Vec::new() }),
        changes: Vec::new(),
    }
}

/// The IDs in a user's inbox.
pub(crate) async fn unread(store: &EmbeddedStore, user: &str) -> Vec<u64> {
    let page = store.inbox_page(&reader(user), MessageId::ZERO, MessageId::MAX, 1000, NOW).await;
    page.expect("a page").iter().map(|m| m.id.0).collect()
}

/// A counter's value.
pub(crate) fn counter(store: &EmbeddedStore, name: &str) -> u64 {
    let found = store.counters().into_iter().find(|(n, ..)| *n == name);
    found.expect("a counter of this name").2
}

/// A number out of the file, past the store.
pub(crate) fn rows(dir: &Path, sql: &str) -> i64 {
    let connection = Connection::open(dir.join("stentor.db")).expect("a connection");
    connection.query_row(sql, [], |row| row.get(0)).expect("a number")
}
