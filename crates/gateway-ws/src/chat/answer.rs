//! What each request of a Chat client does: names and content are parsed by the app's rules, one call into the core,
//! and the outcome in the words of the protocol.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use stentor_core::accounts::Credential;
use stentor_core::directory::rooms::RoomKind;
use stentor_core::id::{RoomId, UserId};
use stentor_core::node::RequestError;

pub(crate) use super::reply::Outcome;
use super::reply::reply;
use super::request::{Groups, Members, Request, Room};
use super::{codes, user};
use crate::codec::Refusal;
use crate::protocol::{self, Begun, Caller, Protocol};

pub(crate) type Answer = protocol::Answer<Outcome>;
pub(crate) type Answered = protocol::Answered<Outcome>;

/// Members or groups in one answer, unless less are asked for.
const PAGE: usize = 100;
/// Members or groups in one answer at most.
const MAX_PAGE: usize = 1000;

/// Begins a request.
pub(super) fn begin(caller: &Arc<Caller>, id: u64, request: Request<'_>) -> Begun {
    let logs_out = matches!(request, Request::Logout);
    Client::new(caller).begin(request).begun(logs_out, move |answered| reply(id, answered))
}

/// The client that asks.
#[derive(Clone)]
pub(crate) struct Client(Arc<Caller>);

impl Deref for Client {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl Client {
    /// The client of a connection.
    pub(crate) fn new(caller: &Arc<Caller>) -> Self {
        Self(Arc::clone(caller))
    }

    fn begin(self, request: Request<'_>) -> Answer {
        match request {
            Request::Send(send) => self.send(&send, None),
            Request::Read(read) => self.read(&read),
            Request::Recall(recall) => self.recall(&recall),
            Request::Edit(edit) => self.edit(&edit),
            Request::Join(request) => self.join(&request),
            Request::Leave(request) => self.leave(&request),
            Request::Members(members) => self.members(members),
            Request::Rooms => Answer::Done(Ok(Outcome::Rooms(self.session.rooms()))),
            Request::Groups(groups) => Answer::waits(async move { self.groups(&groups).await }),
            Request::RenewToken(renew) => Answer::waits(async move { self.renew(&renew.token).await }),
            Request::Logout => Answer::waits(async move {
                self.state.node().logout(&self.session).await;
                Ok(Outcome::Done)
            }),
        }
    }

    /// Comes into a room.
    pub(crate) fn join(self, request: &Room<'_>) -> Answer {
        self.join_saying(&request.room, None)
    }

    /// Comes into a room, and says something of it to the others.
    pub(crate) fn join_saying(self, room: &str, ext: Option<Arc<str>>) -> Answer {
        self.in_room(room, async move |client, room| {
            client.state.node().join_saying(&client.session, &room, ext).await.map(Outcome::Count)
        })
    }

    /// Leaves a room.
    pub(crate) fn leave(self, request: &Room<'_>) -> Answer {
        self.in_room(&request.room, async |client, room| {
            client.state.node().leave(&client.session, &room).await.map(|()| Outcome::Done)
        })
    }

    fn in_room<F>(self, name: &str, does: impl FnOnce(Self, RoomId) -> F) -> Answer
    where
        F: Future<Output = Result<Outcome, RequestError>> + Send + 'static,
    {
        match self.room(name) {
            Ok(room) => {
                let done = does(self, room);
                Answer::waits(async move { done.await.map_err(|error| codes::refused(RoomKind::Room, &error)) })
            }
            Err(refusal) => Answer::Done(Err(refusal)),
        }
    }

    fn members(self, asked: Members<'_>) -> Answer {
        let place = match (&asked.room, &asked.group) {
            (Some(room), None) => self.room(room).map(|room| (RoomKind::Room, room)),
            (None, Some(group)) => self.group(group).map(|group| (RoomKind::Group, group)),
            _ => Err(Refusal::new(codes::INVALID_ARGUMENT, "`room` or `group` must say of what")),
        };
        let (kind, room) = match place {
            Ok(place) => place,
            Err(refusal) => return Answer::Done(Err(refusal)),
        };
        let (after, limit) = (asked.after.map(std::borrow::Cow::into_owned), page(asked.limit));
        Answer::waits(async move {
            let found = self.state.node().list_members(&self.session, kind, &room, after.as_deref(), limit).await;
            found.map(Outcome::Members).map_err(|error| codes::refused(kind, &error))
        })
    }

    async fn groups(&self, asked: &Groups) -> Answered {
        let (user, limit) = (self.session.user(), page(asked.limit));
        let found = self.state.node().joined_rooms(&self.app, RoomKind::Group, user, asked.skip, limit).await;
        found.map(Outcome::Groups).map_err(|error| Refusal::new(codes::BUSY, error))
    }

    async fn renew(&self, token: &str) -> Answered {
        let node = self.state.node();
        let (user, now_ms) = (self.session.user(), node.clock().wall_ms());
        let check = self.state.logins(Protocol::Chat).check(self.app.id(), user, Credential::Token(token), now_ms);
        let grant = check.await.map_err(|why| Refusal::new(codes::credential(why), why))?;
        let renewed = node.renew(&self.session, grant.expires_at_ms);
        renewed.map(|()| Outcome::Done).map_err(|error| codes::refused(RoomKind::Room, &error))
    }

    pub(crate) fn user(&self, name: &str) -> Result<UserId, Refusal> {
        user(self.app.policy(), name).map_err(|reason| Refusal::new(codes::INVALID_USER, reason))
    }

    pub(super) fn room(&self, name: &str) -> Result<RoomId, Refusal> {
        self.place(name, codes::INVALID_ROOM, "room")
    }

    pub(super) fn group(&self, name: &str) -> Result<RoomId, Refusal> {
        self.place(name, codes::INVALID_GROUP, "group")
    }

    fn place(&self, name: &str, code: u32, what: &str) -> Result<RoomId, Refusal> {
        RoomId::parse(name, &self.app.policy().room_names)
            .map_err(|error| Refusal::new(code, format_args!("the {what} ID {error}")))
    }
}

fn page(asked: Option<usize>) -> usize {
    asked.unwrap_or(PAGE).clamp(1, MAX_PAGE)
}
