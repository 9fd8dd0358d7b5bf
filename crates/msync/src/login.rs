//! Logging in and out.

use crate::frame::EncryptType;
use crate::status::Status;

/// The payload of a PROVISION, in both directions: who logs in, and whether they may.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct Provision {
    /// `osType` on the wire.
    #[prost(enumeration = "OsType", optional, tag = "1")]
    pub os_type: Option<i32>,
    /// SDK version.
    #[prost(string, optional, tag = "2")]
    pub version: Option<String>,
    /// `networkType` on the wire.
    #[prost(enumeration = "NetworkType", optional, tag = "3")]
    pub network_type: Option<i32>,
    /// `appSign` on the wire.
    #[prost(string, optional, tag = "4")]
    pub app_sign: Option<String>,
    /// `compressType` on the wire.
    #[prost(enumeration = "CompressType", repeated, packed = "false", tag = "5")]
    pub compress_type: Vec<i32>,
    /// `encryptType` on the wire.
    #[prost(enumeration = "EncryptType", repeated, packed = "false", tag = "6")]
    pub encrypt_type: Vec<i32>,
    /// `encryptKey` on the wire.
    #[prost(string, optional, tag = "7")]
    pub encrypt_key: Option<String>,
    /// Server -> client.
    #[prost(message, optional, tag = "8")]
    pub status: Option<Status>,
    /// `deviceUuid` on the wire.
    #[prost(string, optional, tag = "9")]
    pub device_uuid: Option<String>,
    /// `isManualLogin` on the wire.
    #[prost(bool, optional, tag = "10")]
    pub is_manual_login: Option<bool>,
    /// `password` on the wire.
    #[prost(string, optional, tag = "11")]
    pub password: Option<String>,
    /// `deviceName` on the wire.
    #[prost(string, optional, tag = "12")]
    pub device_name: Option<String>,
    /// Device id; the client adopts whatever the server returns.
    #[prost(string, optional, tag = "13")]
    pub resource: Option<String>,
    /// Old SDKs: "$t$"+token.
    #[prost(string, optional, tag = "14")]
    pub auth: Option<String>,
    /// `serviceId` on the wire.
    #[prost(string, optional, tag = "16")]
    pub service_id: Option<String>,
    /// `actionVersion` on the wire.
    #[prost(string, optional, tag = "17")]
    pub action_version: Option<String>,
    /// New SDKs: JSON `{"token":"$t$..."}` up; JSON `{"expires_in":ms}`, absolute, down.
    #[prost(string, optional, tag = "18")]
    pub auth_token: Option<String>,
    /// `osCustomValue` on the wire.
    #[prost(uint32, optional, tag = "19")]
    pub os_custom_value: Option<u32>,
    /// `sessionId` on the wire.
    #[prost(string, optional, tag = "20")]
    pub session_id: Option<String>,
    /// LoginInfoCustomExt.
    #[prost(string, optional, tag = "21")]
    pub reason: Option<String>,
    /// `protocolCompressType` on the wire.
    #[prost(enumeration = "CompressType", repeated, packed = "true", tag = "22")]
    pub protocol_compress_type: Vec<i32>,
    /// `protocolCompressDirection` on the wire.
    #[prost(enumeration = "CompressDirection", optional, tag = "23")]
    pub protocol_compress_direction: Option<i32>,
}

/// What a client runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum OsType {
    /// `OS_IOS` on the wire.
    Ios = 0,
    /// `OS_ANDROID` on the wire.
    Android = 1,
    /// `OS_LINUX` on the wire.
    Linux = 2,
    /// `OS_OSX` on the wire.
    Osx = 3,
    /// `OS_WIN` on the wire.
    Win = 4,
    /// `OS_CUSTOM` on the wire.
    Custom = 5,
    /// `OS_OTHER` on the wire.
    Other = 16,
}

/// How a client is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum NetworkType {
    /// `NETWORK_NONE` on the wire.
    None = 0,
    /// `NETWORK_WIFI` on the wire.
    Wifi = 1,
    /// `NETWORK_4G` on the wire.
    Mobile4g = 2,
    /// `NETWORK_3G` on the wire.
    Mobile3g = 3,
    /// `NETWORK_2G` on the wire.
    Mobile2g = 4,
    /// `NETWORK_WIRE` on the wire.
    Wire = 5,
}

/// A compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum CompressType {
    /// `COMPRESS_NONE` on the wire.
    None = 0,
    /// `COMPRESS_ZLIB` on the wire.
    Zlib = 1,
    /// `COMPRESS_LZ4` on the wire.
    Lz4 = 2,
}

/// What is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum CompressDirection {
    /// `ONLY_UP` on the wire.
    OnlyUp = 0,
    /// `ONLY_DOWN` on the wire.
    OnlyDown = 1,
    /// `BI` on the wire.
    Bi = 2,
}

/// The payload of a LOGOUT, in both directions.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Logout {
    /// `sessionId` on the wire.
    #[prost(string, optional, tag = "1")]
    pub session_id: Option<String>,
    /// `reason` on the wire.
    #[prost(string, optional, tag = "2")]
    pub reason: Option<String>,
    /// `status` on the wire.
    #[prost(message, optional, tag = "3")]
    pub status: Option<Status>,
}
