//! Tests of the threads and the queue with operations that no caller could queue.

use std::time::Duration;

use rusqlite::Connection;
use stentor_core::message::{Marks, Target};
use stentor_core::store::KeepInHistory;
use stentor_core::store::conformance::block_on;
use tempfile::TempDir;

use super::*;
use crate::expire::Expire;
use crate::failure::{Failure, ForeignId};
use crate::queue::{Gather, Taken, Write};

fn open() -> (EmbeddedStore, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    (EmbeddedStore::open(dir.path(), &Options::default()).expect("a store"), dir)
}

fn count(store: &EmbeddedStore, sql: &'static str) -> i64 {
    let read = readers::read(&store.shared, Lane::Quick, move |c| c.query_row(sql, [], |row| row.get(0)));
    block_on(read).expect("a number")
}

/// Makes the writer busy, so that what is queued meanwhile is one batch.
fn hold(store: &EmbeddedStore) -> Commit {
    let (started, running) = std::sync::mpsc::channel();
    let held = store.write(move |_| {
        let _ = started.send(());
        std::thread::sleep(Duration::from_millis(50));
        Ok(())
    });
    running.recv().expect("it runs");
    held
}

fn login(session: i64, app: &'static str) -> impl FnMut(&mut Tables) -> Result<i64, Failure> + Send + 'static {
    move |tables| {
        let app = tables.app(&AppId::from_trusted(app))?;
        tables.saw(MessageId(session.cast_unsigned()));
        tables.execute("INSERT INTO session (app, session, user, device) VALUES (?1, ?2, '', '')", [app, session])?;
        Ok(app)
    }
}

/// A write that fails half-way leaves nothing behind: no row, no app key, no newest message.
#[test]
fn a_half_done_write_is_undone() {
    let (store, _dir) = open();
    let held = hold(&store);
    let first = store.write(login(1, "app"));
    let bad: Vec<_> = (0..3)
        .map(|n| {
            let mut half = login(1000 + n, "ghost");
            store.write(move |tables| half(tables).and_then(|_| Err::<(), _>(ForeignId.into())))
        })
        .collect();
    let second = store.write(login(2, "ghost"));
    let third = store.write(login(3, "app"));
    block_on(held).expect("held");
    bad.into_iter().for_each(|bad| assert!(block_on(bad).is_err()));
    let apps = [first, second, third].map(|good| block_on(good).expect("done"));
    assert!(apps[0] == apps[2] && apps[0] != apps[1], "{apps:?}");
    assert_eq!(count(&store, "SELECT count(*) FROM session JOIN app ON app = key"), 3);
    assert_eq!(block_on(store.newest_message()).expect("an ID"), MessageId(3));
    assert_eq!(store.health(), StoreHealth::Ready);
}

/// A list of messages of which one cannot be kept is not kept at all.
#[test]
fn a_list_is_kept_whole_or_not_at_all() {
    let (store, _dir) = open();
    let keep = |id: u64, app: &str| Keep {
        app: AppId::from_trusted(app),
        message: Arc::new(Message {
            id: MessageId(id),
            from: UserId::from_trusted("alice"),
            to: Target::User(UserId::from_trusted("bob")),
            payload: Bytes::from_static(b"hello"),
            sent_at_ms: 1,
            marks: Marks::default(),
        }),
        inbox: None,
        history: Some(KeepInHistory { expires_at_ms: 1 << 40, max_bytes: 1 << 30, hidden_from: Vec::new() }),
        changes: Vec::new(),
    };
    block_on(store.keep(keep(7, "another app"))).expect("kept");
    assert!(block_on(store.keep_all(vec![keep(8, "app"), keep(7, "app"), keep(9, "app")])).is_err());
    assert_eq!(count(&store, "SELECT count(*) FROM message"), 1);
    assert_eq!(block_on(store.newest_message()).expect("an ID"), MessageId(7));
    block_on(store.keep_all(vec![keep(8, "app"), keep(9, "app")])).expect("kept");
    assert_eq!(count(&store, "SELECT count(*) FROM message"), 3);
}

/// Even a defect in an operation leaves nobody waiting for ever.
#[test]
fn a_panic_fails_what_waits() {
    let (store, _dir) = open();
    let held = hold(&store);
    let defect = store.write(|_| -> Result<(), Failure> { panic!("a defect, on purpose") });
    let behind = store.write(login(1, "app"));
    let read = store.newest_message();
    block_on(held).expect("held: it was in an earlier batch");
    assert!(block_on(defect).is_err());
    assert!(block_on(behind).is_err());
    assert!(block_on(read).is_err());
    assert!(block_on(store.write(login(2, "app"))).is_err());
    assert!(matches!(store.health(), StoreHealth::Refusing(_)));
    block_on(store.close()).expect("closed");
}

fn job() -> Box<dyn Write> {
    struct Nothing;
    impl Write for Nothing {
        fn run(&mut self, _: &mut Tables) -> Result<(), Failure> {
            Ok(())
        }

        fn finish(self: Box<Self>, _: Result<(), StoreError>) {}
    }
    Box::new(Nothing)
}

const LONG: Duration = Duration::from_secs(20);

fn take(queue: &Queue, expected: usize, patience: Duration) -> usize {
    match queue.take(Gather { expected, patience, max: 8, idle: None }) {
        Taken::Batch(batch) => batch.len(),
        Taken::Nothing | Taken::Closed => 0,
    }
}

/// The writer waits for as many as it expects, for no more than it may take, and only as long as it was told.
#[test]
fn a_batch_is_gathered() {
    let queue = Queue::new(100);
    std::thread::scope(|scope| {
        let gathered = scope.spawn(|| take(&queue, 5, LONG));
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(2));
            queue.write(job());
        }
        assert_eq!(gathered.join().expect("taken"), 5);
    });
    (0..9).for_each(|_| queue.write(job()));
    assert_eq!(take(&queue, 100, LONG), 8, "the most it may take");
    assert_eq!(take(&queue, 1, LONG), 1);
    queue.write(job());
    assert_eq!(take(&queue, 5, Duration::from_millis(1)), 1, "no more came");
    queue.write(job());
    assert_eq!(take(&queue, 1, LONG), 1, "a lone writer is not kept waiting");
}

