//! Certificates and translators against counterparts.

#![expect(clippy::expect_used, reason = "a suite of tests")]

mod certificates;
mod kit;
mod queue;
mod translate;
