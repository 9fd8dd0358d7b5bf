//! Messages kept for users who have not acked them: handed over in order when the user comes.
//!
//! *Drain*: a connection begins with everything that the inbox has up to the newest message at that moment; live
//! messages are held back until it is done. *Late joiner*: a sender who found nobody stores first and then looks
//! again ([`Node::offer_late`]), a client registers first and then reads: one of the two sees the other.

use std::sync::Arc;

use crate::app::App;
use crate::id::{MessageId, UserId};
use crate::mailbox::Offered;
use crate::message::Message;
use crate::node::Node;
use crate::notice::{Envelope, Notice};
use crate::session::{LostMessages, PeerOffer, Session};
use crate::store::{InboxReader, StoreError};

/// How many messages are read from the store at once.
const PAGE: usize = 32;

/// A hand-over in progress.
#[derive(Debug)]
pub(crate) struct Drain {
    session: Arc<Session>,
    attachment: u64,
    after: MessageId,
    up_to: MessageId,
}

enum Step {
    Done,
    More,
}

impl Session {
    pub(crate) fn inbox_reader(&self) -> InboxReader {
        InboxReader { app: self.app().id().clone(), user: self.user().clone(), device: self.device().clone() }
    }
}

impl Node {
    /// Hands the inbox over to a connection that has just begun: the first page here, the rest by itself.
    pub(crate) async fn drain_inbox(&self, session: &Arc<Session>, attachment: u64) {
        let mut drain = Drain { session: session.clone(), attachment, after: MessageId::ZERO, up_to: self.newest_id() };
        if let Step::More = self.drain_step(&mut drain).await {
            let node = self.clone();
            self.spawn(async move { node.drain_rest(drain).await });
        }
    }

    async fn drain_rest(&self, mut drain: Drain) {
        loop {
            let pause = {
                let mut state = drain.session.state();
                if state.attachment != drain.attachment { None } else { state.mailbox.drain_pause() }
            };
            if let Some(pause) = pause {
                // An error means that the connection is gone; the next step finds out.
                let _ = pause.await;
            }
            if let Step::Done = self.drain_step(&mut drain).await {
                return;
            }
        }
    }

    async fn drain_step(&self, drain: &mut Drain) -> Step {
        let reader = drain.session.inbox_reader();
        let now_ms = self.clock().wall_ms();
        let page = self.store().inbox_page(&reader, drain.after, drain.up_to, PAGE, now_ms).await;
        self.hand_over(drain, page)
    }

    fn hand_over(&self, drain: &mut Drain, page: Result<Vec<Arc<Message>>, StoreError>) -> Step {
        let mut state = drain.session.state();
        if state.ended || state.attachment != drain.attachment || !state.mailbox.is_draining() {
            return Step::Done;
        }
        let page = page.unwrap_or_else(|error| {
            tracing::error!(user = %drain.session.user(), %error, "the inbox could not be read; it is tried again at the next login");
            Vec::new()
        });
        let step = if page.len() < PAGE { Step::Done } else { Step::More };
        if let Some(last) = page.last() {
            drain.after = last.id;
        }
        self.metrics().inbox_drained.inc_by(page.len() as u64);
        if !page.is_empty() {
            self.watch_acks(&drain.session);
        }
        let envelopes = page
            .into_iter()
            .map(|message| (message.id, Envelope::new(Notice::PeerMessage { message, from_inbox: true })))
            .collect();
        state.mailbox.push_drained(envelopes);
        if let Step::Done = step {
            state.mailbox.finish_drain();
        }
        state.tell_outlet();
        step
    }

    /// Offers a message that was stored because nobody was there to whoever has come meanwhile.
    pub(crate) fn offer_late(&self, session: &Arc<Session>, message: &Arc<Message>) {
        let envelope = Envelope::new(Notice::PeerMessage { message: message.clone(), from_inbox: false });
        let peer = PeerOffer { id: message.id, expected: None, kept: true, again: true };
        let mut lost = LostMessages::default();
        match session.offer_peer(&envelope, peer, self.clock().monotonic_ms(), &mut lost) {
            Offered::Taken => self.watch_acks(session),
            Offered::Overflow => self.end_overflown(session),
            Offered::Gone => {}
        }
        self.count_lost(session.app(), &mut lost);
    }

    /// The client has these messages. Those that are in no mailbox of the session are ignored.
    pub fn acked(&self, session: &Arc<Session>, ids: &[MessageId]) {
        let mut kept = Vec::new();
        {
            let mut state = session.state();
            for id in ids {
                if let Some(acked) = state.mailbox.ack(*id) {
                    self.metrics().acks.inc();
                    if acked.kept {
                        kept.push(*id);
                    }
                }
            }
        }
        if kept.is_empty() {
            return;
        }
        // Queued now, behind the write that put the messages there.
        let reader = session.inbox_reader();
        let commit = self.store().inbox_ack(&reader, &kept);
        let (node, app) = (self.clone(), session.app().clone());
        self.spawn(async move {
            if let Err(error) = commit.await {
                tracing::warn!(%error, "an ack waits until the store takes it");
                node.keep_ack_in_backlog(&app, reader, kept);
            }
        });
    }

    /// How many messages wait for a user: kept, and acked by none of its devices.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn offline_messages(&self, app: &App, user: &UserId) -> Result<usize, StoreError> {
        self.store().inbox_count(app.id(), user, self.clock().wall_ms()).await
    }

    /// Whether a message waits for a user: kept, and acked by none of its devices.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_undelivered(&self, app: &App, user: &UserId, id: MessageId) -> Result<bool, StoreError> {
        self.store().inbox_holds(app.id(), user, id, self.clock().wall_ms()).await
    }
}
