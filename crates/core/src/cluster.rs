//! What nodes ask of each other: deliver, ack, fan out, and end sessions that a login replaces.
//!
//! A peer message goes only to the nodes that the directory names; a lost one is a message that nobody acked, so
//! its sender hears the truth and the inbox keeps what is to be kept. Members, counts, attributes and presence of
//! a room or user are those of this node: see `docs/delivery.md`.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::app::{App, DevicePolicy};
use crate::bus::{Address, ClusterMessage};
use crate::directory::status::PublishedStatus;
use crate::id::{DeviceId, MessageId, NodeId, UserId};
use crate::mailbox::{AckOutcome, Expectation};
use crate::message::{Message, Target};
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::session::{Closing, LogoutReason, PeerOffer, Session};
use crate::store::Cancelled;

/// How far the clocks of two nodes may be apart. A session that began so long before a message, or later, may have
/// come too late for its first offer.
const CLOCKS_APART_MS: u64 = 10_000;

/// Acks that are expected from other nodes.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    expected: Mutex<HashMap<MessageId, Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    expected: Arc<Expectation>,
    nodes: usize,
}

/// Forgets an expectation of other nodes when its sender does not wait any more.
#[derive(Debug)]
pub(crate) struct WaitingGuard {
    node: Node,
    message: MessageId,
}

impl Drop for WaitingGuard {
    fn drop(&mut self) {
        self.node.elsewhere().expected.lock().remove(&self.message);
    }
}

impl Node {
    fn address(app: &App, user: &UserId) -> Address {
        Address { app: app.id().clone(), user: user.clone() }
    }

    /// Tells other nodes that the user is here, and lets them end what this login replaces.
    pub(crate) async fn announce(&self, session: &Session) {
        let app = session.app();
        if let Err(error) = self.bus().announce(&Self::address(app, session.user())).await {
            tracing::warn!(user = %session.user(), %error, "the login could not be announced to other nodes");
        }
        if self.bus().has_others() {
            self.publish(ClusterMessage::LoggedIn {
                app: app.id().clone(),
                user: session.user().clone(),
                device: session.device().clone(),
                opened: session.opened(),
            })
            .await;
        }
    }

    /// Tells other nodes that the user is not here any more, unless another session is.
    pub(crate) async fn withdraw(&self, session: &Session) {
        let mut others = 0;
        session.app().hub.for_each_of(session.user(), |_| others += 1);
        if others == 0
            && let Err(error) = self.bus().withdraw(&Self::address(session.app(), session.user())).await
        {
            tracing::warn!(user = %session.user(), %error, "the logout could not be announced to other nodes");
        }
    }

    /// Whether another node has a session of the user.
    pub(crate) async fn is_elsewhere(&self, app: &App, user: &UserId) -> bool {
        self.bus().has_others()
            && self.bus().locate(&Self::address(app, user)).await.is_ok_and(|nodes| !nodes.is_empty())
    }

    async fn publish(&self, message: ClusterMessage) {
        if let Err(error) = self.bus().publish(message).await {
            tracing::warn!(%error, "not every node was reached");
        }
    }

