//! Registered users: who they are, and whether they may log in. How they go is in [`super::departure`].

use std::sync::Arc;

use minicbor::{Decode, Encode};

use super::DirectoryError;
use super::departure::{Departed, Departing};
use crate::app::App;
use crate::id::{UserId, uuid};
use crate::node::Node;
use crate::records::{Page, Record, RecordKind, Transaction};
use crate::session::LogoutReason;
use crate::store::{Scan, StoreError};

/// A registered user.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct User {
    /// The user ID.
    #[n(0)]
    pub name: String,
    /// A random UUID, given at the registration.
    #[n(1)]
    pub uuid: String,
    /// When the user was registered: Unix time in milliseconds.
    #[n(2)]
    pub created_ms: u64,
    /// When the user was changed last: Unix time in milliseconds.
    #[n(3)]
    pub modified_ms: u64,
    /// The password's hash in the PHC format; without one, only tokens let the user in.
    #[n(4)]
    pub password_hash: Option<String>,
    /// The name that pushes show.
    #[n(5)]
    pub nickname: Option<String>,
    /// Whether the user may log in.
    #[n(6)]
    pub active: bool,
    /// Counts how often the user's tokens were revoked: a token of another generation is void. It starts anywhere, so
    /// that the tokens of a deleted user are void for the next one of that name.
    #[n(7)]
    #[cbor(default)]
    pub token_generation: u64,
    /// When they were revoked last, for tokens that know no generation: Unix time in milliseconds.
    #[n(8)]
    #[cbor(default)]
    pub tokens_valid_from_ms: u64,
    /// How much pushes show of a message; `None` if it was never set.
    #[n(9)]
    pub push_style: Option<PushStyle>,
    /// Whole hours without pushes, as clients of old set them; `None` if they were never set.
    #[n(10)]
    pub quiet_hours: Option<QuietHours>,
    /// Groups of which the user wants no pushes, as clients of old set them: at most [`IGNORED_GROUPS`].
    #[n(11)]
    #[cbor(default)]
    pub ignored_groups: Vec<String>,
}

/// How much pushes show of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum PushStyle {
    /// That there is one.
    #[default]
    #[n(0)]
    Hint,
    /// Who sent it, and what it says.
    #[n(1)]
    Content,
}

/// Hours of every day without pushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct QuietHours {
    /// Whether they are in force.
    #[n(0)]
    pub on: bool,
    /// The hour at which they begin, 0 to 23.
    #[n(1)]
    pub from: u8,
    /// The hour at which they end, 0 to 23.
    #[n(2)]
    pub to: u8,
}

/// Groups that a user may ignore in the way of old.
pub const IGNORED_GROUPS: usize = 500;

impl Record for User {
    const KIND: RecordKind = RecordKind::User;
}

/// An entry of an index: the user that it leads to.
#[derive(Debug, Clone, Encode, Decode)]
struct UserName {
    #[n(0)]
    name: String,
}

impl Record for UserName {
    const KIND: RecordKind = RecordKind::UserByUuid;
}

/// An entry of the index by time. The name is in the key.
#[derive(Debug, Clone, Encode, Decode)]
struct Registered {}

impl Record for Registered {
    const KIND: RecordKind = RecordKind::UserByTime;
}

/// A user to register.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The user ID.
    pub name: UserId,
    /// The password's hash in the PHC format.
    pub password_hash: Option<String>,
    /// The name that pushes show.
    pub nickname: Option<String>,
}

/// A change of a user; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// Another password: tokens issued before are void, and sessions end.
    pub password_hash: Option<String>,
    /// Another nickname; empty for none.
    pub nickname: Option<String>,
    /// Whether the user may log in. Deactivated: tokens issued before are void, and sessions end.
    pub active: Option<bool>,
    /// Tokens issued before are void, and sessions end.
    pub revoke_tokens: bool,
    /// How much pushes show.
    pub push_style: Option<PushStyle>,
    /// Whole hours without pushes.
    pub quiet_hours: Option<QuietHours>,
    /// Groups that are ignored from now on, or not any more. Those beyond [`IGNORED_GROUPS`] replace the oldest.
    pub ignored_groups: Vec<(String, bool)>,
}

impl UserChange {
    /// Why the user's sessions end and tokens are void, if they are.
    fn revokes(&self) -> Option<LogoutReason> {
        if self.active == Some(false) {
            return Some(LogoutReason::Deactivated);
        }
        let password = self.password_hash.as_ref().map(|_| LogoutReason::PasswordChanged);
        password.or_else(|| self.revoke_tokens.then_some(LogoutReason::Forced))
    }
}

/// The key of the index by time: 13 digits of milliseconds are enough until the year 2286.
fn by_time(user: &User) -> String {
    format!("{:013}/{}", user.created_ms, user.name)
}

impl Node {
    /// A random UUID (version 4). No secret.
    #[must_use]
    pub fn uuid(&self) -> String {
        uuid(self.with_random(|random| random.u128(..)))
    }

