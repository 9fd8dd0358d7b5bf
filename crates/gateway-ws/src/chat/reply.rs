//! What Chat clients are answered: the welcome, and replies to requests.

use bytes::Bytes;
use serde::Serialize;
use stentor_core::id::{RoomId, UserId};

use crate::codec::{self, Refusal, VERSION, text};
use crate::protocol::Welcome;

/// What a request brought, if it went well.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was done.
    Done,
    /// How many members a room has.
    Count(usize),
    /// Members of a room.
    Members {
        /// All, or some of many.
        members: Vec<UserId>,
        /// How many there are.
        count: usize,
    },
    /// The rooms that the client is in.
    Rooms(Vec<RoomId>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    None {},
    Count { count: usize },
    Members { members: Vec<&'a str>, count: usize },
    Rooms { rooms: Vec<&'a str> },
}

/// The frame that answers a request.
pub(crate) fn reply(id: u64, result: &Result<Outcome, Refusal>) -> Bytes {
    codec::reply(id, result.as_ref().map(fields))
}

fn fields(outcome: &Outcome) -> Fields<'_> {
    match outcome {
        Outcome::Done => Fields::None {},
        Outcome::Count(count) => Fields::Count { count: *count },
        Outcome::Members { members, count } => {
            Fields::Members { members: members.iter().map(UserId::as_str).collect(), count: *count }
        }
        Outcome::Rooms(rooms) => Fields::Rooms { rooms: names(rooms) },
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
    };
    text(0, &frame)
}
