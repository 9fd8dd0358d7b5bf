//! A folder: made, locked and swept at opening. Each blob is a file that is written under another name, synced,
//! renamed, and its folder synced.

use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::path::Path;

use crate::failure::StoreFailure;
use crate::key;
use crate::open::OpenError;
use crate::store::{Backend, FileStore, Folder};

/// Large enough that a file of the default limit takes forty writes, small enough for many uploads at a time.
const PART_BYTES: usize = 256 * 1024;

const LOCK: &str = ".lock";

pub(crate) fn open(dir: &FilePath, uploads: usize) -> Result<FileStore, OpenError> {
    let failed = |source| OpenError::Folder { path: dir.to_owned(), source };
    make_dir(dir).map_err(failed)?;
    let lock = lock_and_sweep(dir).map_err(failed)?;
    let objects = LocalFileSystem::new_with_prefix(dir).map_err(|error| failed(error.into()))?.with_fsync(true);
    let backend = Backend {
        objects: Arc::new(objects),
        prefix: Path::default(),
        part_bytes: PART_BYTES,
        folder: Some(Folder { root: dir.to_owned(), lock }),
    };
    Ok(FileStore::new(backend, uploads))
}

fn make_dir(dir: &FilePath) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Several nodes may share a folder, and the half-written file of another node is not a leftover. So all who have
/// the folder open hold its lock together, and only who can have it alone sweeps.
fn lock_and_sweep(dir: &FilePath) -> io::Result<File> {
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => {
            sweep(dir)?;
            lock.unlock()?;
            lock.lock_shared()?;
        }
        // While another sweeps, this waits.
        Err(TryLockError::WouldBlock) => lock.lock_shared()?,
        Err(TryLockError::Error(error)) => {
            tracing::warn!(%error, "the folder of files cannot be locked: what killed uploads left stays there");
        }
    }
    Ok(lock)
}

fn sweep(dir: &FilePath) -> io::Result<()> {
    let mut swept = 0u64;
    for app in fs::read_dir(dir)? {
        let app = app?;
        // Links are not followed: we make none.
        if !app.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(app.path())? {
            let file = file?;
            if is_leftover(&file) {
                fs::remove_file(file.path())?;
                swept += 1;
            }
        }
    }
    if swept > 0 {
        tracing::info!(swept, "removed what killed uploads had left");
    }
    Ok(())
}

/// While it is written, a file is called like the blob, with `#` and a number behind it.
fn is_leftover(file: &DirEntry) -> bool {
    let name = file.file_name();
    let Some((blob, number)) = name.to_str().and_then(|name| name.split_once('#')) else { return false };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && key::file_name(blob).is_some()
}

/// Removes what a put may have left that failed in its last step. Blocks.
pub(crate) fn discard(root: &FilePath, blob: &Path) -> Result<(), StoreFailure> {
    // One put at a time has a key, so its file has the first number.
    let staged = root.join(format!("{blob}#1"));
    for file in [staged, root.join(blob.as_ref())] {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreFailure::new(error)),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No test survives a power failure to tell. This is the next best thing.
    #[test]
    fn files_are_synced() {
        let dir = tempfile::tempdir().unwrap();
        let files = open(dir.path(), 1).unwrap();
        assert!(format!("{:?}", files.backend().objects).contains("fsync: true"));
    }
}
