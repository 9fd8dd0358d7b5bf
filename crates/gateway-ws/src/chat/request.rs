//! What Chat clients send (`docs/gateway-chat.md` section 3). Only the shape is checked here: whether a name or a
//! content is allowed is for who knows the app.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use stentor_core::id::{MessageId, SessionId};
use stentor_core::message::Priority;

use crate::codec::{self, DecimalId, Malformed, fields};

/// A Chat client's frame.
pub type ClientFrame<'a> = codec::ClientFrame<Login, Request<'a>>;

/// A client's first frame.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Login {
    /// The version of the protocol.
    pub version: u64,
    /// The App ID; or [`Self::org`] and [`Self::app_name`].
    pub app_id: Option<String>,
    /// The organisation of the app.
    pub org: Option<String>,
    /// The app's name.
    pub app_name: Option<String>,
    /// Who logs in.
    pub user: String,
    /// The user's token; or [`Self::password`].
    pub token: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// Which of the user's devices it is.
    pub device: Option<String>,
    /// The session to continue.
    pub resume: Option<ResumeFrom>,
}

impl fmt::Debug for Login {
    /// Without the credentials: a password is good for long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("version", &self.version)
            .field("user", &self.user)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

/// Where a client that comes back left off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ResumeFrom {
    /// The session. One that is not in the server's form is one that the server does not have.
    #[serde(deserialize_with = "codec::session")]
    pub session: Option<SessionId>,
    /// The newest message the client has of each room, or of each room and level.
    pub rooms: Option<BTreeMap<String, Newest>>,
}

/// The newest message that a client has of a room; or of each level, in any order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Newest {
    /// Of all.
    One(DecimalId),
    /// Of each level.
    Each(Vec<DecimalId>),
}

impl Newest {
    /// One for each level there is; what is more says nothing.
    pub(crate) fn ids(&self) -> impl Iterator<Item = MessageId> {
        let ids = match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Each(ids) => ids,
        };
        ids.iter().take(Priority::ALL.len()).map(|id| id.0)
    }
}

/// What a client asks for.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of docs/gateway-chat.md section 3, under their own names")]
pub enum Request<'a> {
    Send(Send<'a>),
    Read(Read<'a>),
    Recall(Recall<'a>),
    Edit(Edit<'a>),
    Join(Room<'a>),
    Leave(Room<'a>),
    Members(Members<'a>),
    Rooms,
    Groups(Groups),
    RenewToken(RenewToken),
    Logout,
}

macro_rules! requests {
    ($($(#[$doc:meta])* $name:ident $(<$lifetime:lifetime>)? {
        $($(#[$attribute:meta])* $field:ident: $type:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[expect(missing_docs, reason = "the fields are those of docs/gateway-chat.md section 3")]
        pub struct $name $(<$lifetime>)? {
            $($(#[$attribute])* pub $field: $type,)*
        }
    )*};
}

requests! {
    /// A message.
    Send<'a> {
        #[serde(borrow)] chat_type: Cow<'a, str>,
        #[serde(borrow)] to: Cow<'a, str>,
        #[serde(borrow)] body_type: Cow<'a, str>,
        #[serde(borrow)] body: &'a RawValue,
        #[serde(borrow, default, deserialize_with = "present")] ext: Option<&'a RawValue>,
        #[serde(borrow)] level: Option<Cow<'a, str>>,
        #[serde(default)] users: Vec<String>,
        #[serde(default)] online_only: bool,
        #[serde(default)] need_group_ack: bool,
    }
    /// The user has read messages of others.
    Read<'a> {
        #[serde(borrow)] chat_type: Cow<'a, str>,
        #[serde(borrow)] to: Cow<'a, str>,
        ids: Vec<DecimalId>,
        #[serde(default)] users: Vec<String>,
    }
    /// A message of the user's gets another content.
    Edit<'a> {
        #[serde(borrow)] chat_type: Cow<'a, str>,
        #[serde(borrow)] to: Cow<'a, str>,
        message_id: DecimalId,
        #[serde(borrow)] body: Option<&'a RawValue>,
        #[serde(borrow, default, deserialize_with = "present")] ext: Option<&'a RawValue>,
    }
    /// A message is taken back.
    Recall<'a> {
        #[serde(borrow)] chat_type: Cow<'a, str>,
        #[serde(borrow)] to: Cow<'a, str>,
        message_id: DecimalId,
        #[serde(borrow)] ext: Option<Cow<'a, str>>,
    }
    /// Members of a room or group.
    Members<'a> {
        #[serde(borrow)] room: Option<Cow<'a, str>>,
        #[serde(borrow)] group: Option<Cow<'a, str>>,
        #[serde(borrow)] after: Option<Cow<'a, str>>,
        limit: Option<usize>,
    }
    /// The user's groups.
    Groups { #[serde(default)] skip: usize, limit: Option<usize>, }
    /// One room.
    Room<'a> { #[serde(borrow)] room: Cow<'a, str>, }
    /// A new token for the session.
    RenewToken { token: String, }
}

/// `null` is something, too: it is no object.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads a client's frame.
///
/// # Errors
/// When it is malformed; the text says why and quotes nothing of it.
pub fn parse(text: &str) -> Result<ClientFrame<'_>, Malformed> {
    codec::parse(text, request)
}

fn request<'a>(kind: &str, text: &'a str) -> Result<Option<Request<'a>>, Malformed> {
    Ok(Some(match kind {
        "send" => Request::Send(fields(text)?),
        "read" => Request::Read(fields(text)?),
        "recall" => Request::Recall(fields(text)?),
        "edit" => Request::Edit(fields(text)?),
        "join" => Request::Join(fields(text)?),
        "leave" => Request::Leave(fields(text)?),
        "members" => Request::Members(fields(text)?),
        "rooms" => Request::Rooms,
        "groups" => Request::Groups(fields(text)?),
        "renew_token" => Request::RenewToken(fields(text)?),
        "logout" => Request::Logout,
        _ => return Ok(None),
    }))
}
