//! What may become of a push that is not taken, by what to do about it.

use std::time::Duration;

/// Why a provider cannot be set up. Says nothing of the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSetup {
    /// A key, certificate or account file cannot be read.
    #[error("{0} cannot be read")]
    Credential(&'static str),
    /// A URL cannot be read, or is neither `http` nor `https`.
    #[error("{0} is not a URL of http or https")]
    Url(&'static str),
    /// TLS or the client cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(String),
}

/// Whom a throttle is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This device only.
    Device,
    /// Everything that goes to the provider: a [`crate::Line`] holds the others back too.
    Provider,
}

/// Why a push was not taken. Reasons are the provider's own words, cut at 200 bytes; they hold no token and no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The token is no longer one, or never was: forget it, unless the device has registered it again since.
    #[error("dead token: {reason}")]
    DeadToken {
        /// The provider's word for it.
        reason: String,
        /// Since when, if the provider says so: Unix time in milliseconds. A registration that is younger stands.
        since_ms: Option<u64>,
    },
    /// Too many pushes: later, not before `retry_after`.
    #[error("throttled: {reason}")]
    Throttled {
        /// The provider's word for it.
        reason: String,
        /// The least wait, if the provider says one.
        retry_after: Option<Duration>,
        /// Whom it is for.
        scope: Scope,
    },
    /// The provider or the way to it is out of order: later.
    #[error("failed: {reason}")]
    Failed {
        /// The provider's word for it, or what happened on the way.
        reason: String,
        /// The least wait, if the provider says one.
        retry_after: Option<Duration>,
    },
    /// This push will never be taken.
    #[error("refused: {reason}")]
    Refused {
        /// The provider's word for it.
        reason: String,
    },
    /// The provider does not know us, or does not let us: an operator must look.
    #[error("bad credentials: {reason}")]
    Credentials {
        /// The provider's word for it.
        reason: String,
    },
    /// The provider was not asked: it is down or has asked for a pause. Not a try.
    #[error("the provider is paused")]
    Paused {
        /// When it may be asked again.
        retry_after: Duration,
    },
}

/// The kind of a [`PushError`]: for metrics, logs and results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// [`PushError::DeadToken`].
    DeadToken,
    /// [`PushError::Throttled`].
    Throttled,
    /// [`PushError::Failed`].
    Failed,
    /// [`PushError::Refused`].
    Refused,
    /// [`PushError::Credentials`].
    Credentials,
    /// [`PushError::Paused`].
    Paused,
}

impl ErrorClass {
    /// A stable name, as a metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeadToken => "dead_token",
            Self::Throttled => "throttled",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Credentials => "credentials",
            Self::Paused => "paused",
        }
    }
}

impl PushError {
    /// Its kind.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::DeadToken { .. } => ErrorClass::DeadToken,
            Self::Throttled { .. } => ErrorClass::Throttled,
            Self::Failed { .. } => ErrorClass::Failed,
            Self::Refused { .. } => ErrorClass::Refused,
            Self::Credentials { .. } => ErrorClass::Credentials,
            Self::Paused { .. } => ErrorClass::Paused,
        }
    }

    /// The least wait that was asked for.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Failed { retry_after, .. } => *retry_after,
            Self::Paused { retry_after } => Some(*retry_after),
            Self::DeadToken { .. } | Self::Refused { .. } | Self::Credentials { .. } => None,
        }
    }

    pub(crate) fn dead(reason: impl AsRef<str>) -> Self {
        Self::DeadToken { reason: cut(reason.as_ref()), since_ms: None }
    }

    pub(crate) fn throttled(reason: impl AsRef<str>, retry_after: Option<Duration>, scope: Scope) -> Self {
        Self::Throttled { reason: cut(reason.as_ref()), retry_after, scope }
    }

    pub(crate) fn failed(reason: impl AsRef<str>) -> Self {
        Self::failed_until(reason, None)
    }

    pub(crate) fn failed_until(reason: impl AsRef<str>, retry_after: Option<Duration>) -> Self {
        Self::Failed { reason: cut(reason.as_ref()), retry_after }
    }

    pub(crate) fn refused(reason: impl AsRef<str>) -> Self {
        Self::Refused { reason: cut(reason.as_ref()) }
    }

    pub(crate) fn credentials(reason: impl AsRef<str>) -> Self {
        Self::Credentials { reason: cut(reason.as_ref()) }
    }
}

/// The longest reason, in bytes.
const MAX_REASON: usize = 200;

/// A reason that can be logged: short, and without control characters.
fn cut(reason: &str) -> String {
    let mut end = reason.len().min(MAX_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason[..end].chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_short_and_plain() {
        assert_eq!(PushError::refused("a\nb"), PushError::Refused { reason: "a b".into() });
        let PushError::Refused { reason } = PushError::refused("ä".repeat(150)) else { panic!("refused") };
        assert_eq!(reason, "ä".repeat(100));
        let PushError::Refused { reason } = PushError::refused(format!("x{}", "ä".repeat(150))) else {
            panic!("refused")
        };
        assert_eq!(reason.len(), 199);
    }
}
