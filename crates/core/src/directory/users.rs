//! Registered users: who they are, and whether they may log in.

use minicbor::{Decode, Encode};

use super::DirectoryError;
use crate::app::App;
use crate::id::UserId;
use crate::node::Node;
use crate::records::{Page, Record, RecordKind};
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
    /// Counts how often the user's tokens were revoked: a token of an earlier generation is void.
    #[n(7)]
    #[cbor(default)]
    pub token_generation: u64,
    /// When they were revoked last, for tokens that know no generation: Unix time in milliseconds.
    #[n(8)]
    #[cbor(default)]
    pub tokens_valid_from_ms: u64,
}

impl Record for User {
    const KIND: RecordKind = RecordKind::User;
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
    /// Another password: tokens issued before are void.
    pub password_hash: Option<String>,
    /// Another nickname.
    pub nickname: Option<String>,
    /// Whether the user may log in. Deactivated: tokens issued before are void.
    pub active: Option<bool>,
    /// Tokens issued before are void.
    pub revoke_tokens: bool,
}

impl Node {
    /// A random UUID (version 4). No secret.
    #[must_use]
    pub fn uuid(&self) -> String {
        let bits = self.with_random(|random| random.u128(..));
        let bits = bits & !(0xf << 76) | 4 << 76;
        let bits = bits & !(3 << 62) | 2 << 62;
        let hex = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// Registers a user.
    ///
    /// # Errors
    /// When there is one of that name, or the store fails.
    pub async fn register(&self, app: &App, new: NewUser) -> Result<User, DirectoryError> {
        let now_ms = self.clock().wall_ms();
        let user = User {
            name: new.name.as_str().to_owned(),
            uuid: self.uuid(),
            created_ms: now_ms,
            modified_ms: now_ms,
            password_hash: new.password_hash,
            nickname: new.nickname,
            active: true,
            token_generation: 0,
            tokens_valid_from_ms: 0,
        };
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            if records.get::<User>(&user.name).await?.is_some() {
                return Err(DirectoryError::UserExists(user.name));
            }
            records.put(&user.name, &user);
            if records.commit().await? {
                return Ok(user);
            }
        }
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

    /// Users in the order of their names, behind `after`, at most `limit`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn users(&self, app: &App, after: Option<String>, limit: usize) -> Result<Page<User>, StoreError> {
        let scan = Scan { after, ..Scan::of(RecordKind::User, "", limit) };
        Ok(self.page::<User>(app, scan).await?.map(|(_, user)| user))
    }

    /// Changes a user. Returns the user as it is then.
    ///
    /// # Errors
    /// When there is none of that name, or the store fails.
    pub async fn change_user(&self, app: &App, name: &UserId, change: &UserChange) -> Result<User, DirectoryError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let found = records.get::<User>(name.as_str()).await?;
            let mut user = found.ok_or_else(|| DirectoryError::NoUser(name.as_str().to_owned()))?;
            let now_ms = self.clock().wall_ms();
            user.modified_ms = now_ms;
            if change.password_hash.is_some() || change.active == Some(false) || change.revoke_tokens {
                user.token_generation += 1;
                user.tokens_valid_from_ms = now_ms;
            }
            user.password_hash = change.password_hash.clone().or(user.password_hash);
            user.nickname = change.nickname.clone().or(user.nickname);
            user.active = change.active.unwrap_or(user.active);
            records.put(name.as_str(), &user);
            if records.commit().await? {
                return Ok(user);
            }
        }
    }
}
