//! The life of a session: connecting, resuming, losing the connection, ending.
//!
//! Lock order: hub part, then rooms (in the order of their names), then session. No lock is held while waiting.

use std::sync::Arc;

use crate::app::{App, DevicePolicy};
use crate::events::{EventType, Recorded, Transition};
use crate::id::{MessageId, RoomId, SessionId, UserId};
use crate::limits::Rule;
use crate::metrics::DropReason;
use crate::node::{Node, RequestError};
use crate::rooms::Entry;
use crate::session::{Closing, ConnectError, Connected, Login, Outlet, Session};
use crate::store::{OpenSession, StoreError};

mod away;
mod deadlines;
pub(crate) mod departure;
mod devices;
mod disconnect;
mod finishing;
pub(crate) mod lately;
mod replay;
pub(crate) mod unacked;

use departure::Departure;
use finishing::Finishing;
use replay::{LeftOff, Replay};

/// A session that was put into the hub, and what it waits for.
struct Opened {
    session: Arc<Session>,
    replaced: Vec<Remains>,
    registered: Recorded,
    recorded: Recorded,
}

/// What a session leaves behind when it ends, to be cleaned up without its lock.
struct Remains {
    session: Arc<Session>,
    rooms: Vec<RoomId>,
    watched: Vec<UserId>,
    outlet: Option<Arc<dyn Outlet>>,
    unacked_lost: u64,
    recorded: Recorded,
}

impl Node {
    /// Opens or resumes a session. Returns when the login is recorded; the outlet may be told before.
    ///
    /// # Errors
    /// When the client may not connect now.
    pub async fn connect(
        &self,
        app: &Arc<App>,
        login: Login,
        outlet: Arc<dyn Outlet>,
    ) -> Result<Connected, ConnectError> {
        if self.is_draining() {
            return Err(ConnectError::Draining);
        }
        app.limit_login(&login.user, self.clock().monotonic_us())?;
        if let Some(connected) = self.resume(app, &login, &outlet).await {
            return Ok(connected);
        }
        let Opened { session, replaced, registered, recorded } = self.open(app, &login);
        for remains in replaced {
            if let (Some(outlet), Some(words)) = (&remains.outlet, &login.to_replaced) {
                outlet.replaced_by(words);
            }
            self.spawn(self.clean_up(remains, Some(Closing::Replaced)));
        }
        recorded.await;
        registered.await;
        self.metrics().logins.inc();
        if let Err(error) = self.enter_joined(&session, Entry::Anew).await {
            self.end(&session, Closing::Silent);
            return Err(error.into());
        }
        let rooms = session.state().room_ids();
        let Some(attachment) = self.attach(&session, LeftOff::Said(&[]), &login, outlet.clone()) else {
            // Another login of the user was faster.
            outlet.close(Closing::Replaced);
            return Ok(Connected { session, attachment: 0, resumed: false, rooms: Vec::new() });
        };
        self.announce(&session).await;
        self.tell_watchers(app, session.user());
        self.note_status(&session);
        self.drain_inbox(&session, attachment).await;
        Ok(Connected { session, attachment, resumed: false, rooms })
    }

    /// Puts a new session into the hub, in the place of those that the policy does not allow beside it.
    fn open(&self, app: &Arc<App>, login: &Login) -> Opened {
        let id = SessionId(self.with_random(|random| random.u64(1..=i64::MAX as u64)));
        let mut shard = app.hub.lock(&login.user);
        let session = {
            // Numbered under the hub's lock: on this node, who comes later is newer.
            let opened = self.next_id(self.clock().wall_ms());
            Arc::new(Session::new(app.clone(), id, opened, login, self.clock().monotonic_ms()))
        };
        let sessions = shard.entry(login.user.clone()).or_default();
        let mut replaced = Vec::new();
        let mut staying = Vec::with_capacity(1);
        let allowed = match app.policy().devices {
            DevicePolicy::One => 0,
            DevicePolicy::Many { max } => max.saturating_sub(1),
        };
        // The newest stay: they are at the end.
        let others = std::mem::take(sessions);
        let same_device = |other: &Arc<Session>| other.device() == &login.device;
        let excess = others.iter().filter(|other| !same_device(other)).count().saturating_sub(allowed);
        let mut excess_left = excess;
        for other in others {
            let over = !same_device(&other) && excess_left > 0;
            if same_device(&other) || over {
                excess_left -= usize::from(over);
                replaced.extend(self.finish(&other, Some(Closing::Replaced), true));
            } else {
                staying.push(other);
            }
        }
        // Queued before anybody can find the session: what is offered to it is kept for its device, too.
        let registered = self.register_device(&session, &staying);
        staying.push(session.clone());
        *sessions = staying;
        // From here on the session ends by itself if this login is abandoned.
        self.arm_session_timer(&session);
        // Queued under the hub's lock, behind the logouts of those it replaces.
        let recorded = self.record(app, vec![self.transition(&session, EventType::Login, None)]);
        Opened { session, replaced, registered, recorded }
    }

