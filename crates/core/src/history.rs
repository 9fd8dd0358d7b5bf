//! Messages kept for later queries, and what a user does not want to find there any more.

use std::sync::Arc;

use bytes::Bytes;
use minicbor::{Decode, Encode};

use crate::app::App;
use crate::delivery::{Origin, SendOptions};
use crate::gate::Passed;
use crate::id::{MessageId, UserId};
use crate::limits::Rule;
use crate::message::{Marks, Message, MessageKind, Priority, Target};
use crate::node::{Node, QueryError};
use crate::records::{Record, RecordKind};
use crate::store::{HistoryFilter, HistoryPage, StoreError};

/// How many messages are hidden in one step of the store.
const HIDDEN_AT_ONCE: usize = 500;

/// A conversation, as one of those in it sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// With a user.
    With(UserId),
    /// In a room or group.
    In(Target),
}

impl Conversation {
    /// What of it `user` finds in the history.
    #[must_use]
    pub fn seen_by(&self, user: &UserId) -> HistoryFilter {
        let all = match self {
            Self::With(other) => HistoryFilter::between(user, other),
            Self::In(target) => HistoryFilter::to(target.clone()),
        };
        HistoryFilter { seen_by: Some(user.clone()), ..all }
    }
}

/// What of a conversation is hidden from a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hide {
    /// Everything up to this Unix time in milliseconds, and what was taken in it.
    UpTo(u64),
    /// These messages.
    Messages(Vec<MessageId>),
}

/// That a user finds nothing up to a message; the key is the user ID.
#[derive(Debug, Clone, Encode, Decode)]
pub(crate) struct HiddenUntil {
    /// The number of the last message that is hidden; no message has it.
    #[n(0)]
    pub(crate) until: u64,
}

impl Record for HiddenUntil {
    const KIND: RecordKind = RecordKind::HiddenUntil;
}

impl Node {
    /// Hides messages of a conversation from a user: they are not found any more with
    /// [`Conversation::seen_by`] this user. Others find them as before.
    ///
    /// # Errors
    /// When the store fails; some may be hidden then.
    pub async fn hide(&self, app: &App, user: &UserId, what: &Conversation, hide: Hide) -> Result<(), StoreError> {
        let all = what.seen_by(user);
        match hide {
            Hide::UpTo(end_ms) => self.hide_matches(app, user, &HistoryFilter { end_ms, ..all }).await,
            Hide::Messages(ids) => {
                for id in ids {
                    let (after, before) = (MessageId(id.0.saturating_sub(1)), MessageId(id.0.saturating_add(1)));
                    let one = HistoryFilter { after: Some(after), before: Some(before), ..all.clone() };
                    self.hide_matches(app, user, &one).await?;
                }
                Ok(())
            }
        }
    }

    /// Hides everything up to now from a user: whatever it would have found of a time up to now, in whatever
    /// conversation, is not found any more; also in groups that it has left, and what is imported later.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hide_everything(&self, app: &App, user: &UserId) -> Result<(), StoreError> {
        // Whatever is taken from now on has a later number.
        let until = self.next_id(self.clock().wall_ms()).0;
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let before = records.get::<HiddenUntil>(user.as_str()).await?.map_or(0, |hidden| hidden.until);
            records.put(user.as_str(), &HiddenUntil { until: until.max(before) });
            if records.commit().await? {
                return Ok(());
            }
        }
    }

    /// What of a filter its user may still find.
    async fn visible(&self, app: &App, filter: &HistoryFilter) -> Result<HistoryFilter, StoreError> {
        let Some(user) = &filter.seen_by else { return Ok(filter.clone()) };
        let hidden = self.find::<HiddenUntil>(app, user.as_str()).await?;
        let after = hidden.map(|hidden| MessageId(hidden.until)).max(filter.after);
        Ok(HistoryFilter { after, ..filter.clone() })
    }

    /// In steps, so that other writes come between.
    async fn hide_matches(&self, app: &App, user: &UserId, filter: &HistoryFilter) -> Result<(), StoreError> {
        while self.store().hide(app.id(), filter, user, HIDDEN_AT_ONCE).await? >= HIDDEN_AT_ONCE as u64 {}
        Ok(())
    }

    /// Tells a user's devices that are connected something that only they need to know. The backend's rates do not
    /// count it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tell_devices(&self, app: &Arc<App>, user: &UserId, payload: Bytes) -> Result<(), StoreError> {
        self.tell_one(app, user, user, payload, false).await
    }

    /// Tells a user something that another did, on every device, as soon as it is there. The backend's rates do not count
    /// it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tell_user(
        &self,
        app: &Arc<App>,
        from: &UserId,
        to: &UserId,
        payload: Bytes,
    ) -> Result<(), StoreError> {
        self.tell_one(app, from, to, payload, true).await
    }

    async fn tell_one(
        &self,
        app: &Arc<App>,
        from: &UserId,
        to: &UserId,
        payload: Bytes,
        keep: bool,
    ) -> Result<(), StoreError> {
        let marks = Marks { kind: MessageKind::Notice, ..Marks::default() };
        let options = SendOptions { keep, online_only: !keep, marks, ..SendOptions::default() };
        let passed = Passed { payload, priority: Priority::default(), turn: None };
        self.post_to_users(app, Origin::Backend, from.clone(), vec![to.clone()], passed, &options).await.map(drop)
    }

    /// Takes one history query under its rate.
    ///
    /// # Errors
    /// When asked too often, or the app keeps no history.
    pub fn allow_history_query(&self, app: &Arc<App>) -> Result<(), QueryError> {
        app.policy().history.ok_or(QueryError::NoHistory)?;
        Ok(app.limit(Rule::HistoryQueries, self.clock().monotonic_us())?)
    }

    /// Messages that were kept for history.
    ///
    /// # Errors
    /// When the store fails, or the app keeps no history.
    pub async fn history(
        &self,
        app: &Arc<App>,
        filter: &HistoryFilter,
        page: HistoryPage,
    ) -> Result<Vec<Arc<Message>>, QueryError> {
        app.policy().history.ok_or(QueryError::NoHistory)?;
        let filter = &self.visible(app, filter).await?;
        Ok(self.store().history(app.id(), filter, page, self.clock().wall_ms()).await?)
    }

    /// How many messages were kept for history.
    ///
    /// # Errors
    /// When the store fails, or the app keeps no history.
    pub async fn history_count(&self, app: &Arc<App>, filter: &HistoryFilter) -> Result<u64, QueryError> {
        app.policy().history.ok_or(QueryError::NoHistory)?;
        let filter = &self.visible(app, filter).await?;
        Ok(self.store().history_count(app.id(), filter, self.clock().wall_ms()).await?)
    }
}
