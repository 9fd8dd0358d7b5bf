//! What clients may ask for and is not offered: each answers 403 with the words by which the vendor's SDKs know that a
//! service is not enabled, never with a URL that is not there. The list is that of `docs/compatibility.md`.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::call::Call;
use crate::error::ChatError;
use crate::state::ChatState;

/// A service that is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotOpen {
    Threads,
    Reactions,
    Conversations,
    PinnedMessages,
    Translation,
    Speech,
    Reports,
    Rtc,
    MemberAttributes,
    GroupReceipts,
    GroupShields,
    RoomFiles,
    PartUploads,
    ClientLogs,
}

impl NotOpen {
    /// 403. SDKs look for `service not open!` (of two services for other words).
    pub(crate) fn refusal(self) -> ChatError {
        let text = match self {
            Self::Threads => "thread service not open!",
            // A 400, compared whole.
            Self::Reactions => return ChatError::illegal_argument("this appKey is not open reaction service!"),
            Self::Conversations => "conversation list service not open!",
            Self::PinnedMessages => "pin message service not open!",
            Self::Translation => "translate service not open!",
            Self::Speech => "speech service not open!",
            Self::Reports => "message report not open",
            Self::Rtc => "rtc service not open!",
            Self::MemberAttributes => "group member attribute service not open!",
            Self::GroupReceipts => "group ack service not open!",
            Self::GroupShields => "group shield service not open!",
            Self::RoomFiles => "chatroom share file service not open!",
            Self::PartUploads => "part upload service not open!",
            Self::ClientLogs => "client log service not open!",
        };
        ChatError::new(StatusCode::FORBIDDEN, "service_not_open", text)
    }
}

/// Every URL of these services: methods, path, service.
const URLS: &[(&str, &str, NotOpen)] = &[
    ("POST", "/thread", NotOpen::Threads),
    ("POST", "/thread/message", NotOpen::Threads),
    ("GET PUT DELETE", "/thread/{thread}", NotOpen::Threads),
    ("GET", "/thread/{thread}/users", NotOpen::Threads),
    ("DELETE", "/thread/{thread}/users/{member}", NotOpen::Threads),
    ("POST", "/thread/{thread}/user/{username}/join", NotOpen::Threads),
    ("DELETE", "/thread/{thread}/user/{username}/quit", NotOpen::Threads),
    ("GET", "/threads/user/{username}", NotOpen::Threads),
    ("GET", "/threads/chatgroups/{group}", NotOpen::Threads),
    ("GET", "/threads/chatgroups/{group}/user/{username}", NotOpen::Threads),
    ("GET POST DELETE", "/reaction/user/{username}", NotOpen::Reactions),
    ("GET", "/reaction/user/{username}/detail", NotOpen::Reactions),
    ("GET", "/users/{username}/user_channels", NotOpen::Conversations),
    ("GET", "/users/{username}/user_channels/page", NotOpen::Conversations),
    ("GET", "/user/{username}/user_channels", NotOpen::Conversations),
    ("GET", "/user/{username}/user_channels/page", NotOpen::Conversations),
    ("GET", "/sdk/user/{username}/user_channels/list", NotOpen::Conversations),
    ("POST DELETE", "/sdk/user/{username}/user_channels/mark", NotOpen::Conversations),
    ("GET", "/sdk/user/{username}/user_channels/mark/search", NotOpen::Conversations),
    ("POST DELETE", "/sdk/user/{username}/user_channel/top", NotOpen::Conversations),
    ("GET POST DELETE", "/sdk/user/{username}/user_channel/pin", NotOpen::PinnedMessages),
    ("POST", "/users/{username}/translate", NotOpen::Translation),
    ("GET", "/users/{username}/translate/support/language", NotOpen::Translation),
    ("POST", "/speech/transcriptions", NotOpen::Speech),
    ("POST", "/user/{username}/moderation/report/message/{message}", NotOpen::Reports),
    ("POST", "/rtc_mapper/batch/get", NotOpen::Rtc),
    ("GET", "/users/{username}/token/rtc", NotOpen::Rtc),
    ("POST", "/sdk/metadata/chatgroup/{group}/get", NotOpen::MemberAttributes),
    ("PUT", "/sdk/metadata/chatgroup/{group}/user/{username}", NotOpen::MemberAttributes),
    ("GET", "/chatgroups/{group_id}/acks/{message}", NotOpen::GroupReceipts),
    ("POST DELETE", "/chatgroups/{group_id}/shield", NotOpen::GroupShields),
    ("GET POST", "/chatrooms/{chatroom_id}/share_files", NotOpen::RoomFiles),
    ("GET DELETE", "/chatrooms/{chatroom_id}/share_files/{file}", NotOpen::RoomFiles),
    ("POST", "/sdk/chatfiles/part-upload", NotOpen::PartUploads),
    ("POST PUT DELETE", "/sdk/chatfiles/part-upload/{uuid}", NotOpen::PartUploads),
    ("POST", "/sdk/users/{username}/client/logs", NotOpen::ClientLogs),
];

/// The routes that answer so, to everybody with a good token.
pub(crate) fn routes() -> impl Iterator<Item = (&'static str, MethodRouter<ChatState>)> {
    URLS.iter().map(|(methods, path, service)| {
        let answer = async |_: Call| Err::<Response, ChatError>(service.refusal());
        (*path, on(filter(methods), answer))
    })
}

fn filter(methods: &str) -> MethodFilter {
    let of = |method| match method {
        "GET" => MethodFilter::GET,
        "PUT" => MethodFilter::PUT,
        "DELETE" => MethodFilter::DELETE,
        _ => MethodFilter::POST,
    };
    let mut all = methods.split(' ').map(of);
    let first = all.next().unwrap_or(MethodFilter::POST);
    all.fold(first, MethodFilter::or)
}
