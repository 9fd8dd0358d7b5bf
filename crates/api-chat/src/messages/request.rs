//! The outer body that every endpoint for messages has: `from`, `to`, `type`, `body`, `ext` and the rest.

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use stentor_chat_content::{Content, MAX_BYTES};
use stentor_core::id::{RoomId, UserId};
use stentor_core::message::Priority;

use super::refusal::{bad_message, of_content};
use crate::body::RawBody;
use crate::error::ChatError;
use crate::names::{any_user, user_id};

/// Users in `roam_ignore_users` (Easemob message documents, 2024-08-08).
pub(super) const MAX_HIDDEN: usize = 20;

/// Bytes of a name that nobody checks: rooms and senders that need not exist.
pub(super) const MAX_NAME_BYTES: usize = 255;

/// Who sends when nobody says so.
const ADMIN: &str = "admin";

/// The outer body. Unknown fields are ignored: SDKs send some of their own.
#[derive(Debug, Deserialize)]
pub(super) struct Outer<'a> {
    from: Option<String>,
    #[serde(default)]
    to: Option<Vec<String>>,
    chatroom_msg_level: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    body: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    ext: Option<&'a RawValue>,
    users: Option<Vec<String>>,
    roam_ignore_users: Option<Vec<String>>,
    sync_device: Option<bool>,
    routetype: Option<String>,
    need_group_ack: Option<bool>,
}

/// `null` is something, too: the documents refuse it for `ext`.
pub(super) fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads a body of a message endpoint.
///
/// # Errors
/// 400 `invalid_request_body`: not JSON, or a field of another type.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a RawBody) -> Result<T, ChatError> {
    // A derived `Deserialize` would take an array for an object.
    if !body.0.trim_ascii_start().starts_with(b"{") {
        return Err(ChatError::invalid_request_body());
    }
    serde_json::from_slice(&body.0).map_err(|_| ChatError::invalid_request_body())
}

/// A sender. It need not exist, so it need not be a possible user ID either.
///
/// # Errors
/// 400: longer than any name, or not printable.
pub(crate) fn sender(name: Option<&str>) -> Result<UserId, ChatError> {
    let name = name.unwrap_or(ADMIN);
    match user_id(name) {
        Ok(user) => Ok(user),
        Err(_) if is_printable(name) => Ok(UserId::from_trusted(name)),
        Err(_) => Err(ChatError::invalid_request_body()),
    }
}

/// Whether a name that nobody checks can be one: it goes into keys and logs.
pub(super) fn is_printable(name: &str) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len()) && !name.chars().any(char::is_control) && !name.contains('/')
}

impl<'a> Outer<'a> {
    /// Who sends.
    ///
    /// # Errors
    /// 400: an empty name.
    pub(super) fn sender(&self) -> Result<UserId, ChatError> {
        if self.from.as_deref() == Some("") {
            return Err(bad_message("param from can't be empty"));
        }
        sender(self.from.as_deref())
    }

    /// To whom, as the request names them; each once, in order.
    ///
    /// # Errors
    /// 400: nobody.
    pub(super) fn receivers(&self) -> Result<Vec<String>, ChatError> {
        let mut receivers: Vec<String> = Vec::new();
        for name in self.to.iter().flatten() {
            if !is_printable(name) {
                return Err(if name.is_empty() {
                    bad_message("param to can't be empty")
                } else {
                    ChatError::invalid_request_body()
                });
            }
            if !receivers.contains(name) {
                receivers.push(name.clone());
            }
        }
        if receivers.is_empty() { Err(bad_message("param to can't be empty")) } else { Ok(receivers) }
    }

    /// The content, ready to be delivered.
    ///
    /// # Errors
    /// 400.
    pub(super) fn content(&self) -> Result<Bytes, ChatError> {
        let content = Content::parse(self.kind.as_deref(), self.body, self.ext, MAX_BYTES).map_err(of_content)?;
        Ok(Bytes::from(content.into_payload()))
    }

    /// How much it matters; an unknown word is normal (ours: no document says).
    pub(super) fn priority(&self) -> Priority {
        priority(self.chatroom_msg_level.as_deref())
    }

    /// The named members, if there are any.
    pub(super) fn users(&self) -> &[String] {
        self.users.as_deref().unwrap_or_default()
    }

    /// Checks that there are named members, and not too many.
    ///
    /// # Errors
    /// 400: nobody, said behind what is wrong with sender and receivers; or more than `max`, for which the text is ours.
    pub(super) fn check_named(&self, max: usize) -> Result<(), ChatError> {
        if self.users().is_empty() {
            self.sender()?;
            self.receivers()?;
            return Err(bad_message("param users can't be empty"));
        }
        if self.users().len() > max {
            return Err(at_most("users", max));
        }
        Ok(())
    }

    /// Who does not find it in the history.
    ///
    /// # Errors
    /// 400: too many. The text is ours.
    pub(super) fn hidden_from(&self) -> Result<Vec<UserId>, ChatError> {
        let names = self.roam_ignore_users.as_deref().unwrap_or_default();
        if names.len() > MAX_HIDDEN {
            return Err(at_most("roam_ignore_users", MAX_HIDDEN));
        }
        Ok(names.iter().filter_map(|name| user_id(name).ok()).collect())
    }

    /// Whether the sender's own devices get it.
    pub(super) fn sync_device(&self) -> bool {
        self.sync_device.unwrap_or(false)
    }

    /// Whether the sender asks who of a group has read it.
    pub(super) fn need_group_ack(&self) -> bool {
        self.need_group_ack.unwrap_or(false)
    }

    /// Whether it is only for who is there now.
    pub(super) fn online_only(&self) -> bool {
        self.routetype.as_deref() == Some("ROUTE_ONLINE")
    }
}

/// `high`, `normal`, `low`.
pub(super) fn priority(level: Option<&str>) -> Priority {
    match level {
        Some("high") => Priority::High,
        Some("low") => Priority::Low,
        _ => Priority::Normal,
    }
}

/// 400: more than the endpoint takes.
pub(super) fn at_most(name: &str, max: usize) -> ChatError {
    bad_message(format!("params {name}'s size can't exceed limit {max}"))
}

/// A room, by a name that need not be one of ours.
pub(super) fn room(name: &str) -> RoomId {
    RoomId::from_trusted(name)
}

/// Users by name. Nobody is left out: an empty list would mean everybody.
pub(super) fn users(names: &[String]) -> Vec<UserId> {
    names.iter().map(|name| any_user(name)).collect()
}
