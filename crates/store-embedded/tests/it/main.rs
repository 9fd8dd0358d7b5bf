//! Tests of the embedded store, through its public face and past it through the files.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod batching;
mod common;
mod conformance;
mod full_disk;
mod opening;
