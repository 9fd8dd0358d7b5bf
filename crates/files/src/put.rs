//! Writing a blob: bounded in memory, invisible until it is whole, durable before it is acknowledged, and gone if
//! anything goes wrong.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::failure::StoreFailure;
use crate::key::FileKey;
use crate::local;
use crate::store::FileStore;

/// So much of a file's beginning is handed back, for [`content::served_type`](crate::content::served_type).
const HEAD_BYTES: usize = 64;

/// What a put has stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// In bytes.
    pub size: u64,
    /// The first 64 bytes, or all if there are fewer.
    pub head: Bytes,
}

/// Why a file was not stored. `E` is what the source of its bytes fails with.
#[derive(Debug, thiserror::Error)]
pub enum PutError<E> {
    /// It has more than `max` bytes.
    #[error("the file has more than {max} bytes")]
    TooLarge {
        /// The limit, in bytes.
        max: u64,
    },
    /// The client stopped sending, or sent something else than a file.
    #[error("the file did not arrive")]
    Source(#[source] E),
    /// The disk is full, or its quota for this process.
    #[error("there is no room for the file")]
    Full,
    /// As many uploads run as [`Options::uploads`](crate::Options::uploads) allows.
    #[error("too many uploads at a time")]
    Busy,
    /// The folder or the bucket failed.
    #[error(transparent)]
    Store(StoreFailure),
}

impl<E> From<StoreFailure> for PutError<E> {
    fn from(failure: StoreFailure) -> Self {
        if failure.is_full() { Self::Full } else { Self::Store(failure) }
    }
}

impl FileStore {
    /// Stores what `source` brings, if it is at most `max` bytes, and returns when it is durable. A key is for one
    /// put: nobody else may write it at the same time, and if a second put fails, the first one's file is gone.
    ///
    /// The source is read no faster than the bytes are written, and no further than one chunk past `max`. Readers see
    /// the whole file or none. If the future is dropped before it is done, there will be none.
    ///
    /// # Errors
    /// When the file is too large, the source fails, there is no room, too many uploads run, or the store fails.
    pub async fn put<S, E>(&self, key: &FileKey, source: S, max: u64) -> Result<Stored, PutError<E>>
    where
        S: Stream<Item = Result<Bytes, E>>,
    {
        let _slot = self.uploads().try_acquire().map_err(|_| PutError::Busy)?;
        let mut source = pin!(source);
        let mut writing = Writing::new(self.clone(), key.blob(&self.backend().prefix));
        let mut head = BytesMut::new();
        let mut size = 0u64;
        while let Some(chunk) = source.next().await {
            let chunk = chunk.map_err(PutError::Source)?;
            size = size.saturating_add(chunk.len() as u64);
            if size > max {
                return Err(PutError::TooLarge { max });
            }
            head.extend_from_slice(&chunk[..chunk.len().min(HEAD_BYTES - head.len())]);
            writing.write(chunk).await?;
        }
        writing.finish().await?;
        Ok(Stored { size, head: head.freeze() })
    }

    /// Stores bytes that are in memory already, besides the uploads that are counted.
    pub(crate) async fn put_at(&self, path: Path, bytes: Bytes) -> Result<(), StoreFailure> {
        let mut writing = Writing::new(self.clone(), path);
        writing.write(bytes).await?;
        writing.finish().await
    }
}

/// A file on its way. What fits into one part is written at once; anything larger part by part.
struct Writing {
    store: FileStore,
    path: Path,
    part: BytesMut,
    upload: Option<Upload>,
}

impl Writing {
    fn new(store: FileStore, path: Path) -> Self {
        Self { store, path, part: BytesMut::new(), upload: None }
    }

    async fn write(&mut self, mut chunk: Bytes) -> Result<(), StoreFailure> {
        let part_bytes = self.store.backend().part_bytes;
        while !chunk.is_empty() {
            // Only now it is known that more comes than one part.
            if self.part.len() == part_bytes {
                self.write_part().await?;
            }
            let room = part_bytes - self.part.len();
            // Copied: chunks may be tiny, and keep much larger buffers alive.
            self.part.extend_from_slice(&chunk.split_to(room.min(chunk.len())));
        }
        Ok(())
    }

    async fn write_part(&mut self) -> Result<(), StoreFailure> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(Upload::begin(&self.store, &self.path).await?),
        };
        upload.put(self.part.split().freeze()).await
    }

    async fn finish(mut self) -> Result<(), StoreFailure> {
        if self.upload.is_some() {
            self.write_part().await?;
        }
        let (rest, upload) = (self.part.split().freeze(), self.upload.take());
        let unclaimed = Unclaimed::new(&self.store, self.path);
        let last_step = async move {
            if let Some(upload) = upload {
                upload.complete().await?;
            } else {
                let objects = &unclaimed.store.backend().objects;
                objects.put(&unclaimed.path, PutPayload::from_bytes(rest)).await?;
            }
            Ok(unclaimed)
        };
        // From here on the file may become visible. If nobody is left to be told so, it is deleted again.
        self.store.to_the_end(last_step).await?.claim();
        Ok(())
    }
}

/// Parts that were written. Dropping it throws them away, in the background.
struct Upload {
    store: FileStore,
    parts: Option<Box<dyn MultipartUpload>>,
    _pending: TaskTrackerToken,
}

impl Upload {
    async fn begin(store: &FileStore, path: &Path) -> Result<Self, StoreFailure> {
        let (for_begin, path) = (store.clone(), path.clone());
        let begin = async move {
            let parts = for_begin.backend().objects.put_multipart(&path).await?;
            Ok(Self { _pending: for_begin.pending(), store: for_begin, parts: Some(parts) })
        };
        // If the caller is dropped meanwhile, the bucket has begun an upload that somebody must end.
        if store.backend().folder.is_some() {
            // A folder makes the file, and perhaps its folder, on the thread that asks.
            store.to_the_end_blocking(begin).await
        } else {
            store.to_the_end(begin).await
        }
    }

    async fn put(&mut self, part: Bytes) -> Result<(), StoreFailure> {
        match &mut self.parts {
            Some(parts) => Ok(parts.put_part(PutPayload::from_bytes(part)).await?),
            None => Ok(()),
        }
    }

    async fn complete(mut self) -> Result<(), StoreFailure> {
        if let Some(parts) = &mut self.parts {
            parts.complete().await?;
        }
        self.parts = None;
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(mut parts) = self.parts.take() {
            self.store.clean_up("throwing away an unfinished upload", async move { Ok(parts.abort().await?) });
        }
    }
}

/// A file that may be visible, and that nobody was told of. Dropping it deletes the file, in the background.
struct Unclaimed {
    store: FileStore,
    path: Path,
    claimed: bool,
    _pending: TaskTrackerToken,
}

impl Unclaimed {
    fn new(store: &FileStore, path: Path) -> Self {
        Self { store: store.clone(), path, claimed: false, _pending: store.pending() }
    }

    fn claim(mut self) {
        self.claimed = true;
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if self.claimed {
            return;
        }
        let (store, path) = (self.store.clone(), self.path.clone());
        self.store.clean_up("deleting a file that was not wanted any more", async move {
            match &store.backend().folder {
                Some(folder) => {
                    let root = folder.root.clone();
                    tokio::task::spawn_blocking(move || local::discard(&root, &path)).await?
                }
                None => store.delete_at(&path).await,
            }
        });
    }
}
