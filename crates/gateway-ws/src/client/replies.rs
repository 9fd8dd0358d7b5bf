//! What the server answers to requests.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use stentor_core::id::MessageId;

use super::{Attribute, ClientError, UserState};
use crate::codec::DecimalId;

/// A channel message that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sent {
    #[serde(deserialize_with = "message_id")]
    /// Its number.
    pub message_id: MessageId,
    /// When the server took it: Unix time in milliseconds.
    pub ts: u64,
}

/// A peer message that was taken, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SentPeer {
    #[serde(deserialize_with = "message_id")]
    /// Its number.
    pub message_id: MessageId,
    /// When the server took it: Unix time in milliseconds.
    pub ts: u64,
    /// What became of it.
    pub result: PeerResult,
    /// The SDK's number for the same.
    pub code: u32,
}

/// What became of a peer message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerResult {
    /// The receiver's client acked it.
    Delivered,
    /// Nobody acked it, it is in the inbox.
    Kept,
    /// Nobody is there.
    Unreachable,
    /// Somebody is there but did not ack in time.
    Timeout,
}

/// Members of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Members {
    /// All, or some of many at random.
    pub members: Vec<String>,
    /// How many there are.
    pub count: usize,
}

#[derive(Deserialize)]
pub(super) struct Done {}

#[derive(Deserialize)]
pub(super) struct Count {
    pub(super) count: usize,
}

#[derive(Deserialize)]
pub(super) struct Rooms {
    pub(super) rooms: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Counts {
    pub(super) counts: Vec<usize>,
}

#[derive(Deserialize)]
pub(super) struct Online {
    pub(super) online: Vec<bool>,
}

#[derive(Deserialize)]
pub(super) struct States {
    pub(super) states: Vec<UserState>,
}

#[derive(Deserialize)]
pub(super) struct Users {
    pub(super) users: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct UserAttributes {
    pub(super) attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct ChannelAttributes {
    pub(super) attributes: Vec<Attribute>,
}

pub(super) fn message_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<MessageId, D::Error> {
    DecimalId::deserialize(deserializer).map(|id| id.0)
}

/// Reads a reply: its fields, or why it was refused.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ClientError> {
    #[derive(Deserialize)]
    struct Head {
        ok: bool,
        code: Option<u32>,
        reason: Option<String>,
    }
    let head: Head = serde_json::from_str(text).map_err(unexpected)?;
    if head.ok {
        serde_json::from_str(text).map_err(unexpected)
    } else {
        Err(ClientError::Refused { code: head.code.unwrap_or(0), reason: head.reason.unwrap_or_default() })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "given to map_err")]
pub(super) fn unexpected(error: serde_json::Error) -> ClientError {
    ClientError::Unexpected(error.to_string())
}
