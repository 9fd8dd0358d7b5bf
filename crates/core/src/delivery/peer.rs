//! To one user: the policy of a peer message, in the order in which it is applied.

use std::slice;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::post::Draft;
use super::{DeliveryOutcome, Origin, SendError, SendPeer, SentPeer};
use crate::app::App;
use crate::gate::{Passed, Saying};
use crate::limits::Rule;
use crate::mailbox::{AckOutcome, Expectation};
use crate::message::{Marks, Target};
use crate::metrics::DropReason;
use crate::node::Node;
use crate::store::{Cancelled, Commit, StoreError};
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
        let SendPeer { from, to, payload, wait_for_ack: wait, options } = send;
        let target = Target::User(to.clone());
        let Passed { payload, priority, turn } =
            self.pass_gate(app, origin, &from, slice::from_ref(&target), Saying::new(payload, options.marks)).await?;
        let draft = Draft { from, to: target, payload, marks: Marks { priority, ..options.marks } };
        let post = self.post(app, origin, draft, vec![to.clone()], &options);
        self.metrics().accepted_peer.inc();

        let keep = post.keep;
        let ack_suffices = post.ends_with_first_ack(app);
        let inbox_write = Cancelled::default();
        let expectation = (wait || keep && ack_suffices).then(|| {
            // Where other devices need the message, no ack of one may take it from them.
            Expectation::new(if ack_suffices { inbox_write.clone() } else { Cancelled::default() })
        });
        let (expected, ack) = expectation.unzip();
        let kept = self.keep_of(app, &post, inbox_write);
        let must_be_durable = kept.as_ref().is_some_and(|kept| {
            kept.history.is_some() || !kept.changes.is_empty() || kept.inbox.is_some() && !ack_suffices
        });
        // Queued before anybody can ack it, so that the ack's removal comes behind it.
        let durable = kept.map(|kept| self.store().keep(kept));
        let mut offers = self.offer_post(app, &post, expected.clone());
        drop(turn);
        let mut _waiting = None;
        if self.bus().has_others() {
            let expected = expected.clone().filter(|_| wait);
            let (elsewhere, waiting) = self.deliver_elsewhere(app, &post.message, expected, keep).await;
            if elsewhere > 0 {
                offers.absent.clear();
            }
            offers.taken += elsewhere;
            _waiting = waiting;
            self.offer_elsewhere(app, &post.message, post.copy_to.iter().cloned().collect(), keep, false).await;
        }
        let late = post.late(self, app, offers.absent);
        let durable = durable.map(|commit| self.look_again_when_durable(app, late.into_iter().collect(), commit));
        if let Some(expected) = expected.filter(|_| wait) {
            let at_ms = self.clock().monotonic_ms() + app.policy().sessions.ack_timeout_ms;
            self.timers().at(at_ms, Due::Ack(Arc::downgrade(&expected)));
            // From here only the mailboxes hold it: when the last forgets it, nobody is there.
        }

        let outcome = match durable {
            None if !wait => DeliveryOutcome::Sent,
            durable => self.outcome(durable, ack, Asked { keep, wait, must_be_durable }).await?,
        };
        if offers.taken == 0 && !keep {
            self.metrics().dropped(DropReason::NobodyThere, 1);
        }
        tracing::trace!(message = %post.message.id, %to, taken = offers.taken, ?outcome, "peer message");
        self.metrics().outcome(outcome);
        Ok(SentPeer { id: post.message.id, sent_at_ms: post.message.sent_at_ms, outcome })
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
                if outcome != DeliveryOutcome::Delivered || asked.must_be_durable {
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
    wait: bool,
    /// Whether an ack does not make the write needless.
    must_be_durable: bool,
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
