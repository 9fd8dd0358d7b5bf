//! What a failure of SQLite means for the callers and for the health of the store.

use std::error::Error;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::{ErrorCode, ffi};
use stentor_core::store::{StoreError, StoreHealth};

/// Why an operation was not done. Cheap to clone: the operations of a batch may share one.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// No space; passes.
    Full,
    /// The device or the file system refuses; may pass.
    Device(Arc<rusqlite::Error>),
    /// The file is not what was written; does not pass.
    Damaged(Arc<rusqlite::Error>),
    /// Only the operation itself is wrong.
    Operation(Arc<dyn Error + Send + Sync>),
}

/// A message ID that is already taken by a message of another app: keeping it would show one app's message to
/// the other.
#[derive(Debug, thiserror::Error)]
#[error("the message ID belongs to another app")]
pub(crate) struct ForeignId;

#[derive(Debug, thiserror::Error)]
#[error("the store is closed")]
struct Closed;

/// The error of everything that comes after the close.
pub(crate) fn closed() -> StoreError {
    StoreError::Failed(Box::new(Closed))
}

impl Failure {
    /// Whether the neighbours in the batch would have failed as well.
    pub(crate) fn is_of_the_store(&self) -> bool {
        !matches!(self, Self::Operation(_))
    }

    /// What the caller gets.
    pub(crate) fn to_error(&self) -> StoreError {
        match self {
            Self::Full => StoreError::Full,
            Self::Device(error) | Self::Damaged(error) => StoreError::Failed(Box::new(error.clone())),
            Self::Operation(error) => StoreError::Failed(Box::new(error.clone())),
        }
    }

    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Full => Some("no space left on the device"),
            Self::Device(_) => Some("the storage device reports errors"),
            Self::Damaged(_) => Some("the store's file is damaged"),
            Self::Operation(_) => None,
        }
    }
}

impl From<ForeignId> for Failure {
    fn from(error: ForeignId) -> Self {
        Self::Operation(Arc::new(error))
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error() else { return Self::Operation(Arc::new(error)) };
        match (code.code, code.extended_code) {
            // A quota and a file size limit show as a failed write; so does a failed growth of the shared memory.
            (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE) => Self::Full,
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => Self::Damaged(Arc::new(error)),
            (ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen, _) => {
                Self::Device(Arc::new(error))
            }
            _ => Self::Operation(Arc::new(error)),
        }
    }
}

/// Whether writes are taken, as last seen.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Option<Failure>>);

impl Health {
    /// Notes a failure if it is one of the store. Damage stays until the process ends.
    pub(crate) fn failed(&self, failure: &Failure) {
        let mut seen = self.0.lock();
        let damaged = matches!(*seen, Some(Failure::Damaged(_)));
        if let Some(reason) = failure.reason().filter(|_| !damaged) {
            if seen.as_ref().and_then(Failure::reason) != Some(reason) {
                tracing::error!(reason, error = ?failure, "the store refuses writes");
            }
            *seen = Some(failure.clone());
        }
    }

    /// Notes a write that became durable.
    pub(crate) fn wrote(&self) {
        let mut seen = self.0.lock();
        if seen.is_some() && !matches!(*seen, Some(Failure::Damaged(_))) {
            tracing::info!("the store takes writes again");
            *seen = None;
        }
    }

    /// The failure that writes meet now, if any.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.0.lock().clone()
    }

    /// For `readyz`.
    pub(crate) fn report(&self) -> StoreHealth {
        match self.0.lock().as_ref().and_then(Failure::reason) {
            Some(reason) => StoreHealth::Refusing(reason.to_owned()),
            None => StoreHealth::Ready,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: i32) -> Failure {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into()
    }

    #[test]
    fn a_full_disk_passes_and_damage_does_not() {
        let health = Health::default();
        for full in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE] {
            health.failed(&failure(full));
            assert_eq!(health.report(), StoreHealth::Refusing("no space left on the device".to_owned()));
            health.wrote();
            assert_eq!(health.report(), StoreHealth::Ready);
        }
        health.failed(&failure(ffi::SQLITE_CORRUPT));
        health.wrote();
        health.failed(&failure(ffi::SQLITE_FULL));
        assert_eq!(health.report(), StoreHealth::Refusing("the store's file is damaged".to_owned()));
    }

    #[test]
    fn only_the_operation_is_wrong_or_the_store_is() {
        let of_store = [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_READONLY, ffi::SQLITE_NOTADB];
        assert!(of_store.iter().all(|code| failure(*code).is_of_the_store()));
        let of_operation = [ffi::SQLITE_CONSTRAINT, ffi::SQLITE_TOOBIG, ffi::SQLITE_MISMATCH];
        assert!(of_operation.iter().all(|code| !failure(*code).is_of_the_store()));
        assert!(matches!(failure(ffi::SQLITE_FULL).to_error(), StoreError::Full));
    }
}
