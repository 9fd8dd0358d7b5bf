//! Each provider against its counterpart: a valid delivery, each class of errors, a dead token, a throttle, an outage.

#![expect(clippy::expect_used, reason = "a test that cannot go on must fail")]

mod apns;
mod fcm;
mod kit;
mod line;
mod webhook;
mod webpush;
