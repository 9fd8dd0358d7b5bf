//! Users who may not send: to other users, to groups, to rooms, for a time or for good.

use minicbor::{Decode, Encode};

use super::DirectoryError;
use super::contacts::expect_user;
use crate::app::App;
use crate::id::UserId;
use crate::message::Target;
use crate::node::Node;
use crate::records::{Page, Record, RecordKind};
use crate::store::{Scan, StoreError};

/// Where a muted user may not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MuteScope {
    /// To other users.
    Users,
    /// To groups.
    Groups,
    /// To rooms.
    Rooms,
}

impl MuteScope {
    /// The scope that a message to somewhere is in.
    #[must_use]
    pub fn of(to: &Target) -> Self {
        match to {
            Target::User(_) => Self::Users,
            Target::Group(_) => Self::Groups,
            Target::Room(_) => Self::Rooms,
        }
    }
}

/// For how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MuteTime {
    /// Not at all, or not any more.
    None,
    /// For so many seconds from now.
    Seconds(u32),
    /// For good.
    Forever,
}

/// Stands for a mute without an end.
const FOREVER_MS: u64 = u64::MAX;

/// How many records are looked at in one step.
const STEP: usize = 256;

/// Until when a user may not send. Unix time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Mute {
    #[n(0)]
    users_until_ms: u64,
    #[n(1)]
    groups_until_ms: u64,
    #[n(2)]
    rooms_until_ms: u64,
}

impl Record for Mute {
    const KIND: RecordKind = RecordKind::Mute;
}

impl Mute {
    fn until_ms(&self, scope: MuteScope) -> u64 {
        match scope {
            MuteScope::Users => self.users_until_ms,
            MuteScope::Groups => self.groups_until_ms,
            MuteScope::Rooms => self.rooms_until_ms,
        }
    }

    fn set(&mut self, scope: MuteScope, until_ms: u64) {
        match scope {
            MuteScope::Users => self.users_until_ms = until_ms,
            MuteScope::Groups => self.groups_until_ms = until_ms,
            MuteScope::Rooms => self.rooms_until_ms = until_ms,
        }
    }

    /// How long it still lasts at `now_ms`, in seconds, a begun one counted.
    #[must_use]
    pub fn left(&self, scope: MuteScope, now_ms: u64) -> MuteTime {
        match self.until_ms(scope) {
            FOREVER_MS => MuteTime::Forever,
            until_ms if until_ms > now_ms => {
                MuteTime::Seconds(u32::try_from((until_ms - now_ms).div_ceil(1000)).unwrap_or(u32::MAX))
            }
            _ => MuteTime::None,
        }
    }

    /// Whether the user may send anywhere at `now_ms`.
    fn is_over(&self, now_ms: u64) -> bool {
        [self.users_until_ms, self.groups_until_ms, self.rooms_until_ms].iter().all(|until_ms| *until_ms <= now_ms)
    }
}

impl Node {
    /// Mutes a user, or lifts it; scopes that are not named stay as they are.
    ///
    /// # Errors
    /// When the user is not there.
    pub async fn mute_user(
        &self,
        app: &App,
        user: &UserId,
        changes: &[(MuteScope, MuteTime)],
    ) -> Result<(), DirectoryError> {
        let now_ms = self.clock().wall_ms();
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            let mut mute = records.get::<Mute>(user.as_str()).await?.unwrap_or_default();
            for (scope, time) in changes {
                let until_ms = match time {
                    MuteTime::None => 0,
                    MuteTime::Seconds(seconds) => now_ms + u64::from(*seconds) * 1000,
                    MuteTime::Forever => FOREVER_MS,
                };
                mute.set(*scope, until_ms);
            }
            if mute.is_over(now_ms) {
                records.delete(RecordKind::Mute, user.as_str());
            } else {
                records.put(user.as_str(), &mute);
            }
            if records.commit().await? {
                return Ok(());
            }
        }
    }

    /// A user's mute.
    ///
    /// # Errors
    /// When the user is not there.
    pub async fn mute(&self, app: &App, user: &UserId) -> Result<Mute, DirectoryError> {
        self.user(app, user).await?;
        Ok(self.find::<Mute>(app, user.as_str()).await?.unwrap_or_default())
    }

    /// Whether a user may not send there now: asked before a message is taken. Users that are not registered may.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_muted(&self, app: &App, user: &UserId, scope: MuteScope) -> Result<bool, StoreError> {
        let mute = self.find::<Mute>(app, user.as_str()).await?;
        Ok(mute.is_some_and(|mute| mute.until_ms(scope) > self.clock().wall_ms()))
    }

    /// Muted users in the order of their names, without the first `skipped`, at most `limit`. Mutes that are over are
    /// not there, and are forgotten on the way.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn mutes(&self, app: &App, skipped: usize, limit: usize) -> Result<Vec<(UserId, Mute)>, StoreError> {
        let now_ms = self.clock().wall_ms();
        let (mut left, mut muted, mut after) = (skipped, Vec::new(), None);
        loop {
            let scan = Scan { after, ..Scan::of(RecordKind::Mute, "", STEP) };
            let Page { items, next } = self.page::<Mute>(app, scan).await?;
            for (name, mute) in items {
                if mute.is_over(now_ms) {
                    self.forget_mute(app, &name, mute).await?;
                } else if left > 0 {
                    left -= 1;
                } else if muted.len() < limit {
                    muted.push((UserId::from_trusted(&name), mute));
                }
            }
            if next.is_none() || muted.len() == limit {
                return Ok(muted);
            }
            after = next;
        }
    }

    /// Forgets a mute that is over, unless it has changed.
    async fn forget_mute(&self, app: &App, name: &str, over: Mute) -> Result<(), StoreError> {
        let mut records = self.attempts(app).begin()?;
        if records.get::<Mute>(name).await? == Some(over) {
            records.delete(RecordKind::Mute, name);
            records.commit().await?;
        }
        Ok(())
    }
}
