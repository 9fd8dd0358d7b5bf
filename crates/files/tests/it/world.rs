//! A store in a temporary folder, keys, sources of bytes, and a look at what lies on the disk.

use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use futures_util::{StreamExt, TryStreamExt};
use stentor_files::{Blob, FileKey, FileStore, Options};
use tempfile::TempDir;

/// An upload's limit that no test reaches by accident.
pub(crate) const PLENTY: u64 = 1 << 40;

pub(crate) struct World {
    pub(crate) files: FileStore,
    pub(crate) dir: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { files: open(dir.path()), dir }
    }

    /// The names of all files below the folder, sorted, without the lock.
    pub(crate) async fn on_disk(&self) -> Vec<String> {
        self.files.close().await;
        names(self.dir.path())
    }
}

pub(crate) fn open(dir: &Path) -> FileStore {
    FileStore::open(&Options::new(dir.to_str().unwrap())).unwrap()
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.file_name().unwrap() != ".lock" {
                names.push(path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    names.sort();
    names
}

/// The key of file number `n` of an app.
pub(crate) fn key(n: u32) -> FileKey {
    FileKey::new("acme#demo", &uuid(n)).unwrap()
}

pub(crate) fn uuid(n: u32) -> String {
    format!("{n:08x}-64af-41e4-8a5b-ff2336f03252")
}

/// `len` bytes, none like its neighbours.
pub(crate) fn bytes(len: usize) -> Bytes {
    (0..len).map(|at| (at % 251) as u8).collect()
}

/// A source that brings these bytes in chunks of `chunk` bytes.
pub(crate) fn source(bytes: &Bytes, chunk: usize) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    let chunks: Vec<_> = bytes.chunks(chunk).map(Bytes::copy_from_slice).map(Ok).collect();
    stream::iter(chunks)
}

/// A source that brings these bytes, and then nothing more, and does not end.
pub(crate) fn stalling(bytes: &Bytes, chunk: usize) -> impl Stream<Item = io::Result<Bytes>> + use<> {
    source(bytes, chunk).chain(stream::pending())
}

pub(crate) async fn read(blob: Blob) -> Bytes {
    let chunks: Vec<Bytes> = blob.body.try_collect().await.unwrap();
    chunks.concat().into()
}
