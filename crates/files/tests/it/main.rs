//! The store as its callers see it: a folder, and a bucket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

#[cfg(feature = "s3")]
mod bucket;
mod folder;
mod get;
mod put;
#[cfg(feature = "s3")]
mod s3_server;
mod thumbnails;
mod world;
