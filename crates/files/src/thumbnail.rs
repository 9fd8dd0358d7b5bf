//! Thumbnails of stored pictures: made when they are first asked for, kept beside the file, never at the cost of the
//! server. How many are made at a time, how many wait for that, and what one may take are all bounded.

mod scale;
mod webp;

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use object_store::path::Path;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use crate::content::image_type;
use crate::failure::StoreFailure;
use crate::get::GetError;
use crate::key::FileKey;
use crate::store::FileStore;

pub use scale::{Bounds, DecodeLimits, NoThumbnail, scale};

/// A picture of at most so many bytes is its own thumbnail: 10 KB, as documented.
pub const SMALL_BYTES: u64 = 10 * 1024;

/// More than the largest thumbnail has.
const KEPT_BYTES: u64 = 8 * 1024 * 1024;

/// A picture, ready to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The file.
    pub bytes: Bytes,
    /// Its `Content-Type`.
    pub content_type: &'static str,
}

impl Thumbnail {
    fn of(bytes: Bytes) -> Option<Self> {
        let content_type = image_type(&bytes)?.content_type();
        Some(Self { bytes, content_type })
    }
}

/// Why there is no thumbnail to serve.
#[derive(Debug, thiserror::Error)]
pub enum ThumbnailError {
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The file cannot have one, now and always. The file itself may be served instead.
    #[error(transparent)]
    None(#[from] NoThumbnail),
    /// So many wait for theirs already that this one would wait too long.
    #[error("too many thumbnails at a time")]
    Busy,
    /// The folder or the bucket failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl From<GetError> for ThumbnailError {
    fn from(error: GetError) -> Self {
        match error {
            GetError::NotFound => Self::NotFound,
            // We ask for what an empty file has not.
            GetError::OutOfRange { .. } => Self::None(NoThumbnail::NotAnImage),
            GetError::Store(failure) => Self::Store(failure),
        }
    }
}

/// What thumbnails may take.
#[derive(Debug, Clone)]
pub struct ThumbnailOptions {
    /// So many are made at a time, each on a thread of its own.
    pub at_a_time: usize,
    /// So many more may wait for that; the next is refused with [`ThumbnailError::Busy`].
    pub waiting: usize,
    /// Larger files have no thumbnail. In bytes: the whole file is in memory while its thumbnail is made.
    pub max_file_bytes: u64,
    /// What decoding one may take.
    pub decode: DecodeLimits,
}

impl Default for ThumbnailOptions {
    fn default() -> Self {
        Self { at_a_time: 2, waiting: 64, max_file_bytes: 20 * 1024 * 1024, decode: DecodeLimits::default() }
    }
}

/// Makes thumbnails of the files in a store. Clones share the bounds.
#[derive(Clone)]
pub struct Thumbnails(Arc<Inner>);

struct Inner {
    files: FileStore,
    options: ThumbnailOptions,
    /// One for each that is made or waits.
    admitted: Semaphore,
    /// One for each that is made.
    making: Arc<Semaphore>,
}

impl Thumbnails {
    /// Thumbnails of what is in this store.
    #[must_use]
    pub fn new(files: FileStore, options: ThumbnailOptions) -> Self {
        let at_a_time = options.at_a_time.clamp(1, Semaphore::MAX_PERMITS / 2);
        let waiting = options.waiting.min(Semaphore::MAX_PERMITS / 2);
        Self(Arc::new(Inner {
            files,
            options,
            admitted: Semaphore::new(at_a_time + waiting),
            making: Arc::new(Semaphore::new(at_a_time)),
        }))
    }

    /// The thumbnail of a file: the file itself if it is a picture of at most [`SMALL_BYTES`], otherwise a JPEG, or a
    /// PNG if the picture is transparent somewhere, that fits into `bounds`.
    ///
    /// It is kept, under a name of the file's key: a file must be asked for with the same bounds every time, those of
    /// its upload. [`FileStore::delete`] deletes it, too. It is not part of any size that [`FileStore::put`] reports.
    ///
    /// # Errors
    /// When the file is not there or cannot have a thumbnail, too many are wanted at a time, or the store fails.
    pub async fn get(&self, key: &FileKey, bounds: Bounds) -> Result<Thumbnail, ThumbnailError> {
        let files = &self.0.files;
        let (thumbnail, blob) = (key.thumbnail(&files.backend().prefix), key.blob(&files.backend().prefix));
        if let Some(kept) = self.kept(&thumbnail).await? {
            return Ok(kept);
        }
        if let Some(itself) = self.small(&blob).await? {
            return Ok(itself);
        }
        let _admitted = self.0.admitted.try_acquire().map_err(|_| ThumbnailError::Busy)?;
        let making = Arc::clone(&self.0.making).acquire_owned().await.map_err(|_| ThumbnailError::Busy)?;
        // Everybody in a room asks for the same one at the same time.
        if let Some(kept) = self.kept(&thumbnail).await? {
            return Ok(kept);
        }
        let made = self.make(&blob, bounds, making).await?;
        self.keep(key, thumbnail, &made).await?;
        Ok(made)
    }

