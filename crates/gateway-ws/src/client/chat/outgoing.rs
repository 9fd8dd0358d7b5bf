//! What a Chat client sends, and what it is answered.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ChatType;

/// A message that is to be sent.
#[derive(Debug, Clone, Serialize)]
pub struct ChatOutgoing {
    /// Where to.
    pub chat_type: ChatType,
    /// The user, group or room.
    pub to: String,
    /// `txt`, `img` and so on.
    pub body_type: String,
    /// The body.
    pub body: Value,
    /// The extension, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ext: Option<Value>,
    /// `high`, `normal` or `low`; normal without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Only for these members of the room or group, if there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Only for who is there now.
    pub online_only: bool,
    /// Ask the group who has read it.
    pub need_group_ack: bool,
}

impl ChatOutgoing {
    /// A message of any type, without anything else.
    #[must_use]
    pub fn new(chat_type: ChatType, to: &str, body_type: &str, body: Value) -> Self {
        Self {
            chat_type,
            to: to.to_owned(),
            body_type: body_type.to_owned(),
            body,
            ext: None,
            level: None,
            users: Vec::new(),
            online_only: false,
            need_group_ack: false,
        }
    }

    /// A text.
    #[must_use]
    pub fn text(chat_type: ChatType, to: &str, text: &str) -> Self {
        Self::new(chat_type, to, "txt", json!({ "msg": text }))
    }
}

/// The fields of the request.
pub(super) fn fields(message: &ChatOutgoing) -> Value {
    serde_json::to_value(message).unwrap_or_default()
}

/// A page of members of a room or group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChatMembers {
    /// The members, in the order of their names.
    pub members: Vec<String>,
    /// How many there are in all.
    pub count: u64,
    /// Behind whom the next page begins; `None` on the last.
    pub next: Option<String>,
}
