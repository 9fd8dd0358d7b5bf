//! An app: one tenant, with everything of it that lives in memory. Nothing here is reachable from another app.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::delivery::group::GroupTurns;
use crate::directory::joining::Joining;
use crate::directory::quota::RoomQuota;
use crate::directory::turns::Turns;
use crate::events::Backlog;
use crate::hub::Hub;
use crate::id::{AppId, UserId};
use crate::limits::{Limited, Rate, Rule, SlidingWindow, WindowsByKey};
pub use crate::policy::{
    AppPolicy, DevicePolicy, HistoryPolicy, InboxPolicy, PresencePolicy, RegisteredRooms, RoomPolicy, SessionPolicy,
};
use crate::presence::Watchers;
use crate::rooms::Rooms;
use crate::session::Session;

/// One tenant.
#[derive(Debug)]
pub struct App {
    policy: AppPolicy,
    rates: [Option<Rate>; Rule::ALL.len()],
    windows: [Mutex<SlidingWindow>; Rule::ALL.len()],
    logins: Mutex<WindowsByKey<UserId>>,
    pub(crate) hub: Hub,
    pub(crate) rooms: Rooms,
    pub(crate) watchers: Watchers,
    pub(crate) group_turns: GroupTurns,
    pub(crate) backlog: Mutex<Backlog>,
    pub(crate) quota: RoomQuota,
    pub(crate) room_turns: Turns,
    pub(crate) joining: Joining,
    last_event_ms: AtomicU64,
}

impl App {
    pub(crate) fn new(policy: AppPolicy) -> Self {
        let mut rates = [None; Rule::ALL.len()];
        for (rule, rate) in &policy.rates {
            rates[*rule as usize] = Some(*rate);
        }
        Self {
            policy,
            rates,
            windows: Default::default(),
            logins: Mutex::default(),
            hub: Hub::default(),
            rooms: Rooms::default(),
            watchers: Watchers::default(),
            group_turns: GroupTurns::default(),
            backlog: Mutex::default(),
            quota: RoomQuota::default(),
            room_turns: Turns::default(),
            joining: Joining::default(),
            last_event_ms: AtomicU64::new(0),
        }
    }

    /// Its rules.
    #[must_use]
    pub fn policy(&self) -> &AppPolicy {
        &self.policy
    }

    /// Its ID.
    #[must_use]
    pub fn id(&self) -> &AppId {
        &self.policy.id
    }

    /// Takes one call under a rule of the app, or refuses it.
    pub(crate) fn limit(&self, rule: Rule, now_us: u64) -> Result<(), Limited> {
        self.limit_all(1, rule, now_us)
    }

    /// Takes several calls under a rule of the app, or refuses them together.
    pub(crate) fn limit_all(&self, calls: usize, rule: Rule, now_us: u64) -> Result<(), Limited> {
        match self.rates[rule as usize] {
            Some(rate) if !self.windows[rule as usize].lock().accept_all(calls, rate, now_us) => Err(Limited { rule }),
            _ => Ok(()),
        }
    }

    /// Takes one login of a user, or refuses it.
    pub(crate) fn limit_login(&self, user: &UserId, now_us: u64) -> Result<(), Limited> {
        match self.rates[Rule::Logins as usize] {
            Some(rate) if !self.logins.lock().accept(user, rate, now_us) => Err(Limited { rule: Rule::Logins }),
            _ => Ok(()),
        }
    }

    /// Takes one call of a client, or refuses it.
    pub(crate) fn limit_client(&self, session: &Session, rule: Rule, now_us: u64) -> Result<(), Limited> {
        self.limit_client_all(1, session, rule, now_us)
    }

    /// Takes several calls of a client, or refuses them together.
    pub(crate) fn limit_client_all(
        &self,
        calls: usize,
        session: &Session,
        rule: Rule,
        now_us: u64,
    ) -> Result<(), Limited> {
        let Some(rate) = self.rates[rule as usize] else { return Ok(()) };
        let mut windows = session.windows();
        let accepted = windows.get_or_insert_default().accept_all(calls, rule, rate, now_us);
        if accepted { Ok(()) } else { Err(Limited { rule }) }
    }

    /// Takes one join of a client into a room, or refuses it.
    pub(crate) fn limit_join(&self, session: &Session, room: &crate::id::RoomId, now_us: u64) -> Result<(), Limited> {
        self.limit_client(session, Rule::Joins, now_us)?;
        let rule = Rule::JoinsOfOneRoom;
        let Some(rate) = self.rates[rule as usize] else { return Ok(()) };
        let mut windows = session.windows();
        let accepted = windows.get_or_insert_default().accept_join(room, rate, now_us);
        if accepted { Ok(()) } else { Err(Limited { rule }) }
    }

    /// A time-stamp for an event: `now_ms`, but never before that of an earlier event.
    pub(crate) fn event_time_ms(&self, now_ms: u64) -> u64 {
        self.last_event_ms.fetch_max(now_ms, Ordering::Relaxed).max(now_ms)
    }
}
