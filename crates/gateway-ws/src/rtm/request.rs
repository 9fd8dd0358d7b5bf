//! What RTM clients send (`docs/gateway.md` section 3). Only the shape is checked here: whether a name is allowed is for who knows the app.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use stentor_core::id::SessionId;

use crate::codec::{self, DecimalId, Malformed, fields};

/// An RTM client's frame.
pub type ClientFrame<'a> = codec::ClientFrame<Login, Request<'a>>;

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
    #[serde(deserialize_with = "codec::session")]
    pub session: Option<SessionId>,
    /// The newest message the client has of each channel.
    #[serde(default)]
    pub channels: BTreeMap<String, DecimalId>,
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

/// Reads a client's frame.
///
/// # Errors
/// When it is malformed; the text says why and quotes nothing of it.
pub fn parse(text: &str) -> Result<ClientFrame<'_>, Malformed> {
    codec::parse(text, request)
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
