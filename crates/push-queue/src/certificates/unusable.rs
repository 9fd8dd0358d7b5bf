//! What stands in the place of a service that cannot be spoken to, because its certificate cannot be read.

use async_trait::async_trait;
use stentor_push::{Provider, Push, PushError, Sent};

/// Refuses every push in a way that has it tried again after the longest wait: an operator must look.
#[derive(Debug)]
pub(super) struct Unusable {
    /// The service.
    pub(super) service: &'static str,
    /// Why.
    pub(super) reason: String,
}

#[async_trait]
impl Provider for Unusable {
    fn name(&self) -> &'static str {
        self.service
    }

    async fn send(&self, _push: &Push) -> Result<Sent, PushError> {
        Err(PushError::Credentials { reason: self.reason.clone() })
    }
}
