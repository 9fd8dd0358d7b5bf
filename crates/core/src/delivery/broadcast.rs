//! To every active room of the app, that is, every room that has a member and has had a message: limited, written down
//! as a job, answered, and then carried out in the background, in steps of some rooms each (`work`).
//!
//! *Exactly once, as far as clients can tell.* The rooms of a step, and the ID of the message for each, are durable
//! before any client sees one of them. What was fanned out is written down in the same write that plans the next
//! step; so after a crash there is at most one step of which nobody knows whether it was. It is fanned out again,
//! with the same IDs: a client that has the message drops it by its ID, the history keeps it once. Rooms behind that
//! step have seen nothing. Those before it have, but what was on the way to their clients went with the process: so
//! steps that are done stay written down for the grace, and a node that starts puts their messages back among its
//! rooms' recent ones, in their old places, for clients that say when they come back that they lack them
//! (`recover`). Within one process a step is fanned out once, however often its write is tried.

use std::sync::Arc;

use bytes::Bytes;
use minicbor::{Decode, Encode};

use super::room::effective;
use super::{Forbidden, SendError};
use crate::app::{App, BroadcastPolicy};
use crate::directory::mutes::MuteScope;
use crate::id::{MessageId, UserId};
use crate::message::{Marks, Priority};
use crate::node::Node;
use crate::records::{Record, RecordKind};
use crate::store::StoreError;

mod job;
mod recover;
mod work;

pub(crate) use recover::newest_planned;
pub(crate) use work::Broadcasting;

use job::Job;

/// A message to every active room.
#[derive(Debug, Clone)]
pub struct SendBroadcast {
    /// The sender; need neither be logged in nor a member of any room.
    pub from: UserId,
    /// What to send: not empty, at most the app's limit.
    pub payload: Bytes,
    /// How much it matters when not everything can be delivered.
    pub priority: Priority,
    /// Keep it for history queries, once for every room.
    pub history: bool,
    /// The sender's own sessions get it in the rooms that they are in, too.
    pub sync_sender: bool,
}

