//! Items, and how they are sent, pulled and acknowledged.

use bytes::Bytes;

use crate::frame::Jid;
use crate::status::Status;

/// The payload of a SYNC from a client: something to send, a pull of a queue, or an acknowledgement and a pull.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SyncUp {
    /// "send this".
    #[prost(message, optional, tag = "1")]
    pub meta: Option<Meta>,
    /// "I have everything of `queue` up to key".
    #[prost(uint64, optional, tag = "2")]
    pub key: Option<u64>,
    /// "give me what you have for this queue".
    #[prost(message, optional, tag = "3")]
    pub queue: Option<Jid>,
    /// `isRoam` on the wire.
    #[prost(bool, optional, tag = "4")]
    pub is_roam: Option<bool>,
    /// `lastFullRoamKey` on the wire.
    #[prost(uint64, optional, tag = "5")]
    pub last_full_roam_key: Option<u64>,
}

/// The payload of a SYNC to a client: the answer to something it sent, or items of a queue.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SyncDown {
    /// `status` on the wire.
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    /// !=0: this is the answer to the CommSyncUL.meta with that id.
    #[prost(uint64, optional, tag = "2")]
    pub meta_id: Option<u64>,
    /// Id given by the server to that meta.
    #[prost(uint64, optional, tag = "3")]
    pub server_id: Option<u64>,
    /// Delivered items.
    #[prost(message, repeated, tag = "4")]
    pub metas: Vec<Meta>,
    /// `nextKey` on the wire.
    #[prost(uint64, optional, tag = "5")]
    pub next_key: Option<u64>,
    /// `queue` on the wire.
    #[prost(message, optional, tag = "6")]
    pub queue: Option<Jid>,
    /// `isLast` on the wire.
    #[prost(bool, optional, tag = "7")]
    pub is_last: Option<bool>,
    /// Ms.
    #[prost(uint64, optional, tag = "8")]
    pub timestamp: Option<u64>,
    /// `isRoam` on the wire.
    #[prost(bool, optional, tag = "9")]
    pub is_roam: Option<bool>,
}

/// The payload of a NOTICE: there is something in a queue.
#[derive(Clone, PartialEq, prost::Message)]
pub struct QueueNotice {
    /// `queue` on the wire.
    #[prost(message, optional, tag = "1")]
    pub queue: Option<Jid>,
}

/// The payload of an UNREAD to a client: which queues hold something. The client's own has no payload.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UnreadDown {
    /// `status` on the wire.
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    /// `unread` on the wire.
    #[prost(message, repeated, tag = "2")]
    pub unread: Vec<QueueCount>,
    /// Ms; new SDKs compare it with the token expiry time.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
}

/// How much a queue holds.
#[derive(Clone, PartialEq, prost::Message)]
pub struct QueueCount {
    /// `queue` on the wire.
    #[prost(message, optional, tag = "1")]
    pub queue: Option<Jid>,
    /// `n` on the wire.
    #[prost(uint32, optional, tag = "2")]
    pub n: Option<u32>,
}

/// One routed item.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Meta {
    /// `id` on the wire.
    #[prost(uint64, optional, tag = "1")]
    pub id: Option<u64>,
    /// `from` on the wire.
    #[prost(message, optional, tag = "2")]
    pub from: Option<Jid>,
    /// `to` on the wire.
    #[prost(message, optional, tag = "3")]
    pub to: Option<Jid>,
    /// Ms.
    #[prost(uint64, optional, tag = "4")]
    pub timestamp: Option<u64>,
    /// Selects the type in payload.
    #[prost(enumeration = "NameSpace", optional, tag = "5")]
    pub ns: Option<i32>,
    /// `payload` on the wire.
    #[prost(bytes = "bytes", optional, tag = "6")]
    pub payload: Option<Bytes>,
    /// `routetype` on the wire.
    #[prost(enumeration = "RouteType", optional, tag = "7")]
    pub routetype: Option<i32>,
    /// Chatroom_msg_tag, is_broadcast, recallMessageExtensionInfo.
    #[prost(message, repeated, tag = "8")]
    pub ext: Vec<KeyValue>,
    /// UTF-8 JSON, e.g. {"is_online":1,"callback_replace":true}.
    #[prost(bytes = "bytes", optional, tag = "9")]
    pub meta: Option<Bytes>,
    /// `directedUsers` on the wire.
    #[prost(string, repeated, tag = "10")]
    pub directed_users: Vec<String>,
}

/// What the payload of an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum NameSpace {
    /// `STATISTIC` on the wire.
    Statistic = 0,
    /// `CHAT` on the wire.
    Chat = 1,
    /// `MUC` on the wire.
    Muc = 2,
    /// `ROSTER` on the wire.
    Roster = 3,
    /// `CONFERENCE` on the wire.
    Conference = 4,
    /// `NOTIFY` on the wire.
    Notify = 5,
    /// `QUERY` on the wire.
    Query = 6,
}

/// To whom an item goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum RouteType {
    /// `ROUTE_ALL` on the wire.
    All = 0,
    /// `ROUTE_ONLINE` on the wire.
    Online = 1,
    /// `ROUTE_DIRECT` on the wire.
    Direct = 2,
}

/// A typed value with a key: extensions are lists of them.
#[derive(Clone, PartialEq, prost::Message)]
pub struct KeyValue {
    /// `key` on the wire.
    #[prost(string, optional, tag = "1")]
    pub key: Option<String>,
    /// `type` on the wire.
    #[prost(enumeration = "ValueType", optional, tag = "2")]
    pub kind: Option<i32>,
    /// The value.
    #[prost(oneof = "KeyValueData", tags = "3, 4, 5, 6")]
    pub value: Option<KeyValueData>,
}

/// How a value is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ValueType {
    /// `BOOL` on the wire.
    Bool = 1,
    /// `INT` on the wire.
    Int = 2,
    /// `UINT` on the wire.
    Uint = 3,
    /// `LLINT` on the wire.
    Llint = 4,
    /// `FLOAT` on the wire.
    Float = 5,
    /// `DOUBLE` on the wire.
    Double = 6,
    /// `STRING` on the wire.
    String = 7,
    /// `JSON_STRING` on the wire.
    JsonString = 8,
}

/// A value as it stands on the wire.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum KeyValueData {
    /// `varintValue` on the wire.
    #[prost(int64, tag = "3")]
    Varint(i64),
    /// `floatValue` on the wire.
    #[prost(float, tag = "4")]
    Float(f32),
    /// `doubleValue` on the wire.
    #[prost(double, tag = "5")]
    Double(f64),
    /// `stringValue` on the wire.
    #[prost(string, tag = "6")]
    String(String),
}
