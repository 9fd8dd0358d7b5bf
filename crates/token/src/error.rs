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

/// Why an AccessToken2 could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A string or list exceeds its 16-bit length field, or the token would exceed
    /// [`MAX_TOKEN_LEN`](crate::MAX_TOKEN_LEN) or
    /// [`MAX_BODY_LEN`](crate::v007::MAX_BODY_LEN), so no one here would accept it.
    #[error("token content is too long")]
    TooLong,
    /// The compressor failed.
    #[error("token content could not be compressed")]
    Deflate(#[source] std::io::Error),
}
