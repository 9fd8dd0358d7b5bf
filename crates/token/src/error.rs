//! Why a token is refused, or could not be built.

/// Why a token is refused. Carries nothing of the token, so it is safe to log and to send.
///
/// The numbers are those of `LOGIN_ERR_CODE` in the RTM 1.x client SDK; over REST every refusal
/// is a 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The token is for another App ID (login error 4).
    #[error("token is for another app id")]
    AppId,
    /// Malformed, too long, wrongly signed, of another user, or issued in the future
    /// (login error 5).
    #[error("token is invalid")]
    Invalid,
    /// The token or its privilege has run out (login error 6).
    #[error("token has expired")]
    Expired,
    /// The token is genuine but does not carry the needed service or privilege (login error 7).
    #[error("token does not grant the needed privilege")]
    NotAuthorized,
}

impl Refusal {
    /// The documented login error number (`LOGIN_ERR_CODE` of the RTM 1.x client SDK).
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::AppId => 4,
            Self::Invalid => 5,
            Self::Expired => 6,
            Self::NotAuthorized => 7,
        }
    }
}

/// Why a token of the Chat API's own formats ([`access`](crate::access), [`dynamic`](crate::dynamic)) is refused.
/// Carries nothing of the token, so it is safe to log and to send.
///
/// The Chat API answers 401 to each, with a text of its own (`error.md` of its documents): the dialect maps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ChatRefusal {
    /// Too long, of another format, damaged, or with a value that no issuer may write.
    #[error("token is malformed")]
    Malformed,
    /// The right format, but not signed with our key or our app's secret.
    #[error("token was not issued here")]
    ForeignIssuer,
    /// For another App Key.
    #[error("token is for another app")]
    OtherApp,
    /// Its time is over.
    #[error("token has expired")]
    Expired,
}

/// Why a token could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A string or list exceeds its 16-bit length field, or the token would exceed
    /// the limit of its format ([`MAX_TOKEN_LEN`](crate::MAX_TOKEN_LEN),
    /// [`MAX_BODY_LEN`](crate::v007::MAX_BODY_LEN), [`access::MAX_LEN`](crate::access::MAX_LEN)), so
    /// no one here would accept it.
    #[error("token content is too long")]
    TooLong,
    /// An App Key or user that is empty, where the format needs one.
    #[error("token names no app or no user")]
    NoName,
    /// The compressor failed.
    #[error("token content could not be compressed")]
    Deflate(#[source] std::io::Error),
}
