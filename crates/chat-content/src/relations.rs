//! What users are told of their contacts and blocks, by whoever changes them: REST or a client.

use serde_json::{Value, json};

/// Something about a contact or a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationNews<'a> {
    /// The sender asks the receiver to become a contact.
    Invited {
        /// What the sender says to it.
        reason: &'a str,
    },
    /// Sender and receiver are contacts now.
    Added {
        /// The receiver had asked, and the sender agreed.
        agreed: bool,
    },
    /// The sender does not want to become a contact of the receiver.
    Declined,
    /// The sender has ended that they are contacts.
    Removed,
    /// The user does not want to hear from these any more; for the user's own devices.
    Blocked(&'a [&'a str]),
    /// The user wants to hear from these again; for the user's own devices.
    Unblocked(&'a [&'a str]),
}

impl RelationNews<'_> {
    /// The payload of the message: a JSON object with its `event`.
    #[must_use]
    pub fn payload(self) -> String {
        let news: Value = match self {
            Self::Invited { reason } => json!({ "event": "contact_invited", "reason": reason }),
            Self::Added { agreed } => json!({ "event": "contact_added", "agreed": agreed }),
            Self::Declined => json!({ "event": "contact_declined" }),
            Self::Removed => json!({ "event": "contact_removed" }),
            Self::Blocked(users) => json!({ "event": "user_blocked", "users": users }),
            Self::Unblocked(users) => json!({ "event": "user_unblocked", "users": users }),
        };
        news.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_objects_on_one_line() {
        let invited = RelationNews::Invited { reason: "a \"b\"\n" }.payload();
        assert_eq!(invited, r#"{"event":"contact_invited","reason":"a \"b\"\n"}"#);
        assert_eq!(RelationNews::Added { agreed: true }.payload(), r#"{"agreed":true,"event":"contact_added"}"#);
        assert_eq!(RelationNews::Blocked(&["a"]).payload(), r#"{"event":"user_blocked","users":["a"]}"#);
    }
}
