//! How frames with credentials are shown: without them.

use std::fmt;

use crate::{MSync, Provision};

impl fmt::Debug for MSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = self.payload.as_ref().map_or(0, bytes::Bytes::len);
        f.debug_struct("MSync")
            .field("command", &self.command)
            .field("guid", &self.guid)
            .field("payload_bytes", &payload)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Provision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provision")
            .field("version", &self.version)
            .field("status", &self.status)
            .field("resource", &self.resource)
            .field("action_version", &self.action_version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        let secret = || Some("secret".to_owned());
        let frame = MSync { auth: secret(), payload: Some("secret".into()), encrypt_key: secret(), ..MSync::default() };
        assert!(!format!("{frame:?}").contains("secret"));
        let provision = Provision {
            auth: secret(),
            auth_token: secret(),
            password: secret(),
            encrypt_key: secret(),
            reason: secret(),
            ..Provision::default()
        };
        assert!(!format!("{provision:?}").contains("secret"));
    }
}