    /// Sends a peer message to the other nodes on which its receiver is. Returns how many took it, and what
    /// keeps the expectation of their acks alive.
    pub(crate) async fn deliver_elsewhere(
        &self,
        app: &App,
        message: &Arc<Message>,
        expected: Option<Arc<Expectation>>,
        kept: bool,
    ) -> (usize, Option<WaitingGuard>) {
        let Target::User(user) = &message.to else { return (0, None) };
        let nodes = self.bus().locate(&Self::address(app, user)).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the receiver could not be looked up on other nodes");
            Vec::new()
        });
        if nodes.is_empty() {
            return (0, None);
        }
        let awaited = expected.is_some();
        let guard = expected.map(|expected| {
            let waiting = Waiting { expected, nodes: nodes.len() };
            self.elsewhere().expected.lock().insert(message.id, waiting);
            WaitingGuard { node: self.clone(), message: message.id }
        });
        let mut taken = 0;
        for node in nodes {
            let deliver = ClusterMessage::Deliver { app: app.id().clone(), message: message.clone(), kept, awaited };
            if self.bus().send(node, deliver).await.is_ok() {
                taken += 1;
            } else {
                self.nobody_elsewhere(message.id);
            }
        }
        (taken, guard)
    }

    /// Offers a message to users' sessions on other nodes. `late`: not for the first time.
    pub(crate) async fn offer_elsewhere(
        &self,
        app: &App,
        message: &Arc<Message>,
        users: Vec<UserId>,
        kept: bool,
        late: bool,
    ) {
        if users.is_empty() || !self.bus().has_others() {
            return;
        }
        let offer =
            |users| ClusterMessage::Offer { app: app.id().clone(), message: message.clone(), users, kept, late };
        let [user] = &users[..] else {
            self.publish(offer(users)).await;
            return;
        };
        let nodes = self.bus().locate(&Self::address(app, user)).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "a receiver could not be looked up on other nodes");
            Vec::new()
        });
        for node in nodes {
            if let Err(error) = self.bus().send(node, offer(users.clone())).await {
                tracing::debug!(%error, "a message was not offered on another node");
            }
        }
    }

    /// Sends a room message to the members on other nodes; only to these users, if there are any.
    pub(crate) async fn fan_out_elsewhere(&self, app: &App, message: &Arc<Message>, only_for: &[UserId]) {
        if self.bus().has_others() {
            let (app, message, only_for) = (app.id().clone(), message.clone(), only_for.to_vec());
            self.publish(ClusterMessage::Room { app, message, only_for }).await;
        }
    }

    /// Does what another node asks for.
    pub(crate) fn cluster_message(&self, from: NodeId, message: ClusterMessage) {
        match message {
            ClusterMessage::Deliver { app, message, kept, awaited } => {
                if let Some(app) = self.app(app.as_str()) {
                    self.deliver_for(from, &app, &message, kept, awaited);
                }
            }
            ClusterMessage::Offer { app, message, users, kept, late } => {
                if let Some(app) = self.app(app.as_str()) {
                    self.offer_for(&app, &message, &users, kept, late);
                }
            }
            ClusterMessage::Acked { message } => {
                let waiting = self.elsewhere().expected.lock().remove(&message);
                if let Some(waiting) = waiting {
                    waiting.expected.acked();
                }
            }
            ClusterMessage::NobodyThere { message } => self.nobody_elsewhere(message),
            ClusterMessage::Room { app, message, only_for } => {
                if let Some(app) = self.app(app.as_str()) {
                    self.fan_out_here(&app, &message, &only_for);
                }
            }
            ClusterMessage::LoggedIn { app, user, device, opened } => {
                if let Some(app) = self.app(app.as_str()) {
                    self.logged_in_elsewhere(&app, &user, &device, opened);
                }
            }
            ClusterMessage::Status { app, status } => {
                if let Some(app) = self.app(app.as_str()) {
                    self.tell_status_for(app, status);
                }
            }
            ClusterMessage::Disconnect { app, user, device, why } => {
                if let Some(app) = self.app(app.as_str()) {
                    self.disconnect_here(&app, &user, device.as_ref(), why);
                }
            }
        }
    }

    /// Lets other nodes end the sessions of a user.
    pub(crate) async fn disconnect_elsewhere(
        &self,
        app: &App,
        user: &UserId,
        device: Option<&DeviceId>,
        why: LogoutReason,
    ) {
        let (app, user, device) = (app.id().clone(), user.clone(), device.cloned());
        self.tell_elsewhere(ClusterMessage::Disconnect { app, user, device, why }).await;
    }

    /// Tells every other node, if there are any.
    pub(crate) async fn tell_elsewhere(&self, message: ClusterMessage) {
        if self.bus().has_others() {
            self.publish(message).await;
        }
    }

    /// Tells those here who asked for a status that was published on another node.
    fn tell_status_for(&self, app: Arc<App>, status: Arc<PublishedStatus>) {
        let node = self.clone();
        self.spawn(async move {
            if let Err(error) = node.tell_status_here(&app, &status).await {
                tracing::warn!(%error, "a status could not be told");
            }
        });
    }

    fn nobody_elsewhere(&self, message: MessageId) {
        let mut expected = self.elsewhere().expected.lock();
        if let Some(waiting) = expected.get_mut(&message) {
            waiting.nodes -= 1;
            if waiting.nodes == 0 {
                expected.remove(&message);
            }
        }
    }

    /// Offers a message of another node to the sessions here, and reports back if its sender waits.
    fn deliver_for(&self, origin: NodeId, app: &Arc<App>, message: &Arc<Message>, kept: bool, awaited: bool) {
        let (expected, ack) = Expectation::new(Cancelled::default());
        let expected = awaited.then_some(expected);
        let Target::User(user) = &message.to else { return };
        let envelope = Envelope::new(Notice::PeerMessage { message: message.clone(), from_inbox: false });
        let offer = PeerOffer { id: message.id, expected, kept, again: kept };
        self.offer_to(app, std::slice::from_ref(user), &envelope, &offer, |_| true);
        drop(offer);
        if !awaited {
            return;
        }
        let (node, id) = (self.clone(), message.id);
        self.spawn(async move {
            let reply = match ack.await {
                Ok(AckOutcome::Acked) => ClusterMessage::Acked { message: id },
                Ok(AckOutcome::TimedOut) | Err(_) => ClusterMessage::NobodyThere { message: id },
            };
            if let Err(error) = node.bus().send(origin, reply).await {
                tracing::debug!(%error, "an ack did not reach the sender's node");
            }
        });
    }

    /// Offers a message of another node to the sessions here of these users.
    fn offer_for(&self, app: &App, message: &Arc<Message>, users: &[UserId], kept: bool, late: bool) {
        let envelope = Envelope::new(Notice::PeerMessage { message: message.clone(), from_inbox: false });
        let offer = PeerOffer { id: message.id, expected: None, kept, again: kept };
        let may_miss_it = |session: &Session| session.opened().unix_ms() + CLOCKS_APART_MS >= message.id.unix_ms();
        self.offer_to(app, users, &envelope, &offer, |session| !late || may_miss_it(session));
    }

    fn logged_in_elsewhere(&self, app: &App, user: &UserId, device: &DeviceId, opened: MessageId) {
        let mut replaced = Vec::new();
        app.hub.for_each_of(user, |session| {
            let same_place = app.policy().devices == DevicePolicy::One || session.device() == device;
            if same_place && session.opened() < opened {
                replaced.push(session.clone());
            }
        });
        for session in replaced {
            self.end(&session, Closing::Replaced);
        }
    }
}
