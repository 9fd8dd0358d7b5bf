//! What a node counts. Every name is a variant or a field here, never a string elsewhere; `docs/operations.md`
//! lists them.

use std::fmt::{self, Write};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::delivery::DeliveryOutcome;
use crate::message::Priority;
use crate::rooms::Lost;

macro_rules! labels {
    ($($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $vis enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
                encoder.write_str(match self {
                    $(Self::$variant => $text,)*
                })
            }
        }
    )*};
}

labels! {
    /// Where a message went.
    pub enum Kind {
        /// To one user.
        Peer => "peer",
        /// To the members of a room.
        Room => "room",
        /// To the members of a group.
        Group => "group",
    }

    /// Why something was not delivered.
    pub enum DropReason {
        /// A peer message that was not to be kept, and nobody is there.
        NobodyThere => "nobody_there",
        /// A notice for a client that does not read fast enough.
        SlowConsumer => "slow_consumer",
        /// Room messages of the gap, and events of rooms and groups, beyond what a resume replays.
        ReplayLimit => "replay_limit",
        /// A peer message that was offered, not acked, and in nobody's inbox when the session ended.
        SessionEnded => "session_ended",
        /// An event that the store did not take in time: the backlog is full.
        EventBacklog => "event_backlog",
        /// A room message for a client whose lanes were full of what matters as much or more.
        LanesFull => "lanes_full",
        /// A room message, for each client in the room: the room was above its budget and the node busy.
        RoomBudget => "room_budget",
    }

    /// How much a room message matters, as [`Priority`].
    enum Level {
        High => "high",
        Normal => "normal",
        Low => "low",
    }

    /// What became of a peer message, as [`DeliveryOutcome`].
    enum OutcomeLabel {
        Sent => "sent",
        Delivered => "delivered",
        OfflineKept => "offline_kept",
        Offline => "offline",
        Unconfirmed => "unconfirmed",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: DropReason,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoomDropLabels {
    level: Level,
    reason: DropReason,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: OutcomeLabel,
}

/// The node's counters. Handles are plain atomics; the families' lookups are done once here for the hot ones.
#[derive(Debug)]
pub struct Metrics {
    pub(crate) accepted_peer: Counter,
    pub(crate) accepted_room: Counter,
    pub(crate) accepted_group: Counter,
    /// Room messages put into mailboxes.
    pub(crate) offered_room: Counter,
    /// Peer and group messages put into mailboxes.
    pub(crate) offered_peer: Counter,
    pub(crate) acks: Counter,
    dropped: Family<ReasonLabels, Counter>,
    room_drops: Family<RoomDropLabels, Counter>,
    outcomes: Family<OutcomeLabels, Counter>,
    pub(crate) logins: Counter,
    pub(crate) resumes: Counter,
    pub(crate) inbox_drained: Counter,
    pub(crate) events_pulled: Counter,
    /// From acceptance to ack, of messages that somebody waits for.
    pub(crate) ack_seconds: Histogram,
    /// From acceptance to durability, of messages that are kept.
    pub(crate) keep_seconds: Histogram,
}

impl Metrics {
    /// Registers every counter.
    pub fn register(registry: &mut Registry) -> Self {
        let buckets =
            || Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        let accepted = Family::<KindLabels, Counter>::default();
        let offered = Family::<KindLabels, Counter>::default();
        let metrics = Self {
            accepted_peer: accepted.get_or_create_owned(&KindLabels { kind: Kind::Peer }),
            accepted_room: accepted.get_or_create_owned(&KindLabels { kind: Kind::Room }),
            accepted_group: accepted.get_or_create_owned(&KindLabels { kind: Kind::Group }),
            offered_peer: offered.get_or_create_owned(&KindLabels { kind: Kind::Peer }),
            offered_room: offered.get_or_create_owned(&KindLabels { kind: Kind::Room }),
            acks: Counter::default(),
            dropped: Family::default(),
            room_drops: Family::default(),
            outcomes: Family::default(),
            logins: Counter::default(),
            resumes: Counter::default(),
            inbox_drained: Counter::default(),
            events_pulled: Counter::default(),
            ack_seconds: buckets(),
            keep_seconds: buckets(),
        };
        registry.register("messages_accepted", "Messages taken from senders", accepted);
        registry.register("messages_offered", "Messages put into the mailboxes of sessions", offered);
        registry.register("acks", "Peer messages acked by clients", metrics.acks.clone());
        registry.register("drops", "What was not delivered, by reason", metrics.dropped.clone());
        let help = "Room messages that were not delivered to a connected client, by level and reason";
        registry.register("room_drops", help, metrics.room_drops.clone());
        registry.register("peer_outcomes", "What became of peer messages", metrics.outcomes.clone());
        registry.register("logins", "Sessions opened", metrics.logins.clone());
        registry.register("resumes", "Sessions resumed", metrics.resumes.clone());
        registry.register("inbox_drained", "Messages handed over from inboxes", metrics.inbox_drained.clone());
        registry.register("events_pulled", "Events handed to backends", metrics.events_pulled.clone());
        registry.register("ack_seconds", "From acceptance to ack", metrics.ack_seconds.clone());
        registry.register("keep_seconds", "From acceptance to durability", metrics.keep_seconds.clone());
        metrics
    }

    pub(crate) fn dropped(&self, reason: DropReason, count: u64) {
        if count > 0 {
            self.dropped.get_or_create(&ReasonLabels { reason }).inc_by(count);
        }
    }

    /// Room messages that a connected client does not get.
    pub(crate) fn room_dropped(&self, level: Priority, why: Lost, count: u64) {
        if count == 0 {
            return;
        }
        let reason = match why {
            Lost::Budget => DropReason::RoomBudget,
            Lost::Lanes => DropReason::LanesFull,
            Lost::SlowConsumer => DropReason::SlowConsumer,
        };
        // What goes with a connection is counted once for the connection: most of it may come again.
        if why != Lost::SlowConsumer {
            self.dropped(reason, count);
        }
        self.room_drops.get_or_create(&RoomDropLabels { level: level.into(), reason }).inc_by(count);
    }

    /// How much was dropped for a reason so far.
    #[must_use]
    pub fn drops(&self, reason: DropReason) -> u64 {
        self.dropped.get_or_create(&ReasonLabels { reason }).get()
    }

    pub(crate) fn outcome(&self, outcome: DeliveryOutcome) {
        let outcome = match outcome {
            DeliveryOutcome::Sent => OutcomeLabel::Sent,
            DeliveryOutcome::Delivered => OutcomeLabel::Delivered,
            DeliveryOutcome::Offline { kept: true } => OutcomeLabel::OfflineKept,
            DeliveryOutcome::Offline { kept: false } => OutcomeLabel::Offline,
            DeliveryOutcome::Unconfirmed => OutcomeLabel::Unconfirmed,
        };
        self.outcomes.get_or_create(&OutcomeLabels { outcome }).inc();
    }
}

impl From<Priority> for Level {
    fn from(level: Priority) -> Self {
        match level {
            Priority::High => Self::High,
            Priority::Normal => Self::Normal,
            Priority::Low => Self::Low,
        }
    }
}
