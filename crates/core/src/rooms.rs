//! Rooms: who is in, what was said lately, and coming and going.
//!
//! Membership is recorded in the store with the event that tells of it. A room exists while it has members,
//! attributes, or messages that a member may come back for.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};

use crate::app::App;
use crate::attributes::RoomAttribute;
use crate::clock::MonotonicMs;
use crate::events::{EventType, Recorded};
use crate::id::{MessageId, RoomId, SessionId, UserId};
use crate::limits::Rule;
use crate::node::{Node, RequestError};
use crate::notice::{Envelope, Notice};
use crate::policy::RoomPolicy;
use crate::session::{JoinedRoom, Session};
use crate::sharded::Sharded;
use crate::timers::Due;

mod account;
mod active;
mod budget;
mod recent;
mod registered;

pub(crate) use account::{GoneRooms, RoomAccount};
pub use account::{LevelDelivery, Lost, RoomDelivery};
pub(crate) use active::ActiveRooms;
pub(crate) use budget::Budget;
pub(crate) use recent::{Audience, Kept, Reader, Recent, RecentMessages};
pub(crate) use registered::Entry;

/// The rooms of one app.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    rooms: Sharded<RoomId, Arc<Room>>,
}

/// One room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) account: Arc<RoomAccount>,
    app: Weak<App>,
    state: Mutex<RoomState>,
}

/// What changes in a room's life.
#[derive(Debug, Default)]
pub(crate) struct RoomState {
    /// It is no longer in the map: look it up again.
    gone: bool,
    sessions: Vec<Arc<Session>>,
    at: HashMap<SessionId, usize>,
    /// How many sessions each user has in here.
    users: HashMap<UserId, usize>,
    /// In a registered room: how many members it has, connected or not.
    registered: Option<usize>,
    /// What was said lately.
    pub(crate) recent: RecentMessages,
    /// What was said in the last second, where that is limited.
    pub(crate) budget: Option<Box<Budget>>,
    pub(crate) attributes: BTreeMap<String, RoomAttribute>,
    empty_since_ms: MonotonicMs,
    count_told_ms: Option<MonotonicMs>,
    count_timer: bool,
    upkeep_timer: bool,
}

impl RoomPolicy {
    /// What a room remembers of its messages.
    pub(crate) const fn kept(&self) -> Kept {
        let Self { replayed: messages, replayed_bytes: bytes, replayed_bytes_of_all: bytes_of_all, .. } = *self;
        Kept { messages, bytes, bytes_of_all }
    }
}

impl Rooms {
    pub(crate) fn get(&self, id: &RoomId) -> Option<Arc<Room>> {
        self.rooms.lock(id).get(id).cloned()
    }

    pub(crate) fn get_or_create(&self, app: &Arc<App>, id: &RoomId) -> Arc<Room> {
        let mut shard = self.rooms.lock(id);
        let create = || {
            let account = app.gone_rooms.take(id);
            let recent = RecentMessages::counted_in(&app.recent_bytes);
            let state = Mutex::new(RoomState { recent, ..RoomState::default() });
            Arc::new(Room { id: id.clone(), account, app: Arc::downgrade(app), state })
        };
        shard.entry(id.clone()).or_insert_with(create).clone()
    }

    /// How many rooms there are.
    pub(crate) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Forgets a room that nothing needs any more. Its lock is held by the caller.
    fn forget_if_unused(&self, room: &Room, state: &mut RoomState) {
        if state.sessions.is_empty() && state.recent.is_empty() && state.attributes.is_empty() {
            state.gone = true;
            // First here, so that whoever does not find it there finds it here.
            if let Some(app) = room.app.upgrade() {
                app.gone_rooms.keep(&room.id, &room.account);
            }
            self.rooms.lock(&room.id).remove(&room.id);
        }
    }
}

impl Room {
    pub(crate) fn lock(&self) -> MutexGuard<'_, RoomState> {
        self.state.lock()
    }
}

impl RoomState {
    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    pub(crate) fn sessions(&self) -> &[Arc<Session>] {
        &self.sessions
    }

