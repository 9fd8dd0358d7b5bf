//! The blob store behind file transfer: bytes under (app, UUID), in a local folder or in a bucket that speaks S3.
//!
//! It keeps bytes and nothing else. Who may read a file, its secret, its age and the quota are records of the
//! core's store, and HTTP is the dialect's. A file is written once and never changed: [`FileStore::put`] takes a
//! stream with a limit and returns when the bytes are durable; [`FileStore::get`] gives them back, or a range of
//! them. [`Thumbnails`] scales images. [`range`] and [`content`] are what a handler needs to answer a download:
//! pure functions, without HTTP types.
//!
//! **What an upload may leave behind.** A put that fails, is refused or is dropped at any moment shows nothing to
//! readers, and cleans up in the background ([`FileStore::close`] waits for that). After a kill, a folder is swept
//! when it is opened next. A bucket cannot be: give it a lifecycle rule that ends incomplete multipart uploads. A
//! blob whose record was never written (killed in between) is found with [`FileStore::list`].

pub mod content;
mod failure;
mod get;
mod key;
mod local;
mod open;
mod put;
pub mod range;
#[cfg(feature = "s3")]
mod s3;
mod store;
pub mod thumbnail;

pub use failure::StoreFailure;
pub use get::{Blob, GetError};
pub use key::{FileKey, KeyError};
pub use open::{OpenError, Options, S3Options, check_url};
pub use put::{PutError, Stored};
pub use store::{FileStore, Listed};
pub use thumbnail::{Thumbnail, ThumbnailError, Thumbnails};
