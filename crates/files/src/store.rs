//! The store's handle, and what it does besides putting and getting.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::failure::StoreFailure;
use crate::get::GetError;
use crate::key::FileKey;

/// An open store. Clones share it. See [`FileStore::open`].
///
/// All methods need a tokio runtime.
#[derive(Clone)]
pub struct FileStore(Arc<Inner>);

struct Inner {
    backend: Backend,
    uploads: Semaphore,
    /// What goes on when its caller is gone: last steps of uploads, and cleaning up.
    tasks: TaskTracker,
}

/// What differs between a folder and a bucket.
pub(crate) struct Backend {
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) prefix: Path,
    /// An upload holds so much in memory before it writes.
    pub(crate) part_bytes: usize,
    /// Of a folder only.
    pub(crate) folder: Option<Folder>,
}

pub(crate) struct Folder {
    pub(crate) root: PathBuf,
    /// Says that somebody has the folder open, while it lives.
    pub(crate) lock: File,
}

/// A program that another thread is just starting has a copy of the handle for a moment: closing ours would leave the
/// lock with it, and the next who opens the folder would not sweep.
impl Drop for Folder {
    fn drop(&mut self) {
        // If it fails, the lock goes with the last copy.
        let _ = self.lock.unlock();
    }
}

/// One blob, as [`FileStore::list`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Whose it is.
    pub key: FileKey,
    /// Whether it is the file's thumbnail, not the file.
    pub is_thumbnail: bool,
    /// In bytes.
    pub size: u64,
    /// When it was written, by the clock of the disk or bucket: milliseconds since 1970.
    pub written_at_ms: u64,
}

impl FileStore {
    pub(crate) fn new(backend: Backend, uploads: usize) -> Self {
        let uploads = Semaphore::new(uploads.min(Semaphore::MAX_PERMITS));
        Self(Arc::new(Inner { backend, uploads, tasks: TaskTracker::new() }))
    }

    pub(crate) fn backend(&self) -> &Backend {
        &self.0.backend
    }

    pub(crate) fn uploads(&self) -> &Semaphore {
        &self.0.uploads
    }

    /// The size of a file, in bytes.
    ///
    /// # Errors
    /// When it is not there, or the store fails.
    pub async fn size(&self, key: &FileKey) -> Result<u64, GetError> {
        Ok(self.backend().objects.head(&key.blob(&self.backend().prefix)).await?.size)
    }

    /// Deletes a file and its thumbnail. Who reads it at this moment from a folder reads it to its end. Deleting what
    /// is not there succeeds.
    ///
    /// # Errors
    /// When the store fails; then either may still be there.
    pub async fn delete(&self, key: &FileKey) -> Result<(), StoreFailure> {
        let prefix = &self.backend().prefix;
        // The thumbnail first: without the file, nobody would look for it again.
        for path in [key.thumbnail(prefix), key.blob(prefix)] {
            self.delete_at(&path).await?;
        }
        Ok(())
    }

    pub(crate) async fn delete_at(&self, path: &Path) -> Result<(), StoreFailure> {
        match self.backend().objects.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// All blobs, in no order: to find those that no record knows any more, or never did. What is younger than the
    /// longest upload must be left alone. What is not ours is skipped.
    pub fn list(&self) -> impl Stream<Item = Result<Listed, StoreFailure>> + Send + 'static {
        let prefix = self.backend().prefix.clone();
        let within = Some(&prefix).filter(|prefix| !prefix.as_ref().is_empty());
        self.backend().objects.list(within).filter_map(move |object| {
            let listed = match object {
                Ok(object) => FileKey::of(&object.location, &prefix).map(|(key, is_thumbnail)| {
                    let written_at_ms = u64::try_from(object.last_modified.timestamp_millis()).unwrap_or(0);
                    Ok(Listed { key, is_thumbnail, size: object.size, written_at_ms })
                }),
                Err(error) => Some(Err(error.into())),
            };
            std::future::ready(listed)
        })
    }

    /// Waits for uploads that run, and for what goes on in the background after those that failed or were dropped. To
    /// be called at the end.
    pub async fn close(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// While it lives, [`FileStore::close`] waits.
    pub(crate) fn pending(&self) -> TaskTrackerToken {
        self.0.tasks.token()
    }

    /// Runs `work` to its end even if the caller is dropped. Then its result is dropped, too: what must not stay is
    /// cleaned up by that.
    pub(crate) async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreFailure>> + Send + 'static,
    ) -> Result<T, StoreFailure> {
        self.0.tasks.spawn(work).await?
    }

    /// Like [`FileStore::to_the_end`], for a future that blocks its thread.
    pub(crate) async fn to_the_end_blocking<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreFailure>> + Send + 'static,
    ) -> Result<T, StoreFailure> {
        let runtime = Handle::current();
        self.0.tasks.spawn_blocking(move || runtime.block_on(work)).await?
    }

    /// Cleans up in the background. Its failures are for the log: what stays behind is invisible, or listed.
    pub(crate) fn clean_up(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<(), StoreFailure>> + Send + 'static,
    ) {
        // Without a runtime the process ends, and the next one sweeps.
        let Ok(runtime) = Handle::try_current() else { return };
        let work = async move {
            if let Err(error) = work.await {
                tracing::warn!(error = &error as &dyn std::error::Error, "{what} failed");
            }
        };
        self.0.tasks.spawn_on(work, &runtime);
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileStore({})", self.backend().objects)
    }
}