    async fn resume(&self, app: &Arc<App>, login: &Login, outlet: &Arc<dyn Outlet>) -> Option<Connected> {
        let resume = login.resume.as_ref()?;
        let session = {
            let shard = app.hub.lock(&login.user);
            let mut sessions = shard.get(&login.user)?.iter();
            sessions.find(|session| session.id() == resume.session && session.device() == &login.device)?.clone()
        };
        let left_off = resume.rooms.as_deref().map_or(LeftOff::Unsaid, LeftOff::Said);
        let attachment = self.attach(&session, left_off, login, outlet.clone())?;
        self.metrics().resumes.inc();
        if session.note_heard(self.clock().monotonic_ms()) {
            self.tell_watchers(app, session.user());
        }
        self.note_status(&session);
        if let Some(states) = Self::watched_states(&session) {
            self.offer_all([&session].into_iter(), &states);
        }
        self.drain_inbox(&session, attachment).await;
        let rooms = session.state().room_ids();
        Some(Connected { session, attachment, resumed: true, rooms })
    }

    /// Begins a connection of a session. Its rooms are locked while the replay is put together, so that no
    /// message falls between the replay and what comes live. `None` if the session has ended.
    fn attach(
        &self,
        session: &Arc<Session>,
        left_off: LeftOff<'_>,
        login: &Login,
        outlet: Arc<dyn Outlet>,
    ) -> Option<u64> {
        let app = session.app();
        let mut joined = session.state().rooms.clone();
        joined.sort_by(|a, b| a.room.cmp(&b.room));
        let rooms: Vec<_> =
            joined.iter().filter_map(|joined| app.rooms.get(&joined.room).map(|room| (joined, room))).collect();
        let guards: Vec<_> = rooms.iter().map(|(joined, room)| (*joined, room, room.lock())).collect();

        let mut state = session.state();
        if state.ended {
            return None;
        }
        let replay = Replay::of(app, session.user(), &guards, left_off, state.confirmed_ms);
        // Who says what it has was told of everything while it was connected.
        let events = match left_off {
            LeftOff::Said(_) if state.outlet.is_some() => Vec::new(),
            LeftOff::Said(_) => state.lately.since(state.detached_ms),
            LeftOff::Unsaid => state.lately.since(state.confirmed_ms),
        };
        if let Some(stale) = state.outlet.replace(outlet) {
            if let Some(words) = &login.to_replaced {
                stale.replaced_by(words);
            }
            stale.close(left_off.gives_way());
        }
        state.attachment += 1;
        state.expires_at_ms = login.expires_at_ms;
        state.expiry_told = false;
        state.silence_ms = login.silence_ms.unwrap_or(app.policy().sessions.silence_ms);
        state.mailbox.attach();
        let missed = self.trim_replay(session, replay);
        for envelope in missed.into_iter().chain(events) {
            state.mailbox.push(&envelope);
        }
        state.tell_outlet();
        let attachment = state.attachment;
        drop(state);
        self.arm_session_timer(session);
        Some(attachment)
    }

    /// The connection is gone; the session waits for the client to come back.
    pub fn detach(&self, session: &Arc<Session>, attachment: u64) {
        {
            let mut state = session.state();
            if state.ended || state.attachment != attachment {
                return;
            }
            if state.outlet.take().is_some() {
                state.detached_ms = self.clock().monotonic_ms();
                state.mailbox.detach();
            }
        }
        self.note_status(session);
        self.arm_session_timer(session);
    }

    /// The client logs out: it leaves its rooms and is offline at once. Returns when that is recorded; whoever does not wait
    /// for it, because the client closed its connection in the same breath, does not stop it.
    pub async fn logout(&self, session: &Arc<Session>) {
        if let Some(remains) = self.finish(session, None, false) {
            Finishing::new(self.clone(), self.clean_up(remains, None)).await;
        }
    }

