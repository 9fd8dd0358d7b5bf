//! MSYNC, the wire protocol of the vendor's Chat SDKs: the protobuf messages of its frames, and how a Chat message's content
//! (JSON, `stentor-chat-content`) becomes one of them and back. Pure: knows neither sockets nor the node.
//!
//! Written from what the published SDKs send and take (`docs/gateway-msync.md`); their code is not in here. Names are those of
//! the wire in Rust's spelling, with two exceptions: what is called `type` on the wire is `kind` here, and nested
//! messages have names of their own. Every field is optional, as on the wire: clients write defaults out or leave them
//! out as they like.
//!
//! # Limits
//! A frame is as large as its caller lets it be. What is decoded takes memory in proportion to it: messages whose
//! decoded form is large, [`Content`], are counted before ([`decode_body`]).

mod body;
pub mod compress;
pub mod content;
mod decode;
mod frame;
mod login;
mod muc;
mod roster;
mod secret;
mod statistics;
mod status;
mod sync;
pub mod translations;
pub mod value;

pub use body::{
    BodyType, Content, ContentKind, EditScope, MessageBody, MessageConfig, Size, Stream, StreamStatus, SubType,
};
pub use decode::{DecodeError, MAX_CONTENTS, decode, decode_body};
pub use frame::{CONFERENCES, Command, EncryptType, Jid, MSync, USERS, Version};
pub use login::{CompressDirection, CompressType, Logout, NetworkType, OsType, Provision};
pub use muc::{EventInfo, EventType, MucBody, MucErrorCode, MucOperation, MucSetting, MucSettingKind, MucStatus};
pub use prost::Message;
pub use roster::{RosterBody, RosterErrorCode, RosterOperation, RosterStatus};
pub use statistics::{StatisticsBody, StatisticsOperation};
pub use status::{ErrorCode, RedirectInfo, Status};
pub use sync::{
    KeyValue, KeyValueData, Meta, NameSpace, QueueCount, QueueNotice, RouteType, SyncDown, SyncUp, UnreadDown,
    ValueType,
};