    async fn kept(&self, path: &Path) -> Result<Option<Thumbnail>, ThumbnailError> {
        match self.0.files.read(path, KEPT_BYTES).await {
            // If it is not a picture, it is made again.
            Ok(kept) => Ok(kept.ok().and_then(Thumbnail::of)),
            Err(GetError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The file itself if it is small. Refuses what cannot have a thumbnail.
    async fn small(&self, path: &Path) -> Result<Option<Thumbnail>, ThumbnailError> {
        let mut head = self.0.files.get_at(path, Some(0..SMALL_BYTES)).await?;
        let mut bytes = BytesMut::new();
        while let Some(chunk) = head.body.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        let picture = Thumbnail::of(bytes.freeze()).ok_or(NoThumbnail::NotAnImage)?;
        if head.size > self.0.options.max_file_bytes {
            return Err(NoThumbnail::TooLarge.into());
        }
        Ok((head.size <= SMALL_BYTES).then_some(picture))
    }

    async fn make(
        &self,
        path: &Path,
        bounds: Bounds,
        making: OwnedSemaphorePermit,
    ) -> Result<Thumbnail, ThumbnailError> {
        let limits = self.0.options.decode;
        let picture = self.0.files.read(path, self.0.options.max_file_bytes).await?;
        let picture = picture.map_err(|_| NoThumbnail::TooLarge)?;
        // The permit goes along: the thread works on when nobody waits any more.
        let made = spawn_blocking(move || {
            let made = scale(&picture, bounds, &limits);
            drop(making);
            made
        });
        match made.await {
            Ok(made) => Ok(made?),
            // A decoder that panics has met a picture that its authors have not.
            Err(panic) if panic.is_panic() => Err(NoThumbnail::Damaged.into()),
            Err(error) => Err(StoreFailure::from(error).into()),
        }
    }

    async fn keep(&self, key: &FileKey, path: Path, made: &Thumbnail) -> Result<(), ThumbnailError> {
        let files = &self.0.files;
        if let Err(error) = files.put_at(path.clone(), made.bytes.clone()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a thumbnail could not be kept");
        }
        // It may have been deleted meanwhile, and who did it saw no thumbnail.
        if let Err(GetError::NotFound) = files.size(key).await {
            files.delete_at(&path).await?;
            return Err(ThumbnailError::NotFound);
        }
        Ok(())
    }
}

impl fmt::Debug for Thumbnails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thumbnails").field("options", &self.0.options).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::ready;
    use std::io::Cursor;
    use std::time::Duration;

    use futures_util::future::{join, poll_immediate};
    use futures_util::stream;
    use tokio::time::timeout;

    use super::*;
    use crate::open::Options;

    async fn put_picture(files: &FileStore, uuid: &str) -> FileKey {
        let key = FileKey::new("app", uuid).unwrap();
        let mut png = Cursor::new(Vec::new());
        image::DynamicImage::new_rgb8(300, 300).write_to(&mut png, image::ImageFormat::Png).unwrap();
        let mut png = png.into_inner();
        png.resize(20_000, 0);
        let source = stream::once(ready(Ok::<_, Infallible>(Bytes::from(png))));
        files.put(&key, source, 20_000).await.unwrap();
        key
    }

    #[tokio::test]
    async fn one_is_made_one_waits_the_third_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let files = FileStore::open(&Options::new(dir.path().to_str().unwrap())).unwrap();
        let a = put_picture(&files, "55f12940-64af-41e4-8a5b-ff2336f03251").await;
        let b = put_picture(&files, "55f12940-64af-41e4-8a5b-ff2336f03252").await;
        let c = put_picture(&files, "55f12940-64af-41e4-8a5b-ff2336f03253").await;
        let options = ThumbnailOptions { at_a_time: 1, waiting: 1, ..ThumbnailOptions::default() };
        let thumbnails = Thumbnails::new(files, options);
        // Nothing is made while this is held.
        let making = thumbnails.0.making.acquire().await.unwrap();
        let mut two = Box::pin(join(thumbnails.get(&a, Bounds::default()), thumbnails.get(&b, Bounds::default())));
        let third = async {
            while thumbnails.0.admitted.available_permits() > 0 {
                assert!(poll_immediate(&mut two).await.is_none());
                tokio::task::yield_now().await;
            }
            thumbnails.get(&c, Bounds::default()).await
        };
        let third = timeout(Duration::from_secs(30), third).await.expect("a third that waits was let in");
        assert!(matches!(third, Err(ThumbnailError::Busy)));
        drop(making);
        let (first, second) = two.await;
        assert_eq!(first.unwrap(), second.unwrap());
        thumbnails.get(&c, Bounds::default()).await.unwrap();
    }

    /// Or the thumbnail would stay for ever.
    #[tokio::test]
    async fn deleted_while_its_thumbnail_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let files = FileStore::open(&Options::new(dir.path().to_str().unwrap())).unwrap();
        let key = put_picture(&files, "55f12940-64af-41e4-8a5b-ff2336f03251").await;
        let thumbnails = Thumbnails::new(files.clone(), ThumbnailOptions::default());
        let made = thumbnails.get(&key, Bounds::default()).await.unwrap();
        files.delete(&key).await.unwrap();
        // As if the file had been deleted before the last step of getting it.
        let path = key.thumbnail(&files.backend().prefix);
        assert!(matches!(thumbnails.keep(&key, path, &made).await, Err(ThumbnailError::NotFound)));
        assert_eq!(std::fs::read_dir(dir.path().join("app")).unwrap().count(), 0);
    }
}
