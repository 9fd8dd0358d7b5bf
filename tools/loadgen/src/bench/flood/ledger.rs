//! Which high and low messages were sent, and who received them: none twice, and each level in its order.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context, ensure};
use tokio::sync::Notify;

use crate::histogram::Histogram;

/// The numbers of low messages begin here, those of high ones at 0.
pub(super) const LOW: u64 = 500_000_000_000;

/// Requests on several connections may overtake each other, so that low numbers come in order only roughly.
const OVERTAKEN: u64 = 256;

/// The ledger of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    inner: RefCell<Inner>,
    progress: Notify,
}

#[derive(Debug)]
struct Inner {
    /// When each high message was due.
    high_due: Vec<Instant>,
    low_sent: u64,
    clients: Vec<Client>,
    totals: Totals,
    phase: Option<Phase>,
}

/// What a client expects.
#[derive(Debug, Clone, Copy, Default)]
struct Client {
    next_high: u64,
    newest_low: u64,
}

/// What was sent and received in all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) high_sent: u64,
    pub(super) high_received: u64,
    pub(super) low_sent: u64,
    pub(super) low_received: u64,
}

/// What happened while it was recorded.
#[derive(Debug, Clone, Default)]
pub(super) struct Phase {
    /// From the instant a message was due until a client had it.
    pub(super) high_latency: Histogram,
    pub(super) low_sent: u64,
    pub(super) deliveries: u64,
}

impl Ledger {
    pub(super) fn new(clients: usize) -> Rc<Self> {
        let inner = Inner {
            high_due: Vec::new(),
            low_sent: 0,
            clients: vec![Client::default(); clients],
            totals: Totals::default(),
            phase: None,
        };
        Rc::new(Self { inner: RefCell::new(inner), progress: Notify::new() })
    }

    /// The number of the next high message.
    pub(super) fn send_high(&self, due: Instant) -> u64 {
        let mut inner = self.inner.borrow_mut();
        inner.high_due.push(due);
        inner.totals.high_sent += 1;
        inner.high_due.len() as u64 - 1
    }

    /// The number of the next low message.
    pub(super) fn send_low(&self) -> u64 {
        let mut inner = self.inner.borrow_mut();
        inner.totals.low_sent += 1;
        if let Some(phase) = &mut inner.phase {
            phase.low_sent += 1;
        }
        inner.low_sent += 1;
        inner.low_sent - 1
    }

    /// A client has a message.
    pub(super) fn received(&self, client: usize, sequence: u64, now: Instant) -> anyhow::Result<()> {
        let mut inner = self.inner.borrow_mut();
        let inner = &mut *inner;
        let expected = &mut inner.clients[client];
        if let Some(low) = sequence.checked_sub(LOW) {
            ensure!(low < inner.low_sent, "low message {low} was not sent");
            ensure!(low + OVERTAKEN >= expected.newest_low, "low message {low} came after {}", expected.newest_low);
            expected.newest_low = low.max(expected.newest_low);
            inner.totals.low_received += 1;
        } else {
            // On one connection, so that there is one order.
            ensure!(sequence == expected.next_high, "high message {sequence} instead of {}", expected.next_high);
            expected.next_high += 1;
            inner.totals.high_received += 1;
            let due = *inner.high_due.get(sequence as usize).context("a high message that was not sent")?;
            if let Some(phase) = &mut inner.phase {
                phase.high_latency.record(now.saturating_duration_since(due));
            }
            if inner.totals.high_received == inner.totals.high_sent * inner.clients.len() as u64 {
                self.progress.notify_one();
            }
        }
        if let Some(phase) = &mut inner.phase {
            phase.deliveries += 1;
        }
        Ok(())
    }

    pub(super) fn begin(&self) {
        self.inner.borrow_mut().phase = Some(Phase::default());
    }

    pub(super) fn end(&self) -> Phase {
        self.inner.borrow_mut().phase.take().unwrap_or_default()
    }

    pub(super) fn totals(&self) -> Totals {
        self.inner.borrow().totals
    }

    /// Waits until every high message was received by all.
    pub(super) async fn all_high_received(&self) {
        loop {
            let done = {
                let inner = self.inner.borrow();
                inner.totals.high_received == inner.totals.high_sent * inner.clients.len() as u64
            };
            if done {
                return;
            }
            self.progress.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_high_message_that_is_missing_or_comes_twice_is_noticed() {
        let ledger = Ledger::new(2);
        let now = Instant::now();
        assert_eq!((ledger.send_high(now), ledger.send_high(now), ledger.send_low()), (0, 1, 0));
        ledger.received(0, 0, now).unwrap();
        assert!(ledger.received(0, 0, now).is_err(), "twice");
        assert!(ledger.received(1, 1, now).is_err(), "the first is missing");
        ledger.received(1, LOW, now).unwrap();
        assert!(ledger.received(1, LOW + 1, now).is_err(), "not sent");
        let totals = ledger.totals();
        assert_eq!((totals.high_sent, totals.high_received), (2, 1));
        assert_eq!((totals.low_sent, totals.low_received), (1, 1));
    }

    #[test]
    fn low_messages_come_in_order() {
        let ledger = Ledger::new(1);
        for number in 0..1000 {
            assert_eq!(ledger.send_low(), number);
        }
        ledger.received(0, LOW + 700, Instant::now()).unwrap();
        ledger.received(0, LOW + 690, Instant::now()).unwrap();
        assert!(ledger.received(0, LOW + 3, Instant::now()).is_err());
    }
}
