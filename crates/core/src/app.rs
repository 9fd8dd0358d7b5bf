//! An app: one tenant, with everything of it that lives in memory. Nothing here is reachable from another app.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::delivery::broadcast::Broadcasting;
use crate::delivery::group::GroupTurns;
use crate::directory::files::FilesPlace;
use crate::directory::joining::Joining;
use crate::directory::quota::{RoomQuota, UserQuota};
use crate::directory::turns::Turns;
use crate::events::Backlog;
use crate::hub::Hub;
use crate::id::{AppId, UserId};
use crate::limits::{Limited, Rate, Rule, SlidingWindow, WindowsByKey};
use crate::observer::Hooked;
pub use crate::policy::{
    AppPolicy, BroadcastPolicy, DevicePolicy, DirectoryPolicy, FilePolicy, HighContent, HistoryPolicy, InboxPolicy,
    OverloadPolicy, PresencePolicy, RegisteredRooms, RoomPolicy, SessionPolicy,
};
use crate::presence::Watchers;
use crate::rooms::{ActiveRooms, GoneRooms, Rooms};
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
    /// Bytes of the messages that rooms remember for clients that come back.
    pub(crate) recent_bytes: Arc<AtomicUsize>,
    pub(crate) gone_rooms: GoneRooms,
    pub(crate) active: ActiveRooms,
    pub(crate) broadcasting: Mutex<Broadcasting>,
    pub(crate) watchers: Watchers,
    pub(crate) group_turns: GroupTurns,
    /// Of messages that are edited; taken before that of a group.
    pub(crate) edit_turns: GroupTurns,
    /// The answers to applications and invitations of a group take turns on this node: each is answered once.
    pub(crate) admission_turns: GroupTurns,
    pub(crate) hooked: Hooked,
    pub(crate) files: FilesPlace,
    pub(crate) backlog: Mutex<Backlog>,
    /// Up to where the notes of deleted users were swept.
    pub(crate) departed_swept: Mutex<Option<String>>,
    pub(crate) quota: RoomQuota,
    pub(crate) user_quota: UserQuota,
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
            recent_bytes: Arc::default(),
            gone_rooms: GoneRooms::default(),
            active: ActiveRooms::default(),
            broadcasting: Mutex::default(),
            watchers: Watchers::default(),
            group_turns: GroupTurns::default(),
            edit_turns: GroupTurns::default(),
            admission_turns: GroupTurns::default(),
            hooked: Hooked::default(),
            files: FilesPlace::default(),
            backlog: Mutex::default(),
            departed_swept: Mutex::default(),
            quota: RoomQuota::default(),
            user_quota: UserQuota::default(),
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
        self.limit_many(rule, now_us, 1)
    }

    /// Takes several calls under a rule of the app, or refuses them all.
    pub(crate) fn limit_many(&self, rule: Rule, now_us: u64, calls: usize) -> Result<(), Limited> {
        let Some(rate) = self.rates[rule as usize] else { return Ok(()) };
        let accepted = self.windows[rule as usize].lock().accept_many(rate, now_us, calls);
        if accepted { Ok(()) } else { Err(Limited { rule }) }
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
        self.limit_client_many(session, rule, now_us, 1)
    }

    /// Takes several calls of a client, or refuses them all.
    pub(crate) fn limit_client_many(
        &self,
        session: &Session,
        rule: Rule,
        now_us: u64,
        calls: usize,
    ) -> Result<(), Limited> {
        let Some(rate) = self.rates[rule as usize] else { return Ok(()) };
        let mut windows = session.windows();
        let accepted = windows.get_or_insert_default().accept_many(rule, rate, now_us, calls);
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
