//! Contacts, which two users are of each other. Kept twice, once for each.

use std::cmp::Reverse;

use minicbor::{Decode, Encode};

use super::contact_requests::forget_request;
use super::users::User;
use super::{DirectoryError, pair, second};
use crate::app::App;
use crate::id::UserId;
use crate::node::Node;
use crate::records::{Page, Record, RecordKind, Transaction};
use crate::store::{Scan, StoreError};

/// A contact of a user.
#[derive(Debug, Clone, Encode, Decode)]
struct Contact {
    /// Since when: Unix time in milliseconds.
    #[n(0)]
    since_ms: u64,
    /// What the user calls the contact.
    #[n(1)]
    remark: Option<String>,
}

impl Record for Contact {
    const KIND: RecordKind = RecordKind::Contact;
}

/// A contact, as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactView {
    /// Who.
    pub user: UserId,
    /// What the user calls the contact.
    pub remark: Option<String>,
}

impl Node {
    /// Makes two users contacts of each other. Nothing changes if they are. Returns the contact.
    ///
    /// # Errors
    /// When one of them is not there, or has as many contacts as are allowed.
    pub async fn add_contact(&self, app: &App, user: &UserId, contact: &UserId) -> Result<User, DirectoryError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            let found = expect_user(&mut records, contact).await?;
            self.tie_contacts(&mut records, app, user, contact).await?;
            if records.commit().await? {
                return Ok(found);
            }
        }
    }

    /// Makes the two contacts of each other in a transaction, unless they are, and forgets that one asked the other.
    pub(super) async fn tie_contacts(
        &self,
        records: &mut Transaction<'_>,
        app: &App,
        user: &UserId,
        contact: &UserId,
    ) -> Result<(), DirectoryError> {
        let max = app.policy().directory.contacts;
        for (of, to) in [(user, contact), (contact, user)] {
            let key = pair(of.as_str(), to.as_str());
            if records.get::<Contact>(&key).await?.is_none() {
                let prefix = pair(of.as_str(), "");
                if self.store().count_records(app.id(), RecordKind::Contact, &prefix).await? >= max as u64 {
                    return Err(DirectoryError::TooMany { max });
                }
                records.put(key, &Contact { since_ms: self.clock().wall_ms(), remark: None });
            }
            forget_request(records, of, to);
        }
        Ok(())
    }

    /// Ends that two users are contacts of each other. Nothing changes if they are not. Returns the contact.
    ///
    /// # Errors
    /// When one of them is not there.
    pub async fn remove_contact(&self, app: &App, user: &UserId, contact: &UserId) -> Result<User, DirectoryError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            let found = expect_user(&mut records, contact).await?;
            records.delete(RecordKind::Contact, pair(user.as_str(), contact.as_str()));
            records.delete(RecordKind::Contact, pair(contact.as_str(), user.as_str()));
            if records.commit().await? {
                return Ok(found);
            }
        }
    }

    /// Sets what a user calls a contact. `false` if they are no contacts.
    ///
    /// # Errors
    /// When one of them is not there.
    pub async fn name_contact(
        &self,
        app: &App,
        user: &UserId,
        contact: &UserId,
        remark: &str,
    ) -> Result<bool, DirectoryError> {
        let key = pair(user.as_str(), contact.as_str());
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, user).await?;
            expect_user(&mut records, contact).await?;
            let Some(found) = records.get::<Contact>(&key).await? else { return Ok(false) };
            records.put(&key, &Contact { remark: Some(remark.to_owned()), ..found });
            if records.commit().await? {
                return Ok(true);
            }
        }
    }

    /// What users call another one, if they do, in the order asked.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contact_remarks(
        &self,
        app: &App,
        users: &[UserId],
        contact: &UserId,
    ) -> Result<Vec<Option<String>>, StoreError> {
        let keys = users.iter().map(|user| pair(user.as_str(), contact.as_str())).collect();
        let found = self.find_all::<Contact>(app, keys).await?;
        Ok(found.into_iter().map(|contact| contact.and_then(|contact| contact.remark)).collect())
    }

    /// A user's contacts, the newest first, behind `after` (where a page before ended), at most `limit`.
    ///
    /// # Errors
    /// When the user is not there.
    pub async fn contacts(
        &self,
        app: &App,
        user: &UserId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ContactView>, DirectoryError> {
        self.user(app, user).await?;
        let found = self.ties::<Contact>(app, user, app.policy().directory.contacts).await?;
        let page = newest_first(found, |contact| contact.since_ms, after, limit);
        Ok(page.map(|(user, contact)| ContactView { user, remark: contact.remark }))
    }

    /// Whether two users are contacts of each other.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn are_contacts(&self, app: &App, user: &UserId, other: &UserId) -> Result<bool, StoreError> {
        Ok(self.find::<Contact>(app, &pair(user.as_str(), other.as_str())).await?.is_some())
    }

    /// The others that a user is tied to in a family of pairs; bounded by what may be added.
    pub(super) async fn ties<R: Record>(
        &self,
        app: &App,
        user: &UserId,
        max: usize,
    ) -> Result<Vec<(UserId, R)>, StoreError> {
        // Changes that meet may add a few more than are allowed.
        let scan = Scan::of(R::KIND, pair(user.as_str(), ""), 2 * max);
        let found = self.page::<R>(app, scan).await?.items;
        Ok(found.into_iter().map(|(key, tie)| (UserId::from_trusted(second(&key)), tie)).collect())
    }
}

/// The user, who must still be there when the change is made.
pub(crate) async fn expect_user(records: &mut Transaction<'_>, user: &UserId) -> Result<User, DirectoryError> {
    let found = records.get::<User>(user.as_str()).await?;
    found.ok_or_else(|| DirectoryError::NoUser(user.as_str().to_owned()))
}

/// A page of ties, the newest first. Where it ended is said by the time and name of its last.
pub(super) fn newest_first<T>(
    mut ties: Vec<(UserId, T)>,
    since_ms: impl Fn(&T) -> u64,
    after: Option<&str>,
    limit: usize,
) -> Page<(UserId, T)> {
    ties.sort_by_cached_key(|(user, tie)| (Reverse(since_ms(tie)), user.clone()));
    let place = |(user, tie): &(UserId, T)| pair(&format!("{:013}", since_ms(tie)), user.as_str());
    if let Some((ms, name)) = after.and_then(|after| after.split_once('/'))
        && let Ok(ms) = ms.parse::<u64>()
    {
        ties.retain(|(user, tie)| (Reverse(since_ms(tie)), user.as_str()) > (Reverse(ms), name));
    }
    let more = ties.len() > limit;
    ties.truncate(limit);
    let next = ties.last().filter(|_| more).map(place);
    Page { items: ties, next }
}
