//! Reading a blob, or a range of it, a chunk at a time.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectStoreExt};
use tokio::task::spawn_blocking;

use crate::failure::StoreFailure;
use crate::key::FileKey;
use crate::store::FileStore;

/// What is read from a file at a time, and so what a slow download holds in memory.
const CHUNK_BYTES: u64 = 128 * 1024;

/// A file, or a range of it, on its way to a reader.
pub struct Blob {
    /// The size of the whole file, in bytes.
    pub size: u64,
    /// Which of them come: never empty, unless the file is.
    pub range: Range<u64>,
    /// The bytes, in chunks of at most some hundred KiB. Reads ahead by one chunk at most.
    pub body: BoxStream<'static, Result<Bytes, StoreFailure>>,
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob").field("size", &self.size).field("range", &self.range).finish_non_exhaustive()
    }
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The file has not so many bytes, or the range is empty.
    #[error("the file has {size} bytes, the range is beyond them")]
    OutOfRange {
        /// The file's size, in bytes.
        size: u64,
    },
    /// The folder or the bucket failed.
    #[error(transparent)]
    Store(#[from] StoreFailure),
}

impl From<object_store::Error> for GetError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            error => Self::Store(error.into()),
        }
    }
}

impl FileStore {
    /// A file from its first byte to its last, or the given range of it. A range that reaches beyond the file ends
    /// where the file does.
    ///
    /// # Errors
    /// When the file is not there, the range begins beyond it or is empty, or the store fails. The body may fail
    /// later; then it ends with the error, before all bytes have come.
    pub async fn get(&self, key: &FileKey, range: Option<Range<u64>>) -> Result<Blob, GetError> {
        self.get_at(&key.blob(&self.backend().prefix), range).await
    }

    pub(crate) async fn get_at(&self, path: &Path, range: Option<Range<u64>>) -> Result<Blob, GetError> {
        let objects = &self.backend().objects;
        let options = GetOptions { range: range.clone().map(GetRange::Bounded), ..GetOptions::default() };
        let found = match objects.get_opts(path, options).await {
            Ok(found) => found,
            Err(error) => return Err(self.why(path, range, error).await),
        };
        let (size, range) = (found.meta.size, found.range.clone());
        let body = match found.payload {
            GetResultPayload::File(file, _) => chunks(file, range.clone()),
            GetResultPayload::Stream(stream) => stream.map_err(StoreFailure::from).boxed(),
        };
        Ok(Blob { size, range, body })
    }

    /// Folders and buckets refuse a range in many ways; the file's size tells.
    async fn why(&self, path: &Path, range: Option<Range<u64>>, error: object_store::Error) -> GetError {
        if let (Some(range), false) = (range, matches!(error, object_store::Error::NotFound { .. })) {
            match self.backend().objects.head(path).await {
                Ok(object) if range.is_empty() || range.start >= object.size => {
                    return GetError::OutOfRange { size: object.size };
                }
                Err(error) => return error.into(),
                Ok(_) => {}
            }
        }
        error.into()
    }

    /// All bytes of a blob, if it is no larger than `max`; otherwise its size.
    pub(crate) async fn read(&self, path: &Path, max: u64) -> Result<Result<Bytes, u64>, GetError> {
        let mut blob = self.get_at(path, None).await?;
        if blob.size > max {
            return Ok(Err(blob.size));
        }
        let mut bytes = BytesMut::with_capacity(usize::try_from(blob.size).unwrap_or(0));
        while let Some(chunk) = blob.body.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(Ok(bytes.freeze()))
    }
}

/// The crate's own stream takes 8 KiB at a time: sixteen times as many trips to the threads that may block.
fn chunks(file: File, range: Range<u64>) -> BoxStream<'static, Result<Bytes, StoreFailure>> {
    stream::try_unfold((file, range), |(file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let read = move || Ok::<_, StoreFailure>((read_chunk(&file, &range)?, file, range));
        let (chunk, file, range) = spawn_blocking(read).await??;
        let rest = range.start + chunk.len() as u64..range.end;
        Ok(Some((chunk, (file, rest))))
    })
    .boxed()
}

fn read_chunk(mut file: &File, range: &Range<u64>) -> Result<Bytes, StoreFailure> {
    let wanted = CHUNK_BYTES.min(range.end - range.start);
    let mut chunk = Vec::with_capacity(usize::try_from(wanted).unwrap_or(0));
    file.seek(SeekFrom::Start(range.start)).map_err(StoreFailure::new)?;
    file.take(wanted).read_to_end(&mut chunk).map_err(StoreFailure::new)?;
    if chunk.len() as u64 == wanted {
        Ok(chunk.into())
    } else {
        // Somebody else has cut it short.
        Err(StoreFailure::new(io::Error::from(io::ErrorKind::UnexpectedEof)))
    }
}
