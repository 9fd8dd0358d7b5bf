//! Certificates: with what the services of push are spoken to, by name. What is secret of them comes and goes sealed: the
//! core can read none of it.

use minicbor::{Decode, Encode};

use crate::app::App;
use crate::node::Node;
use crate::records::{Record, RecordKind, Transaction};
use crate::store::{Scan, StoreError};

/// Certificates of one app.
pub const NOTIFIERS: usize = 100;

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Notifier {
    /// Its UUID.
    #[n(0)]
    pub uuid: String,
    /// What devices name it by when they are bound: unique in the app.
    #[n(1)]
    pub name: String,
    /// The service, in the dialect's word.
    #[n(2)]
    pub provider: String,
    /// Made at: Unix time in milliseconds.
    #[n(3)]
    pub created_ms: u64,
    /// Changed last at: Unix time in milliseconds.
    #[n(4)]
    pub modified_ms: u64,
    /// Whether nothing is sent with it.
    #[n(5)]
    pub disabled: bool,
    /// What may be seen of its setup: names and values.
    #[n(6)]
    pub open: Vec<(String, String)>,
    /// What may not: bytes that only their owner can read.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl Record for Notifier {
    const KIND: RecordKind = RecordKind::Notifier;
}

/// Counts the changes of which certificates there are, so that two at once meet: names are unique.
#[derive(Debug, Clone, Default, Encode, Decode)]
struct NotifierChanges {
    #[n(0)]
    count: u64,
}

impl Record for NotifierChanges {
    const KIND: RecordKind = RecordKind::Counter;
}

/// The key of [`NotifierChanges`].
const CHANGES: &str = "notifiers";

/// Why a certificate was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotifierError {
    /// There is one of that name.
    #[error("a certificate named {0} is there already")]
    NameTaken(String),
    /// The app has [`NOTIFIERS`].
    #[error("more than {NOTIFIERS} certificates are not allowed")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A change of a certificate. What is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotifierChange {
    /// Whether nothing is sent with it.
    pub disabled: Option<bool>,
    /// Another setup.
    pub setup: Option<NotifierSetup>,
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifierSetup {
    /// What may be seen: names and values.
    pub open: Vec<(String, String)>,
    /// What may not: bytes that only their owner can read.
    pub sealed: Vec<u8>,
}

impl Node {
    /// Keeps a certificate. Its times are set here.
    ///
    /// # Errors
    /// When its name is taken, there are too many, or the store fails.
    pub async fn create_notifier(&self, app: &App, notifier: Notifier) -> Result<Notifier, NotifierError> {
        let now_ms = self.clock().wall_ms();
        let notifier = Notifier { created_ms: now_ms, modified_ms: now_ms, ..notifier };
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            count(&mut records).await?;
            let there = self.notifiers(app).await?;
            if there.iter().any(|other| other.name == notifier.name) {
                return Err(NotifierError::NameTaken(notifier.name));
            }
            if there.len() >= NOTIFIERS {
                return Err(NotifierError::TooMany);
            }
            records.put(notifier.uuid.as_str(), &notifier);
            if records.commit().await? {
                return Ok(notifier);
            }
        }
    }

    /// The certificates of an app, the oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn notifiers(&self, app: &App) -> Result<Vec<Notifier>, StoreError> {
        let found = self.page::<Notifier>(app, Scan::of(RecordKind::Notifier, "", NOTIFIERS)).await?;
        let mut notifiers: Vec<_> = found.items.into_iter().map(|(_, notifier)| notifier).collect();
        notifiers.sort_by(|one, other| (one.created_ms, &one.uuid).cmp(&(other.created_ms, &other.uuid)));
        Ok(notifiers)
    }

    /// A certificate, if there is one with this UUID.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn notifier(&self, app: &App, uuid: &str) -> Result<Option<Notifier>, StoreError> {
        self.find(app, uuid).await
    }

    /// Changes a certificate. Returns it as it is then; `None` if there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn change_notifier(
        &self,
        app: &App,
        uuid: &str,
        change: &NotifierChange,
    ) -> Result<Option<Notifier>, StoreError> {
        let now_ms = self.clock().wall_ms();
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let Some(mut notifier) = records.get::<Notifier>(uuid).await? else { return Ok(None) };
            notifier.modified_ms = now_ms;
            notifier.disabled = change.disabled.unwrap_or(notifier.disabled);
            if let Some(setup) = &change.setup {
                (notifier.open, notifier.sealed) = (setup.open.clone(), setup.sealed.clone());
            }
            records.put(uuid, &notifier);
            if records.commit().await? {
                return Ok(Some(notifier));
            }
        }
    }

    /// Deletes a certificate. Returns it as it was; `None` if there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delete_notifier(&self, app: &App, uuid: &str) -> Result<Option<Notifier>, StoreError> {
        let mut attempts = self.attempts(app);
        loop {
            let mut records = attempts.begin()?;
            let Some(notifier) = records.get::<Notifier>(uuid).await? else { return Ok(None) };
            count(&mut records).await?;
            records.delete(RecordKind::Notifier, uuid);
            if records.commit().await? {
                return Ok(Some(notifier));
            }
        }
    }
}

async fn count(records: &mut Transaction<'_>) -> Result<(), StoreError> {
    let NotifierChanges { count } = records.get(CHANGES).await?.unwrap_or_default();
    records.put(CHANGES, &NotifierChanges { count: count.wrapping_add(1) });
    Ok(())
}
