//! What follows from a turn of a room: clients come into the live room or leave it, and are told.

use std::sync::Arc;

use super::rooms::RoomKind;
use super::turn::{Effect, Turn};
use super::turns::PAGE;
use crate::app::App;
use crate::id::{RoomId, SessionId, UserId};
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::room_event::RoomEvent;
use crate::session::Session;

/// Something to tell about a room.
struct News<'a> {
    app: &'a Arc<App>,
    room: &'a RoomId,
    group: bool,
    event: &'a RoomEvent,
    by: Option<&'a UserId>,
    except: Option<SessionId>,
}

impl News<'_> {
    fn envelope(&self, event: RoomEvent) -> Arc<Envelope> {
        Envelope::new(Notice::RoomEvent { room: self.room.clone(), group: self.group, event, by: self.by.cloned() })
    }
}

impl Node {
    /// Does what follows from a turn that is durable, in order. `former` are the members of a room that is gone.
    pub(super) async fn take_effect(&self, app: &Arc<App>, turn: Turn, former: &[UserId]) {
        let (id, kind, count) = (turn.id.clone(), turn.kind, turn.count());
        if turn.dissolved {
            app.quota.release(kind);
        }
        for effect in turn.effects {
            match (kind, effect) {
                (RoomKind::Room, Effect::Enter(user)) => self.enter_live(app, &id, &user, count),
                (RoomKind::Room, Effect::Exit(user)) => self.exit_live(app, &id, &user, count),
                (RoomKind::Group, Effect::Enter(_) | Effect::Exit(_)) => {}
                (RoomKind::Room, Effect::Tell { event, except, by }) => {
                    let by = by.as_ref();
                    self.tell_room(&News { app, room: &id, group: false, event: &event, by, except }, count);
                }
                (RoomKind::Group, Effect::Tell { event, except, by }) => {
                    let by = by.as_ref();
                    let news = News { app, room: &id, group: true, event: &event, by, except };
                    self.tell_group(&news, count, former).await;
                }
            }
        }
        if turn.dissolved && kind == RoomKind::Room {
            self.close_live(app, &id);
        }
    }

    fn tell_room(&self, news: &News<'_>, count: u64) {
        match news.event.movement() {
            Some(users) if self.is_large(news.app, count) => self.tell_movers(news, users),
            _ => self.tell_live(news.app, news.room, &news.envelope(news.event.clone()), news.except),
        }
    }

    /// A group has nobody live: its members are read, page by page, and those who are connected are told.
    async fn tell_group(&self, news: &News<'_>, count: u64, former: &[UserId]) {
        let movers = news.event.movement();
        if let Some(users) = movers.filter(|_| self.is_large(news.app, count)) {
            self.tell_movers(news, users);
            return;
        }
        let envelope = news.envelope(news.event.clone());
        self.tell_users(news, former, &envelope);
        if matches!(news.event, RoomEvent::Left { .. } | RoomEvent::Removed { .. }) {
            self.tell_users(news, movers.unwrap_or_default(), &envelope);
        }
        let mut after = None;
        loop {
            let page = match self.member_page(news.app, news.room, after.as_deref(), PAGE).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%error, "members of a group were not told of a change");
                    return;
                }
            };
            let users: Vec<_> = page.items.into_iter().map(|(user, _)| user).collect();
            self.tell_users(news, &users, &envelope);
            after = page.next;
            if after.is_none() {
                return;
            }
        }
    }

    fn is_large(&self, app: &App, count: u64) -> bool {
        count > app.policy().rooms.member_notices_up_to as u64
    }

    /// Each of those who came or went is told of itself.
    fn tell_movers(&self, news: &News<'_>, users: &[UserId]) {
        for user in users {
            let sessions = sessions_of(news.app, user);
            if !sessions.is_empty() {
                self.offer_event(sessions.iter(), news.except, &news.envelope(news.event.of_one(user)));
            }
        }
    }

    fn tell_users(&self, news: &News<'_>, users: &[UserId], envelope: &Arc<Envelope>) {
        for user in users {
            self.offer_event(sessions_of(news.app, user).iter(), news.except, envelope);
        }
    }

    fn offer_event<'a>(
        &self,
        sessions: impl Iterator<Item = &'a Arc<Session>>,
        except: Option<SessionId>,
        envelope: &Arc<Envelope>,
    ) {
        self.offer_all(sessions.filter(|session| Some(session.id()) != except), envelope);
    }
}

/// The sessions of a user on this node.
pub(crate) fn sessions_of(app: &App, user: &UserId) -> Vec<Arc<Session>> {
    let mut sessions = Vec::new();
    app.hub.for_each_of(user, |session| sessions.push(session.clone()));
    sessions
}
