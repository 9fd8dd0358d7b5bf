//! Rooms and groups.

use crate::frame::Jid;

/// The payload of an item of [`NameSpace::Muc`](crate::NameSpace::Muc): something about a room or group.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MucBody {
    /// `mucId` on the wire.
    #[prost(message, optional, tag = "1")]
    pub muc_id: Option<Jid>,
    /// `operation` on the wire.
    #[prost(enumeration = "MucOperation", optional, tag = "2")]
    pub operation: Option<i32>,
    /// `from` on the wire.
    #[prost(message, optional, tag = "3")]
    pub from: Option<Jid>,
    /// `to` on the wire.
    #[prost(message, repeated, tag = "4")]
    pub to: Vec<Jid>,
    /// `setting` on the wire.
    #[prost(message, optional, tag = "5")]
    pub setting: Option<MucSetting>,
    /// `reason` on the wire.
    #[prost(string, optional, tag = "6")]
    pub reason: Option<String>,
    /// `isChatroom` on the wire.
    #[prost(bool, optional, tag = "7")]
    pub is_chatroom: Option<bool>,
    /// `status` on the wire.
    #[prost(message, optional, tag = "8")]
    pub status: Option<MucStatus>,
    /// `isThread` on the wire.
    #[prost(bool, optional, tag = "9")]
    pub is_thread: Option<bool>,
    /// `mucParentId` on the wire.
    #[prost(message, optional, tag = "10")]
    pub muc_parent_id: Option<Jid>,
    /// `mucName` on the wire.
    #[prost(string, optional, tag = "11")]
    pub muc_name: Option<String>,
    /// `eventInfo` on the wire.
    #[prost(message, optional, tag = "12")]
    pub event_info: Option<EventInfo>,
    /// `mucMemberCount` on the wire.
    #[prost(int32, optional, tag = "13")]
    pub muc_member_count: Option<i32>,
    /// `ext` on the wire.
    #[prost(string, optional, tag = "14")]
    pub ext: Option<String>,
    /// `leaveOtherRooms` on the wire.
    #[prost(bool, optional, tag = "15")]
    pub leave_other_rooms: Option<bool>,
    /// `members` on the wire.
    #[prost(string, repeated, tag = "16")]
    pub members: Vec<String>,
}

/// What is asked of a room or group, or what happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum MucOperation {
    /// `CREATE` on the wire.
    Create = 0,
    /// `DESTROY` on the wire.
    Destroy = 1,
    /// `JOIN` on the wire.
    Join = 2,
    /// `LEAVE` on the wire.
    Leave = 3,
    /// `APPLY` on the wire.
    Apply = 4,
    /// `APPLY_ACCEPT` on the wire.
    ApplyAccept = 5,
    /// `APPLY_DECLINE` on the wire.
    ApplyDecline = 6,
    /// `INVITE` on the wire.
    Invite = 7,
    /// `INVITE_ACCEPT` on the wire.
    InviteAccept = 8,
    /// `INVITE_DECLINE` on the wire.
    InviteDecline = 9,
    /// `KICK` on the wire.
    Kick = 10,
    /// `GET_BLACKLIST` on the wire.
    GetBlacklist = 11,
    /// `BAN` on the wire.
    Ban = 12,
    /// `ALLOW` on the wire.
    Allow = 13,
    /// `UPDATE` on the wire.
    Update = 14,
    /// `BLOCK` on the wire.
    Block = 15,
    /// `UNBLOCK` on the wire.
    Unblock = 16,
    /// `PRESENCE` on the wire.
    Presence = 17,
    /// `ABSENCE` on the wire.
    Absence = 18,
    /// `DIRECT_JOINED` on the wire.
    DirectJoined = 19,
    /// `ASSIGN_OWNER` on the wire.
    AssignOwner = 20,
    /// `ADD_ADMIN` on the wire.
    AddAdmin = 21,
    /// `REMOVE_ADMIN` on the wire.
    RemoveAdmin = 22,
    /// `ADD_MUTE` on the wire.
    AddMute = 23,
    /// `REMOVE_MUTE` on the wire.
    RemoveMute = 24,
    /// `UPDATE_ANNOUNCEMENT` on the wire.
    UpdateAnnouncement = 25,
    /// `DELETE_ANNOUNCEMENT` on the wire.
    DeleteAnnouncement = 26,
    /// `UPLOAD_FILE` on the wire.
    UploadFile = 27,
    /// `DELETE_FILE` on the wire.
    DeleteFile = 28,
    /// `ADD_USER_WHITE_LIST` on the wire.
    AddUserWhiteList = 29,
    /// `REMOVE_USER_WHITE_LIST` on the wire.
    RemoveUserWhiteList = 30,
    /// `BAN_GROUP` on the wire.
    BanGroup = 31,
    /// `REMOVE_BAN_GROUP` on the wire.
    RemoveBanGroup = 32,
    /// `THREAD_CREATE` on the wire.
    ThreadCreate = 33,
    /// `THREAD_DESTROY` on the wire.
    ThreadDestroy = 34,
    /// `THREAD_JOIN` on the wire.
    ThreadJoin = 35,
    /// `THREAD_LEAVE` on the wire.
    ThreadLeave = 36,
    /// `THREAD_KICK` on the wire.
    ThreadKick = 37,
    /// `THREAD_UPDATE` on the wire.
    ThreadUpdate = 38,
    /// `THREAD_PRESENCE` on the wire.
    ThreadPresence = 39,
    /// `THREAD_ABSENCE` on the wire.
    ThreadAbsence = 40,
    /// `DISABLE_GROUP` on the wire.
    DisableGroup = 41,
    /// `ABLE_GROUP` on the wire.
    AbleGroup = 42,
    /// `SET_METADATA` on the wire.
    SetMetadata = 43,
    /// `DELETE_METADATA` on the wire.
    DeleteMetadata = 44,
    /// `GROUP_MEMBER_METADATA_UPDATE` on the wire.
    GroupMemberMetadataUpdate = 45,
}

