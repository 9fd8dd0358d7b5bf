//! A message on its way to users: into their inboxes, to their sessions here and elsewhere, and once more to who
//! came meanwhile.
//!
//! The order is always the same: stamp, queue the write, offer. The write is queued first, so that an ack's removal
//! comes behind it, and so that whoever comes into the hub after the offer finds the message in the inbox.

use std::collections::HashSet;
use std::slice;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Accepted, Origin, SendOptions};
use crate::app::{App, DevicePolicy};
use crate::id::{DeviceId, UserId};
use crate::mailbox::{Expectation, Offered};
use crate::message::{Marks, Message, Target};
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::session::{LostMessages, PeerOffer, Session};
use crate::store::{Cancelled, Change, Commit, Keep, KeepInHistory, KeepInInbox, StoreError};

/// What is sent, before it has its number.
pub(super) struct Draft {
    pub(super) from: UserId,
    pub(super) to: Target,
    pub(super) payload: Bytes,
    pub(super) marks: Marks,
}

/// A message that was stamped, and who gets it.
pub(super) struct Post<'a> {
    pub(super) message: Arc<Message>,
    pub(super) receivers: Vec<UserId>,
    /// The sender, whose other devices get a copy.
    pub(super) copy_to: Option<UserId>,
    /// The device that sent it, and does not get it, though its user be a receiver.
    had_by: Option<(UserId, DeviceId)>,
    pub(super) keep: bool,
    pub(super) history: bool,
    by_client: bool,
    options: &'a SendOptions,
    /// Which receivers observers were told of as away.
    away: OnceLock<Vec<UserId>>,
}

/// What became of an offer to several users.
#[derive(Debug, Default)]
pub(crate) struct Offers {
    /// How many sessions took it.
    pub(crate) taken: usize,
    /// The users of whom no session did.
    pub(crate) absent: Vec<UserId>,
}

/// Who is looked for again when a message is durable.
#[derive(Debug)]
pub(super) struct Late {
    message: Arc<Message>,
    here: Vec<UserId>,
    elsewhere: Vec<UserId>,
    /// Observers took them for there, and then nobody was.
    gone: Vec<UserId>,
}

impl Post<'_> {
    /// Whether the first ack is the last one needed: then it makes the write into the inbox needless.
    pub(super) fn ends_with_first_ack(&self, app: &App) -> bool {
        app.policy().devices == DevicePolicy::One && self.receivers.len() == 1 && self.copy_to.is_none()
    }

    /// Everybody who has it in the inbox.
    pub(super) fn users(&self) -> Vec<UserId> {
        self.receivers.iter().chain(&self.copy_to).cloned().collect()
    }

    /// Those of the absent who had a connection when observers were told who is away.
    fn gone(&self, absent: &[UserId]) -> Vec<UserId> {
        let Some(away) = self.away.get() else { return Vec::new() };
        let away: HashSet<_> = away.iter().collect();
        absent.iter().filter(|user| !away.contains(user)).cloned().collect()
    }

    /// Who may be missed by the first look, if it is kept. On this node only who was absent: who comes later reads
    /// the inbox behind the write. Other nodes read before it, and where a user has several devices, one that
    /// takes it says nothing of another that is just coming.
    pub(super) fn late(&self, node: &Node, app: &App, absent: Vec<UserId>) -> Option<Late> {
        if !self.keep {
            return None;
        }
        let several = app.policy().devices != DevicePolicy::One;
        let elsewhere = match (node.bus().has_others(), several) {
            (false, _) => Vec::new(),
            (true, true) => self.users(),
            (true, false) => absent.clone(),
        };
        let gone = self.gone(&absent);
        let late = Late { message: self.message.clone(), here: absent, elsewhere, gone };
        (!late.here.is_empty() || !late.elsewhere.is_empty()).then_some(late)
    }
}

