//! Logging in as one of the vendor's Chat SDKs: `docs/gateway-msync.md`.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use stentor_msync::{Command, Jid, MSync, Message as _, Provision, USERS, decode};

use super::chat::{Login, NAME, ORG};
use crate::wire::frame;
use crate::wire::websocket::{FrameSink, FrameSource, Scratch, connect};

/// Where SDKs connect.
pub const PATH: &str = "/websocket";

/// Connects a client and logs it in. `from` is the local address, where one has not ports enough.
///
/// # Errors
/// When the connection fails or the login is refused.
pub async fn log_in(
    server: SocketAddr,
    from: Option<Ipv4Addr>,
    who: Login<'_>,
    scratch: &Scratch,
) -> anyhow::Result<(FrameSource, FrameSink)> {
    let (mut source, sink) = connect(server, from, PATH, scratch).await?;
    sink.send_now(&frame::from_client(frame::BINARY, &login(who).encode_to_vec()))?;
    let mut answer = None;
    while answer.is_none() {
        let read = source.read(|opcode, payload| {
            if opcode != frame::BINARY {
                bail!("a frame with opcode {opcode} during the login");
            }
            // What comes behind it is about the rooms that the client is in.
            answer.get_or_insert_with(|| payload.to_vec());
            Ok(())
        });
        if !read.await? {
            bail!("closed during the login");
        }
    }
    let answer: MSync = decode(answer.unwrap_or_default().into())?;
    let provision: Provision = decode(answer.payload.unwrap_or_default())?;
    let status = provision.status.context("no status")?;
    if status.error_code != Some(0) {
        bail!("login refused: {status:?}");
    }
    Ok((source, sink))
}

fn login(who: Login<'_>) -> MSync {
    let guid = Jid {
        app_key: Some(format!("{ORG}#{NAME}")),
        name: Some(who.user.to_owned()),
        domain: Some(USERS.to_owned()),
        client_resource: None,
    };
    let provision = Provision {
        resource: Some(who.device.to_owned()),
        auth: Some(format!("$t${}", who.token)),
        action_version: Some("v5.2".to_owned()),
        ..Provision::default()
    };
    MSync {
        guid: Some(guid),
        command: Some(Command::Provision as i32),
        payload: Some(provision.encode_to_vec().into()),
        ..MSync::default()
    }
}
