//! How many users, rooms and groups an app has: counted here, because a count that every creation rewrites would make
//! creations meet each other in the store.

use std::sync::atomic::{AtomicU64, Ordering};

use super::rooms::RoomKind;
use crate::app::App;
use crate::node::Node;
use crate::policy::AppPolicy;
use crate::records::RecordKind;
use crate::store::StoreError;

/// The rooms and groups of one app.
#[derive(Debug, Default)]
pub(crate) struct RoomQuota {
    rooms: AtomicU64,
    groups: AtomicU64,
}

/// The registered users of one app.
#[derive(Debug, Default)]
pub(crate) struct UserQuota(AtomicU64);

impl UserQuota {
    /// Reserves the place of one more; `None` if there is none left.
    pub(crate) fn reserve(&self, max: Option<u64>) -> Option<Place<'_>> {
        reserve(&self.0, max.unwrap_or(u64::MAX))
    }

    /// Whether there is the place of one more.
    pub(crate) fn has_place(&self, max: Option<u64>) -> bool {
        max.is_none_or(|max| self.0.load(Ordering::Acquire) < max)
    }

    /// One is gone.
    pub(crate) fn release(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn reserve(count: &AtomicU64, max: u64) -> Option<Place<'_>> {
    let one_more = |count: u64| (count < max).then_some(count + 1);
    count.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).ok()?;
    Some(Place { count, taken: false })
}

/// A place that was reserved; given back unless it is [taken](Self::taken).
#[derive(Debug)]
pub(crate) struct Place<'a> {
    count: &'a AtomicU64,
    taken: bool,
}

impl Place<'_> {
    pub(crate) fn taken(mut self) {
        self.taken = true;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.taken {
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl RoomQuota {
    fn count(&self, kind: RoomKind) -> &AtomicU64 {
        match kind {
            RoomKind::Room => &self.rooms,
            RoomKind::Group => &self.groups,
        }
    }

    /// Reserves the place of one more; `None` if there is none left.
    pub(crate) fn reserve(&self, policy: &AppPolicy, kind: RoomKind) -> Option<Place<'_>> {
        let max = policy.rooms.registered.map_or(u64::MAX, |registered| match kind {
            RoomKind::Room => registered.rooms,
            RoomKind::Group => registered.groups,
        });
        reserve(self.count(kind), max)
    }

    /// One is gone.
    pub(crate) fn release(&self, kind: RoomKind) {
        self.count(kind).fetch_sub(1, Ordering::AcqRel);
    }
}

impl Node {
    /// Counts what the store has, at the start.
    pub(crate) async fn count_directory(&self, app: &App) -> Result<(), StoreError> {
        let users = self.store().count_records(app.id(), RecordKind::User, "").await?;
        app.user_quota.0.store(users, Ordering::Release);
        for kind in [RoomKind::Room, RoomKind::Group] {
            let count = self.store().count_records(app.id(), RecordKind::Room, kind.prefix()).await?;
            app.quota.count(kind).store(count, Ordering::Release);
        }
        Ok(())
    }
}
