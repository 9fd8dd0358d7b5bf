//! The protocol of RTM clients (`docs/gateway.md`): what they send, what it does, and what they are told.

use std::sync::Arc;

use bytes::Bytes;
use stentor_core::app::AppPolicy;
use stentor_core::id::{DeviceId, NameError, UserId};

use crate::codec::{ClientFrame, Malformed, Refusal};
use crate::packing::Packing;
use crate::protocol::{Begun, Caller, LoginError, Opening, OwnedCredential, ResumeFrom, Said, Welcome};

mod answer;
pub mod codes;
pub(crate) mod notice;
mod reply;
pub mod request;
#[cfg(test)]
mod tests;

/// Parses the name of a user. RTM refuses the literal `null`, which is what a careless client makes of nothing.
pub(crate) fn user(policy: &AppPolicy, name: &str) -> Result<UserId, String> {
    if name == "null" {
        return Err("the user ID must not be `null`".to_owned());
    }
    UserId::parse(name, &policy.user_names).map_err(|error: NameError| format!("the user ID {error}"))
}

/// Reads the first frame. `None` if it is something else than a login.
pub(crate) fn opening(text: &str) -> Result<Option<Box<Opening>>, Malformed> {
    let ClientFrame::Login(login) = request::parse(text)? else { return Ok(None) };
    Ok(Some(Box::new(Opening {
        version: login.version,
        app: login.app,
        user: login.user,
        credential: login.token.map_or(OwnedCredential::None, OwnedCredential::Token),
        device: Ok(DeviceId::only()),
        reference: None,
        packing: Packing::None,
        action_version: 0,
        to_replaced: None,
        resume: login.resume.map(|resume| ResumeFrom {
            session: resume.session,
            rooms: resume.channels.into_iter().map(|(name, id)| (name, id.0)).collect(),
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
            let refusal = Refusal::new(codes::UNKNOWN_TYPE, "unknown type");
            Said::Request(Begun::Done(reply::reply(id, &Err(refusal))))
        }
    })
}

/// Why a client is not let in, in the words of the protocol.
pub(crate) fn login_refused(why: &LoginError) -> Refusal {
    Refusal::new(codes::login::code(why), why)
}

/// The welcome's frame.
pub(crate) fn welcome(welcome: &Welcome<'_>) -> Bytes {
    reply::welcome(welcome)
}
