//! What each request of a Chat client does: names and content are parsed by the app's rules, one call into the core,
//! and the outcome in the words of the protocol.

use std::ops::Deref;
use std::sync::Arc;

use stentor_core::accounts::Credential;
use stentor_core::id::RoomId;

use super::codes;
use super::reply::{Outcome, reply};
use super::request::Request;
use crate::codec::Refusal;
use crate::protocol::{self, Begun, Caller, Protocol};

type Answer = protocol::Answer<Outcome>;
type Answered = protocol::Answered<Outcome>;

/// Begins a request.
pub(super) fn begin(caller: &Arc<Caller>, id: u64, request: Request<'_>) -> Begun {
    let logs_out = matches!(request, Request::Logout);
    Client(Arc::clone(caller)).begin(request).begun(id, logs_out, reply)
}

/// The client that asks.
#[derive(Clone)]
struct Client(Arc<Caller>);

impl Deref for Client {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl Client {
    fn begin(self, request: Request<'_>) -> Answer {
        match request {
            Request::Join(request) => match self.room(&request.room) {
                Ok(room) => Answer::waits(async move {
                    let joined = self.state.node().join(&self.session, &room).await;
                    joined.map(Outcome::Count).map_err(|error| codes::refused(&error))
                }),
                Err(refusal) => Answer::Done(Err(refusal)),
            },
            Request::Leave(request) => match self.room(&request.room) {
                Ok(room) => Answer::waits(async move {
                    let left = self.state.node().leave(&self.session, &room).await;
                    left.map(|()| Outcome::Done).map_err(|error| codes::refused(&error))
                }),
                Err(refusal) => Answer::Done(Err(refusal)),
            },
            Request::Members(request) => Answer::Done(self.members(&request.room)),
            Request::Rooms => Answer::Done(Ok(Outcome::Rooms(self.session.rooms()))),
            Request::RenewToken(renew) => Answer::waits(async move { self.renew(&renew.token).await }),
            Request::Logout => Answer::waits(async move {
                self.state.node().logout(&self.session).await;
                Ok(Outcome::Done)
            }),
        }
    }

    fn members(&self, room: &str) -> Answered {
        let room = self.room(room)?;
        let found = self.state.node().members(&self.session, &room).map_err(|error| codes::refused(&error))?;
        Ok(Outcome::Members { members: found.members, count: found.count })
    }

    async fn renew(&self, token: &str) -> Answered {
        let node = self.state.node();
        let (user, now_ms) = (self.session.user(), node.clock().wall_ms());
        let check = self.state.logins(Protocol::Chat).check(self.app.id(), user, Credential::Token(token), now_ms);
        let grant = check.await.map_err(|why| Refusal::new(codes::credential(why), why))?;
        let renewed = node.renew(&self.session, grant.expires_at_ms);
        renewed.map(|()| Outcome::Done).map_err(|error| codes::refused(&error))
    }

    fn room(&self, name: &str) -> Result<RoomId, Refusal> {
        RoomId::parse(name, &self.app.policy().room_names)
            .map_err(|error| Refusal::new(codes::INVALID_ROOM, format_args!("the room ID {error}")))
    }
}
