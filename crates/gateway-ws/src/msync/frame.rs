//! The frames that are sent: a message of the wire, in the outer frame, in a binary WebSocket message.

use bytes::Bytes;
use stentor_msync::{Command, ErrorCode, Jid, MSync, Message, Meta, Status, SyncDown};

use super::codes;
use crate::frame;

/// A complete frame.
pub(super) fn frame(command: Command, payload: &impl Message) -> Bytes {
    let frame = MSync {
        version: Some(0),
        command: Some(command as i32),
        payload: Some(payload.encode_to_vec().into()),
        ..MSync::default()
    };
    frame::binary(frame.encoded_len(), |out| {
        let written = frame.encode(out);
        debug_assert!(written.is_ok(), "a Vec takes everything");
    })
}

/// It went well.
pub(super) fn ok() -> Status {
    Status { error_code: Some(ErrorCode::Ok as i32), ..Status::default() }
}

/// Items that the client acks: it names the queue and the number of the last.
pub(super) fn to_be_acked(metas: Vec<Meta>, queue: Jid, key: u64, at_ms: u64) -> Bytes {
    let down = SyncDown {
        status: Some(ok()),
        metas,
        next_key: Some(key),
        queue: Some(queue),
        is_last: Some(false),
        timestamp: Some(at_ms),
        ..SyncDown::default()
    };
    frame(Command::Sync, &down)
}

/// Items that nothing comes back for.
pub(super) fn told(metas: Vec<Meta>, queue: Jid, at_ms: u64) -> Bytes {
    let down = SyncDown {
        status: Some(ok()),
        metas,
        queue: Some(queue),
        is_last: Some(true),
        timestamp: Some(at_ms),
        ..SyncDown::default()
    };
    frame(Command::Sync, &down)
}

/// The queue holds nothing that was not written before.
pub(super) fn end_of_queue(queue: Jid, key: Option<u64>, at_ms: u64) -> Bytes {
    let down = SyncDown {
        status: Some(ok()),
        next_key: key,
        queue: Some(queue),
        is_last: Some(true),
        timestamp: Some(at_ms),
        ..SyncDown::default()
    };
    frame(Command::Sync, &down)
}

/// There is no such queue in the client's app.
pub(super) fn no_queue(queue: Jid, at_ms: u64) -> Bytes {
    let down = SyncDown {
        status: Some(codes::other_app()),
        queue: Some(queue),
        is_last: Some(true),
        timestamp: Some(at_ms),
        ..SyncDown::default()
    };
    frame(Command::Sync, &down)
}

/// The answer to something that went well, with an item that tells more of it.
pub(super) fn answer_with(meta_id: u64, told: Option<Meta>, at_ms: u64) -> Bytes {
    let down = SyncDown {
        status: Some(ok()),
        meta_id: Some(meta_id),
        server_id: Some(0),
        metas: told.into_iter().collect(),
        timestamp: Some(at_ms),
        ..SyncDown::default()
    };
    frame(Command::Sync, &down)
}

/// The answer to something that the client sent as its number `meta_id`.
pub(super) fn answer(meta_id: u64, status: Status, server_id: u64, at_ms: u64) -> Bytes {
    let down = SyncDown {
        status: Some(status),
        meta_id: Some(meta_id),
        server_id: Some(server_id),
        timestamp: Some(at_ms),
        ..SyncDown::default()
    };
    frame(Command::Sync, &down)
}