impl Node {
    /// Stamps a message.
    pub(super) fn post<'a>(
        &self,
        app: &App,
        origin: Origin<'_>,
        draft: Draft,
        receivers: Vec<UserId>,
        options: &'a SendOptions,
    ) -> Post<'a> {
        let sent_at_ms = self.clock().wall_ms();
        let id = self.next_id(sent_at_ms);
        let Draft { from, to, payload, marks } = draft;
        let from = origin.sender(from);
        // A client that is its user's only one has no other device to tell.
        let alone = matches!(origin, Origin::Client(_)) && app.policy().devices == DevicePolicy::One;
        let to_others = options.sync_sender && !alone;
        Post {
            had_by: origin.device().filter(|_| to_others),
            copy_to: (to_others && !receivers.contains(&from)).then(|| from.clone()),
            message: Arc::new(Message { id, from, to, payload, sent_at_ms, marks }),
            receivers,
            keep: options.keep && !options.online_only,
            history: options.history && !options.online_only && app.policy().history.is_some(),
            by_client: origin.is_client(),
            options,
            away: OnceLock::new(),
        }
    }

    /// What the store is to keep of a message, if anything.
    pub(super) fn keep_of(&self, app: &App, post: &Post<'_>, cancelled: Cancelled) -> Option<Keep> {
        let policy = app.policy();
        let mut changes = self.changes_of(app, post);
        changes.extend(super::named::remembered(&post.message, &post.receivers).filter(|_| post.keep));
        let inbox = post.keep.then(|| KeepInInbox {
            users: post.users(),
            cap: policy.inbox.cap,
            expires_at_ms: post.message.sent_at_ms + policy.inbox.retention_ms,
            cancelled,
            had_by: post.had_by.clone(),
        });
        let hidden_from = &post.options.hidden_from;
        let history = Self::keep_in_history(app, &post.message, post.history, hidden_from);
        if inbox.is_none() && history.is_none() && changes.is_empty() {
            return None;
        }
        Some(Keep { app: policy.id.clone(), message: post.message.clone(), inbox, history, changes })
    }

    /// Queues what is to be kept, as one step.
    pub(super) fn queue_keeps(&self, keeps: Vec<Keep>) -> Option<Commit> {
        (!keeps.is_empty()).then(|| self.store().keep_all(keeps))
    }

    /// What is written with a message.
    fn changes_of(&self, app: &App, post: &Post<'_>) -> Vec<Change> {
        let also = post.options.also.as_ref();
        if also.is_none() && app.observers().is_empty() {
            return Vec::new();
        }
        let absent: Vec<_> = post.receivers.iter().filter(|user| !self.is_online(app, user)).cloned().collect();
        let (message, by_client) = (&*post.message, post.by_client);
        let accepted = Accepted { message, receivers: &post.receivers, absent: &absent, kept: post.keep, by_client };
        let mut changes = also.map_or_else(Vec::new, |also| also.changes(&accepted));
        changes.extend(app.observed(|observer| observer.message(&accepted)));
        if post.keep && !app.observers().is_empty() {
            // Set once: a message is kept once.
            let _ = post.away.set(absent);
        }
        changes
    }

    /// How a message is kept in the history, if it is to be and the app has one.
    pub(super) fn keep_in_history(
        app: &App,
        message: &Message,
        history: bool,
        hidden_from: &[UserId],
    ) -> Option<KeepInHistory> {
        app.policy().history.filter(|_| history).map(|policy| KeepInHistory {
            expires_at_ms: message.sent_at_ms + policy.retention_ms,
            max_bytes: policy.max_bytes,
            hidden_from: hidden_from.to_vec(),
        })
    }

    /// Puts a message into the mailboxes of its receivers' sessions, and of the sender's others. What became of
    /// the receivers' is returned.
    pub(super) fn offer_post(&self, app: &App, post: &Post<'_>, expected: Option<Arc<Expectation>>) -> Offers {
        let envelope = Envelope::new(Notice::PeerMessage { message: post.message.clone(), from_inbox: false });
        // One of many receivers may come while the others are looked for, and have it from the inbox already.
        let again = post.keep && post.receivers.len() > 1;
        let offer = PeerOffer { id: post.message.id, expected, kept: post.keep, again };
        let other = |session: &Session| {
            post.had_by.as_ref().is_none_or(|(user, device)| session.user() != user || session.device() != device)
        };
        let mut offers = self.offer_to(app, &post.receivers, &envelope, &offer, other);
        if let Some((sender, _)) = &post.had_by {
            // Who sends to himself has it.
            offers.absent.retain(|user| user != sender);
        }
        if let Some(sender) = &post.copy_to {
            let copy = PeerOffer { expected: None, ..offer };
            self.offer_to(app, slice::from_ref(sender), &envelope, &copy, other);
        }
        offers
    }

    /// Offers a message to those sessions of users that are wanted.
    pub(crate) fn offer_to(
        &self,
        app: &App,
        users: &[UserId],
        envelope: &Arc<Envelope>,
        offer: &PeerOffer,
        wanted: impl Fn(&Session) -> bool,
    ) -> Offers {
        let now_ms = self.clock().monotonic_ms();
        let (mut offers, mut overflown) = (Offers::default(), Vec::new());
        let mut lost = LostMessages::default();
        for user in users {
            let before = offers.taken;
            app.hub.for_each_of(user, |session| {
                if !wanted(session) {
                    return;
                }
                match session.offer_peer(envelope, offer.clone(), now_ms, &mut lost) {
                    Offered::Taken => {
                        offers.taken += 1;
                        if offer.kept {
                            self.watch_acks(session);
                        }
                    }
                    Offered::Overflow => overflown.push(session.clone()),
                    Offered::Gone => {}
                }
            });
            if offers.taken == before {
                offers.absent.push(user.clone());
            }
        }
        for session in overflown {
            self.end_overflown(&session);
        }
        self.count_lost(app, &mut lost);
        self.metrics().offered_peer.inc_by(offers.taken as u64);
        offers
    }

    /// The late joiner: who was not found is looked for again once the message is stored. That must happen even if
    /// the sender hangs up meanwhile, so it is no part of the sender's own future.
    pub(super) fn look_again_when_durable(&self, app: &Arc<App>, late: Vec<Late>, commit: Commit) -> Commit {
        if late.is_empty() {
            return commit;
        }
        let (node, app) = (self.clone(), app.clone());
        let (done, durable) = oneshot::channel();
        self.spawn(async move {
            let result = commit.await;
            if result.is_ok() {
                for late in late {
                    node.look_again(&app, late).await;
                }
            }
            // A sender that has hung up does not need to know.
            let _ = done.send(result);
        });
        Box::pin(async move { durable.await.unwrap_or_else(|gone| Err(StoreError::Failed(gone.into()))) })
    }

    async fn look_again(&self, app: &Arc<App>, late: Late) {
        let Late { message, here, elsewhere, gone } = late;
        for user in &here {
            let mut sessions = Vec::new();
            app.hub.for_each_of(user, |session| sessions.push(session.clone()));
            for session in sessions {
                self.offer_late(&session, &message);
            }
        }
        let changes = |user| app.observed(|observer| observer.unacked(user, message.id));
        let changes: Vec<_> = gone.iter().flat_map(changes).collect();
        if !changes.is_empty()
            && let Err(error) = self.store().change(app.id(), changes).await
        {
            tracing::warn!(message = %message.id, %error, "that nobody was there after all is not told");
        }
        self.offer_elsewhere(app, &message, elsewhere, true, true).await;
    }
}
