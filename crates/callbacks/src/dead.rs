//! Dead letters: listed in sets of ten minutes, sent again, and deleted when they are too old or too many.

use std::sync::atomic::Ordering;
use std::time::Duration;

use stentor_core::records::{RecordKind, decode};
use stentor_core::store::{Change, Changed, Scan, StoreError};

use crate::endpoint::{BadUrl, Endpoint};
use crate::entry::{Dead, Entry, behind, prefix, set_of};
use crate::metrics::Outcome;
use crate::outbox::{Outbox, PAGE};
use crate::set::SetDate;

/// How often dead letters are looked through although nobody made any.
const TIDY_EVERY: Duration = Duration::from_secs(60);

/// How often a set is tried again that changes meanwhile.
const ATTEMPTS: usize = 32;

/// The dead letters of ten minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadSet {
    /// Which ten minutes.
    pub date: SetDate,
    /// How many there are.
    pub size: u64,
    /// How often they were sent again.
    pub resends: u32,
}

/// Why dead letters were not sent again.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// The other URL cannot be used.
    #[error("the URL {0}")]
    Url(#[from] BadUrl),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Outbox {
    /// The sets that there are, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn dead_sets(&self) -> Result<Vec<DeadSet>, StoreError> {
        let mut sets = Vec::new();
        let mut after = None;
        while let Some((date, key)) = self.first_set(after).await? {
            let of_set = prefix(date.as_str());
            let size = self.count(RecordKind::FailedCallback, &of_set).await?;
            let last = Scan { backwards: true, ..Scan::of(RecordKind::FailedCallback, of_set, 1) };
            let last = self.0.store.scan_records(&self.0.app, last).await?.pop().map_or(key, |(key, _)| key);
            let resends = set_of(&last).map_or(0, |(_, resends)| resends);
            after = Some(behind(date.as_str()));
            if size > 0 {
                sets.push(DeadSet { date, size, resends });
            }
        }
        Ok(sets)
    }

    /// The first set behind a key, and a key of it.
    async fn first_set(&self, mut after: Option<String>) -> Result<Option<(SetDate, String)>, StoreError> {
        loop {
            let scan = Scan { after: after.take(), ..Scan::of(RecordKind::FailedCallback, "", 1) };
            let Some((key, _)) = self.0.store.scan_records(&self.0.app, scan).await?.pop() else { return Ok(None) };
            match set_of(&key) {
                Some((date, _)) => return Ok(Some((date, key))),
                // Of another version; not ours to list.
                None => after = Some(key),
            }
        }
    }

    /// Sends the dead letters of a set again, to their rules' URLs or to another. They have the documented two tries;
    /// what fails again is back in its set. Letters of rules that are not configured stay; so does what the outbox has
    /// no room for. Returns how many are under way.
    ///
    /// # Errors
    /// When the URL cannot be used, or the store fails; some may be under way then.
    pub async fn resend(&self, date: &SetDate, target: Option<&str>) -> Result<u64, ResendError> {
        target.map(Endpoint::parse).transpose()?;
        let of_set = prefix(date.as_str());
        // No more than are there now: what fails again meanwhile is not sent a third time.
        let mut left = self.count(RecordKind::FailedCallback, &of_set).await?;
        let (mut moved, mut after, mut attempts) = (0, None, 0);
        while left > 0 {
            let limit = PAGE.min(usize::try_from(left).unwrap_or(PAGE));
            let page = Scan { after: after.clone(), ..Scan::of(RecordKind::FailedCallback, of_set.clone(), limit) };
            let page = self.0.store.scan_records(&self.0.app, page).await?;
            let Some((last, _)) = page.last() else { break };
            let (last, read) = (last.clone(), page.len() as u64);
            let (changes, rules) = self.resending(page, date, target);
            match self.0.store.change(&self.0.app, changes).await? {
                Changed::Done => {}
                // Somebody else sends them again; what is left is read anew.
                Changed::Conflict if attempts < ATTEMPTS => {
                    attempts += 1;
                    continue;
                }
                Changed::Conflict => return Err(StoreError::Busy.into()),
            }
            after = Some(last);
            left -= read;
            moved += rules.len() as u64;
            for rule in rules {
                let state = &self.0.rules[rule];
                state.add_waiting(1);
                state.metrics.count(Outcome::Resent, 1);
                state.wake.notify_one();
            }
        }
        let less = |dead: usize| Some(dead.saturating_sub(usize::try_from(moved).unwrap_or(usize::MAX)));
        let _ = self.0.dead.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        Ok(moved)
    }

    /// The changes that move a page, and for each letter its rule.
    fn resending(
        &self,
        page: Vec<(String, bytes::Bytes)>,
        date: &SetDate,
        target: Option<&str>,
    ) -> (Vec<Change>, Vec<usize>) {
        let now_ms = self.0.clock.wall_ms();
        let mut room: Vec<_> =
            self.0.rules.iter().map(|state| (state.rule.waiting as u64).saturating_sub(state.waiting())).collect();
        let (mut changes, mut rules) = (Vec::new(), Vec::new());
        for (key, value) in page {
            let Ok(Dead(entry)) = decode::<Dead>(&value) else { continue };
            let Some(rule) = self.0.by_name.get(&entry.rule).copied().filter(|rule| room[*rule] > 0) else { continue };
            room[rule] -= 1;
            let entry = Entry {
                queued_ms: now_ms,
                attempts: 0,
                resends: entry.resends.saturating_add(1),
                target: target.map(str::to_owned),
                set: Some(date.to_string()),
                ..entry
            };
            changes.push(Change::Expect { kind: RecordKind::FailedCallback, key: key.clone(), value: Some(value) });
            changes.push(Change::Delete { kind: RecordKind::FailedCallback, key });
            changes.push(self.0.numbers.put_waiting(entry, now_ms));
            rules.push(rule);
        }
        (changes, rules)
    }

    /// Deletes what is too old or too much, until the outbox is stopped.
    pub(crate) async fn keep_tidy(&self) {
        loop {
            if let Err(error) = self.tidy().await {
                tracing::warn!(app = %self.0.app, %error, "dead letters could not be looked through");
            }
            tokio::select! {
                () = self.0.untidy.notified() => {}
                () = tokio::time::sleep(TIDY_EVERY) => {}
                () = self.0.stop.cancelled() => return,
            }
        }
    }

    async fn tidy(&self) -> Result<(), StoreError> {
        let oldest = SetDate::of(self.0.clock.wall_ms().saturating_sub(self.0.bounds.kept_ms));
        let mut after = None;
        while let Some((date, _)) = self.first_set(after).await? {
            if date >= oldest {
                break;
            }
            after = Some(behind(date.as_str()));
            self.delete_dead(&prefix(date.as_str()), u64::MAX, Outcome::Expired).await?;
        }
        let count = self.count(RecordKind::FailedCallback, "").await?;
        let excess = count.saturating_sub(self.0.bounds.dead_letters as u64);
        if excess > 0 {
            tracing::warn!(app = %self.0.app, lost = excess, "there are too many dead letters: the oldest are deleted");
            self.delete_dead("", excess, Outcome::Lost).await?;
        }
        self.0.set_dead(count - excess);
        Ok(())
    }

    /// Deletes the oldest dead letters whose keys begin so, at most `max`.
    async fn delete_dead(&self, of: &str, max: u64, outcome: Outcome) -> Result<(), StoreError> {
        let mut left = max;
        while left > 0 {
            let limit = PAGE.min(usize::try_from(left).unwrap_or(PAGE));
            let page = Scan::of(RecordKind::FailedCallback, of, limit);
            let page = self.0.store.scan_records(&self.0.app, page).await?;
            if page.is_empty() {
                return Ok(());
            }
            left -= page.len() as u64;
            let mut changes = Vec::with_capacity(page.len());
            for (key, value) in page {
                let rule = decode::<Dead>(&value).map_or_else(|_| String::new(), |Dead(entry)| entry.rule);
                self.0.metrics.rule(self.0.app.as_str(), &rule).count(outcome, 1);
                changes.push(Change::Delete { kind: RecordKind::FailedCallback, key });
            }
            self.0.store.change(&self.0.app, changes).await?;
        }
        Ok(())
    }
}
