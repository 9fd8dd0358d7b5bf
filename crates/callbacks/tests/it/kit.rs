//! What the tests share: an outbox over a store in memory, with a clock that the test moves.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use md5::{Digest, Md5};
use stentor_callbacks::metrics::Metrics;
use stentor_callbacks::receiver::Receiver;
use stentor_callbacks::{
    Bounds, Client, Endpoint, Key, Outbox, OutboxSetup, Resolve, Rule, Schedule, Seal, SystemNames, Unsealed,
    system_trust,
};
use stentor_core::clock::{Clock, ManualClock};
use stentor_core::id::AppId;
use stentor_core::records::RecordKind;
use stentor_core::store::memory::MemoryStore;
use stentor_core::store::{RecordStore, Scan};

/// Nothing takes longer, on the slowest machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// When the clock starts: 2023-11-14T22:13:20Z.
pub(crate) const NOW_MS: u64 = 1_700_000_000_000;

pub(crate) const SECRET: &str = "top-secret";

/// The vendor's signature, as a dialect puts it in.
#[derive(Debug)]
pub(crate) struct Md5Seal;

impl Seal for Md5Seal {
    fn seal(&self, what: &Unsealed, secret: &str) -> Bytes {
        let digest = Md5::digest(format!("{}{secret}{}", what.call_id, what.timestamp_ms));
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let open = std::str::from_utf8(&what.body).unwrap().strip_suffix('}').unwrap();
        Bytes::from(format!("{open},\"security\":\"{hex}\"}}"))
    }
}

/// The only app of the tests.
pub(crate) fn app() -> AppId {
    AppId::from_trusted("org#app")
}

/// The callback of this number.
pub(crate) fn callback(number: u64) -> Unsealed {
    let (call_id, timestamp_ms) = (format!("org#app_{number}"), NOW_MS + number);
    let body = format!("{{\"callId\":\"{call_id}\",\"timestamp\":{timestamp_ms},\"n\":{number}}}");
    Unsealed { call_id, timestamp_ms, body: body.into() }
}

/// A rule that goes to a receiver on this machine.
pub(crate) fn rule(name: &str, receiver: &Receiver) -> Rule {
    let endpoint = Endpoint::parse(&receiver.url()).unwrap();
    Rule { allow_private: true, ..Rule::new(name, endpoint, Key::new(SECRET)) }
}

/// A client that asks these names.
pub(crate) fn client(names: Arc<dyn Resolve>) -> Client {
    Client::new(names, system_trust().unwrap())
}

/// An outbox and what it stands on.
pub(crate) struct Kit {
    pub(crate) outbox: Outbox,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
}

/// What an outbox of a test is made of.
pub(crate) struct Setup {
    pub(crate) rules: Vec<Rule>,
    pub(crate) bounds: Bounds,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) seed: u64,
    pub(crate) client: Client,
}

impl Setup {
    pub(crate) fn new(rules: Vec<Rule>) -> Self {
        Self {
            rules,
            bounds: Bounds::default(),
            store: Arc::new(MemoryStore::new()),
            clock: Arc::new(ManualClock::new(NOW_MS)),
            seed: 1,
            client: client(Arc::new(SystemNames)),
        }
    }

    /// Opens it, without workers.
    pub(crate) async fn open(self) -> Kit {
        let Self { rules, bounds, store, clock, seed, client } = self;
        let setup = OutboxSetup {
            app: app(),
            rules,
            bounds,
            seal: Arc::new(Md5Seal),
            client,
            clock: clock.clone(),
            seed,
            metrics: Metrics::default(),
        };
        let outbox = Outbox::open(setup, store.clone()).await.unwrap();
        Kit { outbox, store, clock }
    }

    pub(crate) async fn start(self) -> Kit {
        let kit = self.open().await;
        kit.outbox.start();
        kit
    }
}

impl Kit {
    /// Queues callbacks for the first rule.
    pub(crate) async fn queue(&self, numbers: impl IntoIterator<Item = u64>) {
        self.queue_for(0, numbers).await;
    }

    /// Queues callbacks for a rule, each in a step of its own.
    pub(crate) async fn queue_for(&self, rule: usize, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            let change = self.outbox.queue(rule, &callback(number)).unwrap();
            self.store.change(&app(), vec![change]).await.unwrap();
        }
    }

    /// Moves the clock, and has the workers look at it.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.outbox.wake();
    }

    /// How many records of a family there are.
    pub(crate) async fn records(&self, kind: RecordKind) -> u64 {
        self.store.count_records(&app(), kind, "").await.unwrap()
    }

    /// When the callbacks that wait are due, counted from now, in milliseconds.
    pub(crate) async fn dues(&self) -> Vec<u64> {
        let scan = Scan::of(RecordKind::Callback, "", 1000);
        let found = self.store.scan_records(&app(), scan).await.unwrap();
        let now_ms = self.clock.wall_ms();
        let due = |key: &str| u64::from_str_radix(&key.split_once('/').unwrap().1[..16], 16).unwrap() - now_ms;
        found.iter().map(|(key, _)| due(key)).collect()
    }

    /// Waits until nothing waits.
    pub(crate) async fn emptied(&self) {
        eventually("the outbox is empty", || async {
            match self.records(RecordKind::Callback).await {
                0 => Ok(()),
                waiting => Err(waiting),
            }
        })
        .await;
    }

    /// Waits until there are so many dead letters.
    pub(crate) async fn died(&self, expected: u64) {
        eventually("dead letters", || async {
            match self.records(RecordKind::FailedCallback).await {
                dead if dead == expected => Ok(()),
                dead => Err(dead),
            }
        })
        .await;
    }
}

/// Quick retries, soon over.
pub(crate) const QUICK: Schedule = Schedule { first_ms: 0, longest_ms: 0, give_up_after_ms: 0 };

/// Asks again until the answer is `Ok`.
pub(crate) async fn eventually<T, E: Debug, F: Future<Output = Result<T, E>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(not_yet) => {
                assert!(tokio::time::Instant::now() < deadline, "{what}: still {not_yet:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// What came, once so much came.
pub(crate) async fn came(receiver: &Receiver, requests: usize) -> Vec<stentor_callbacks::receiver::Received> {
    match receiver.wait_for(requests, DEADLINE).await {
        Some(received) => received,
        None => panic!("only {} of {requests} requests came", receiver.received().len()),
    }
}

/// The numbers of callbacks.
pub(crate) fn numbers(received: &[stentor_callbacks::receiver::Received]) -> Vec<u64> {
    let mut numbers: Vec<_> = received.iter().map(|one| one.body["n"].as_u64().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}
