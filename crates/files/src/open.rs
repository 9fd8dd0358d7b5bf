//! Where the blobs are, and opening that place.

use std::fmt;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use crate::failure::StoreFailure;
use crate::store::FileStore;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// `s3://bucket` or `s3://bucket/prefix`; or a folder, as a path or as `file:///path`.
    pub url: String,
    /// For `s3://` only.
    pub s3: S3Options,
    /// At most so many uploads run at a time; the next is refused with [`PutError::Busy`](crate::PutError::Busy).
    /// Each holds at most 256 KiB in memory with a folder, 5 MiB with a bucket.
    pub uploads: usize,
}

impl Options {
    /// The folder or bucket at `url`, with 64 uploads at a time.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), s3: S3Options::default(), uploads: 64 }
    }
}

/// How to reach a bucket. With an access key given here, nothing else is looked at. Without, what is missing is taken
/// from the process's `AWS_…` variables, and credentials that are not there either come from the machine's role, as
/// with Amazon's own tools.
#[derive(Clone, Default)]
pub struct S3Options {
    /// The server's address without the bucket: `https://minio.example:9000`. Without it: Amazon's, by region.
    /// `http://` is taken at its word: then nothing is encrypted.
    pub endpoint: Option<String>,
    /// The region; `us-east-1` if nothing says otherwise, which servers that have none accept.
    pub region: Option<String>,
    /// The access key's ID; goes with `secret_access_key`.
    pub access_key_id: Option<String>,
    /// The access key. Never shown.
    pub secret_access_key: Option<String>,
    /// Whether the endpoint names the bucket already (`https://bucket.example`); otherwise its name leads the path.
    pub virtual_hosted: bool,
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Options")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("virtual_hosted", &self.virtual_hosted)
            .finish_non_exhaustive()
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not one of those that [`Options::url`] names, or the options do not fit it.
    #[error("{0}")]
    Url(&'static str),
    /// The folder, or something in it, cannot be used.
    #[error("cannot use {}", .path.display())]
    Folder {
        /// What was accessed.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The client cannot be set up: the endpoint is not a URL, or the machine has no certificate authorities.
    #[error("cannot set up the bucket")]
    Bucket(#[source] StoreFailure),
}

/// What a URL means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    Folder(&'a FilePath),
    Bucket { name: &'a str, prefix: &'a str },
}

impl FileStore {
    /// Opens the store.
    ///
    /// A folder is made if it is not there (mode 0700), and swept: what uploads left that were killed is removed, at
    /// about a million files a second, unless another process has the folder open. This blocks. A bucket is not
    /// asked anything yet: it must exist when the first file comes.
    ///
    /// # Errors
    /// When the URL cannot be understood, the folder cannot be used, or options are missing.
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        match place(&options.url)? {
            Place::Folder(path) => crate::local::open(path, options.uploads),
            #[cfg(feature = "s3")]
            Place::Bucket { name, prefix } => crate::s3::open(name, prefix, options),
            #[cfg(not(feature = "s3"))]
            Place::Bucket { .. } => Err(OpenError::Url("this program was built without S3: use a folder for files")),
        }
    }
}

/// Checks whether a URL can say where files are kept, without looking there.
///
/// # Errors
/// Why not, in words that do not repeat it.
pub fn check_url(url: &str) -> Result<(), &'static str> {
    match place(url) {
        Err(OpenError::Url(why)) => Err(why),
        _ => Ok(()),
    }
}

/// Errors do not repeat the URL: it may hold what somebody took for a place for passwords.
fn place(url: &str) -> Result<Place<'_>, OpenError> {
    if let Some(bucket) = url.strip_prefix("s3://") {
        let (name, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(OpenError::Url("a bucket for files is written s3://bucket/prefix, without credentials"));
        }
        return Ok(Place::Bucket { name, prefix: prefix.trim_end_matches('/') });
    }
    if let Some(path) = url.strip_prefix("file://") {
        if !path.starts_with('/') || path.contains(['%', '?', '#']) {
            return Err(OpenError::Url("a folder for files is written file:///path, or as the path alone"));
        }
        return Ok(Place::Folder(FilePath::new(path)));
    }
    if url.is_empty() || url.contains("://") {
        return Err(OpenError::Url("files are kept in a folder (a path, file:///path) or in a bucket (s3://bucket)"));
    }
    Ok(Place::Folder(FilePath::new(url)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_are_understood() {
        for (url, expected) in [
            ("file:///var/lib/stentor", Place::Folder(FilePath::new("/var/lib/stentor"))),
            ("/var/lib/stentor", Place::Folder(FilePath::new("/var/lib/stentor"))),
            ("stentor-data/files", Place::Folder(FilePath::new("stentor-data/files"))),
            ("s3://bucket", Place::Bucket { name: "bucket", prefix: "" }),
            ("s3://bucket/", Place::Bucket { name: "bucket", prefix: "" }),
            ("s3://my.bucket-1/a/b/", Place::Bucket { name: "my.bucket-1", prefix: "a/b" }),
        ] {
            assert_eq!(place(url).unwrap(), expected, "{url}");
        }
    }

    #[test]
    fn urls_that_are_refused_are_not_repeated() {
        for url in [
            "",
            "s3://",
            "s3:///prefix",
            "s3://key:secret@bucket/prefix",
            "s3://bucket?secret=secret",
            "file://relative/secret",
            "file:///a%20secret",
            "https://secret",
        ] {
            let error = place(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let mut options = Options::new("s3://bucket");
        options.s3.access_key_id = Some("AKIASECRET".to_owned());
        options.s3.secret_access_key = Some("very SECRET".to_owned());
        assert!(!format!("{options:?}").contains("SECRET"));
    }
}
