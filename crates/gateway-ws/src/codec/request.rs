//! What clients send. Only the shape is checked here: whether a name is allowed is for who knows the app.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use stentor_core::id::{MessageId, SessionId};

/// The largest `id` of a request: the largest integer that every JSON implementation keeps exact.
pub const MAX_REQUEST_ID: u64 = (1 << 53) - 1;

/// A client's frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame<'a> {
    /// The first frame.
    Login(Box<Login>),
    /// Nothing but a sign of life; answered with a pong.
    Ping,
    /// The client has these messages.
    Ack(Vec<MessageId>),
    /// Something that is answered with a reply of the same ID.
    Request {
        /// The client's number for it.
        id: u64,
        /// What is asked; `None` if the type is not known.
        request: Option<Request<'a>>,
    },
}

/// A client's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Login {
    /// The version of the protocol.
    pub version: u64,
    /// The App ID.
    pub app: String,
    /// Who logs in.
    pub user: String,
    /// The token, where the app wants one.
    pub token: Option<String>,
    /// The session to continue.
    pub resume: Option<ResumeFrom>,
}

/// Where a client that comes back left off.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ResumeFrom {
    /// The session. One that is not in the server's form is one that the server does not have.
    #[serde(deserialize_with = "session")]
    pub session: Option<SessionId>,
    /// The newest message the client has of each channel.
    #[serde(default)]
    pub channels: BTreeMap<String, DecimalId>,
}

/// A message ID as it stands in JSON: a decimal string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecimalId(pub MessageId);

impl<'de> Deserialize<'de> for DecimalId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

