//! The protocol of the vendor's Chat SDKs (`docs/gateway-msync.md`): what they send, what it does, and what they are told. What a
//! client asks for becomes a request of the Chat protocol (`crate::chat`), and is answered by that: the rules are the
//! same, only the words are others.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use stentor_core::session::Closing;
use stentor_msync::{
    Command, CompressDirection, CompressType, Logout, MSync, Provision, QueueCount, SyncDown, SyncUp, UnreadDown,
    decode,
};

use crate::codec::{Malformed, Refusal, VERSION};
use crate::packing::{self, Packing};
use crate::protocol::{Begun, Caller, Opening, OwnedCredential, Pull, Said, Welcome};
use crate::teller::Numbers;

mod codes;
mod device;
mod frame;
mod join;
mod last;
mod muc;
pub(crate) mod notice;
mod queue;
pub mod resent;
mod roster;
mod shelf;
mod up;

#[cfg(test)]
mod tests;

pub(crate) use shelf::Shelf;

/// What stands before a token.
const TOKEN_MARK: &str = "$t$";

/// How the newer SDKs send a token: a JSON text.
#[derive(Deserialize)]
struct AuthToken {
    token: String,
}

/// Reads the first frame. `None` if it is something else than a PROVISION.
pub(crate) fn opening(bytes: &[u8]) -> Result<Option<Box<Opening>>, Malformed> {
    let frame: MSync = read(Bytes::copy_from_slice(bytes))?;
    if frame.command != Some(Command::Provision as i32) {
        return Ok(None);
    }
    let provision: Provision = read(frame.payload.clone().unwrap_or_default())?;
    let guid = frame.guid.unwrap_or_default();
    let device = provision.resource.clone().or(guid.client_resource).filter(|device| !device.is_empty());
    Ok(Some(Box::new(Opening {
        version: VERSION,
        app: guid.app_key.unwrap_or_default(),
        user: guid.name.unwrap_or_default(),
        device: Ok(device::name(device.as_deref())),
        reference: provision.session_id.clone(),
        packing: offered(&provision),
        action_version: action_version(&provision),
        to_replaced: provision.reason.clone().filter(|words| last::may_be_said(words)),
        credential: credential(provision, frame.auth),
        resume: None,
    })))
}

/// The version of what the client understands: `v5.2` is 5; the oldest say none.
fn action_version(provision: &Provision) -> u32 {
    let version = provision.action_version.as_deref().unwrap_or_default();
    version.strip_prefix('v').and_then(|version| version.split('.').next()?.parse().ok()).unwrap_or_default()
}

/// The compression that a client would like: the better one, if it knows both.
fn offered(provision: &Provision) -> Packing {
    if provision.protocol_compress_type.contains(&(CompressType::Lz4 as i32)) {
        Packing::Lz4
    } else if provision.compress_type.contains(&(CompressType::Zlib as i32)) {
        Packing::Zlib
    } else {
        Packing::None
    }
}

/// The token, wherever the age of the SDK puts it; or the password.
fn credential(provision: Provision, auth: Option<String>) -> OwnedCredential {
    let json = provision.auth_token.as_deref().and_then(|json| serde_json::from_str::<AuthToken>(json).ok());
    let places = [json.map(|json| json.token), provision.auth, auth];
    let token = places.into_iter().flatten().find(|token| !token.is_empty());
    match (token, provision.password.filter(|password| !password.is_empty())) {
        (Some(token), _) => {
            OwnedCredential::Token(token.strip_prefix(TOKEN_MARK).map_or_else(|| token.clone(), ToOwned::to_owned))
        }
        (None, Some(password)) => OwnedCredential::Password(password),
        (None, None) => OwnedCredential::None,
    }
}

/// Reads a later frame, and begins what it asks for.
pub(crate) fn said(caller: &Arc<Caller>, bytes: &[u8]) -> Result<Said, Malformed> {
    let mut frame: MSync = read(Bytes::copy_from_slice(bytes))?;
    let max = caller.state.config().max_frame_bytes;
    let payload = packing::payload(&mut frame, caller.packing, max).map_err(|error| Malformed(error.to_string()))?;
    Ok(match Command::try_from(frame.command.unwrap_or_default()) {
        Ok(Command::Sync) => sync(caller, read(payload)?)?,
        Ok(Command::Unread) => Said::Ping,
        Ok(Command::Provision) => Said::Login,
        Ok(Command::Logout) => Said::Request(logout(caller, &read(payload)?)),
        // A client has nothing to give notice of; what is unknown is of a time that this is not.
        Ok(Command::Notice) | Err(_) => Said::Nothing,
    })
}

fn sync(caller: &Arc<Caller>, sync: SyncUp) -> Result<Said, Malformed> {
    if let Some(meta) = sync.meta {
        return up::begin(caller, meta);
    }
    let Some(address) = sync.queue else { return Ok(Said::Nothing) };
    if up::is_elsewhere(caller, &address) {
        return Ok(Said::Request(Begun::Done(frame::no_queue(address, caller.state.node().clock().wall_ms()))));
    }
    Ok(Said::Pull(Pull { address, key: sync.key }))
}

fn logout(caller: &Arc<Caller>, logout: &Logout) -> Begun {
    let caller = Arc::clone(caller);
    let reply = Logout { session_id: logout.session_id.clone(), reason: None, status: Some(frame::ok()) };
    Begun::Waits {
        answering: Box::pin(async move {
            caller.state.node().logout(&caller.session).await;
            frame::frame(Command::Logout, &reply)
        }),
        logs_out: true,
    }
}

fn read<T: stentor_msync::Message + Default>(bytes: Bytes) -> Result<T, Malformed> {
    decode(bytes).map_err(|_| Malformed(codes::MALFORMED.to_owned()))
}

/// The welcome's frame: the PROVISION that lets the client in.
pub(crate) fn welcome(welcome: &Welcome<'_>) -> Bytes {
    let auth_token = welcome.expires_at_ms.map(|at_ms| serde_json::json!({ "expires_in": at_ms }).to_string());
    let lz4 = welcome.packing == Packing::Lz4;
    let provision = Provision {
        status: Some(frame::ok()),
        resource: Some(welcome.device.as_str().to_owned()),
        auth_token,
        session_id: welcome.reference.map(ToOwned::to_owned),
        compress_type: if welcome.packing == Packing::Zlib { vec![CompressType::Zlib as i32] } else { Vec::new() },
        protocol_compress_type: if lz4 { vec![CompressType::Lz4 as i32] } else { Vec::new() },
        protocol_compress_direction: lz4.then_some(CompressDirection::Bi as i32),
        ..Provision::default()
    };
    frame::frame(Command::Provision, &provision)
}

/// The frame that refuses a login.
pub(crate) fn refused(refusal: &Refusal) -> Bytes {
    frame::frame(Command::Provision, &Provision { status: Some(codes::login(refusal)), ..Provision::default() })
}

/// The frame that answers a sign of life: what there is to pull.
pub(crate) fn unread(queues: Vec<QueueCount>, now_ms: u64) -> Bytes {
    let unread = UnreadDown { status: Some(frame::ok()), unread: queues, timestamp: Some(now_ms) };
    frame::frame(Command::Unread, &unread)
}

/// What a client is told before it is closed for good.
pub(crate) fn last_words(why: Closing, replaced_by: Option<&str>, numbers: &Numbers) -> Option<Bytes> {
    last::words(why, replaced_by, numbers)
}

/// What a client is told that broke the protocol.
pub(crate) fn malformed() -> Bytes {
    frame::frame(Command::Sync, &SyncDown { status: Some(codes::malformed()), ..SyncDown::default() })
}