/// Why a broadcast was not taken.
#[derive(Debug, thiserror::Error)]
pub enum BroadcastError {
    /// The app has no broadcasts.
    #[error("broadcasts are switched off")]
    Off,
    /// There were `max` in the last second.
    #[error("more than {max} broadcasts in a second")]
    PerSecond {
        /// The limit.
        max: u32,
    },
    /// There were `max` in the last 60 seconds.
    #[error("more than {max} broadcasts in a minute")]
    PerMinute {
        /// The limit.
        max: u32,
    },
    /// There were `max` since midnight, UTC.
    #[error("more than {max} broadcasts in a day")]
    PerDay {
        /// The limit.
        max: u32,
    },
    /// So many were taken and are not done yet.
    #[error("more than {max} broadcasts are waiting")]
    Waiting {
        /// The limit.
        max: usize,
    },
    /// It is no message, or the store does not take it.
    #[error(transparent)]
    Send(#[from] SendError),
}

impl From<StoreError> for BroadcastError {
    fn from(error: StoreError) -> Self {
        Self::Send(error.into())
    }
}

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;

/// The key of [`Taken`].
const TAKEN: &str = "broadcasts";

/// When the app's last broadcasts were taken: its limits survive a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
struct Taken {
    /// Days since 1970-01-01 UTC.
    #[n(0)]
    day: u64,
    /// How many on that day.
    #[n(1)]
    today: u32,
    /// Those of the last minute: Unix times in milliseconds.
    #[n(2)]
    lately_ms: Vec<u64>,
}

impl Record for Taken {
    const KIND: RecordKind = RecordKind::Counter;
}

impl Taken {
    /// Takes one more.
    fn take(&mut self, policy: BroadcastPolicy, now_ms: u64) -> Result<(), BroadcastError> {
        let day = now_ms / DAY_MS;
        // A clock that is set back over midnight begins no new day; one that was years ahead is not waited for.
        if day > self.day || day + 1 < self.day {
            (self.day, self.today) = (day, 0);
        }
        self.lately_ms.retain(|at_ms| at_ms.abs_diff(now_ms) < MINUTE_MS);
        if self.today >= policy.per_day {
            return Err(BroadcastError::PerDay { max: policy.per_day });
        }
        if self.lately_ms.len() >= policy.per_minute as usize {
            return Err(BroadcastError::PerMinute { max: policy.per_minute });
        }
        let this_second = self.lately_ms.iter().filter(|at_ms| at_ms.abs_diff(now_ms) < SECOND_MS).count();
        if this_second >= policy.per_second as usize {
            return Err(BroadcastError::PerSecond { max: policy.per_second });
        }
        self.today += 1;
        self.lately_ms.push(now_ms);
        Ok(())
    }
}

impl Node {
    /// Sends to every active room of the app. Answers with the broadcast's ID when it is durable that it will be
    /// carried out; the messages have IDs of their own.
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn broadcast(&self, app: &Arc<App>, send: SendBroadcast) -> Result<MessageId, BroadcastError> {
        let policy = app.policy().broadcasts.ok_or(BroadcastError::Off)?;
        Self::check_payload(app, &send.payload)?;
        if app.policy().rooms.registered.is_some() && self.is_muted(app, &send.from, MuteScope::Rooms).await? {
            return Err(SendError::from(Forbidden::Muted).into());
        }
        let now_ms = self.clock().wall_ms();
        let marks = Marks { priority: send.priority, ..Marks::default() };
        let priority = effective(app, &send.from, &send.payload, marks);
        let job = Job::new(self.id(), self.next_id(now_ms), now_ms, &SendBroadcast { priority, ..send });
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let mut taken = records.get::<Taken>(TAKEN).await?.unwrap_or_default();
            taken.take(policy, now_ms)?;
            // Between this and the commit no other is taken: that would change the counter.
            if self.store().count_records(app.id(), RecordKind::Broadcast, job::WAITING).await? >= policy.waiting as u64
            {
                return Err(BroadcastError::Waiting { max: policy.waiting });
            }
            records.put(TAKEN, &taken);
            records.put(job.waiting_key(), &job);
            if records.commit().await? {
                break;
            }
        }
        self.carry_out_broadcasts(app);
        Ok(job.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: BroadcastPolicy =
        BroadcastPolicy { per_second: 2, per_minute: 2, per_day: 3, waiting: 9, rooms_per_step: 9 };
    const NOON_MS: u64 = 20_000 * DAY_MS + DAY_MS / 2;

    #[test]
    fn a_minute_slides_and_a_day_ends_at_midnight() {
        let mut taken = Taken::default();
        assert!(taken.take(POLICY, NOON_MS).is_ok() && taken.take(POLICY, NOON_MS + 30_000).is_ok());
        let before = taken.clone();
        assert!(matches!(taken.take(POLICY, NOON_MS + 59_999), Err(BroadcastError::PerMinute { max: 2 })));
        assert_eq!(taken, before, "what is refused is not counted");
        assert!(taken.take(POLICY, NOON_MS + 60_000).is_ok());
        let midnight_ms = 20_001 * DAY_MS;
        assert!(matches!(taken.take(POLICY, midnight_ms - 1), Err(BroadcastError::PerDay { max: 3 })));
        assert!(taken.take(POLICY, midnight_ms).is_ok());
    }

    #[test]
    fn a_second_slides_too() {
        let policy = BroadcastPolicy { per_second: 1, per_minute: 10, ..POLICY };
        let mut taken = Taken::default();
        assert!(taken.take(policy, NOON_MS).is_ok());
        for now_ms in [NOON_MS, NOON_MS + 999, NOON_MS - 999] {
            assert!(matches!(taken.take(policy, now_ms), Err(BroadcastError::PerSecond { max: 1 })), "{now_ms}");
        }
        assert!(taken.take(policy, NOON_MS + 1000).is_ok() && taken.take(policy, NOON_MS + 2000).is_ok());
        assert!(matches!(taken.take(policy, NOON_MS + 2000), Err(BroadcastError::PerDay { max: 3 })));
    }

    #[test]
    fn a_clock_that_is_set_back_gives_no_second_day() {
        let mut taken = Taken::default();
        let midnight_ms = 20_001 * DAY_MS;
        for second in 0..3 {
            assert!(taken.take(POLICY, midnight_ms + second * MINUTE_MS).is_ok());
        }
        assert!(matches!(taken.take(POLICY, midnight_ms - 1), Err(BroadcastError::PerDay { .. })));
        assert!(taken.take(POLICY, midnight_ms - 2 * DAY_MS).is_ok(), "it was far ahead");
    }
}
