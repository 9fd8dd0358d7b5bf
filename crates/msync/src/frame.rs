//! The outer frame and the addresses in it.

use bytes::Bytes;

/// The domain of users' addresses. The SDKs have it built in, wherever the server is.
pub const USERS: &str = "easemob.com";

/// The domain of the addresses of rooms and groups, the same everywhere.
pub const CONFERENCES: &str = "conference.easemob.com";

/// The address of a user, a device, a room or a group.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Jid {
    /// "org#app".
    #[prost(string, optional, tag = "1")]
    pub app_key: Option<String>,
    /// User id, or numeric room/group id as text.
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    /// "easemob.com" for users, "conference.easemob.com" for rooms/groups.
    #[prost(string, optional, tag = "3")]
    pub domain: Option<String>,
    /// Device id, e.g. "webim_web_1763798000000".
    #[prost(string, optional, tag = "4")]
    pub client_resource: Option<String>,
}

/// An encryption of payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum EncryptType {
    /// `ENCRYPT_NONE` on the wire.
    None = 0,
    /// `ENCRYPT_AES_128_CBC` on the wire.
    Aes128Cbc = 1,
    /// `ENCRYPT_AES_256_CBC` on the wire.
    Aes256Cbc = 2,
}

/// The outer frame: exactly one is a binary WebSocket message.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct MSync {
    /// `version` on the wire.
    #[prost(enumeration = "Version", optional, tag = "1")]
    pub version: Option<i32>,
    /// Sent by client in PROVISION/LOGOUT only.
    #[prost(message, optional, tag = "2")]
    pub guid: Option<Jid>,
    /// "$t$" + token, in PROVISION/LOGOUT only.
    #[prost(string, optional, tag = "3")]
    pub auth: Option<String>,
    /// (sic).
    #[prost(uint32, optional, tag = "4")]
    pub compress_algorimth: Option<u32>,
    /// `crypto` on the wire.
    #[prost(uint32, optional, tag = "5")]
    pub crypto: Option<u32>,
    /// `userAgent` on the wire.
    #[prost(string, optional, tag = "6")]
    pub user_agent: Option<String>,
    /// `pov` on the wire.
    #[prost(uint64, optional, tag = "7")]
    pub pov: Option<u64>,
    /// `command` on the wire.
    #[prost(enumeration = "Command", optional, tag = "8")]
    pub command: Option<i32>,
    /// Inner message, chosen by command + direction.
    #[prost(bytes = "bytes", optional, tag = "9")]
    pub payload: Option<Bytes>,
    /// `deviceId` on the wire.
    #[prost(uint32, optional, tag = "10")]
    pub device_id: Option<u32>,
    /// `encryptType` on the wire.
    #[prost(enumeration = "EncryptType", repeated, packed = "false", tag = "11")]
    pub encrypt_type: Vec<i32>,
    /// `encryptKey` on the wire.
    #[prost(string, optional, tag = "12")]
    pub encrypt_key: Option<String>,
    /// Client-made snowflake-like id (newer SDKs).
    #[prost(uint64, optional, tag = "20")]
    pub trace_id: Option<u64>,
}

/// The version that a frame says it has; clients say all sorts of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Version {
    /// `MSYNC_V1` on the wire.
    V1 = 0,
    /// `MSYNC_V2` on the wire.
    V2 = 1,
}

/// What a frame is about: with the direction it says what the payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum Command {
    /// `SYNC` on the wire.
    Sync = 0,
    /// `UNREAD` on the wire.
    Unread = 1,
    /// `NOTICE` on the wire.
    Notice = 2,
    /// `PROVISION` on the wire.
    Provision = 3,
    /// `LOGOUT` on the wire.
    Logout = 4,
}