    /// Registers a user.
    ///
    /// # Errors
    /// When there is one of that name, or one whose UUID it is, the app has as many as it may have, or the store fails.
    pub async fn register(&self, app: &Arc<App>, new: NewUser) -> Result<User, DirectoryError> {
        let now_ms = self.clock().wall_ms();
        let mut user = User {
            name: new.name.as_str().to_owned(),
            uuid: self.uuid(),
            created_ms: now_ms,
            modified_ms: now_ms,
            password_hash: new.password_hash,
            nickname: new.nickname.filter(|nickname| !nickname.is_empty()),
            active: true,
            token_generation: self.with_random(|random| u64::from(random.u32(..))),
            tokens_valid_from_ms: 0,
            push_style: None,
            quiet_hours: None,
            ignored_groups: Vec::new(),
        };
        let max = app.policy().directory.users;
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let taken = records.get::<User>(&user.name).await?.is_some();
            // Tokens made elsewhere may name a user by its UUID: nobody else may be found by it.
            if taken || records.get::<UserName>(&user.name).await?.is_some() {
                return Err(DirectoryError::UserExists(user.name));
            }
            if records.get::<Departing>(&user.name).await?.is_some() {
                self.finish_departure(app, &new.name).await?;
                continue;
            }
            let no_place = || DirectoryError::TooManyUsers { max: max.unwrap_or(u64::MAX) };
            let place = app.user_quota.reserve(max).ok_or_else(no_place)?;
            if let Some(departed) = records.get::<Departed>(&user.name).await? {
                user.tokens_valid_from_ms = departed.at_ms;
                records.delete(RecordKind::Departed, &user.name);
            }
            records.put(&user.name, &user);
            records.put(&user.uuid, &UserName { name: user.name.clone() });
            records.put(by_time(&user), &Registered {});
            if records.commit().await? {
                place.taken();
                return Ok(user);
            }
        }
    }

    /// Whether the app may have one more user.
    #[must_use]
    pub fn may_register(&self, app: &App) -> bool {
        app.user_quota.has_place(app.policy().directory.users)
    }

    /// Takes a user's record and its index entries away.
    pub(super) fn unregister(records: &mut Transaction<'_>, user: &User) {
        records.delete(RecordKind::User, &user.name);
        records.delete(RecordKind::UserByUuid, &user.uuid);
        records.delete(RecordKind::UserByTime, by_time(user));
    }

    /// A registered user.
    ///
    /// # Errors
    /// When there is none of that name, or the store fails.
    pub async fn user(&self, app: &App, name: &UserId) -> Result<User, DirectoryError> {
        self.find_user(app, name).await?.ok_or_else(|| DirectoryError::NoUser(name.as_str().to_owned()))
    }

    /// A registered user, if there is one of that name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_user(&self, app: &App, name: &UserId) -> Result<Option<User>, StoreError> {
        self.find(app, name.as_str()).await
    }

    /// The registered user with this UUID, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find_user_by_uuid(&self, app: &App, uuid: &str) -> Result<Option<User>, StoreError> {
        match self.find::<UserName>(app, uuid).await? {
            Some(UserName { name }) => self.find(app, &name).await,
            None => Ok(None),
        }
    }

    /// Which of the users are registered, in the order asked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn are_users(&self, app: &App, users: &[UserId]) -> Result<Vec<bool>, StoreError> {
        let keys = users.iter().map(|user| user.as_str().to_owned()).collect();
        let found = self.store().read_records(app.id(), RecordKind::User, keys).await?;
        Ok(found.into_iter().map(|found| found.is_some()).collect())
    }

    /// Users in the order of their registration, behind `after` (where a page before ended), at most `limit`. A page
    /// may be shorter than `limit` though another one follows.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn users(&self, app: &App, after: Option<String>, limit: usize) -> Result<Page<User>, StoreError> {
        let scan = Scan { after, ..Scan::of(RecordKind::UserByTime, "", limit) };
        let Page { items, next } = self.page::<Registered>(app, scan).await?;
        let names = items.iter().map(|(key, _)| super::second(key).to_owned()).collect();
        // Who was deleted between the two reads is not there.
        let found = self.find_all::<User>(app, names).await?;
        Ok(Page { items: found.into_iter().flatten().collect(), next })
    }

    /// Changes a user. If that revokes its tokens, its sessions end. Returns the user as it is then.
    ///
    /// # Errors
    /// When there is none of that name, or the store fails.
    pub async fn change_user(&self, app: &App, name: &UserId, change: &UserChange) -> Result<User, DirectoryError> {
        let revoked = change.revokes();
        let mut attempts = self.attempts(app);
        let user = loop {
            let mut records = attempts.begin()?;
            let found = records.get::<User>(name.as_str()).await?;
            let mut user = found.ok_or_else(|| DirectoryError::NoUser(name.as_str().to_owned()))?;
            let now_ms = self.clock().wall_ms();
            user.modified_ms = now_ms;
            if revoked.is_some() {
                user.token_generation += 1;
                user.tokens_valid_from_ms = now_ms;
            }
            user.password_hash = change.password_hash.clone().or(user.password_hash);
            user.nickname = change.nickname.clone().or(user.nickname).filter(|nickname| !nickname.is_empty());
            user.active = change.active.unwrap_or(user.active);
            user.push_style = change.push_style.or(user.push_style);
            user.quiet_hours = change.quiet_hours.or(user.quiet_hours);
            for (group, ignored) in &change.ignored_groups {
                user.ignored_groups.retain(|other| other != group);
                if *ignored {
                    user.ignored_groups.push(group.clone());
                }
            }
            let beyond = user.ignored_groups.len().saturating_sub(IGNORED_GROUPS);
            user.ignored_groups.drain(..beyond);
            records.put(name.as_str(), &user);
            if records.commit().await? {
                break user;
            }
        };
        if let Some(why) = revoked {
            self.disconnect(app, name, None, why).await;
        }
        Ok(user)
    }
}
