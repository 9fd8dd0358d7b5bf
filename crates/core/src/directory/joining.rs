//! Clients join registered rooms, and leave them.

use std::sync::Arc;

use super::room_error::RoomError;
use super::rooms::RoomKind;
use crate::app::App;
use crate::id::{RoomId, UserId};
use crate::node::{Node, RequestError};
use crate::room_event::RoomEvent;
use crate::session::Session;
use crate::sharded::Sharded;

/// The joins under way, by user: somebody who departs waits for them, so that none of them is overlooked.
#[derive(Debug, Default)]
pub(crate) struct Joining(Sharded<UserId, usize>);

struct Join {
    app: Arc<App>,
    user: UserId,
}

impl Join {
    fn begin(session: &Session) -> Self {
        let (app, user) = (session.app().clone(), session.user().clone());
        *app.joining.0.lock(&user).entry(user.clone()).or_insert(0) += 1;
        Self { app, user }
    }
}

impl Drop for Join {
    fn drop(&mut self) {
        let mut shard = self.app.joining.0.lock(&self.user);
        if let Some(joins) = shard.get_mut(&self.user) {
            *joins -= 1;
            if *joins == 0 {
                shard.remove(&self.user);
            }
        }
    }
}

impl Joining {
    /// Whether a client of the user is joining a room.
    pub(crate) fn is_joining(&self, user: &UserId) -> bool {
        self.0.lock(user).contains_key(user)
    }
}

impl Node {
    /// Makes the session's user a member, and brings its clients in. Who is a member already stays one. The others are told
    /// `ext`, too.
    pub(crate) async fn join_registered(
        &self,
        session: &Arc<Session>,
        room: &RoomId,
        ext: Option<Arc<str>>,
    ) -> Result<usize, RequestError> {
        let app = session.app();
        let user = session.user().clone();
        self.may_join_another(app, RoomKind::Room, &user).await.map_err(|error| refused(&error, app))?;
        let (join, of) = (Join::begin(session), session.clone());
        let joined = self
            .in_turn_to_admit(app, RoomKind::Room, room, vec![user.clone()], move |turn| {
                let _held = &join;
                if of.state().ended {
                    return Err(RoomError::SessionEnded);
                }
                let new = turn.admit(std::slice::from_ref(&user))?;
                turn.enter(&user);
                if !new.is_empty() {
                    let event = RoomEvent::Joined { users: new, count: turn.count(), ext: ext.clone() };
                    turn.tell_others(event, of.id());
                }
                Ok(turn.count())
            })
            .await;
        let count = joined.map_err(|error| refused(&error, app))?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Makes the session's user no member any more.
    pub(crate) async fn leave_registered(&self, session: &Arc<Session>, room: &RoomId) -> Result<(), RequestError> {
        let (user, id) = (session.user().clone(), session.id());
        let left = self.in_turn(session.app(), RoomKind::Room, room, vec![user.clone()], move |turn| {
            turn.room()?;
            turn.dismiss(&user)?;
            turn.tell_others(RoomEvent::Left { users: vec![user.clone()], count: turn.count() }, id);
            turn.exit(&user);
            Ok(())
        });
        left.await.map_err(|error| refused(&error, session.app()))
    }
}

fn refused(error: &RoomError, app: &App) -> RequestError {
    match error {
        RoomError::NoRoom(_) => RequestError::NoRoom,
        RoomError::NotMembers(_) => RequestError::NotInRoom,
        RoomError::Blocked(_) => RequestError::KeptOut,
        RoomError::Full => RequestError::RoomFull,
        RoomError::TooManyJoined(_) => {
            let max = app.policy().rooms.registered.map_or(0, |registered| registered.rooms_per_user);
            RequestError::TooMany { max }
        }
        RoomError::IsOwner => RequestError::IsOwner,
        RoomError::SessionEnded => RequestError::SessionEnded,
        _ => RequestError::Unavailable,
    }
}
