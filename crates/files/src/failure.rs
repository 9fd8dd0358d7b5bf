//! What the folder or the bucket answered when it failed.

use std::error::Error;
use std::io;

/// The store did not do what it was asked: for the log, not for a client. The caller may try again.
#[derive(Debug, thiserror::Error)]
#[error("the file store failed")]
pub struct StoreFailure(#[source] Box<dyn Error + Send + Sync>);

impl StoreFailure {
    pub(crate) fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }

    /// Whether there is no room: the disk is full, a disk quota is used up, or the bucket says so.
    pub(crate) fn is_full(&self) -> bool {
        let mut cause: Option<&(dyn Error + 'static)> = Some(self.0.as_ref());
        while let Some(error) = cause {
            if error.downcast_ref::<io::Error>().is_some_and(says_full) || bucket_says_full(error) {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

fn says_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// 507 is what servers with disks of their own answer; the great clouds are never full. The crate's type of this
/// error is private, its text has the status.
fn bucket_says_full(error: &(dyn Error + 'static)) -> bool {
    error.to_string().contains("507 Insufficient Storage")
}

impl From<object_store::Error> for StoreFailure {
    fn from(error: object_store::Error) -> Self {
        Self::new(error)
    }
}

impl From<tokio::task::JoinError> for StoreFailure {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::new(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(kind: io::ErrorKind) -> StoreFailure {
        #[derive(Debug, thiserror::Error)]
        #[error("unable to copy data")]
        struct Copying(#[source] io::Error);
        object_store::Error::Generic { store: "local", source: Box::new(Copying(kind.into())) }.into()
    }

    #[test]
    fn a_full_bucket_is_known_by_its_status() {
        let status = |code| StoreFailure::new(format!("Server returned non-2xx status code: {code}: <Error/>"));
        assert!(status("507 Insufficient Storage").is_full());
        assert!(!status("503 Service Unavailable").is_full());
    }

    #[test]
    fn a_full_disk_is_found_under_what_wraps_it() {
        assert!(wrapped(io::ErrorKind::StorageFull).is_full());
        assert!(wrapped(io::ErrorKind::QuotaExceeded).is_full());
        assert!(!wrapped(io::ErrorKind::PermissionDenied).is_full());
    }
}
