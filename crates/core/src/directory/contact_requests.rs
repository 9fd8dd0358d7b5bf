//! Users who ask others to become contacts, and wait for their answer. Kept twice, by who is asked and by who asks.

use minicbor::{Decode, Encode};

use super::contacts::expect_user;
use super::{DirectoryError, pair};
use crate::app::App;
use crate::id::UserId;
use crate::limits::Rule;
use crate::node::{Node, RequestError};
use crate::records::{Record, RecordKind, Transaction, encode};
use crate::session::Session;

/// Somebody who asks.
#[derive(Debug, Clone, Encode, Decode)]
struct ContactRequest {
    /// When: Unix time in milliseconds.
    #[n(0)]
    at_ms: u64,
    /// What the asker says to it.
    #[n(1)]
    reason: String,
}

impl Record for ContactRequest {
    const KIND: RecordKind = RecordKind::ContactRequest;
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requested {
    /// The other has it, and is to answer.
    Waits,
    /// They are contacts already.
    Contacts,
    /// The other does not want to hear from who asks, and does not learn of it.
    Unheard,
}

impl Node {
    /// Takes one request of a client about contacts or blocks, under the rate of its messages: others are told of it.
    ///
    /// # Errors
    /// When asked too often.
    pub fn limit_relation(&self, session: &Session) -> Result<(), RequestError> {
        self.limit_client(session, Rule::ClientSends)
    }

    /// `asker` asks `asked` to become a contact. Asking again takes the place of what was asked before.
    ///
    /// # Errors
    /// When one of them is not there, or as many wait for an answer as a user may have contacts.
    pub async fn request_contact(
        &self,
        app: &App,
        asker: &UserId,
        asked: &UserId,
        reason: &str,
    ) -> Result<Requested, DirectoryError> {
        let max = app.policy().directory.contacts;
        let (key, mirrored) = (pair(asked.as_str(), asker.as_str()), pair(asker.as_str(), asked.as_str()));
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, asker).await?;
            expect_user(&mut records, asked).await?;
            if self.are_contacts(app, asker, asked).await? {
                return Ok(Requested::Contacts);
            }
            if self.blocks(app, asked, asker).await? {
                return Ok(Requested::Unheard);
            }
            if records.get::<ContactRequest>(&key).await?.is_none() {
                let waiting = pair(asked.as_str(), "");
                if self.store().count_records(app.id(), RecordKind::ContactRequest, &waiting).await? >= max as u64 {
                    return Err(DirectoryError::TooMany { max });
                }
            }
            let request = ContactRequest { at_ms: self.clock().wall_ms(), reason: reason.to_owned() };
            records.put_bytes(RecordKind::ContactRequestBy, &mirrored, encode(&request));
            records.put(&key, &request);
            if records.commit().await? {
                return Ok(Requested::Waits);
            }
        }
    }

    /// `asked` takes `asker` as a contact. `false` if the other has not asked, and they are no contacts.
    ///
    /// # Errors
    /// When one of them is not there, or has as many contacts as are allowed.
    pub async fn accept_contact(&self, app: &App, asked: &UserId, asker: &UserId) -> Result<bool, DirectoryError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, asked).await?;
            expect_user(&mut records, asker).await?;
            if records.get::<ContactRequest>(&pair(asked.as_str(), asker.as_str())).await?.is_none() {
                return Ok(self.are_contacts(app, asked, asker).await?);
            }
            self.tie_contacts(&mut records, app, asked, asker).await?;
            if records.commit().await? {
                return Ok(true);
            }
        }
    }

    /// `asked` does not take `asker` as a contact. `false` if the other has not asked.
    ///
    /// # Errors
    /// When one of them is not there.
    pub async fn decline_contact(&self, app: &App, asked: &UserId, asker: &UserId) -> Result<bool, DirectoryError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            expect_user(&mut records, asked).await?;
            expect_user(&mut records, asker).await?;
            if records.get::<ContactRequest>(&pair(asked.as_str(), asker.as_str())).await?.is_none() {
                return Ok(false);
            }
            forget_request(&mut records, asked, asker);
            if records.commit().await? {
                return Ok(true);
            }
        }
    }
}

/// Nobody waits for an answer of `asked` to `asker` any more.
pub(super) fn forget_request(records: &mut Transaction<'_>, asked: &UserId, asker: &UserId) {
    records.delete(RecordKind::ContactRequest, pair(asked.as_str(), asker.as_str()));
    records.delete(RecordKind::ContactRequestBy, pair(asker.as_str(), asked.as_str()));
}