    /// Ends a session by the server's decision.
    pub(crate) fn end(&self, session: &Arc<Session>, why: Closing) {
        if let Some(remains) = self.finish(session, Some(why), false) {
            self.spawn(self.clean_up(remains, Some(why)));
        }
    }

    /// Ends a session whose unacked messages alone fill its mailbox.
    pub(crate) fn end_overflown(&self, session: &Arc<Session>) {
        tracing::info!(app = %session.app().id(), user = %session.user(), "session ended: its mailbox is full of unacked messages");
        self.end(session, Closing::SlowConsumer);
    }

    /// Turns the session's state to ended and queues the record of it. `None` if it had ended before. `replaced`:
    /// another session of the user takes its place.
    fn finish(&self, session: &Arc<Session>, why: Option<Closing>, replaced: bool) -> Option<Remains> {
        // Under the hub's lock if it is replaced: then another one is there.
        let others = if replaced { Vec::new() } else { Self::others_of(session) };
        let mut state = session.state();
        if std::mem::replace(&mut state.ended, true) {
            return None;
        }
        session.set_over();
        let replaced_here = replaced || matches!(why, Some(Closing::Replaced));
        let last = !replaced_here && others.iter().all(|other| other.is_over());
        let rooms = state.room_ids();
        state.rooms = Vec::new();
        let forced = matches!(why, Some(Closing::Replaced | Closing::LoggedOut(_)));
        if !last {
            self.leave_unacked(session, &state);
        }
        let logout = Transition { forced, last, ..self.transition(session, EventType::Logout, None) };
        let registered = session.app().policy().rooms.registered.is_some();
        let recorded = if registered && !replaced {
            // Whether it was the last is seen when it is out of the hub, like the others that end now.
            let logout = Transition { last: !replaced_here, ..logout };
            let departure = Departure::new(session.app().clone(), session.user().clone(), logout);
            // Begins when it is waited for: when the session is out of the hub.
            self.clone().depart(departure)
        } else {
            let leave = |room| self.transition(session, EventType::Leave, Some(room));
            let leaves = rooms.iter().filter(|_| !registered).map(leave);
            // Queued under the session's lock, so that no join of it can come behind.
            self.record(session.app(), leaves.chain([logout]).collect())
        };
        self.device_left(session);
        Some(Remains {
            session: session.clone(),
            rooms,
            watched: std::mem::take(&mut state.watched),
            outlet: state.outlet.take(),
            unacked_lost: state.mailbox.end(),
            recorded,
        })
    }

    /// Takes what is left of a session out of everything, at once. The future resolves when its end is recorded.
    fn clean_up(&self, remains: Remains, why: Option<Closing>) -> impl Future<Output = ()> + Send + 'static {
        let Remains { session, rooms, watched, outlet, unacked_lost, recorded } = remains;
        let app = session.app();
        if let (Some(outlet), Some(why)) = (outlet, why) {
            outlet.close(why);
        }
        app.hub.remove(&session);
        for room in &rooms {
            self.exit(app, room, &session);
        }
        for user in &watched {
            app.watchers.remove(user, &session);
        }
        self.metrics().dropped(DropReason::SessionEnded, unacked_lost);
        self.tell_watchers(app, session.user());
        self.note_status(&session);
        let node = self.clone();
        async move {
            node.withdraw(&session).await;
            recorded.await;
        }
    }

    /// Puts back a session that was open when the process ended: it has the grace to come back.
    ///
    /// # Errors
    /// When the rooms of its user cannot be read.
    pub(crate) async fn restore(&self, app: &Arc<App>, open: &OpenSession) -> Result<(), StoreError> {
        let (user, device) = (open.user.clone(), open.device.clone());
        let login = Login { user, device, expires_at_ms: None, resume: None, silence_ms: None, to_replaced: None };
        let now_ms = self.clock().monotonic_ms();
        let session = Arc::new(Session::new(app.clone(), open.session, MessageId::ZERO, &login, now_ms));
        // Nothing is known of what it got.
        session.state().confirmed_ms = 0;
        app.hub.lock(&open.user).entry(open.user.clone()).or_default().push(session.clone());
        for room in &open.rooms {
            self.restore_membership(&session, room);
        }
        self.enter_joined(&session, Entry::Restored).await?;
        self.arm_session_timer(&session);
        Ok(())
    }

    /// Takes one call of a client under a rule.
    pub(crate) fn limit_client(&self, session: &Session, rule: Rule) -> Result<(), RequestError> {
        Ok(session.app().limit_client(session, rule, self.clock().monotonic_us())?)
    }
}
