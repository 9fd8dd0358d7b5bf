//! Opening a data directory: one process at a time, never a file that is not ours, newer or damaged.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::failure::Failure;
use crate::queue::Lane;
use crate::schema;

const FILE: &str = "stentor.db";
const LOCK: &str = "stentor.lock";

/// Why a data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another store of this one, has it open.
    #[error("the data directory {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// A newer Stentor has written it. Going back to an older version needs a backup of that version.
    #[error("the data is of version {found}, this program knows versions up to {known}: use the newer program")]
    Newer {
        /// The version of the data.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// The file is not what Stentor has written: restore a backup. It was not changed.
    #[error("the file {} is damaged: {reason}", .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The directory or a file in it cannot be used.
    #[error("cannot use {}", .path.display())]
    Io {
        /// What was accessed.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// SQLite failed in another way.
    #[error("cannot open {}", .file.display())]
    Engine {
        /// The file.
        file: PathBuf,
        /// Why it failed.
        source: rusqlite::Error,
    },
}

/// An open data directory.
pub(crate) struct Opened {
    /// The connection of the writer.
    pub(crate) writer: Connection,
    /// The connections of the readers, which cannot write.
    pub(crate) readers: Vec<(Lane, Connection)>,
    /// Locked while it lives.
    pub(crate) lock: Lock,
}

/// Opens the directory, making it and the file if they are not there. `check_pages` reads the whole file.
pub(crate) fn open(dir: &Path, check_pages: bool) -> Result<Opened, OpenError> {
    make_dir(dir).map_err(io_error(dir))?;
    let lock = lock(dir)?;
    let file = dir.join(FILE);
    if missing(&file)? {
        create(dir, &file)?;
    }
    let engine = |source| engine_error(&file, source);
    let mut writer = connect(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(engine)?;
    check(&writer, &file, check_pages)?;
    prepare(&mut writer).map_err(engine)?;
    let reader = |lane| Ok((lane, connect(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(engine)?));
    let readers = Lane::ALL.map(reader).into_iter().collect::<Result<_, OpenError>>()?;
    Ok(Opened { writer, readers, lock })
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { path, source }
}

pub(crate) fn engine_error(file: &Path, source: rusqlite::Error) -> OpenError {
    let file = file.to_owned();
    match Failure::from(source) {
        Failure::Damaged(error) => OpenError::Damaged { file, reason: error.to_string() },
        Failure::Device(error) => match std::sync::Arc::try_unwrap(error) {
            Ok(source) => OpenError::Engine { file, source },
            Err(error) => OpenError::Damaged { file, reason: error.to_string() },
        },
        other => OpenError::Damaged { file, reason: format!("{other:?}") },
    }
}

fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    dir.parent().map_or(Ok(()), sync_dir)
}

/// Makes what was created or renamed in a directory survive a power failure.
fn sync_dir(dir: &Path) -> io::Result<()> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Says that a process has the store open, while it lives. The lock belongs to the open file, not to this handle: a
/// program that another thread is just starting has a copy of the handle until it is replaced by its own image, and
/// closing ours would leave the store locked until then.
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // If it fails, the lock goes with the last copy.
        let _ = self.0.unlock();
    }
}

/// A file of its own: SQLite's locks on the database are lost when any other handle of it is closed.
fn lock(dir: &Path) -> Result<Lock, OpenError> {
    let path = dir.join(LOCK);
    let file = private_file(&path).map_err(io_error(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(OpenError::Io { path, source }),
    }
}

/// Whether the file has to be created. An empty file, or a log without its file, is not a new store.
fn missing(file: &Path) -> Result<bool, OpenError> {
    let damaged = |reason: &str| Err(OpenError::Damaged { file: file.to_owned(), reason: reason.to_owned() });
    match file.metadata() {
        Ok(found) if found.len() == 0 => damaged("it is empty"),
        Ok(_) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if file.with_extension("db-wal").exists() {
                return damaged("it is missing, but its write-ahead log is there");
            }
            Ok(true)
        }
        Err(error) => Err(io_error(file)(error)),
    }
}

/// Makes the file under another name first: half a file is never taken for a store.
fn create(dir: &Path, file: &Path) -> Result<(), OpenError> {
    let draft = dir.join("stentor.db.new");
    for left in [draft.clone(), dir.join("stentor.db.new-journal")] {
        match std::fs::remove_file(&left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(&left)(error)),
            _ => {}
        }
    }
    private_file(&draft).map_err(io_error(&draft))?;
    let fill = || {
        let mut connection = connect(&draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "page_size", 8192)?;
        connection.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
        schema::migrate(&mut connection)?;
        connection.close().map_err(|(_, error)| error)
    };
    fill().map_err(|source| engine_error(&draft, source))?;
    std::fs::rename(&draft, file).map_err(io_error(file))?;
    sync_dir(dir).map_err(io_error(dir))
}

fn connect(file: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Otherwise SQLite prepares some statements anew for each new parameter, in search of a better plan.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -32_000)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

fn check(connection: &Connection, file: &Path, check_pages: bool) -> Result<(), OpenError> {
    let engine = |source| engine_error(file, source);
    let damaged = |reason: String| Err(OpenError::Damaged { file: file.to_owned(), reason });
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(engine)?;
    let found = schema::version(connection).map_err(engine)?;
    if application != schema::APPLICATION_ID || found == 0 {
        return damaged("it is not a file of Stentor".to_owned());
    }
    if found > schema::VERSION {
        return Err(OpenError::Newer { found, known: schema::VERSION });
    }
    if check_pages {
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(engine)?;
        if verdict != "ok" {
            return damaged(verdict);
        }
    }
    Ok(())
}

fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // NORMAL would lose the last commits on a power failure.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The writer does it between batches, when nobody waits for it.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    schema::migrate(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that is being started has copies of all handles for a moment, as this one is.
    #[test]
    fn a_copy_of_the_handle_does_not_keep_the_store() {
        let dir = tempfile::tempdir().unwrap();
        let first = lock(dir.path()).unwrap();
        let copy = first.0.try_clone().unwrap();
        assert!(matches!(lock(dir.path()), Err(OpenError::InUse(_))));
        drop(first);
        lock(dir.path()).unwrap();
        drop(copy);
    }
}