/// What a room or group is like.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MucSetting {
    /// `name` on the wire.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// `desc` on the wire.
    #[prost(string, optional, tag = "2")]
    pub desc: Option<String>,
    /// `type` on the wire.
    #[prost(enumeration = "MucSettingKind", optional, tag = "3")]
    pub kind: Option<i32>,
    /// `maxUsers` on the wire.
    #[prost(int32, optional, tag = "4")]
    pub max_users: Option<i32>,
    /// `owner` on the wire.
    #[prost(string, optional, tag = "5")]
    pub owner: Option<String>,
}

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum MucSettingKind {
    /// `PRIVATE_OWNER_INVITE` on the wire.
    PrivateOwnerInvite = 0,
    /// `PRIVATE_MEMBER_INVITE` on the wire.
    PrivateMemberInvite = 1,
    /// `PUBLIC_JOIN_APPROVAL` on the wire.
    PublicJoinApproval = 2,
    /// `PUBLIC_JOIN_OPEN` on the wire.
    PublicJoinOpen = 3,
    /// `PUBLIC_ANONYMOUS` on the wire.
    PublicAnonymous = 4,
}

/// What became of an operation.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MucStatus {
    /// `errorCode` on the wire.
    #[prost(enumeration = "MucErrorCode", optional, tag = "1")]
    pub error_code: Option<i32>,
    /// `description` on the wire.
    #[prost(string, optional, tag = "2")]
    pub description: Option<String>,
    /// JSON text keyed by user id.
    #[prost(string, optional, tag = "3")]
    pub chatroom_info: Option<String>,
}

/// Whether an operation went well, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum MucErrorCode {
    /// `OK` on the wire.
    Ok = 0,
    /// `PERMISSION_DENIED` on the wire.
    PermissionDenied = 1,
    /// `WRONG_PARAMETER` on the wire.
    WrongParameter = 2,
    /// `MUC_NOT_EXIST` on the wire.
    MucNotExist = 3,
    /// `USER_NOT_EXIST` on the wire.
    UserNotExist = 4,
    /// `UNKNOWN` on the wire.
    Unknown = 5,
}

/// More about an event.
#[derive(Clone, PartialEq, prost::Message)]
pub struct EventInfo {
    /// `eventType` on the wire.
    #[prost(enumeration = "EventType", optional, tag = "1")]
    pub event_type: Option<i32>,
    /// JSON text.
    #[prost(string, optional, tag = "2")]
    pub ext: Option<String>,
}

/// What the text of an [`EventInfo`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum EventType {
    /// `EVENT_NONE` on the wire.
    None = 0,
    /// `CIRCLE_CHANNEL` on the wire.
    CircleChannel = 1,
}
