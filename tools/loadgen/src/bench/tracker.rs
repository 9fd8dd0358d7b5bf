//! Which publication was received by whom: nothing may be missing, nothing may come twice.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{bail, ensure};
use tokio::sync::Notify;

use crate::histogram::Histogram;

/// Publications that may be on their way at once.
const RING: usize = 4096;

/// Publications carry the numbers 0, 1, 2, …; number n goes to the receivers of lane n modulo the number of lanes.
/// A room is one lane with many receivers, point-to-point is many lanes with one receiver each.
#[derive(Debug)]
pub(super) struct Tracker {
    lanes: u64,
    receivers_per_lane: usize,
    inner: RefCell<Inner>,
    progress: Notify,
}

#[derive(Debug)]
struct Inner {
    slots: Vec<Option<Slot>>,
    published: Vec<u64>,
    expected: Vec<Expected>,
    outstanding: u64,
    recording: bool,
    tally: Tally,
}

/// A publication that is not yet received by all.
#[derive(Debug)]
struct Slot {
    sequence: u64,
    missing: usize,
    due: Instant,
    done: Rc<Notify>,
}

/// What happened while it was recorded.
#[derive(Debug, Default, Clone)]
pub(super) struct Tally {
    pub(super) deliveries: u64,
    pub(super) delivered_bytes: u64,
    pub(super) answers: u64,
    /// From the instant a message was due until a client had it.
    pub(super) delivery_latency: Histogram,
    /// From the instant a message was due until its request was answered.
    pub(super) answer_latency: Histogram,
}

impl Tracker {
    pub(super) fn new(lanes: usize, receivers_per_lane: usize) -> Rc<Self> {
        let inner = Inner {
            slots: (0..RING).map(|_| None).collect(),
            published: vec![0; lanes],
            expected: vec![Expected::default(); lanes * receivers_per_lane],
            outstanding: 0,
            recording: false,
            tally: Tally::default(),
        };
        Rc::new(Self { lanes: lanes as u64, receivers_per_lane, inner: RefCell::new(inner), progress: Notify::new() })
    }

    /// The receivers, numbered lane by lane.
    pub(super) fn receivers(&self) -> usize {
        self.lanes as usize * self.receivers_per_lane
    }

    /// The number of the next publication in a lane.
    pub(super) fn next_in_lane(&self, lane: u64) -> u64 {
        self.inner.borrow().published[lane as usize] * self.lanes + lane
    }

    /// Takes note that a message is being published. What is returned is notified when all have received it.
    pub(super) fn publish(&self, sequence: u64, due: Instant) -> anyhow::Result<Rc<Notify>> {
        let mut inner = self.inner.borrow_mut();
        let slot = &mut inner.slots[sequence as usize % RING];
        ensure!(slot.is_none(), "the server is saturated: {RING} messages are on their way");
        let done = Rc::new(Notify::new());
        *slot = Some(Slot { sequence, missing: self.receivers_per_lane, due, done: Rc::clone(&done) });
        inner.published[(sequence % self.lanes) as usize] += 1;
        inner.outstanding += 1;
        Ok(done)
    }

    /// Takes note that a receiver has a message.
    pub(super) fn received(&self, receiver: usize, sequence: u64, bytes: usize, now: Instant) -> anyhow::Result<()> {
        let mut inner = self.inner.borrow_mut();
        let lane = (receiver / self.receivers_per_lane) as u64;
        ensure!(sequence % self.lanes == lane, "message {sequence} went to receiver {receiver}");
        inner.expected[receiver].accept(sequence / self.lanes)?;
        let Some(slot) = inner.slots[sequence as usize % RING].as_mut().filter(|slot| slot.sequence == sequence) else {
            bail!("message {sequence} was not published");
        };
        let due = slot.due;
        slot.missing -= 1;
        if slot.missing == 0 {
            slot.done.notify_one();
            inner.slots[sequence as usize % RING] = None;
            inner.outstanding -= 1;
            if inner.outstanding == 0 {
                self.progress.notify_one();
            }
        }
        if inner.recording {
            inner.tally.deliveries += 1;
            inner.tally.delivered_bytes += bytes as u64;
            inner.tally.delivery_latency.record(now.saturating_duration_since(due));
        }
        Ok(())
    }

