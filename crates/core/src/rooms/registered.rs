//! The live side of registered rooms: clients come in when their user is a member, and are out when it is none.
//!
//! Who is a member is decided and kept by the directory ([`crate::directory`]); a session's being in the live room
//! follows from it, on every way there is: a join, an addition by the backend, a login. So nothing is recorded here.

use std::sync::Arc;

use super::{Room, RoomState};
use crate::app::App;
use crate::directory::effects::sessions_of;
use crate::directory::rooms::{MemberCount, RoomKind};
use crate::id::{MessageId, RoomId, SessionId, UserId};
use crate::node::Node;
use crate::notice::Envelope;
use crate::session::{JoinedRoom, Session};
use crate::store::StoreError;

/// How a session comes into a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Now: what was said before is not for it.
    Anew,
    /// Back, after the process ended: it was in. When it came in is not known. What the room remembers came later, or is
    /// for the client to say that it has it.
    Restored,
}

impl Node {
    /// The clients of a new member come in.
    pub(crate) fn enter_live(&self, app: &Arc<App>, room: &RoomId, user: &UserId, count: u64) {
        for session in sessions_of(app, user) {
            self.enter_session_live(app, room, &session, Entry::Anew);
        }
        if let Some(room) = app.rooms.get(room) {
            self.note_count(app, &room, &mut room.lock(), count);
        }
    }

    fn enter_session_live(&self, app: &Arc<App>, id: &RoomId, session: &Arc<Session>, entry: Entry) {
        loop {
            let room = app.rooms.get_or_create(app, id);
            let mut state = room.lock();
            if state.gone {
                continue;
            }
            if self.note_room(session, id, entry) {
                state.add(session);
            } else {
                app.rooms.forget_if_unused(&room, &mut state);
            }
            return;
        }
    }

    /// False if the session has ended, or is in already.
    fn note_room(&self, session: &Session, id: &RoomId, entry: Entry) -> bool {
        let mut state = session.state();
        if state.ended || state.rooms.iter().any(|joined| joined.room == *id) {
            return false;
        }
        let joined_after = match entry {
            Entry::Anew => self.newest_id(),
            Entry::Restored => MessageId::ZERO,
        };
        state.rooms.push(JoinedRoom { room: id.clone(), joined_after });
        true
    }

    fn note_count(&self, app: &App, room: &Room, state: &mut RoomState, count: u64) {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if !state.gone && state.registered.replace(count) != Some(count) {
            self.member_count_changed(app, room, state);
        }
    }

    /// The clients of somebody who is no member any more are out.
    pub(crate) fn exit_live(&self, app: &Arc<App>, room: &RoomId, user: &UserId, count: u64) {
        for session in sessions_of(app, user) {
            self.exit_session_live(app, room, &session);
        }
        if let Some(room) = app.rooms.get(room) {
            self.note_count(app, &room, &mut room.lock(), count);
        }
    }

    fn exit_session_live(&self, app: &Arc<App>, room: &RoomId, session: &Arc<Session>) {
        let Some(room) = app.rooms.get(room) else { return };
        let mut state = room.lock();
        session.state().rooms.retain(|joined| joined.room != room.id);
        self.exit_locked(app, &room, &mut state, session);
    }

    /// The room is gone: everybody is out.
    pub(crate) fn close_live(&self, app: &Arc<App>, id: &RoomId) {
        let Some(room) = app.rooms.get(id) else { return };
        let mut state = room.lock();
        for session in state.sessions().to_vec() {
            session.state().rooms.retain(|joined| joined.room != room.id);
            self.exit_locked(app, &room, &mut state, &session);
        }
    }

    /// Tells everybody in the live room, apart from one.
    pub(crate) fn tell_live(&self, app: &App, room: &RoomId, envelope: &Arc<Envelope>, except: Option<SessionId>) {
        if let Some(room) = app.rooms.get(room) {
            let state = room.lock();
            let others = state.sessions().iter().filter(|session| Some(session.id()) != except);
            self.offer_all(others, envelope);
        }
    }

    /// Brings a session that was opened or restored into the rooms that its user is a member of.
    ///
    /// The members are looked at again afterwards: who is put out meanwhile is either seen there, or is put out of
    /// the live room after this brought it in.
    pub(crate) async fn enter_joined(&self, session: &Arc<Session>, entry: Entry) -> Result<(), StoreError> {
        let app = session.app();
        let Some(registered) = app.policy().rooms.registered else { return Ok(()) };
        let user = session.user();
        // One more than a user may be in, for those that are gone.
        let rooms = self.joined_ids(app, RoomKind::Room, user, registered.rooms_per_user * 2).await?;
        let rooms = self.of_member(app, user, rooms).await?;
        if rooms.is_empty() {
            return Ok(());
        }
        let counts = self.find_all::<MemberCount>(app, rooms.iter().map(MemberCount::key).collect()).await?;
        for (room, count) in rooms.iter().zip(counts) {
            self.enter_session_live(app, room, session, entry);
            if let (Some(room), Some(count)) = (app.rooms.get(room), count) {
                // If nobody has been told a newer one.
                room.lock().registered.get_or_insert(usize::try_from(count.members).unwrap_or(usize::MAX));
            }
        }
        let still = self.of_member(app, user, rooms.clone()).await?;
        for room in rooms.iter().filter(|room| !still.contains(room)) {
            self.exit_session_live(app, room, session);
        }
        Ok(())
    }
}
