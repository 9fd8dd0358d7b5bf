//! The embedded durable store: SQLite in the data directory, with group commit.
//!
//! One thread writes: it takes all writes that wait, does them in one transaction and answers them after one
//! sync (`writer`). Two threads read (`readers`). Between them and the callers stands one `queue`, which
//! keeps the order that the contract promises. No SQLite call runs on a caller's thread after
//! [`EmbeddedStore::open`].

mod counters;
mod events;
mod expire;
mod failure;
mod history;
mod inbox;
mod open;
mod queue;
mod readers;
mod records;
mod schema;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use stentor_core::events::{Event, EventKind, Transition};
use stentor_core::id::{AppId, DeviceId, MessageId, UserId};
use stentor_core::message::Message;
use stentor_core::records::RecordKind;
use stentor_core::store::{
    Amended, Arrival, Change, Changed, Commit, EventStore, HistoryFilter, HistoryPage, HistoryStore, InboxReader,
    InboxStore, Keep, OpenSession, RecordStore, Scan, Store, StoreError, StoreHealth,
};
use tokio::sync::oneshot;

pub use open::OpenError;

use counters::Counters;
use failure::Health;
use history::Query;
use inbox::Page;
use queue::{Lane, Queue};
use tables::Tables;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// At most so many operations wait, reads included; the next one fails with [`StoreError::Busy`].
    pub queue_bound: usize,
    /// Read the whole file and check its structure before anything is served: seconds per gigabyte. Without it,
    /// damage shows when the damaged page is read.
    pub check_pages: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue_bound: 65_536, check_pages: false }
    }
}

/// The store in a data directory.
///
/// Dropping it waits for the writes that are queued, which may take as long as they do; [`Store::close`] is the
/// way to end it without blocking.
pub struct EmbeddedStore {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the threads share.
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    pub(crate) health: Health,
    pub(crate) counters: Counters,
    pub(crate) page_limit: AtomicU32,
}

const NO_PAGE_LIMIT: u32 = u32::MAX - 1;

/// The answer to an operation. Without one, the thread that should have given it is gone.
pub(crate) fn answer<T: Send + 'static>(outcome: oneshot::Receiver<Result<T, StoreError>>) -> Commit<T> {
    Box::pin(async move { outcome.await.unwrap_or_else(|_| Err(failure::closed())) })
}

impl EmbeddedStore {
    /// Opens the store in `dir`. The directory (mode 0700) and the files in it (0600) are made if they are not
    /// there. Blocks for milliseconds, longer with [`Options::check_pages`] or after a kill under load.
    ///
    /// # Errors
    /// When the directory is in use, its data is of a newer version or damaged, or the system refuses.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, OpenError> {
        let open::Opened { writer, readers, lock } = open::open(dir, options.check_pages)?;
        let shared = Arc::new(Shared {
            queue: Queue::new(options.queue_bound),
            health: Health::default(),
            counters: Counters::default(),
            page_limit: AtomicU32::new(NO_PAGE_LIMIT),
        });
        let tables = Tables::new(writer).map_err(|source| open::engine_error(dir, source))?;
        let started = (|| {
            let readers = readers.into_iter().map(|(lane, connection)| readers::start(&shared, lane, connection));
            let readers = readers.collect::<Result<Vec<_>, _>>()?;
            writer::start(&shared, tables, readers, lock)
        })();
        match started {
            Ok(writer) => Ok(Self { shared, writer: Mutex::new(Some(writer)) }),
            Err(source) => {
                // The threads that did start end.
                shared.queue.ended();
                Err(OpenError::Io { path: dir.to_owned(), source })
            }
        }
    }

    /// For tests of a full disk: from the next write on, the file may have at most so many pages of 8 KiB.
    /// `None` takes the limit away.
    pub fn limit_pages(&self, pages: Option<u32>) {
        self.shared.page_limit.store(pages.unwrap_or(NO_PAGE_LIMIT), Ordering::Relaxed);
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Tables) -> Result<T, failure::Failure> + Send + 'static,
    ) -> Commit<T> {
        writer::write(&self.shared.queue, work)
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore").field("health", &self.health()).finish_non_exhaustive()
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        drop(self.shared.queue.close());
        if let Some(writer) = self.writer.lock().take()
            && writer.join().is_err()
        {
            tracing::error!("the writer thread had panicked");
        }
    }
}

