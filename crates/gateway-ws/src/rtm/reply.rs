//! What RTM clients are answered: the welcome, and replies to requests.

use bytes::Bytes;
use serde::{Serialize, Serializer};
use stentor_core::attributes::RoomAttribute;
use stentor_core::delivery::{DeliveryOutcome, SentPeer, SentRoom};
use stentor_core::id::{RoomId, UserId};
use stentor_core::presence::Presence;

use super::codes;
use super::notice::{Attribute, UserState, user_states};
use crate::codec::{self, DecimalId, Refusal, VERSION, text};
use crate::protocol::Welcome;

/// What a request brought, if it went well.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was done.
    Done,
    /// How many members a channel has.
    Count(usize),
    /// A channel message was taken.
    Sent(SentRoom),
    /// A peer message was taken, and its fate is known.
    SentPeer(SentPeer),
    /// Members of a channel.
    Members {
        /// All, or some of many.
        members: Vec<UserId>,
        /// How many there are.
        count: usize,
    },
    /// Member counts, in the order asked.
    Counts(Vec<usize>),
    /// Who is online, in the order asked.
    Online(Vec<Presence>),
    /// States of users.
    States(Vec<(UserId, Presence)>),
    /// Users.
    Users(Vec<UserId>),
    /// A user's attributes.
    UserAttributes(Vec<(String, String)>),
    /// A channel's attributes.
    ChannelAttributes(Vec<RoomAttribute>),
}

/// The welcome's frame.
pub(crate) fn welcome(welcome: &Welcome<'_>) -> Bytes {
    let frame = WelcomeFrame {
        kind: "welcome",
        version: VERSION,
        session: welcome.session.to_string(),
        resumed: welcome.resumed,
        channels: welcome.rooms.iter().map(RoomId::as_str).collect(),
        server_time: welcome.server_time,
        ping_interval_ms: welcome.ping_interval_ms,
        grace_ms: welcome.grace_ms,
        ack_timeout_ms: welcome.ack_timeout_ms,
        max_frame_bytes: welcome.max_frame_bytes,
    };
    text(0, &frame)
}

/// The frame that answers a request.
pub(crate) fn reply(id: u64, result: &Result<Outcome, Refusal>) -> Bytes {
    codec::reply(id, result.as_ref().map(fields))
}

fn fields(outcome: &Outcome) -> Fields<'_> {
    match outcome {
        Outcome::Done => Fields::None {},
        Outcome::Count(count) => Fields::Count { count: *count },
        Outcome::Sent(sent) => Fields::Sent { message_id: DecimalId(sent.id), ts: sent.sent_at_ms },
        Outcome::SentPeer(sent) => sent_peer(sent),
        Outcome::Members { members, count } => Fields::Members { members: names(members), count: *count },
        Outcome::Counts(counts) => Fields::Counts { counts },
        Outcome::Online(states) => {
            Fields::Online { online: states.iter().map(|state| *state != Presence::Offline).collect() }
        }
        Outcome::States(states) => Fields::States { states: user_states(states) },
        Outcome::Users(users) => Fields::Users { users: names(users) },
        Outcome::UserAttributes(attributes) => Fields::UserAttributes { attributes },
        Outcome::ChannelAttributes(attributes) => {
            Fields::ChannelAttributes { attributes: attributes.iter().map(Attribute::from).collect() }
        }
    }
}

fn sent_peer(sent: &SentPeer) -> Fields<'_> {
    let (result, code) = match sent.outcome {
        DeliveryOutcome::Delivered => ("delivered", codes::PEER_DELIVERED),
        DeliveryOutcome::Offline { kept: true } => ("kept", codes::PEER_KEPT),
        DeliveryOutcome::Offline { kept: false } => ("unreachable", codes::PEER_UNREACHABLE),
        // `Sent` is the answer to those who did not ask whether it arrives; the gateway always asks.
        DeliveryOutcome::Unconfirmed | DeliveryOutcome::Sent => ("timeout", codes::PEER_TIMEOUT),
    };
    Fields::SentPeer { message_id: DecimalId(sent.id), ts: sent.sent_at_ms, result, code }
}

fn names(users: &[UserId]) -> Vec<&str> {
    users.iter().map(UserId::as_str).collect()
}

#[derive(Serialize)]
struct WelcomeFrame<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    version: u64,
    session: String,
    resumed: bool,
    channels: Vec<&'a str>,
    server_time: u64,
    ping_interval_ms: u64,
    grace_ms: u64,
    ack_timeout_ms: u64,
    max_frame_bytes: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    None {},
    Count {
        count: usize,
    },
    Sent {
        message_id: DecimalId,
        ts: u64,
    },
    SentPeer {
        message_id: DecimalId,
        ts: u64,
        result: &'static str,
        code: u32,
    },
    Members {
        members: Vec<&'a str>,
        count: usize,
    },
    Counts {
        counts: &'a [usize],
    },
    Online {
        online: Vec<bool>,
    },
    States {
        states: Vec<UserState<'a>>,
    },
    Users {
        users: Vec<&'a str>,
    },
    UserAttributes {
        #[serde(serialize_with = "object")]
        attributes: &'a [(String, String)],
    },
    ChannelAttributes {
        attributes: Vec<Attribute<'a>>,
    },
}

fn object<S: Serializer>(pairs: &&[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
}
