//! What became of a room's messages, by their level: counted for as long as the room lives, and remembered for a while
//! when it has gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::app::App;
use crate::id::RoomId;
use crate::message::Priority;
use crate::node::Node;
use crate::recently::Recently;

/// Accounts of rooms that have gone: so many at least, twice as many at most. About 200 bytes each.
const GONE: usize = 2048;

/// Why a room message was not delivered to somebody who was connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lost {
    /// The room was above its budget, and the node busy.
    Budget,
    /// The client's lanes were full, and this was of the lowest level in them.
    Lanes,
    /// The client was disconnected because it reads too slowly. If it comes back in time, it gets the newest again.
    SlowConsumer,
}

impl Lost {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Budget, Self::Lanes, Self::SlowConsumer];
}

/// What became of the messages of one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LevelDelivery {
    /// Messages that were taken.
    pub accepted: u64,
    /// Deliveries, one for each connected client and message: put into the mailbox, and not dropped from it.
    pub offered: u64,
    /// Deliveries that did not happen because the room was above its budget and the node busy; one for each client in
    /// the room, connected or not.
    pub over_budget: u64,
    /// Deliveries that did not happen because the client's lanes were full.
    pub lanes_full: u64,
    /// Deliveries that did not happen because the client was disconnected as a slow consumer.
    pub slow_consumer: u64,
}

impl LevelDelivery {
    /// Deliveries that did not happen.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.over_budget + self.lanes_full + self.slow_consumer
    }
}

/// What became of a room's messages on this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomDelivery {
    /// Since when is counted: Unix time in milliseconds.
    pub since_ms: u64,
    levels: [LevelDelivery; 3],
}

impl RoomDelivery {
    /// Those of one level.
    #[must_use]
    pub fn level(&self, level: Priority) -> LevelDelivery {
        self.levels[level as usize]
    }
}

/// The counters of a room.
#[derive(Debug, Default)]
pub(crate) struct RoomAccount {
    /// 0 until something is counted.
    since_ms: AtomicU64,
    levels: [LevelCounters; 3],
}

#[derive(Debug, Default)]
struct LevelCounters {
    accepted: AtomicU64,
    /// With those that were dropped from a mailbox later.
    put: AtomicU64,
    taken_back: AtomicU64,
    lost: [AtomicU64; Lost::ALL.len()],
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl RoomAccount {
    /// Something is going to be counted at `now_ms` (Unix time).
    pub(crate) fn begin(&self, now_ms: u64) {
        if self.is_empty() {
            self.since_ms.store(now_ms, Ordering::Relaxed);
        }
    }

    pub(crate) fn accepted(&self, level: Priority, now_ms: u64) {
        self.begin(now_ms);
        add(&self.levels[level as usize].accepted, 1);
    }

    pub(crate) fn offered(&self, level: Priority, count: u64) {
        add(&self.levels[level as usize].put, count);
    }

    /// Messages that came into no mailbox.
    pub(crate) fn lost(&self, level: Priority, why: Lost, count: u64) {
        add(&self.levels[level as usize].lost[why as usize], count);
    }

    /// Messages that were dropped from a mailbox.
    pub(crate) fn taken_back(&self, level: Priority, why: Lost, count: u64) {
        add(&self.levels[level as usize].taken_back, count);
        self.lost(level, why, count);
    }

    fn is_empty(&self) -> bool {
        read(&self.since_ms) == 0
    }

    fn now(&self) -> RoomDelivery {
        let level = |level: &LevelCounters| LevelDelivery {
            accepted: read(&level.accepted),
            offered: read(&level.put).saturating_sub(read(&level.taken_back)),
            over_budget: read(&level.lost[Lost::Budget as usize]),
            lanes_full: read(&level.lost[Lost::Lanes as usize]),
            slow_consumer: read(&level.lost[Lost::SlowConsumer as usize]),
        };
        RoomDelivery { since_ms: read(&self.since_ms), levels: [0, 1, 2].map(|at| level(&self.levels[at])) }
    }
}

/// The accounts of rooms that are not there, of one app.
#[derive(Debug)]
pub(crate) struct GoneRooms(Mutex<Recently<RoomId, Arc<RoomAccount>>>);

impl Default for GoneRooms {
    fn default() -> Self {
        Self(Mutex::new(Recently::new(GONE)))
    }
}

impl GoneRooms {
    /// Remembers the account of a room that goes.
    pub(super) fn keep(&self, room: &RoomId, account: &Arc<RoomAccount>) {
        if !account.is_empty() {
            self.0.lock().insert(room.clone(), account.clone());
        }
    }

    /// The account of a room that comes, or comes again.
    pub(super) fn take(&self, room: &RoomId) -> Arc<RoomAccount> {
        self.0.lock().remove(room).unwrap_or_default()
    }

    /// The account of a room that is not there, and gets messages all the same.
    pub(crate) fn of(&self, room: &RoomId) -> Arc<RoomAccount> {
        let mut gone = self.0.lock();
        let account = gone.remove(room).unwrap_or_default();
        gone.insert(room.clone(), account.clone());
        account
    }

    fn find(&self, room: &RoomId) -> Option<Arc<RoomAccount>> {
        self.0.lock().peek(room).cloned()
    }
}

impl App {
    /// The account of a room, there or not.
    pub(crate) fn room_account(&self, room: &RoomId) -> Arc<RoomAccount> {
        self.rooms.get(room).map_or_else(|| self.gone_rooms.of(room), |room| room.account.clone())
    }
}

impl Node {
    /// What became of a room's messages on this node, since the room came into being here or the node started; rooms that
    /// have gone are remembered for a while. `None` if nothing is known of it.
    #[must_use]
    pub fn room_delivery(&self, app: &App, room: &RoomId) -> Option<RoomDelivery> {
        let live = app.rooms.get(room).map(|room| room.account.clone());
        let account = live.or_else(|| app.gone_rooms.find(room))?;
        (!account.is_empty()).then(|| account.now())
    }
}
