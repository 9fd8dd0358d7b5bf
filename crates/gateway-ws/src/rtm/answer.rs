//! What each request of an RTM client does: names are parsed by the app's rules, one call into the core, and
//! the outcome in the words of the protocol.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use stentor_core::accounts::Credential;
use stentor_core::attributes::AttributeChange;
use stentor_core::delivery::{Origin, SendOptions, SendPeer, SendRoom};
use stentor_core::id::{NameError, RoomId, UserId};
use stentor_core::node::RequestError;

use super::codes::{self, Operation};
use super::reply::{Outcome, reply};
use super::request::{self, Request};
use super::user;
use crate::codec::Refusal;
use crate::protocol::{self, Begun, Caller, Protocol};

type Answer = protocol::Answer<Outcome>;
type Answered = protocol::Answered<Outcome>;

/// Begins a request.
pub(super) fn begin(caller: &Arc<Caller>, id: u64, request: Request<'_>) -> Begun {
    let logs_out = request == Request::Logout;
    Client(Arc::clone(caller)).begin(request).begun(logs_out, move |answered| reply(id, answered))
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
    fn begin(&self, request: Request<'_>) -> Answer {
        match request {
            Request::SendPeer(send) => self.send_peer(send),
            Request::SendChannel(send) => self.send_channel(send),
            Request::Join(request) => self.join(&request.channel),
            Request::Leave(request) => self.leave(&request.channel),
            Request::RenewToken(renew) => {
                let caller = self.clone();
                Answer::waits(async move { caller.renew(&renew.token).await })
            }
            Request::Logout => {
                let caller = self.clone();
                Answer::waits(async move {
                    caller.state.node().logout(&caller.session).await;
                    Ok(Outcome::Done)
                })
            }
            other => Answer::Done(self.answer(other)),
        }
    }

    fn send_peer(&self, send: request::SendPeer<'_>) -> Answer {
        let to = match user(self.app.policy(), &send.to) {
            Ok(to) => to,
            Err(error) => return Answer::Done(Err(codes::peer_invalid(error))),
        };
        let command = SendPeer {
            from: self.session.user().clone(),
            to,
            payload: payload(send.payload),
            wait_for_ack: true,
            options: SendOptions { keep: send.keep, history: send.history, ..SendOptions::default() },
        };
        let caller = self.clone();
        Answer::waits(async move {
            let origin = Origin::Client(&caller.session);
            let sent = caller.state.node().send_peer(&caller.app, origin, command).await;
            sent.map(Outcome::SentPeer).map_err(|error| codes::peer_not_sent(&error))
        })
    }

    fn send_channel(&self, send: request::SendChannel<'_>) -> Answer {
        let room = match self.room(&send.channel) {
            Ok(room) => room,
            Err(error) => {
                let reason = format!("the channel name {error}");
                return Answer::Done(Err(Refusal { code: codes::NOT_IN_CHANNEL_TO_SEND, reason }));
            }
        };
        let from = self.session.user().clone();
        let options = SendOptions { history: send.history, ..SendOptions::default() };
        let command = SendRoom { from, room, payload: payload(send.payload), only_for: Vec::new(), options };
        let caller = self.clone();
        Answer::waits(async move {
            let origin = Origin::Client(&caller.session);
            let sent = caller.state.node().send_room(&caller.app, origin, command).await;
            sent.map(Outcome::Sent).map_err(|error| codes::channel_not_sent(&error))
        })
    }

    fn join(&self, channel: &str) -> Answer {
        let room = match self.channel(channel, Operation::JOIN) {
            Ok(room) => room,
            Err(refusal) => return Answer::Done(Err(refusal)),
        };
        let caller = self.clone();
        Answer::waits(async move {
            let joined = caller.state.node().join(&caller.session, &room).await;
            joined.map(Outcome::Count).map_err(|error| Operation::JOIN.refused(&error))
        })
    }

    fn leave(&self, channel: &str) -> Answer {
        let room = match self.channel(channel, Operation::LEAVE) {
            Ok(room) => room,
            Err(refusal) => return Answer::Done(Err(refusal)),
        };
        let caller = self.clone();
        Answer::waits(async move {
            let left = caller.state.node().leave(&caller.session, &room).await;
            left.map(|()| Outcome::Done).map_err(|error| Operation::LEAVE.refused(&error))
        })
    }

    fn answer(&self, request: Request<'_>) -> Answered {
        let node = self.state.node();
        let session = &self.session;
        match request {
            Request::Members(request) => {
                let operation = Operation::MEMBERS;
                let room = self.channel(&request.channel, operation)?;
                let found = refuse(operation, node.members(session, &room))?;
                Ok(Outcome::Members { members: found.members, count: found.count })
            }
            Request::MemberCounts(request) => {
                let operation = Operation::MEMBER_COUNTS;
                let rooms = request.channels.iter().map(|name| self.channel(name, operation));
                let rooms = rooms.collect::<Result<Vec<_>, _>>()?;
                refuse(operation, node.member_counts(session, &rooms)).map(Outcome::Counts)
            }
            Request::QueryPresence(request) => {
                let operation = Operation::QUERY_PRESENCE;
                let users = self.users(&request.users, operation)?;
                refuse(operation, node.query_presence(session, &users)).map(Outcome::Online)
            }
            Request::WatchPresence(request) => {
                let operation = Operation::WATCH_PRESENCE;
                let users = self.users(&request.users, operation)?;
                refuse(operation, node.watch_presence(session, &users)).map(Outcome::States)
            }
            Request::UnwatchPresence(request) => {
                let operation = Operation::WATCH_PRESENCE;
                let users = self.users(&request.users, operation)?;
                refuse(operation, node.unwatch_presence(session, &users)).map(|()| Outcome::Done)
            }
            Request::WatchedPresence => {
                refuse(Operation::WATCHED_PRESENCE, node.watched_presence(session)).map(Outcome::Users)
            }
            attributes => self.attributes(attributes),
        }
    }

    async fn renew(&self, token: &str) -> Answered {
        let node = self.state.node();
        let now_ms = node.clock().wall_ms();
        let check = self.state.logins(Protocol::Rtm).check(
            self.app.id(),
            self.session.user(),
            Credential::Token(token),
            now_ms,
        );
        let grant = check.await.map_err(codes::token_refused)?;
        refuse(Operation::RENEW_TOKEN, node.renew(&self.session, grant.expires_at_ms)).map(|()| Outcome::Done)
    }

    fn attributes(&self, request: Request<'_>) -> Answered {
        let own = |change| self.change_own(change);
        match request {
            Request::SetUserAttributes(set) => own(AttributeChange::Replace(pairs(set.attributes))),
            Request::UpdateUserAttributes(update) => own(AttributeChange::Update(pairs(update.attributes))),
            Request::DeleteUserAttributes(delete) => own(AttributeChange::Delete(delete.keys)),
            Request::ClearUserAttributes => own(AttributeChange::Clear),
            Request::GetUserAttributes(get) => {
                let user = user(self.app.policy(), &get.user).map_err(|e| Operation::ATTRIBUTES.invalid(e))?;
                let found = self.state.node().user_attributes(&self.session, &user, get.keys.as_deref());
                refuse(Operation::ATTRIBUTES, found).map(Outcome::UserAttributes)
            }
            Request::SetChannelAttributes(set) => {
                self.change(&set.channel, AttributeChange::Replace(pairs(set.attributes)), set.notify)
            }
            Request::UpdateChannelAttributes(update) => {
                self.change(&update.channel, AttributeChange::Update(pairs(update.attributes)), update.notify)
            }
            Request::DeleteChannelAttributes(delete) => {
                self.change(&delete.channel, AttributeChange::Delete(delete.keys), delete.notify)
            }
            Request::ClearChannelAttributes(clear) => self.change(&clear.channel, AttributeChange::Clear, clear.notify),
            Request::GetChannelAttributes(get) => {
                let room = self.channel(&get.channel, Operation::ATTRIBUTES)?;
                let found = self.state.node().room_attributes(&self.session, &room, get.keys.as_deref());
                refuse(Operation::ATTRIBUTES, found).map(Outcome::ChannelAttributes)
            }
            _ => Err(Refusal { code: codes::UNKNOWN_TYPE, reason: "unknown type".to_owned() }),
        }
    }

    fn change_own(&self, change: AttributeChange) -> Answered {
        let changed = self.state.node().change_user_attributes(&self.session, change);
        refuse(Operation::ATTRIBUTES, changed).map(|()| Outcome::Done)
    }

    fn change(&self, channel: &str, change: AttributeChange, notify: bool) -> Answered {
        let room = self.channel(channel, Operation::ATTRIBUTES)?;
        let changed = self.state.node().change_room_attributes(&self.session, &room, change, notify);
        refuse(Operation::ATTRIBUTES, changed).map(|()| Outcome::Done)
    }

    fn room(&self, name: &str) -> Result<RoomId, NameError> {
        RoomId::parse(name, &self.app.policy().room_names)
    }

    fn channel(&self, name: &str, operation: Operation) -> Result<RoomId, Refusal> {
        self.room(name).map_err(|error| operation.invalid(format!("the channel name {error}")))
    }

    fn users(&self, names: &[String], operation: Operation) -> Result<Vec<UserId>, Refusal> {
        let parse = |name: &String| user(self.app.policy(), name).map_err(|error| operation.invalid(error));
        names.iter().map(parse).collect()
    }
}

fn refuse<T>(operation: Operation, done: Result<T, RequestError>) -> Result<T, Refusal> {
    done.map_err(|error| operation.refused(&error))
}

fn payload(text: std::borrow::Cow<'_, str>) -> Bytes {
    Bytes::from(text.into_owned())
}

fn pairs(attributes: std::collections::BTreeMap<String, String>) -> Vec<(String, String)> {
    attributes.into_iter().collect()
}