    pub(crate) fn members(&self) -> usize {
        self.registered.unwrap_or(self.users.len())
    }

    pub(crate) fn contains(&self, session: &Session) -> bool {
        self.at.contains_key(&session.id())
    }

    /// True if the user was not in the room before.
    fn add(&mut self, session: &Arc<Session>) -> bool {
        self.at.insert(session.id(), self.sessions.len());
        self.sessions.push(session.clone());
        let sessions = self.users.entry(session.user().clone()).or_insert(0);
        *sessions += 1;
        *sessions == 1
    }

    /// True if the user is not in the room any more; `None` if the session was not in it.
    fn remove(&mut self, session: &Session) -> Option<bool> {
        let at = self.at.remove(&session.id())?;
        self.sessions.swap_remove(at);
        if let Some(moved) = self.sessions.get(at) {
            self.at.insert(moved.id(), at);
        }
        if self.sessions.is_empty() {
            self.sessions = Vec::new();
        }
        let last = self.users.get(session.user()).is_none_or(|sessions| *sessions <= 1);
        if last {
            self.users.remove(session.user());
        } else if let Some(sessions) = self.users.get_mut(session.user()) {
            *sessions -= 1;
        }
        Some(last)
    }
}

impl Node {
    /// Puts the client into a room. Returns the number of members, itself included, when the join is recorded.
    ///
    /// # Errors
    /// When it may not join.
    pub async fn join(&self, session: &Arc<Session>, room: &RoomId) -> Result<usize, RequestError> {
        self.join_saying(session, room, None).await
    }

    /// The same; what the client says of it is told to the others, if the room is a registered one: with an event that is
    /// only of this join. The gateway bounds its length.
    ///
    /// # Errors
    /// As [`Node::join`].
    pub async fn join_saying(
        &self,
        session: &Arc<Session>,
        room: &RoomId,
        ext: Option<Arc<str>>,
    ) -> Result<usize, RequestError> {
        let app = session.app();
        app.limit_join(session, room, self.clock().monotonic_us())?;
        if app.policy().rooms.registered.is_some() {
            return self.join_registered(session, room, ext).await;
        }
        let (count, recorded) = loop {
            let room = app.rooms.get_or_create(app, room);
            if let Some(entered) = self.enter(app, &room, session)? {
                break entered;
            }
        };
        recorded.await;
        Ok(count)
    }

    /// `None` if the room has gone meanwhile.
    fn enter(
        &self,
        app: &Arc<App>,
        room: &Room,
        session: &Arc<Session>,
    ) -> Result<Option<(usize, Recorded)>, RequestError> {
        let mut state = room.lock();
        if state.gone {
            return Ok(None);
        }
        let recorded = match self.enter_session(app, room, session) {
            Ok(recorded) => recorded,
            Err(refused) => {
                app.rooms.forget_if_unused(room, &mut state);
                return Err(refused);
            }
        };
        if state.add(session) {
            let joined = Notice::MemberJoined { room: room.id.clone(), user: session.user().clone() };
            self.tell_others(app, &state, session.user(), joined);
            self.member_count_changed(app, room, &mut state);
        }
        Ok(Some((state.members(), recorded)))
    }

    fn enter_session(&self, app: &Arc<App>, room: &Room, session: &Arc<Session>) -> Result<Recorded, RequestError> {
        let mut state = session.state();
        if state.ended {
            return Err(RequestError::SessionEnded);
        }
        if state.rooms.iter().any(|joined| joined.room == room.id) {
            return Err(RequestError::AlreadyInRoom);
        }
        let max = app.policy().rooms.rooms_per_session;
        if state.rooms.len() >= max {
            return Err(RequestError::TooMany { max });
        }
        let joined_after = self.newest_id();
        state.rooms.push(JoinedRoom { room: room.id.clone(), joined_after });
        // Queued under the session's lock: the store sees joins and leaves in the order they happened.
        Ok(self.record(app, vec![self.transition(session, EventType::Join, Some(&room.id))]))
    }

