//! To many users: the same to each, a message of its own for each, one step of the store for all.

use std::sync::Arc;

use super::post::Draft;
use super::{DeliveryOutcome, Origin, SendError, SendOptions, SendUsers, SentPeer};
use crate::app::App;
use crate::gate::{Passed, Saying};
use crate::id::UserId;
use crate::limits::Rule;
use crate::message::{Marks, Message, Target};
use crate::metrics::DropReason;
use crate::node::Node;
use crate::store::{Cancelled, Commit, Keep, StoreError};

/// How many users one command may have. Dialects allow fewer.
pub const RECEIVERS: usize = 1000;

impl Node {
    /// Sends to several users. Answers in their order, when everything that is to be kept is durable: all of it
    /// or nothing. Nobody waits for acks.
    ///
    /// # Errors
    /// When nothing was taken: the rate must have room for all. What was to be kept and could not be may have
    /// reached clients that are connected all the same.
    pub async fn send_users(
        &self,
        app: &Arc<App>,
        origin: Origin<'_>,
        send: SendUsers,
    ) -> Result<Vec<SentPeer>, SendError> {
        Self::check_payload(app, &send.payload)?;
        Self::check_count(send.to.len(), RECEIVERS)?;
        self.limit_sends(app, origin, Rule::PeerSends, send.to.len())?;
        let SendUsers { from, to, payload, options } = send;
        let targets: Vec<_> = to.iter().cloned().map(Target::User).collect();
        let passed = self.pass_gate(app, origin, &from, &targets, Saying::new(payload, options.marks)).await?;
        Ok(self.post_to_users(app, origin, from, to, passed, &options).await?)
    }

    /// Takes a message for each of several users and offers it.
    pub(crate) async fn post_to_users(
        &self,
        app: &Arc<App>,
        origin: Origin<'_>,
        from: UserId,
        to: Vec<UserId>,
        passed: Passed<'_>,
        options: &SendOptions,
    ) -> Result<Vec<SentPeer>, StoreError> {
        let queue = |keeps| self.queue_keeps(keeps);
        self.post_to_users_by(app, origin, (from, to), passed, options, queue).await
    }

    /// The same, where `queue` brings what is to be kept into the store: at the first poll, before anything is waited
    /// for.
    pub(super) async fn post_to_users_by(
        &self,
        app: &Arc<App>,
        origin: Origin<'_>,
        (from, to): (UserId, Vec<UserId>),
        passed: Passed<'_>,
        options: &SendOptions,
        queue: impl FnOnce(Vec<Keep>) -> Option<Commit>,
    ) -> Result<Vec<SentPeer>, StoreError> {
        let Passed { payload, priority, turn } = passed;
        let marks = Marks { priority, ..options.marks };
        let post = |to: UserId| {
            let (from, payload) = (from.clone(), payload.clone());
            let draft = Draft { from, to: Target::User(to.clone()), payload, marks };
            self.post(app, origin, draft, vec![to], options)
        };
        let posts: Vec<_> = to.into_iter().map(post).collect();
        self.metrics().accepted_peer.inc_by(posts.len() as u64);
        let keeps: Vec<_> = posts.iter().filter_map(|post| self.keep_of(app, post, Cancelled::default())).collect();
        let durable = queue(keeps);
        // All of them before anything is waited for: a client's requests take effect in their order.
        let offered: Vec<_> = posts.iter().map(|post| self.offer_post(app, post, None)).collect();
        drop(turn);
        let mut late = Vec::new();
        for (post, mut offers) in posts.iter().zip(offered) {
            if self.bus().has_others() {
                let (elsewhere, _) = self.deliver_elsewhere(app, &post.message, None, post.keep).await;
                if elsewhere > 0 {
                    offers.absent.clear();
                }
                self.offer_elsewhere(app, &post.message, post.copy_to.iter().cloned().collect(), post.keep, false)
                    .await;
            }
            if !post.keep {
                self.metrics().dropped(DropReason::NobodyThere, offers.absent.len() as u64);
            }
            late.extend(post.late(self, app, offers.absent));
        }
        if let Some(commit) = durable {
            self.look_again_when_durable(app, late, commit).await?;
        }
        let outcome = DeliveryOutcome::Sent;
        let sent = |message: &Message| SentPeer { id: message.id, sent_at_ms: message.sent_at_ms, outcome };
        posts.iter().for_each(|_| self.metrics().outcome(outcome));
        Ok(posts.iter().map(|post| sent(&post.message)).collect())
    }
}
