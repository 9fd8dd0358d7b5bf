//! What a user wants to be pushed: for everything, and for single conversations. A conversation's own setting comes first;
//! what it does not say, the user's general one says.

use minicbor::{Decode, Encode};

use super::quiet::DailyInterval;
use crate::app::App;
use crate::directory::DirectoryError;
use crate::directory::contacts::expect_user;
use crate::id::{RoomId, UserId};
use crate::node::Node;
use crate::records::{Page, Record, RecordKind, Transaction};
use crate::store::Scan;

/// Conversations with settings of their own, per user.
pub const CONVERSATIONS: usize = 10_000;

/// Which offline messages are pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum PushMode {
    /// All.
    #[n(0)]
    All,
    /// Those that mention the user.
    #[n(1)]
    Mentions,
    /// None.
    #[n(2)]
    Nothing,
}

/// What a user wants, of everything that has no setting of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct PushPreferences {
    /// Which messages; all, unless it is set.
    #[n(0)]
    pub mode: Option<PushMode>,
    /// No pushes at this time of the day, in the app's time zone.
    #[n(1)]
    pub quiet: Option<DailyInterval>,
    /// No pushes before that: Unix time in milliseconds.
    #[n(2)]
    pub quiet_until_ms: Option<u64>,
    /// The code of the language that pushes are to be in; empty: the one that a message is in.
    #[n(3)]
    pub language: String,
    /// The name of the template that pushes are to be made with.
    #[n(4)]
    pub template: Option<String>,
}

impl Record for PushPreferences {
    const KIND: RecordKind = RecordKind::PushPreferences;
}

/// What a user wants of one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct ConversationPush {
    /// Which messages; `None`: as it is set for everything.
    #[n(0)]
    pub mode: Option<PushMode>,
    /// No pushes before that: Unix time in milliseconds.
    #[n(1)]
    pub quiet_until_ms: Option<u64>,
}

impl Record for ConversationPush {
    const KIND: RecordKind = RecordKind::ConversationPush;
}

/// A conversation of a user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PushConversation {
    /// With another user.
    User(UserId),
    /// In a group, or a room.
    Group(RoomId),
}

impl PushConversation {
    pub(super) fn key(&self, user: &UserId) -> String {
        match self {
            Self::User(other) => format!("{user}/u/{other}"),
            Self::Group(group) => format!("{user}/g/{group}"),
        }
    }

    fn of_key(key: &str) -> Option<Self> {
        let mut parts = key.splitn(3, '/').skip(1);
        match (parts.next()?, parts.next()?) {
            ("u", name) => Some(Self::User(UserId::from_trusted(name))),
            ("g", name) => Some(Self::Group(RoomId::from_trusted(name))),
            _ => None,
        }
    }
}

/// A change of what a user wants; `None` leaves a field as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PushChange {
    /// Which messages; `Some(None)` for what is set elsewhere.
    pub mode: Option<Option<PushMode>>,
    /// The time of the day without pushes; `Some(None)` for no such time. Not for conversations.
    pub quiet: Option<Option<DailyInterval>>,
    /// No pushes for so many milliseconds from now; 0 ends such a time.
    pub quiet_for_ms: Option<u64>,
}

impl PushChange {
    fn quiet_until_ms(&self, now_ms: u64, before: Option<u64>) -> Option<u64> {
        match self.quiet_for_ms {
            Some(0) => None,
            Some(ms) => Some(now_ms + ms),
            None => before.filter(|until_ms| *until_ms > now_ms),
        }
    }
}

impl Node {
    /// Changes what a user wants of everything. Returns what it is then.
    ///
    /// # Errors
    /// When the user is not there, or the store fails.
    pub async fn change_push(
        &self,
        app: &App,
        user: &UserId,
        change: PushChange,
    ) -> Result<PushPreferences, DirectoryError> {
        let now_ms = self.clock().wall_ms();
        self.edit_push(app, user, |preferences| {
            preferences.mode = change.mode.unwrap_or(preferences.mode);
            preferences.quiet = change.quiet.unwrap_or(preferences.quiet);
            preferences.quiet_until_ms = change.quiet_until_ms(now_ms, preferences.quiet_until_ms);
        })
        .await
    }

    /// Sets the language of a user's pushes; empty for none. Returns what is wanted then.
    ///
    /// # Errors
    /// When the user is not there, or the store fails.
    pub async fn set_push_language(
        &self,
        app: &App,
        user: &UserId,
        language: &str,
    ) -> Result<PushPreferences, DirectoryError> {
        self.edit_push(app, user, |preferences| language.clone_into(&mut preferences.language)).await
    }

    /// Sets the template of a user's pushes; empty for none. It need not exist. Returns what is wanted then.
    ///
    /// # Errors
    /// When the user is not there, or the store fails.
    pub async fn set_push_template(
        &self,
        app: &App,
        user: &UserId,
        template: &str,
    ) -> Result<PushPreferences, DirectoryError> {
        let template = Some(template.to_owned()).filter(|template| !template.is_empty());
        self.edit_push(app, user, |preferences| preferences.template.clone_from(&template)).await
    }

