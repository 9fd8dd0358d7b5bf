//! What clients are answered: the welcome or the refusal of a login, replies to requests, pongs.

use bytes::Bytes;
use serde::{Serialize, Serializer};
use stentor_core::attributes::RoomAttribute;
use stentor_core::delivery::{DeliveryOutcome, SentPeer, SentRoom};
use stentor_core::id::{RoomId, SessionId, UserId};
use stentor_core::presence::Presence;

use super::{Attribute, Decimal, UserState, text, user_states};
use crate::codes;

/// The version of the protocol that is spoken.
pub const VERSION: u64 = 1;

/// The answer to a good login.
#[derive(Debug)]
pub struct Welcome<'a> {
    /// The session.
    pub session: SessionId,
    /// It is the session that was asked to be resumed.
    pub resumed: bool,
    /// The channels it is in.
    pub channels: &'a [RoomId],
    /// Unix time in milliseconds.
    pub server_time: u64,
    /// After so long without sending anything, the client pings.
    pub ping_interval_ms: u64,
    /// How long a silent session stays.
    pub grace_ms: u64,
    /// How long a sender waits for an ack.
    pub ack_timeout_ms: u64,
    /// The largest message that the client may send.
    pub max_frame_bytes: usize,
}

/// What a request brought, if it went well.
#[derive(Debug)]
pub enum Outcome {
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

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The SDK's number for it, of this operation.
    pub code: u32,
    /// For people.
    pub reason: String,
}

/// The welcome's frame.
#[must_use]
pub fn welcome(welcome: &Welcome<'_>) -> Bytes {
    let channels = welcome.channels.iter().map(RoomId::as_str).collect();
    let frame = Frame::Welcome {
        version: VERSION,
        session: welcome.session.to_string(),
        resumed: welcome.resumed,
        channels,
        server_time: welcome.server_time,
        ping_interval_ms: welcome.ping_interval_ms,
        grace_ms: welcome.grace_ms,
        ack_timeout_ms: welcome.ack_timeout_ms,
        max_frame_bytes: welcome.max_frame_bytes,
    };
    text(0, &frame)
}

/// The frame that refuses a login.
#[must_use]
pub fn refused(refusal: &Refusal) -> Bytes {
    text(0, &Frame::Refused { code: refusal.code, reason: &refusal.reason })
}

/// The frame that answers a `ping`.
#[must_use]
pub fn pong(server_time: u64) -> Bytes {
    text(0, &Frame::Pong { server_time })
}

/// The frame that answers a request.
#[must_use]
pub fn reply(id: u64, result: &Result<Outcome, Refusal>) -> Bytes {
    match result {
        Ok(outcome) => text(0, &Frame::Reply { id, ok: true, fields: fields(outcome) }),
        Err(Refusal { code, reason }) => {
            text(0, &Frame::Reply { id, ok: false, fields: Fields::Refused { code: *code, reason } })
        }
    }
}

fn fields(outcome: &Outcome) -> Fields<'_> {
    match outcome {
        Outcome::Done => Fields::None {},
        Outcome::Count(count) => Fields::Count { count: *count },
        Outcome::Sent(sent) => Fields::Sent { message_id: Decimal(sent.id), ts: sent.sent_at_ms },
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
    Fields::SentPeer { message_id: Decimal(sent.id), ts: sent.sent_at_ms, result, code }
}

fn names(users: &[UserId]) -> Vec<&str> {
    users.iter().map(UserId::as_str).collect()
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame<'a> {
    Welcome {
        version: u64,
        session: String,
        resumed: bool,
        channels: Vec<&'a str>,
        server_time: u64,
        ping_interval_ms: u64,
        grace_ms: u64,
        ack_timeout_ms: u64,
        max_frame_bytes: usize,
    },
    Refused {
        code: u32,
        reason: &'a str,
    },
    Pong {
        server_time: u64,
    },
    Reply {
        id: u64,
        ok: bool,
        #[serde(flatten)]
        fields: Fields<'a>,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    None {},
    Refused {
        code: u32,
        reason: &'a str,
    },
    Count {
        count: usize,
    },
    Sent {
        message_id: Decimal,
        ts: u64,
    },
    SentPeer {
        message_id: Decimal,
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
