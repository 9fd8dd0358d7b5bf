//! To one user: the policy of a peer message, in the order in which it is applied.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{DeliveryOutcome, Origin, SendError, SendPeer, SentPeer};
use crate::app::App;
use crate::limits::Rule;
use crate::mailbox::{AckOutcome, Expectation, Offered};
use crate::message::{Marks, Message, Target};
use crate::metrics::DropReason;
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::session::PeerOffer;
use crate::store::{Cancelled, Commit, Keep, KeepInHistory, KeepInInbox, StoreError};
use crate::timers::Due;

impl Node {
    /// Sends to one user.
    ///
    /// # Errors
    /// When the message was not taken. One that was to be kept and could not be may have reached a client that
    /// is connected all the same.
    pub async fn send_peer(&self, app: &Arc<App>, origin: Origin<'_>, send: SendPeer) -> Result<SentPeer, SendError> {
        Self::check_payload(app, &send.payload)?;
        self.limit_send(app, origin, Rule::PeerSends)?;
        let (to, keep, history, wait) = (send.to.clone(), send.keep, send.history, send.wait_for_ack);
        let message = self.stamp(origin, send);
        self.metrics().accepted_peer.inc();

        let inbox_write = Cancelled::default();
        let expectation = (keep || wait).then(|| Expectation::new(inbox_write.clone()));
        let (expected, ack) = expectation.unzip();
        // Queued before anybody can ack it, so that the ack's removal comes behind it.
        let durable = self.keep(app, &message, keep.then_some(inbox_write), history);
        let offer = PeerOffer { id: message.id, expected: expected.clone(), kept: keep, again: false };
        let mut taken = self.offer_here(app, &message, &offer);
        drop(offer);
        let mut _waiting = None;
        if self.bus().has_others() {
            let expected = expected.clone().filter(|_| wait);
            let (elsewhere, waiting) = self.deliver_elsewhere(app, &message, expected, keep).await;
            (taken, _waiting) = (taken + elsewhere, waiting);
        }
        let durable = durable.map(|commit| self.look_again_when_durable(app, &message, commit, keep && taken == 0));
        if let Some(expected) = expected.filter(|_| wait) {
            let at_ms = self.clock().monotonic_ms() + app.policy().sessions.ack_timeout_ms;
            self.timers().at(at_ms, Due::Ack(Arc::downgrade(&expected)));
            // From here only the mailboxes hold it: when the last forgets it, nobody is there.
        }

        let outcome = match durable {
            None if !wait => DeliveryOutcome::Sent,
            durable => self.outcome(durable, ack, Asked { keep, history, wait }).await?,
        };
        if taken == 0 && !keep {
            self.metrics().dropped(DropReason::NobodyThere, 1);
        }
        tracing::trace!(message = %message.id, %to, taken, ?outcome, "peer message");
        self.metrics().outcome(outcome);
        Ok(SentPeer { id: message.id, sent_at_ms: message.sent_at_ms, outcome })
    }

    fn stamp(&self, origin: Origin<'_>, send: SendPeer) -> Arc<Message> {
        let sent_at_ms = self.clock().wall_ms();
        let id = self.next_id(sent_at_ms);
        let from = origin.sender(send.from);
        Arc::new(Message {
            id,
            from,
            to: Target::User(send.to),
            payload: send.payload,
            sent_at_ms,
            marks: Marks::default(),
        })
    }

    /// Queues the write of a message that is to be kept.
    pub(super) fn keep(
        &self,
        app: &App,
        message: &Arc<Message>,
        inbox: Option<Cancelled>,
        history: bool,
    ) -> Option<Commit> {
        let policy = app.policy();
        let inbox = match (&message.to, inbox) {
            (Target::User(user), Some(cancelled)) => Some(KeepInInbox {
                users: vec![user.clone()],
                cap: policy.inbox.cap,
                expires_at_ms: message.sent_at_ms + policy.inbox.retention_ms,
                cancelled,
            }),
            _ => None,
        };
        let history = policy.history.filter(|_| history).map(|policy| KeepInHistory {
            expires_at_ms: message.sent_at_ms + policy.retention_ms,
            max_bytes: policy.max_bytes,
            hidden_from: Vec::new(),
        });
        if inbox.is_none() && history.is_none() {
            return None;
        }
        Some(self.store().keep(Keep {
            app: policy.id.clone(),
            message: message.clone(),
            inbox,
            history,
            changes: Vec::new(),
        }))
    }