    async fn edit_push(
        &self,
        app: &App,
        user: &UserId,
        edit: impl Fn(&mut PushPreferences),
    ) -> Result<PushPreferences, DirectoryError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            let mut preferences = records.get::<PushPreferences>(user.as_str()).await?.unwrap_or_default();
            edit(&mut preferences);
            records.put(user.as_str(), &preferences);
            if records.commit().await? {
                return Ok(preferences);
            }
        }
    }

    /// What a user wants of everything. A time without pushes that is over is not there.
    ///
    /// # Errors
    /// When the user is not there, or the store fails.
    pub async fn push_preferences(&self, app: &App, user: &UserId) -> Result<PushPreferences, DirectoryError> {
        self.user(app, user).await?;
        let now_ms = self.clock().wall_ms();
        let mut found = self.find::<PushPreferences>(app, user.as_str()).await?.unwrap_or_default();
        found.quiet_until_ms = found.quiet_until_ms.filter(|until_ms| *until_ms > now_ms);
        Ok(found)
    }

    /// Changes what a user wants of one conversation, or forgets it: then it is as everything else. Returns what it is
    /// then.
    ///
    /// # Errors
    /// When the user is not there, has settings of more than [`CONVERSATIONS`] conversations, or the store fails.
    pub async fn change_conversation_push(
        &self,
        app: &App,
        user: &UserId,
        conversation: &PushConversation,
        change: Option<PushChange>,
    ) -> Result<ConversationPush, DirectoryError> {
        let (now_ms, key) = (self.clock().wall_ms(), conversation.key(user));
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            let before = records.get::<ConversationPush>(&key).await?;
            let is_new = before.is_none();
            let mut push = before.unwrap_or_default();
            match change {
                Some(change) => {
                    push.mode = change.mode.unwrap_or(push.mode);
                    push.quiet_until_ms = change.quiet_until_ms(now_ms, push.quiet_until_ms);
                }
                None => push = ConversationPush::default(),
            }
            if push == ConversationPush::default() {
                records.delete(RecordKind::ConversationPush, &key);
            } else {
                if is_new {
                    self.has_room_for_conversation(app, user).await?;
                }
                records.put(&key, &push);
            }
            if records.commit().await? {
                return Ok(push);
            }
        }
    }

    async fn has_room_for_conversation(&self, app: &App, user: &UserId) -> Result<(), DirectoryError> {
        let prefix = format!("{user}/");
        let count = self.store().count_records(app.id(), RecordKind::ConversationPush, &prefix).await?;
        if count < CONVERSATIONS as u64 { Ok(()) } else { Err(DirectoryError::TooMany { max: CONVERSATIONS }) }
    }

    /// What a user wants of conversations, in the order asked. What is over is not there.
    ///
    /// # Errors
    /// When the user is not there, or the store fails.
    pub async fn conversation_pushes(
        &self,
        app: &App,
        user: &UserId,
        conversations: &[PushConversation],
    ) -> Result<Vec<Option<ConversationPush>>, DirectoryError> {
        self.user(app, user).await?;
        let now_ms = self.clock().wall_ms();
        let keys = conversations.iter().map(|conversation| conversation.key(user)).collect();
        let found = self.find_all::<ConversationPush>(app, keys).await?;
        Ok(found.into_iter().map(|push| push.and_then(|push| now(push, now_ms))).collect())
    }

    /// The conversations of which a user wants something else than of everything, in the order of their names, behind
    /// `after`, at most `limit`. What is over is left out: a page may be shorter though another one follows.
    ///
    /// # Errors
    /// When the user is not there, or the store fails.
    pub async fn list_conversation_pushes(
        &self,
        app: &App,
        user: &UserId,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<(PushConversation, ConversationPush)>, DirectoryError> {
        self.user(app, user).await?;
        let now_ms = self.clock().wall_ms();
        let scan = Scan { after, ..Scan::of(RecordKind::ConversationPush, format!("{user}/"), limit) };
        let Page { items, next } = self.page::<ConversationPush>(app, scan).await?;
        let items =
            items.into_iter().filter_map(|(key, push)| Some((PushConversation::of_key(&key)?, now(push, now_ms)?)));
        Ok(Page { items: items.collect(), next })
    }
}

/// What of a setting is in force; `None` if nothing is.
fn now(push: ConversationPush, now_ms: u64) -> Option<ConversationPush> {
    let quiet_until_ms = push.quiet_until_ms.filter(|until_ms| *until_ms > now_ms);
    let push = ConversationPush { quiet_until_ms, ..push };
    (push != ConversationPush::default()).then_some(push)
}

/// Forgets what a user wants, and its devices.
pub(crate) fn forget(records: &mut Transaction<'_>, user: &UserId) {
    records.delete(RecordKind::PushPreferences, user.as_str());
    records.delete(RecordKind::PushBindings, user.as_str());
    records.delete_prefix(RecordKind::ConversationPush, format!("{user}/"));
}