fn session<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SessionId>, D::Error> {
    Cow::<str>::deserialize(deserializer).map(|text| SessionId::parse(&text))
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of docs/gateway.md section 3, under their own names")]
pub enum Request<'a> {
    RenewToken(RenewToken),
    SendPeer(SendPeer<'a>),
    SendChannel(SendChannel<'a>),
    Join(Channel<'a>),
    Leave(Channel<'a>),
    Members(Channel<'a>),
    MemberCounts(Channels),
    QueryPresence(Users),
    WatchPresence(Users),
    UnwatchPresence(Users),
    WatchedPresence,
    SetUserAttributes(UserAttributes),
    UpdateUserAttributes(UserAttributes),
    DeleteUserAttributes(UserAttributeKeys),
    ClearUserAttributes,
    GetUserAttributes(GetUserAttributes<'a>),
    SetChannelAttributes(ChannelAttributes<'a>),
    UpdateChannelAttributes(ChannelAttributes<'a>),
    DeleteChannelAttributes(ChannelAttributeKeys<'a>),
    ClearChannelAttributes(ClearChannelAttributes<'a>),
    GetChannelAttributes(GetChannelAttributes<'a>),
    Logout,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident $(<$lifetime:lifetime>)? {
        $($(#[$attribute:meta])* $field:ident: $type:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        #[expect(missing_docs, reason = "the fields are those of docs/gateway.md section 3")]
        pub struct $name $(<$lifetime>)? {
            $($(#[$attribute])* pub $field: $type,)*
        }
    )*};
}

fields! {
    /// A new token for the session.
    RenewToken { token: String, }
    /// A message to a user.
    SendPeer<'a> {
        #[serde(borrow)] to: Cow<'a, str>,
        #[serde(borrow)] payload: Cow<'a, str>,
        #[serde(default)] keep: bool,
        #[serde(default)] history: bool,
    }
    /// A message to a channel.
    SendChannel<'a> {
        #[serde(borrow)] channel: Cow<'a, str>,
        #[serde(borrow)] payload: Cow<'a, str>,
        #[serde(default)] history: bool,
    }
    /// One channel.
    Channel<'a> { #[serde(borrow)] channel: Cow<'a, str>, }
    /// Several channels.
    Channels { channels: Vec<String>, }
    /// Several users.
    Users { users: Vec<String>, }
    /// Attributes of the client's own user.
    UserAttributes { attributes: BTreeMap<String, String>, }
    /// Keys of attributes of the client's own user.
    UserAttributeKeys { keys: Vec<String>, }
    /// Asks for a user's attributes.
    GetUserAttributes<'a> {
        #[serde(borrow)] user: Cow<'a, str>,
        keys: Option<Vec<String>>,
    }
    /// Attributes of a channel.
    ChannelAttributes<'a> {
        #[serde(borrow)] channel: Cow<'a, str>,
        attributes: BTreeMap<String, String>,
        #[serde(default)] notify: bool,
    }
    /// Keys of attributes of a channel.
    ChannelAttributeKeys<'a> {
        #[serde(borrow)] channel: Cow<'a, str>,
        keys: Vec<String>,
        #[serde(default)] notify: bool,
    }
    /// Deletes every attribute of a channel.
    ClearChannelAttributes<'a> {
        #[serde(borrow)] channel: Cow<'a, str>,
        #[serde(default)] notify: bool,
    }
    /// Asks for a channel's attributes.
    GetChannelAttributes<'a> {
        #[serde(borrow)] channel: Cow<'a, str>,
        keys: Option<Vec<String>>,
    }
}

/// The frame is not a JSON object, or one of a known type with fields missing or of the wrong type.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(String);

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    id: Option<u64>,
}

#[derive(Deserialize)]
struct Ack {
    ids: Vec<DecimalId>,
}

/// Reads a client's frame.
///
/// # Errors
/// When it is malformed; the text says why and quotes nothing of it.
pub fn parse(text: &str) -> Result<ClientFrame<'_>, Malformed> {
    // A derived `Deserialize` would take an array for an object.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(Malformed("the frame is not a JSON object".to_owned()));
    }
    // The type decides which fields there are, and may stand behind them: the text is read twice, which for
    // frames of this size costs less than keeping every value until the type is known.
    let Head { kind, id } = fields(text)?;
    match kind.as_ref() {
        "ping" => Ok(ClientFrame::Ping),
        "ack" => Ok(ClientFrame::Ack(fields::<Ack>(text)?.ids.into_iter().map(|id| id.0).collect())),
        "login" => Ok(ClientFrame::Login(fields(text)?)),
        kind => {
            let id = id.filter(|id| *id <= MAX_REQUEST_ID);
            let id = id.ok_or_else(|| Malformed("`id` must be an integer from 0 to 2^53-1".to_owned()))?;
            Ok(ClientFrame::Request { id, request: request(kind, text)? })
        }
    }
}

fn request<'a>(kind: &str, text: &'a str) -> Result<Option<Request<'a>>, Malformed> {
    Ok(Some(match kind {
        "renew_token" => Request::RenewToken(fields(text)?),
        "send_peer" => Request::SendPeer(fields(text)?),
        "send_channel" => Request::SendChannel(fields(text)?),
        "join" => Request::Join(fields(text)?),
        "leave" => Request::Leave(fields(text)?),
        "members" => Request::Members(fields(text)?),
        "member_counts" => Request::MemberCounts(fields(text)?),
        "query_presence" => Request::QueryPresence(fields(text)?),
        "watch_presence" => Request::WatchPresence(fields(text)?),
        "unwatch_presence" => Request::UnwatchPresence(fields(text)?),
        "watched_presence" => Request::WatchedPresence,
        "set_user_attributes" => Request::SetUserAttributes(fields(text)?),
        "update_user_attributes" => Request::UpdateUserAttributes(fields(text)?),
        "delete_user_attributes" => Request::DeleteUserAttributes(fields(text)?),
        "clear_user_attributes" => Request::ClearUserAttributes,
        "get_user_attributes" => Request::GetUserAttributes(fields(text)?),
        "set_channel_attributes" => Request::SetChannelAttributes(fields(text)?),
        "update_channel_attributes" => Request::UpdateChannelAttributes(fields(text)?),
        "delete_channel_attributes" => Request::DeleteChannelAttributes(fields(text)?),
        "clear_channel_attributes" => Request::ClearChannelAttributes(fields(text)?),
        "get_channel_attributes" => Request::GetChannelAttributes(fields(text)?),
        "logout" => Request::Logout,
        _ => return Ok(None),
    }))
}

fn fields<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|error| Malformed(reason(&error)))
}

/// What is wrong, without the values that serde quotes: a token might be among them.
fn reason(error: &serde_json::Error) -> String {
    let what = error.to_string();
    let field = what.split_once('`').filter(|(before, _)| matches!(*before, "missing field " | "duplicate field "));
    match field.and_then(|(before, rest)| rest.split_once('`').map(|(name, _)| (before, name))) {
        Some((before, name)) => format!("{before}`{name}`"),
        None if error.is_data() => "a field has the wrong type".to_owned(),
        None => "the frame is not valid JSON".to_owned(),
    }
}
