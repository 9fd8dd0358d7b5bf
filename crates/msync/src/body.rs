//! Messages.

use crate::frame::Jid;
use crate::sync::KeyValue;

/// The payload of an item of [`NameSpace::Chat`](crate::NameSpace::Chat).
#[derive(Clone, PartialEq, prost::Message)]
pub struct MessageBody {
    /// `type` on the wire.
    #[prost(enumeration = "BodyType", optional, tag = "1")]
    pub kind: Option<i32>,
    /// `from` on the wire.
    #[prost(message, optional, tag = "2")]
    pub from: Option<Jid>,
    /// `to` on the wire.
    #[prost(message, optional, tag = "3")]
    pub to: Option<Jid>,
    /// `contents` on the wire.
    #[prost(message, repeated, tag = "4")]
    pub contents: Vec<Content>,
    /// `ext` on the wire.
    #[prost(message, repeated, tag = "5")]
    pub ext: Vec<KeyValue>,
    /// `ackMessageId` on the wire.
    #[prost(uint64, optional, tag = "6")]
    pub ack_message_id: Option<u64>,
    /// `msgConfig` on the wire.
    #[prost(message, optional, tag = "7")]
    pub msg_config: Option<MessageConfig>,
    /// `ackContent` on the wire.
    #[prost(string, optional, tag = "8")]
    pub ack_content: Option<String>,
    /// JSON text: reaction, translations, edit_msg, thread, thread_overview, isDelivered, isRead.
    #[prost(string, optional, tag = "9")]
    pub meta: Option<String>,
    /// `editMessageId` on the wire.
    #[prost(uint64, optional, tag = "11")]
    pub edit_message_id: Option<u64>,
    /// `editScope` on the wire.
    #[prost(enumeration = "EditScope", optional, tag = "12")]
    pub edit_scope: Option<i32>,
    /// `stream` on the wire.
    #[prost(message, optional, tag = "13")]
    pub stream: Option<Stream>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum BodyType {
    /// `NORMAL` on the wire.
    Normal = 0,
    /// `CHAT` on the wire.
    Chat = 1,
    /// `GROUPCHAT` on the wire.
    Groupchat = 2,
    /// `CHATROOM` on the wire.
    Chatroom = 3,
    /// `READ_ACK` on the wire.
    ReadAck = 4,
    /// `DELIVER_ACK` on the wire.
    DeliverAck = 5,
    /// `RECALL` on the wire.
    Recall = 6,
    /// `CHANNEL_ACK` on the wire.
    ChannelAck = 7,
    /// `EDIT` on the wire.
    Edit = 8,
}

/// What an edit replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum EditScope {
    /// `BODY` on the wire.
    Body = 1,
    /// `BODY_AND_EXT` on the wire.
    BodyAndExt = 2,
}

/// What a sender asks for.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MessageConfig {
    /// `allowGroupAck` on the wire.
    #[prost(bool, optional, tag = "1")]
    pub allow_group_ack: Option<bool>,
}

/// The state of a message that is still being written.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Stream {
    /// `streamType` on the wire.
    #[prost(string, optional, tag = "1")]
    pub stream_type: Option<String>,
    /// `streamSeq` on the wire.
    #[prost(uint64, optional, tag = "2")]
    pub stream_seq: Option<u64>,
    /// `streamStatus` on the wire.
    #[prost(enumeration = "StreamStatus", optional, tag = "3")]
    pub stream_status: Option<i32>,
    /// `streamError` on the wire.
    #[prost(uint32, optional, tag = "4")]
    pub stream_error: Option<u32>,
    /// `streamFinishReason` on the wire.
    #[prost(int32, optional, tag = "5")]
    pub stream_finish_reason: Option<i32>,
}

/// How far a message is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum StreamStatus {
    /// `STREAM_START` on the wire.
    Start = 0,
    /// `STREAM_IN_PROGRESS` on the wire.
    InProgress = 1,
    /// `STREAM_COMPLETED` on the wire.
    Completed = 2,
    /// `STREAM_FULL` on the wire.
    Full = 3,
}

