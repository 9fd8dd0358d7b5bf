//! What a client is told before its connection is closed for good: with one of these it does not come back by itself.

use bytes::Bytes;
use stentor_core::session::{Closing, LogoutReason};
use stentor_msync::{Message, Meta, NameSpace, StatisticsBody, StatisticsOperation};

use super::{frame, queue};
use crate::teller::Numbers;

/// The frame; `None` if the client may come back.
pub(super) fn words(why: Closing, numbers: &Numbers) -> Option<Bytes> {
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
    let body = StatisticsBody { operation: Some(operation as i32), ..StatisticsBody::default() };
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