impl InboxStore for EmbeddedStore {
    fn keep(&self, keep: Keep) -> Commit {
        self.write(move |tables| inbox::keep(tables, &keep))
    }

    fn keep_all(&self, keeps: Vec<Keep>) -> Commit {
        self.write(move |tables| inbox::keep_all(tables, &keeps))
    }

    fn inbox_open(&self, reader: &InboxReader, arrival: &Arrival) -> Commit {
        let (reader, arrival) = (reader.clone(), arrival.clone());
        self.write(move |tables| inbox::arrive(tables, &reader, &arrival))
    }

    fn inbox_seen(&self, reader: &InboxReader, at_ms: u64) -> Commit {
        let reader = reader.clone();
        self.write(move |tables| inbox::seen_until(tables, &reader, at_ms))
    }

    fn inbox_page(
        &self,
        reader: &InboxReader,
        after: MessageId,
        up_to: MessageId,
        limit: usize,
        now_ms: u64,
    ) -> Commit<Vec<Arc<Message>>> {
        let page = Page { reader: reader.clone(), after, up_to, limit, now_ms };
        readers::read(&self.shared, Lane::Quick, move |connection| inbox::page(connection, &page))
    }

    fn inbox_ack(&self, reader: &InboxReader, ids: &[MessageId]) -> Commit {
        let (reader, ids) = (reader.clone(), ids.to_vec());
        self.write(move |tables| inbox::ack(tables, &reader, &ids))
    }

    fn inbox_count(&self, app: &AppId, user: &UserId, now_ms: u64) -> Commit<usize> {
        let (app, user) = (app.clone(), user.clone());
        readers::read(&self.shared, Lane::Quick, move |connection| inbox::count(connection, &app, &user, now_ms))
    }

    fn inbox_holds(&self, app: &AppId, user: &UserId, id: MessageId, now_ms: u64) -> Commit<bool> {
        let (app, user) = (app.clone(), user.clone());
        readers::read(&self.shared, Lane::Quick, move |connection| inbox::holds(connection, &app, &user, id, now_ms))
    }

    fn inbox_forget(&self, app: &AppId, user: &UserId, device: Option<&DeviceId>) -> Commit<usize> {
        let (app, user, device) = (app.clone(), user.clone(), device.cloned());
        self.write(move |tables| inbox::forget(tables, &app, &user, device.as_ref()))
    }
}

impl EventStore for EmbeddedStore {
    fn record(&self, app: &AppId, transitions: Vec<Transition>, cap: usize) -> Commit {
        let app = app.clone();
        self.write(move |tables| events::record(tables, &app, &transitions, cap))
    }

    fn pull_events(&self, app: &AppId, kind: EventKind, max: usize) -> Commit<Vec<Event>> {
        let app = app.clone();
        self.write(move |tables| events::pull(tables, &app, kind, max))
    }

    fn open_sessions(&self) -> Commit<Vec<OpenSession>> {
        readers::read(&self.shared, Lane::Quick, events::open_sessions)
    }
}

impl HistoryStore for EmbeddedStore {
    fn history(
        &self,
        app: &AppId,
        filter: &HistoryFilter,
        page: HistoryPage,
        now_ms: u64,
    ) -> Commit<Vec<Arc<Message>>> {
        let query = Query { app: app.clone(), filter: filter.clone(), now_ms };
        readers::read(&self.shared, Lane::Long, move |connection| query.page(connection, page))
    }

