//! The data directory: created for its owner only, held by one process at a time, its files written whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Held by the process that serves from the directory.
const LOCK: &str = "server.lock";

/// Why a data directory cannot be served from.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process serves from it.
    #[error("the data directory {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// It cannot be created, read or written.
    #[error("the data directory {} cannot be used: {source}", path.display())]
    Unusable {
        /// The directory or the file in it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A data directory that this process holds. Another process may have it when this is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

/// The lock belongs to the open file, not to this handle: a program that another thread is just starting has a copy of
/// the handle until it is replaced by its own image, and closing ours would leave the directory locked until then.
impl Drop for DataDir {
    fn drop(&mut self) {
        // If it fails, the lock goes with the last copy.
        let _ = self.lock.unlock();
    }
}

/// The permissions of a directory.
fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|found| found.permissions().mode())
}

impl DataDir {
    /// Creates the directory (mode 0700) if it is not there, and takes it.
    ///
    /// # Errors
    /// When another process has it, or it cannot be used.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |source| DataDirError::Unusable { path: path.to_owned(), source };
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        }
        if mode(path).is_some_and(|mode| mode & 0o077 != 0) {
            tracing::warn!(path = %path.display(), "others may look into the data directory: chmod 700");
        }
        let file = path.join(LOCK);
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(file).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(fs::TryLockError::WouldBlock) => Err(DataDirError::InUse(path.to_owned())),
            Err(fs::TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file whole or not at all, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_secret(&self, name: &str, text: &str) -> Result<(), DataDirError> {
        let path = self.path.join(name);
        write_whole(&self.path, name, text).map_err(|source| DataDirError::Unusable { path, source })
    }

    /// Reads a file; `None` if it is not there.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<String>, DataDirError> {
        read(&self.path, name)
    }

    /// A key of 32 bytes that is made up at the first start, and stays.
    ///
    /// # Errors
    /// When it cannot be read or written, or is not a key.
    pub fn key(&self, name: &str) -> Result<[u8; 32], DataDirError> {
        let unusable = |source| DataDirError::Unusable { path: self.path.join(name), source };
        if let Some(text) = self.read(name)? {
            let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| bytes.try_into().ok());
            return bytes.ok_or_else(|| unusable(io::Error::new(io::ErrorKind::InvalidData, "not a key of 32 bytes")));
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| unusable(io::Error::other(error)))?;
        self.write_secret(name, &STANDARD.encode(key))?;
        Ok(key)
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, name: &str) {
        // Nobody depends on it: a file that stays is overwritten at the next start.
        let _ = fs::remove_file(self.path.join(name));
    }
}

/// Reads a file of a data directory; `None` if it is not there.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read(directory: &Path, name: &str) -> Result<Option<String>, DataDirError> {
    let path = directory.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DataDirError::Unusable { path, source }),
    }
}

/// Writes beside and renames, so that a reader sees the old file or the new one; durable when it returns.
fn write_whole(directory: &Path, name: &str, text: &str) -> io::Result<()> {
    let beside = directory.join(format!("{name}.new"));
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
    // A file that was left behind keeps its old mode when it is opened again.
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, directory.join(name))?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("a/b");
        let first = DataDir::open(&path).unwrap();
        assert!(matches!(DataDir::open(&path), Err(DataDirError::InUse(_))));
        drop(first);
        DataDir::open(&path).unwrap();
    }

    /// A program that is being started has copies of all handles for a moment, as this one is.
    #[test]
    fn a_copy_of_the_handle_does_not_keep_the_directory() {
        let temporary = tempfile::tempdir().unwrap();
        let first = DataDir::open(temporary.path()).unwrap();
        let copy = first.lock.try_clone().unwrap();
        drop(first);
        DataDir::open(temporary.path()).unwrap();
        drop(copy);
    }

    #[test]
    fn a_key_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = DataDir::open(temporary.path()).unwrap();
        let key = directory.key("a.key").unwrap();
        assert_eq!(directory.key("a.key").unwrap(), key);
        assert_ne!(directory.key("b.key").unwrap(), key);
        directory.write_secret("c.key", "AAAA").unwrap();
        assert!(matches!(directory.key("c.key"), Err(DataDirError::Unusable { .. })));
    }

    #[test]
    fn secrets_are_for_the_owner_only() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = DataDir::open(&temporary.path().join("data")).unwrap();
        fs::write(directory.path().join("s.toml.new"), "left behind").unwrap();
        directory.write_secret("s.toml", "x = 1\n").unwrap();
        assert_eq!(directory.read("s.toml").unwrap().as_deref(), Some("x = 1\n"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory.path().join("s.toml")), 0o600);
        assert_eq!(mode(directory.path()), 0o700);
        assert_eq!(directory.read("other").unwrap(), None);
    }
}
