//! What Chat clients are answered: the welcome, and replies to requests.

use bytes::Bytes;
use serde::Serialize;
use stentor_chat_content::MAX_BYTES;
use stentor_core::directory::listing::MemberList;
use stentor_core::directory::rooms::Room;
use stentor_core::id::{MessageId, RoomId, UserId};

use crate::codec::{self, DecimalId, Refusal, VERSION, text};
use crate::protocol::Welcome;

/// What a request brought, if it went well.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was done.
    Done,
    /// How many members a room has.
    Count(usize),
    /// A message was taken.
    Sent {
        /// Its number.
        id: MessageId,
        /// When: Unix time in milliseconds.
        sent_at_ms: u64,
    },
    /// Members of a room or group.
    Members(MemberList),
    /// The rooms that the client is in.
    Rooms(Vec<RoomId>),
    /// Groups that the user is in.
    Groups(Vec<Room>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    None {},
    Count { count: usize },
    Sent { message_id: DecimalId, ts: u64 },
    Members { members: Vec<&'a str>, count: u64, next: Option<&'a str> },
    Rooms { rooms: Vec<&'a str> },
    Groups { groups: Vec<Group<'a>> },
}

#[derive(Serialize)]
struct Group<'a> {
    id: &'a str,
    name: &'a str,
}

/// The frame that answers a request.
pub(crate) fn reply(id: u64, result: &Result<Outcome, Refusal>) -> Bytes {
    codec::reply(id, result.as_ref().map(fields))
}

fn fields(outcome: &Outcome) -> Fields<'_> {
    match outcome {
        Outcome::Done => Fields::None {},
        Outcome::Count(count) => Fields::Count { count: *count },
        Outcome::Sent { id, sent_at_ms } => Fields::Sent { message_id: DecimalId(*id), ts: *sent_at_ms },
        Outcome::Members(list) => Fields::Members {
            members: list.members.iter().map(UserId::as_str).collect(),
            count: list.count,
            next: list.next.as_deref(),
        },
        Outcome::Rooms(rooms) => Fields::Rooms { rooms: names(rooms) },
        Outcome::Groups(groups) => {
            Fields::Groups { groups: groups.iter().map(|group| Group { id: &group.id, name: &group.name }).collect() }
        }
    }
}

fn names(rooms: &[RoomId]) -> Vec<&str> {
    rooms.iter().map(RoomId::as_str).collect()
}

#[derive(Serialize)]
struct WelcomeFrame<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    version: u64,
    session: String,
    resumed: bool,
    user: &'a str,
    device: &'a str,
    rooms: Vec<&'a str>,
    server_time: u64,
    ping_interval_ms: u64,
    grace_ms: u64,
    max_frame_bytes: usize,
    max_content_bytes: usize,
}

/// The welcome's frame.
pub(crate) fn welcome(welcome: &Welcome<'_>) -> Bytes {
    let frame = WelcomeFrame {
        kind: "welcome",
        version: VERSION,
        session: welcome.session.to_string(),
        resumed: welcome.resumed,
        user: welcome.user.as_str(),
        device: welcome.device.as_str(),
        rooms: names(welcome.rooms),
        server_time: welcome.server_time,
        ping_interval_ms: welcome.ping_interval_ms,
        grace_ms: welcome.grace_ms,
        max_frame_bytes: welcome.max_frame_bytes,
        max_content_bytes: MAX_BYTES,
    };
    text(0, &frame)
}