    fn history_count(&self, app: &AppId, filter: &HistoryFilter, now_ms: u64) -> Commit<u64> {
        let query = Query { app: app.clone(), filter: filter.clone(), now_ms };
        readers::read(&self.shared, Lane::Long, move |connection| query.count(connection))
    }

    fn message(&self, app: &AppId, id: MessageId) -> Commit<Option<Arc<Message>>> {
        let app = app.clone();
        readers::read(&self.shared, Lane::Quick, move |connection| history::find(connection, &app, id))
    }

    fn withdraw(&self, app: &AppId, id: MessageId, news: Vec<Keep>) -> Commit<bool> {
        let app = app.clone();
        self.write(move |tables| {
            let was = history::withdraw(tables, &app, id)?;
            inbox::keep_all(tables, &news)?;
            Ok(was)
        })
    }

    fn amend(&self, app: &AppId, id: MessageId, payload: Bytes, max: u8, news: Vec<Keep>) -> Commit<Amended> {
        let app = app.clone();
        self.write(move |tables| {
            let amended = history::amend(tables, &app, id, &payload, max)?;
            if amended == Amended::Done {
                inbox::keep_all(tables, &news)?;
            }
            Ok(amended)
        })
    }

    fn hide(&self, app: &AppId, filter: &HistoryFilter, from: &UserId, limit: usize) -> Commit<u64> {
        // What is hidden already is not looked at again.
        let filter = HistoryFilter { seen_by: Some(from.clone()), ..filter.clone() };
        let (query, from) = (Query { app: app.clone(), filter, now_ms: 0 }, from.clone());
        self.write(move |tables| history::hide(tables, &query, &from, limit))
    }
}

impl RecordStore for EmbeddedStore {
    fn change(&self, app: &AppId, changes: Vec<Change>) -> Commit<Changed> {
        let app = app.clone();
        self.write(move |tables| records::change(tables, &app, &changes))
    }

    fn read_record(&self, app: &AppId, kind: RecordKind, key: &str) -> Commit<Option<Bytes>> {
        let (app, key) = (app.clone(), key.to_owned());
        readers::read(&self.shared, Lane::Quick, move |connection| records::read(connection, &app, kind, &key))
    }

    fn read_records(&self, app: &AppId, kind: RecordKind, keys: Vec<String>) -> Commit<Vec<Option<Bytes>>> {
        let app = app.clone();
        readers::read(&self.shared, Lane::Quick, move |connection| records::read_all(connection, &app, kind, &keys))
    }

    fn scan_records(&self, app: &AppId, scan: Scan) -> Commit<Vec<(String, Bytes)>> {
        let app = app.clone();
        readers::read(&self.shared, Lane::Quick, move |connection| records::scan(connection, &app, &scan))
    }

    fn count_records(&self, app: &AppId, kind: RecordKind, prefix: &str) -> Commit<u64> {
        let (app, prefix) = (app.clone(), prefix.to_owned());
        readers::read(&self.shared, Lane::Quick, move |connection| records::count(connection, &app, kind, &prefix))
    }
}

impl Store for EmbeddedStore {
    fn newest_message(&self) -> Commit<MessageId> {
        readers::read(&self.shared, Lane::Quick, tables::newest_message)
    }

    fn expire(&self, now_ms: u64) -> Commit<u64> {
        expire::expire(&self.shared.queue, now_ms)
    }

    fn health(&self) -> StoreHealth {
        if self.shared.queue.is_closed() {
            return StoreHealth::Refusing("the store is closed".to_owned());
        }
        self.shared.health.report()
    }

    fn close(&self) -> Commit {
        let closed = self.shared.queue.close();
        Box::pin(async move {
            // An error means that the threads ended before: then it is closed, too.
            let _ = closed.await;
            Ok(())
        })
    }

    fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.shared.counters.all(self.shared.queue.waiting())
    }
}
