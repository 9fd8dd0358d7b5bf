//! What a client is told before its connection is closed for good: with one of these it does not come back by itself.

use bytes::Bytes;
use stentor_core::session::{Closing, LogoutReason};
use stentor_msync::{Message, Meta, NameSpace, StatisticsBody, StatisticsOperation};

use super::{frame, queue};
use crate::teller::Numbers;

/// How long a text may be that a client gives to those whose place it takes, in UTF-16 units: the SDKs' own limit.
const MAX_WORDS: usize = 1024;

/// Whether a client's text is handed on to those whose place it takes.
pub(super) fn may_be_said(words: &str) -> bool {
    !words.is_empty() && words.encode_utf16().take(MAX_WORDS + 1).count() <= MAX_WORDS
}

/// The frame; `None` if the client may come back. `replaced_by` is what the client said that took its place.
pub(super) fn words(why: Closing, replaced_by: Option<&str>, numbers: &Numbers) -> Option<Bytes> {
    let operation = match why {
        Closing::Replaced => StatisticsOperation::UserLoginAnotherDevice,
        Closing::LoggedOut(LogoutReason::PasswordChanged) => StatisticsOperation::UserKickedByChangePassword,
        Closing::LoggedOut(LogoutReason::Deleted) => StatisticsOperation::UserRemoved,
        // Who was deactivated is told so when it tries to log in.
        Closing::LoggedOut(LogoutReason::Forced | LogoutReason::Deactivated) => {
            StatisticsOperation::UserKickedByOtherDevice
        }
        // The SDK watches the token by itself, and comes back after the rest.
        Closing::CredentialExpired
        | Closing::Superseded
        | Closing::SlowConsumer
        | Closing::Silent
        | Closing::Draining { .. } => return None,
    };
    let stamp = numbers.next();
    let nobody = queue::user("", "");
    let reason = replaced_by.filter(|_| why == Closing::Replaced).map(ToOwned::to_owned);
    let body = StatisticsBody { operation: Some(operation as i32), reason, ..StatisticsBody::default() };
    let meta = Meta {
        id: Some(stamp.number),
        from: Some(nobody.clone()),
        timestamp: Some(stamp.at_ms),
        ns: Some(NameSpace::Statistic as i32),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    };
    Some(frame::told(vec![meta], nobody, stamp.at_ms))
}
