//! Contacts.

use crate::frame::Jid;

/// The payload of an item of [`NameSpace::Roster`](crate::NameSpace::Roster): something about a contact.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RosterBody {
    /// `operation` on the wire.
    #[prost(enumeration = "RosterOperation", optional, tag = "1")]
    pub operation: Option<i32>,
    /// `status` on the wire.
    #[prost(message, optional, tag = "2")]
    pub status: Option<RosterStatus>,
    /// `from` on the wire.
    #[prost(message, optional, tag = "3")]
    pub from: Option<Jid>,
    /// `to` on the wire.
    #[prost(message, repeated, tag = "4")]
    pub to: Vec<Jid>,
    /// `reason` on the wire.
    #[prost(string, optional, tag = "5")]
    pub reason: Option<String>,
    /// `rosterVer` on the wire.
    #[prost(string, optional, tag = "6")]
    pub roster_ver: Option<String>,
    /// `biDirection` on the wire.
    #[prost(bool, optional, tag = "7")]
    pub bi_direction: Option<bool>,
}

/// What is asked, or what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum RosterOperation {
    /// `GET_ROSTER` on the wire.
    GetRoster = 0,
    /// `GET_BLACKLIST` on the wire.
    GetBlacklist = 1,
    /// `ADD` on the wire.
    Add = 2,
    /// `REMOVE` on the wire.
    Remove = 3,
    /// `ACCEPT` on the wire.
    Accept = 4,
    /// `DECLINE` on the wire.
    Decline = 5,
    /// `BAN` on the wire.
    Ban = 6,
    /// `ALLOW` on the wire.
    Allow = 7,
    /// `REMOTE_ACCEPT` on the wire.
    RemoteAccept = 8,
    /// `REMOTE_DECLINE` on the wire.
    RemoteDecline = 9,
}

/// What became of it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RosterStatus {
    /// `errorCode` on the wire.
    #[prost(enumeration = "RosterErrorCode", optional, tag = "1")]
    pub error_code: Option<i32>,
    /// `description` on the wire.
    #[prost(string, optional, tag = "2")]
    pub description: Option<String>,
}

/// Whether it went well, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum RosterErrorCode {
    /// `OK` on the wire.
    Ok = 0,
    /// `USER_NOT_EXIST` on the wire.
    UserNotExist = 1,
    /// `USER_ALREADY_FRIEND` on the wire.
    UserAlreadyFriend = 2,
    /// `USER_ALREADY_BLACKLIST` on the wire.
    UserAlreadyBlacklist = 3,
}
