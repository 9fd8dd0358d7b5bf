//! What clients say of themselves, and why they are cut off.

use crate::login::{NetworkType, OsType};

/// The payload of an item of [`NameSpace::Statistic`](crate::NameSpace::Statistic): what a client says of itself, or why it is cut off.
#[derive(Clone, PartialEq, prost::Message)]
pub struct StatisticsBody {
    /// `operation` on the wire.
    #[prost(enumeration = "StatisticsOperation", optional, tag = "1")]
    pub operation: Option<i32>,
    /// `os` on the wire.
    #[prost(enumeration = "OsType", optional, tag = "2")]
    pub os: Option<i32>,
    /// `version` on the wire.
    #[prost(string, optional, tag = "3")]
    pub version: Option<String>,
    /// `network` on the wire.
    #[prost(enumeration = "NetworkType", optional, tag = "4")]
    pub network: Option<i32>,
    /// `imTime` on the wire.
    #[prost(uint32, optional, tag = "5")]
    pub im_time: Option<u32>,
    /// `chatTime` on the wire.
    #[prost(uint32, optional, tag = "6")]
    pub chat_time: Option<u32>,
    /// `location` on the wire.
    #[prost(string, optional, tag = "7")]
    pub location: Option<String>,
    /// `reason` on the wire.
    #[prost(string, optional, tag = "10")]
    pub reason: Option<String>,
}

/// What a client is told before it is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum StatisticsOperation {
    /// `INFORMATION` on the wire.
    Information = 0,
    /// `USER_REMOVED` on the wire.
    UserRemoved = 1,
    /// `USER_LOGIN_ANOTHER_DEVICE` on the wire.
    UserLoginAnotherDevice = 2,
    /// `USER_KICKED_BY_CHANGE_PASSWORD` on the wire.
    UserKickedByChangePassword = 3,
    /// `USER_KICKED_BY_OTHER_DEVICE` on the wire.
    UserKickedByOtherDevice = 4,
}
