//! The protocol of Chat clients (`docs/gateway-chat.md`): what they send, what it does, and what they are told.

use std::sync::Arc;

use bytes::Bytes;
use stentor_core::app::AppPolicy;
use stentor_core::id::{DeviceId, NameRule, UserId};

use crate::codec::{ClientFrame, Malformed, Refusal};
use crate::packing::Packing;
use crate::protocol::{Begun, Caller, LoginError, Opening, OwnedCredential, ResumeFrom, Said, Welcome};

pub(crate) mod answer;
mod change;
pub mod codes;
mod event;
pub(crate) mod notice;
mod reply;
pub mod request;
pub(crate) mod send;
#[cfg(test)]
mod tests;

/// What a device may be called: it stands in URLs and in keys of the store.
pub(crate) const DEVICE_NAMES: NameRule =
    NameRule::ascii(64, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

/// The device of a client that names none.
pub(crate) const DEFAULT_DEVICE: &str = "web";

/// Parses the name of a user. `Aa` and `aa` are the same one.
pub(crate) fn user(policy: &AppPolicy, name: &str) -> Result<UserId, String> {
    UserId::parse(&name.to_ascii_lowercase(), &policy.user_names).map_err(|error| format!("the user ID {error}"))
}

/// Reads the first frame. `None` if it is something else than a login.
pub(crate) fn opening(text: &str) -> Result<Option<Box<Opening>>, Malformed> {
    let ClientFrame::Login(login) = request::parse(text)? else { return Ok(None) };
    let app = match (login.app_id, login.org, login.app_name) {
        (Some(app_id), ..) => app_id,
        (None, Some(org), Some(name)) => format!("{org}#{name}"),
        (None, ..) => return Err(Malformed("`org` and `app_name`, or `app_id`, must say which app".to_owned())),
    };
    let credential = match (login.token, login.password) {
        (Some(_), Some(_)) => return Err(Malformed("`token` or `password`, not both".to_owned())),
        (Some(token), None) => OwnedCredential::Token(token),
        (None, Some(password)) => OwnedCredential::Password(password),
        (None, None) => OwnedCredential::None,
    };
    Ok(Some(Box::new(Opening {
        version: login.version,
        app,
        user: login.user,
        reference: None,
        packing: Packing::None,
        action_version: 0,
        to_replaced: None,
        credential,
        device: DeviceId::parse(login.device.as_deref().unwrap_or(DEFAULT_DEVICE), &DEVICE_NAMES),
        resume: login.resume.map(|resume| ResumeFrom {
            session: resume.session,
            rooms: resume
                .rooms
                .iter()
                .flatten()
                .flat_map(|(room, newest)| newest.ids().map(|id| (room.clone(), id)))
                .collect(),
        }),
    })))
}

/// Reads a later frame, and begins what it asks for.
pub(crate) fn said(caller: &Arc<Caller>, text: &str) -> Result<Said, Malformed> {
    Ok(match request::parse(text)? {
        ClientFrame::Login(_) => Said::Login,
        ClientFrame::Ping => Said::Ping,
        ClientFrame::Ack(ids) => Said::Ack(ids),
        ClientFrame::Request { id, request: Some(request) } => Said::Request(answer::begin(caller, id, request)),
        ClientFrame::Request { id, request: None } => {
            let refusal = Refusal::new(codes::NOT_ENABLED, "unknown type");
            Said::Request(Begun::Done(reply::reply(id, &Err(refusal))))
        }
    })
}

/// Why a client is not let in, in the words of the protocol.
pub(crate) fn login_refused(why: &LoginError) -> Refusal {
    Refusal::new(codes::login(why), why)
}

/// The welcome's frame.
pub(crate) fn welcome(welcome: &Welcome<'_>) -> Bytes {
    reply::welcome(welcome)
}
