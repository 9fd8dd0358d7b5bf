//! The trait that all providers are behind.

use std::fmt;

use async_trait::async_trait;

use crate::error::PushError;
use crate::push::Push;

/// A push that the provider has taken. Whether the device shows it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The provider's ID of it; empty if it gives none.
    pub id: String,
}

/// Sends pushes to one service with one set of credentials.
#[async_trait]
pub trait Provider: Send + Sync + fmt::Debug {
    /// The service's name, as in metrics and logs: `apns`, `fcm`, `webpush`, …
    fn name(&self) -> &'static str;

    /// The part of the service that a push goes to, where parts fail on their own: a [`crate::Line`] has a breaker for
    /// each. Empty where there is one service.
    fn part(&self, _push: &Push) -> String {
        String::new()
    }

    /// Sends a push once. Dropping the future gives the request up; it may have been taken all the same.
    ///
    /// # Errors
    /// Why it was not taken, by what to do about it.
    async fn send(&self, push: &Push) -> Result<Sent, PushError>;
}