    /// Puts the message into the mailboxes of the receiver's sessions. Returns how many took it.
    pub(crate) fn offer_here(&self, app: &App, message: &Arc<Message>, offer: &PeerOffer) -> usize {
        let Target::User(user) = &message.to else { return 0 };
        let envelope = Envelope::new(Notice::PeerMessage { message: message.clone(), from_inbox: false });
        let now_ms = self.clock().monotonic_ms();
        let (mut taken, mut overflown) = (0, Vec::new());
        app.hub.for_each_of(user, |session| match session.offer_peer(&envelope, offer.clone(), now_ms) {
            Offered::Taken => taken += 1,
            Offered::Overflow => overflown.push(session.clone()),
            Offered::Gone => {}
        });
        for session in overflown {
            self.end_overflown(&session);
        }
        self.metrics().offered_peer.inc_by(taken as u64);
        taken
    }

    /// The late joiner: when nobody took the message, looks again once it is stored. That must happen even if
    /// the sender hangs up meanwhile, so it is no part of the sender's own future.
    fn look_again_when_durable(&self, app: &Arc<App>, message: &Arc<Message>, commit: Commit, look: bool) -> Commit {
        if !look {
            return commit;
        }
        let (node, app, message) = (self.clone(), app.clone(), message.clone());
        let (done, durable) = oneshot::channel();
        self.spawn(async move {
            let result = commit.await;
            if let (Ok(()), Target::User(user)) = (&result, &message.to) {
                let mut late = Vec::new();
                app.hub.for_each_of(user, |session| late.push(session.clone()));
                for session in late {
                    node.offer_late(&session, &message);
                }
                if node.bus().has_others() {
                    node.deliver_elsewhere(&app, &message, None, true).await;
                }
            }
            // A sender that has hung up does not need to know.
            let _ = done.send(result);
        });
        Box::pin(async move { durable.await.unwrap_or_else(|gone| Err(StoreError::Failed(gone.into()))) })
    }

    /// Waits for what the sender must know before it is answered: durable unless acked, acked if it asked.
    async fn outcome(
        &self,
        durable: Option<Commit>,
        ack: Option<oneshot::Receiver<AckOutcome>>,
        asked: Asked,
    ) -> Result<DeliveryOutcome, SendError> {
        let started_us = self.clock().monotonic_us();
        let acked = async {
            let outcome = match ack {
                Some(ack) => Some(ack.await.ok()),
                None => None,
            };
            asked.outcome(outcome)
        };
        let durable = async {
            if let Some(durable) = durable {
                durable.await?;
                self.metrics().keep_seconds.observe(seconds(self.clock().monotonic_us() - started_us));
            }
            Ok::<(), StoreError>(())
        };
        tokio::pin!(acked, durable);
        let outcome = tokio::select! {
            biased;
            outcome = &mut acked => {
                if outcome != DeliveryOutcome::Delivered || asked.history {
                    durable.await?;
                }
                outcome
            }
            result = &mut durable => {
                result?;
                if asked.wait { acked.await } else { DeliveryOutcome::Sent }
            }
        };
        if outcome == DeliveryOutcome::Delivered {
            self.metrics().ack_seconds.observe(seconds(self.clock().monotonic_us() - started_us));
        }
        Ok(if asked.wait { outcome } else { DeliveryOutcome::Sent })
    }
}

/// What the sender asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    keep: bool,
    history: bool,
    wait: bool,
}

impl Asked {
    /// What the end of the wait for an ack means. `None`: nobody waited; `Some(None)`: every mailbox forgot it.
    fn outcome(self, ack: Option<Option<AckOutcome>>) -> DeliveryOutcome {
        match ack {
            None => DeliveryOutcome::Sent,
            Some(Some(AckOutcome::Acked)) => DeliveryOutcome::Delivered,
            Some(Some(AckOutcome::TimedOut)) if !self.keep => DeliveryOutcome::Unconfirmed,
            Some(Some(AckOutcome::TimedOut) | None) => DeliveryOutcome::Offline { kept: self.keep },
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a duration for a histogram")]
fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}
