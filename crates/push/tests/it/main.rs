//! Each provider against its counterpart: a valid delivery, each class of errors, a dead token, a throttle, an outage.

#![expect(clippy::expect_used, reason = "a test that cannot go on must fail")]

mod apns;
mod fcm;
mod huawei;
mod kit;
mod line;
mod meizu;
mod oppo;
mod vivo;
mod webhook;
mod webpush;
mod xiaomi;