    /// Puts a session that was open when the process ended back into a room: nothing is recorded or told.
    pub(crate) fn restore_membership(&self, session: &Arc<Session>, room: &RoomId) {
        let app = session.app();
        let room = app.rooms.get_or_create(app, room);
        // When it came in is not known. What the room remembers came later, or is for the client to say that it has it.
        let joined_after = MessageId::ZERO;
        session.state().rooms.push(JoinedRoom { room: room.id.clone(), joined_after });
        room.lock().add(session);
    }

    /// Takes the client out of a room, when the leave is recorded.
    ///
    /// # Errors
    /// When it is not in it.
    pub async fn leave(&self, session: &Arc<Session>, room: &RoomId) -> Result<(), RequestError> {
        let app = session.app();
        if app.policy().rooms.registered.is_some() {
            return self.leave_registered(session, room).await;
        }
        let room = app.rooms.get(room).ok_or(RequestError::NotInRoom)?;
        let recorded = {
            let mut state = room.lock();
            if !state.contains(session) {
                return Err(RequestError::NotInRoom);
            }
            let recorded = {
                let mut session_state = session.state();
                session_state.rooms.retain(|joined| joined.room != room.id);
                self.record(app, vec![self.transition(session, EventType::Leave, Some(&room.id))])
            };
            self.exit_locked(app, &room, &mut state, session);
            recorded
        };
        recorded.await;
        Ok(())
    }

    /// Takes a session that has ended out of a room; its leave was recorded.
    pub(crate) fn exit(&self, app: &Arc<App>, room: &RoomId, session: &Session) {
        if let Some(room) = app.rooms.get(room) {
            let mut state = room.lock();
            self.exit_locked(app, &room, &mut state, session);
        }
    }

    fn exit_locked(&self, app: &Arc<App>, room: &Arc<Room>, state: &mut RoomState, session: &Session) {
        let Some(last_of_user) = state.remove(session) else { return };
        // Members of a registered room are told by the directory.
        if last_of_user && app.policy().rooms.registered.is_none() {
            let left = Notice::MemberLeft { room: room.id.clone(), user: session.user().clone() };
            self.tell_others(app, state, session.user(), left);
            self.member_count_changed(app, room, state);
        }
        if state.sessions.is_empty() {
            state.empty_since_ms = self.clock().monotonic_ms();
            app.rooms.forget_if_unused(room, state);
            self.arm_room_upkeep(app, room, state);
        }
    }

    fn tell_others(&self, app: &App, state: &RoomState, user: &UserId, notice: Notice) {
        if state.members() > app.policy().rooms.member_notices_up_to {
            return;
        }
        let envelope = Envelope::new(notice);
        let others = state.sessions.iter().filter(|other| other.user() != user);
        self.offer_all(others, &envelope);
    }

    /// The members of a room that the client is in; some of them, at random, if there are many.
    ///
    /// # Errors
    /// When it is not in the room, or asks too often.
    pub fn members(&self, session: &Arc<Session>, room: &RoomId) -> Result<RoomMembers, RequestError> {
        let app = session.app();
        self.limit_client(session, Rule::MemberLists)?;
        let room = app.rooms.get(room).ok_or(RequestError::NotInRoom)?;
        let state = room.lock();
        if !state.contains(session) {
            return Err(RequestError::NotInRoom);
        }
        let listed = app.policy().rooms.listed_members;
        let users = state.users.keys();
        let members = if users.len() <= listed {
            users.cloned().collect()
        } else {
            self.with_random(|random| {
                let mut chosen: Vec<&UserId> = users.collect();
                random.shuffle(&mut chosen);
                chosen.into_iter().take(listed).cloned().collect()
            })
        };
        Ok(RoomMembers { members, count: state.members() })
    }

    /// How many members rooms have, in the order asked; an unknown room has none.
    ///
    /// # Errors
    /// When too many are asked for, or too often.
    pub fn member_counts(&self, session: &Arc<Session>, rooms: &[RoomId]) -> Result<Vec<usize>, RequestError> {
        let app = session.app();
        self.limit_client(session, Rule::MemberCounts)?;
        let max = app.policy().rooms.counted_rooms;
        if rooms.len() > max {
            return Err(RequestError::TooMany { max });
        }
        Ok(rooms.iter().map(|room| app.rooms.get(room).map_or(0, |room| room.lock().members())).collect())
    }