/// What has more to do goes behind what was queued meanwhile, and reads do not wait for it.
#[test]
fn unfinished_work_goes_to_the_end() {
    let queue = Queue::new(100);
    queue.write(job());
    queue.read(Lane::Quick, Box::new(|_| {})).expect("queued");
    assert_eq!(take(&queue, 1, LONG), 1);
    queue.write(job());
    assert_eq!(queue.waiting(), 2, "a write, and a read behind the write that was taken");
    assert_eq!(queue.finished(1, vec![job()]), 2);
    assert!(queue.take_read(Lane::Quick).is_some());
    assert_eq!(take(&queue, 2, LONG), 2);
}

/// Expiry does a bounded step at a time.
#[test]
fn expiry_goes_in_steps() {
    let mut connection = Connection::open_in_memory().expect("a database");
    schema::migrate(&mut connection).expect("tables");
    let fill = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 450)
                INSERT INTO inbox (app, user, id, until_ms) SELECT 1, 'user', n, n FROM n";
    connection.execute(fill, []).expect("filled");
    let mut tables = Tables::new(connection).expect("tables");
    let (waiter, mut removed) = oneshot::channel();
    let mut expire = Box::new(Expire::new(449, waiter));
    let mut left: Vec<i64> = Vec::new();
    loop {
        expire.run(&mut tables).expect("a step");
        let more = expire.committed();
        left.push(tables.connection.query_row("SELECT count(*) FROM inbox", [], |r| r.get(0)).expect("a number"));
        if !more {
            break;
        }
    }
    assert_eq!(left, [250, 50, 1]);
    expire.finish(Ok(()));
    assert!(matches!(removed.try_recv(), Ok(Ok(449))));
}
