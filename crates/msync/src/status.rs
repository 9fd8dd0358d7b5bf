//! What became of a request.

/// What became of something.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Status {
    /// `errorCode` on the wire.
    #[prost(enumeration = "ErrorCode", optional, tag = "1")]
    pub error_code: Option<i32>,
    /// `reason` on the wire.
    #[prost(string, optional, tag = "2")]
    pub reason: Option<String>,
    /// `redirectInfo` on the wire.
    #[prost(message, repeated, tag = "3")]
    pub redirect_info: Vec<RedirectInfo>,
}

/// Whether it went well, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ErrorCode {
    /// `OK` on the wire.
    Ok = 0,
    /// `FAIL` on the wire.
    Fail = 1,
    /// `UNAUTHORIZED` on the wire.
    Unauthorized = 2,
    /// `MISSING_PARAMETER` on the wire.
    MissingParameter = 3,
    /// `WRONG_PARAMETER` on the wire.
    WrongParameter = 4,
    /// `REDIRECT` on the wire.
    Redirect = 5,
    /// `TOKEN_EXPIRED` on the wire.
    TokenExpired = 6,
    /// `PERMISSION_DENIED` on the wire.
    PermissionDenied = 7,
    /// `NO_ROUTE` on the wire.
    NoRoute = 8,
    /// `UNKNOWN_COMMAND` on the wire.
    UnknownCommand = 9,
    /// `PB_PARSER_ERROR` on the wire.
    PbParserError = 10,
    /// `BIND_ANOTHER_DEVICE` on the wire.
    BindAnotherDevice = 11,
    /// `IM_FORBIDDEN` on the wire.
    ImForbidden = 12,
    /// `TOO_MANY_DEVICES` on the wire.
    TooManyDevices = 13,
    /// `PLATFORM_LIMIT` on the wire.
    PlatformLimit = 14,
    /// `USER_MUTED` on the wire.
    UserMuted = 15,
    /// `ENCRYPT_DISABLE` on the wire.
    EncryptDisable = 16,
    /// `ENCRYPT_ENABLE` on the wire.
    EncryptEnable = 17,
    /// `DECRYPT_FAILURE` on the wire.
    DecryptFailure = 18,
    /// `PERMISSION_DENIED_EXTERNAL` on the wire.
    PermissionDeniedExternal = 19,
}

/// Where else to go.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RedirectInfo {
    /// `host` on the wire.
    #[prost(string, optional, tag = "1")]
    pub host: Option<String>,
    /// `port` on the wire.
    #[prost(uint32, optional, tag = "2")]
    pub port: Option<u32>,
}