/// The content of a message.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Content {
    /// `type` on the wire.
    #[prost(enumeration = "ContentKind", optional, tag = "1")]
    pub kind: Option<i32>,
    /// `text` on the wire.
    #[prost(string, optional, tag = "2")]
    pub text: Option<String>,
    /// `latitude` on the wire.
    #[prost(double, optional, tag = "3")]
    pub latitude: Option<f64>,
    /// `longitude` on the wire.
    #[prost(double, optional, tag = "4")]
    pub longitude: Option<f64>,
    /// `address` on the wire.
    #[prost(string, optional, tag = "5")]
    pub address: Option<String>,
    /// `displayName` on the wire.
    #[prost(string, optional, tag = "6")]
    pub display_name: Option<String>,
    /// `remotePath` on the wire.
    #[prost(string, optional, tag = "7")]
    pub remote_path: Option<String>,
    /// `secretKey` on the wire.
    #[prost(string, optional, tag = "8")]
    pub secret_key: Option<String>,
    /// `fileLength` on the wire.
    #[prost(int32, optional, tag = "9")]
    pub file_length: Option<i32>,
    /// `action` on the wire.
    #[prost(string, optional, tag = "10")]
    pub action: Option<String>,
    /// `params` on the wire.
    #[prost(message, repeated, tag = "11")]
    pub params: Vec<KeyValue>,
    /// `duration` on the wire.
    #[prost(int32, optional, tag = "12")]
    pub duration: Option<i32>,
    /// `size` on the wire.
    #[prost(message, optional, tag = "13")]
    pub size: Option<Size>,
    /// `thumbnailRemotePath` on the wire.
    #[prost(string, optional, tag = "14")]
    pub thumbnail_remote_path: Option<String>,
    /// `thumbnailSecretKey` on the wire.
    #[prost(string, optional, tag = "15")]
    pub thumbnail_secret_key: Option<String>,
    /// `thumbnailDisplayName` on the wire.
    #[prost(string, optional, tag = "16")]
    pub thumbnail_display_name: Option<String>,
    /// `thumbnailFileLength` on the wire.
    #[prost(int32, optional, tag = "17")]
    pub thumbnail_file_length: Option<i32>,
    /// `thumbnailSize` on the wire.
    #[prost(message, optional, tag = "18")]
    pub thumbnail_size: Option<Size>,
    /// `customEvent` on the wire.
    #[prost(string, optional, tag = "19")]
    pub custom_event: Option<String>,
    /// `customExts` on the wire.
    #[prost(message, repeated, tag = "20")]
    pub custom_exts: Vec<KeyValue>,
    /// `buildingName` on the wire.
    #[prost(string, optional, tag = "21")]
    pub building_name: Option<String>,
    /// `subType` on the wire.
    #[prost(enumeration = "SubType", optional, tag = "22")]
    pub sub_type: Option<i32>,
    /// `title` on the wire.
    #[prost(string, optional, tag = "23")]
    pub title: Option<String>,
    /// `summary` on the wire.
    #[prost(string, optional, tag = "24")]
    pub summary: Option<String>,
    /// `combineLevel` on the wire.
    #[prost(int32, optional, tag = "25")]
    pub combine_level: Option<i32>,
}

/// The type of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ContentKind {
    /// `TEXT` on the wire.
    Text = 0,
    /// `IMAGE` on the wire.
    Image = 1,
    /// `VIDEO` on the wire.
    Video = 2,
    /// `LOCATION` on the wire.
    Location = 3,
    /// `VOICE` on the wire.
    Voice = 4,
    /// `FILE` on the wire.
    File = 5,
    /// `COMMAND` on the wire.
    Command = 6,
    /// `CUSTOM` on the wire.
    Custom = 7,
    /// `COMBINE` on the wire.
    Combine = 8,
}

/// A kind within a type. Clients take a plain text with one written out for a combined message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum SubType {
    /// `SUB_COMBINE` on the wire.
    SubCombine = 0,
    /// `GIF` on the wire.
    Gif = 1,
    /// `SUB_STREAM` on the wire.
    SubStream = 10,
}

/// The size of a picture.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Size {
    /// `width` on the wire.
    #[prost(double, optional, tag = "1")]
    pub width: Option<f64>,
    /// `height` on the wire.
    #[prost(double, optional, tag = "2")]
    pub height: Option<f64>,
}