    /// Takes note that a request was answered.
    pub(super) fn answered(&self, due: Instant) {
        let mut inner = self.inner.borrow_mut();
        if inner.recording {
            inner.tally.answers += 1;
            inner.tally.answer_latency.record(due.elapsed());
        }
    }

    pub(super) fn record(&self) {
        self.inner.borrow_mut().recording = true;
    }

    /// Ends the recording and hands it over.
    pub(super) fn stop_recording(&self) -> Tally {
        let mut inner = self.inner.borrow_mut();
        inner.recording = false;
        std::mem::take(&mut inner.tally)
    }

    /// Waits until everything published was received.
    pub(super) async fn all_received(&self) {
        while self.inner.borrow().outstanding > 0 {
            self.progress.notified().await;
        }
    }

    /// Checks that each receiver has exactly what was published in its lane.
    pub(super) fn check_complete(&self) -> anyhow::Result<()> {
        let inner = self.inner.borrow();
        for (receiver, expected) in inner.expected.iter().enumerate() {
            let published = inner.published[receiver / self.receivers_per_lane];
            ensure!(
                expected.next == published && expected.ahead == 0,
                "receiver {receiver} has all messages up to {} of {published}",
                expected.next
            );
        }
        Ok(())
    }
}

/// What one receiver has: everything below `next`, and those above that are set in `ahead`. Requests on several
/// connections may overtake each other, by far less than 64.
#[derive(Debug, Clone, Copy, Default)]
struct Expected {
    next: u64,
    /// Bit k stands for `next + k`.
    ahead: u64,
}

impl Expected {
    fn accept(&mut self, number: u64) -> anyhow::Result<()> {
        let Some(distance) = number.checked_sub(self.next) else { bail!("message {number} came twice") };
        ensure!(distance < 64, "message {number} came while {} is missing", self.next);
        ensure!(self.ahead >> distance & 1 == 0, "message {number} came twice");
        self.ahead |= 1 << distance;
        let complete = self.ahead.trailing_ones();
        self.next += u64::from(complete);
        self.ahead = self.ahead.checked_shr(complete).unwrap_or(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overtaking_is_fine_and_doubling_is_not() {
        let mut expected = Expected::default();
        for number in [1, 0, 2, 5, 4, 3] {
            expected.accept(number).unwrap();
        }
        assert_eq!((expected.next, expected.ahead), (6, 0));
        assert!(expected.accept(3).is_err());
        expected.accept(8).unwrap();
        assert!(expected.accept(8).is_err());
        assert!(expected.accept(6 + 64).is_err());
    }

    #[test]
    fn a_full_window_moves_on() {
        let mut expected = Expected::default();
        (1..64).for_each(|number| expected.accept(number).unwrap());
        expected.accept(0).unwrap();
        assert_eq!((expected.next, expected.ahead), (64, 0));
    }

    #[test]
    fn what_is_missing_is_noticed() {
        let tracker = Tracker::new(1, 2);
        let now = Instant::now();
        tracker.publish(0, now).unwrap();
        tracker.received(0, 0, 1, now).unwrap();
        assert!(tracker.check_complete().is_err());
        tracker.received(1, 0, 1, now).unwrap();
        tracker.check_complete().unwrap();
        assert!(tracker.received(1, 0, 1, now).is_err());
        assert!(tracker.received(1, 1, 1, now).is_err(), "not published");
    }

    #[test]
    fn lanes_have_their_own_numbers() {
        let tracker = Tracker::new(4, 1);
        let now = Instant::now();
        assert_eq!(tracker.next_in_lane(2), 2);
        tracker.publish(2, now).unwrap();
        assert_eq!(tracker.next_in_lane(2), 6);
        assert!(tracker.received(1, 2, 1, now).is_err(), "another lane");
        tracker.received(2, 2, 1, now).unwrap();
        tracker.check_complete().unwrap();
    }
}