    /// Tells the members how many they are, now or when it may be told again.
    fn member_count_changed(&self, app: &App, room: &Room, state: &mut RoomState) {
        let now_ms = self.clock().monotonic_ms();
        let due_ms = state.count_told_ms.map_or(now_ms, |told| told + count_pause_ms(app, state));
        if due_ms <= now_ms {
            self.tell_member_count(room, state, now_ms);
        } else if !state.count_timer && !state.sessions.is_empty() {
            state.count_timer = true;
            if let Some(room) = app.rooms.get(&room.id) {
                self.timers().at(due_ms, Due::MemberCount(Arc::downgrade(&room)));
            }
        }
    }

    fn tell_member_count(&self, room: &Room, state: &mut RoomState, now_ms: MonotonicMs) {
        state.count_told_ms = Some(now_ms);
        let envelope = Envelope::new(Notice::MemberCount { room: room.id.clone(), count: state.members() });
        self.offer_all(state.sessions.iter(), &envelope);
    }

    /// The timer of a room's member count.
    pub(crate) fn member_count_due(&self, room: &Room) {
        let mut state = room.lock();
        state.count_timer = false;
        let now_ms = self.clock().monotonic_ms();
        self.tell_member_count(room, &mut state, now_ms);
    }

    /// After a change of attributes: an empty room does not keep them for ever.
    pub(crate) fn room_attributes_changed(&self, app: &App, room: &Arc<Room>, state: &mut RoomState) {
        if state.sessions.is_empty() {
            state.empty_since_ms = self.clock().monotonic_ms();
        }
        app.rooms.forget_if_unused(room, state);
        self.arm_room_upkeep(app, room, state);
    }

    /// Arms the timer that forgets recent messages and, in an empty room, attributes.
    pub(crate) fn arm_room_upkeep(&self, app: &App, room: &Arc<Room>, state: &mut RoomState) {
        if state.upkeep_timer || state.gone {
            return;
        }
        let recent = state.recent.oldest_ms().map(|oldest_ms| oldest_ms + remembered_ms(app));
        let attributes = (state.sessions.is_empty() && !state.attributes.is_empty())
            .then(|| state.empty_since_ms + app.policy().rooms.attributes_stay_ms);
        if let Some(at_ms) = recent.into_iter().chain(attributes).min() {
            state.upkeep_timer = true;
            self.timers().at(at_ms, Due::RoomUpkeep(Arc::downgrade(room)));
        }
    }

    /// The timer of a room's upkeep.
    pub(crate) fn room_upkeep_due(&self, room: &Arc<Room>) {
        let Some(app) = room.app.upgrade() else { return };
        let now_ms = self.clock().monotonic_ms();
        let mut state = room.lock();
        state.upkeep_timer = false;
        state.recent.forget_before(now_ms.saturating_sub(remembered_ms(&app)));
        let stay_ms = app.policy().rooms.attributes_stay_ms;
        if state.sessions.is_empty() && state.empty_since_ms + stay_ms <= now_ms {
            state.attributes.clear();
        }
        app.rooms.forget_if_unused(room, &mut state);
        self.arm_room_upkeep(&app, room, &mut state);
    }
}

/// Members of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomMembers {
    /// The members, or some of them at random if there are many.
    pub members: Vec<UserId>,
    /// How many there are.
    pub count: usize,
}

/// How long a room remembers its messages for clients that come back.
fn remembered_ms(app: &App) -> u64 {
    app.policy().sessions.grace_ms + app.policy().rooms.replayed_unnoticed_ms
}

fn count_pause_ms(app: &App, state: &RoomState) -> u64 {
    let policy = &app.policy().rooms;
    if state.members() <= policy.member_notices_up_to { policy.count_notice_ms } else { policy.count_notice_large_ms }
}
