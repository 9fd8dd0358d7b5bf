//! What users are told of who is to come into a group: who applied, who was invited, and what became of it.

use serde_json::json;

/// Something about a group and one who is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdmissionNews<'a> {
    /// The sender wants to come in; the receiver is the owner or an admin.
    Applied {
        /// What the sender says to it.
        reason: &'a str,
    },
    /// The receiver had applied, and is in.
    Accepted,
    /// The receiver had applied, and does not come in.
    Declined {
        /// What the sender says to it.
        reason: &'a str,
    },
    /// The receiver may come in, if it wants to.
    Invited,
    /// The sender was invited by the receiver, and is in.
    InvitationAccepted,
    /// The sender was invited by the receiver, and does not come in.
    InvitationDeclined,
}

impl AdmissionNews<'_> {
    /// The payload of the message: a JSON object with its `event`, and the group's `group_id` and `group_name`.
    #[must_use]
    pub fn payload(self, group_id: &str, group_name: &str) -> String {
        let (event, reason) = match self {
            Self::Applied { reason } => ("group_application", Some(reason)),
            Self::Accepted => ("group_application_accepted", None),
            Self::Declined { reason } => ("group_application_declined", Some(reason)),
            Self::Invited => ("group_invitation", None),
            Self::InvitationAccepted => ("group_invitation_accepted", None),
            Self::InvitationDeclined => ("group_invitation_declined", None),
        };
        let mut news = json!({ "event": event, "group_id": group_id, "group_name": group_name });
        if let Some(reason) = reason {
            news["reason"] = reason.into();
        }
        news.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_name_the_group() {
        let declined = AdmissionNews::Declined { reason: "a \"b\"\n" }.payload("12", "g");
        let expected =
            r#"{"event":"group_application_declined","group_id":"12","group_name":"g","reason":"a \"b\"\n"}"#;
        assert_eq!(declined, expected);
        let invited = AdmissionNews::Invited.payload("12", "g");
        assert_eq!(invited, r#"{"event":"group_invitation","group_id":"12","group_name":"g"}"#);
    }
}
