//! What is measured: the scenarios, and what is to be reached in some of them.

use anyhow::bail;

use super::flood::HIGH_LOST;
use super::push::services::{SERVICES, ServiceName};
use super::target::Kind;

/// Publishers of the point-to-point scenarios, and users they write to.
pub(super) const PEERS: usize = 16;

/// One thing to measure.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) work: Work,
    pub(super) goals: Vec<Goal>,
}

/// What is done in it.
#[derive(Debug)]
pub(super) enum Work {
    /// Messages are published over HTTP and received over WebSocket.
    Messages(Messages),
    /// The same, with clients of two protocols in turns.
    Protocols(Messages),
    /// Clients are logged in and say nothing but what keeps them there.
    Idle { connections: usize },
    /// Full event queues are pulled.
    EventPull,
    /// Low messages flood a room into which high ones go.
    Flood { members: usize },
    /// Messages are kept for users who are not there.
    Durable { writers: usize },
    /// Messages to users who are not there become pushes. The reference sends the same requests and does nothing else.
    Push(ServiceName),
}

#[derive(Debug)]
pub(super) struct Messages {
    pub(super) side: Side,
    pub(super) shape: Shape,
    pub(super) load: Load,
    pub(super) payload: usize,
}

/// Which of the server's APIs is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Rtm,
    /// What the Chat API keeps of every message, it keeps here, too: room messages for the history, messages to users
    /// for the history and in the inbox.
    Chat,
}

impl Side {
    /// How much longer the server's frames are than those of the references with the same payload.
    fn longer_by(self, shape: Shape) -> usize {
        match (self, shape) {
            (Self::Rtm, _) => 0,
            (Self::Chat, Shape::FanOut { .. }) => CHAT_ROOM_FRAME,
            (Self::Chat, Shape::Peer(_)) => CHAT_USER_FRAME,
        }
    }
}

// With IDs of as many digits as they have these years.
const CHAT_ROOM_FRAME: usize = 118;
const CHAT_USER_FRAME: usize = 109;

impl Messages {
    /// The payload that one kind of server gets, so that all send frames of the same length.
    pub(super) fn payload_of(&self, kind: Kind) -> usize {
        if kind.is_stentor() { self.payload } else { self.payload + self.side.longer_by(self.shape) }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// Each message goes to all.
    FanOut { subscribers: usize },
    /// Each message goes to one of [`PEERS`] users.
    Peer(PeerAcks),
}

/// The acks of point-to-point messages. The server's protocol always wants them; the references' clients ack only
/// what is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PeerAcks {
    /// The publisher does not wait; the client acks each message at once.
    Unwaited,
    /// The publisher does not wait; the client acks 16 messages with one frame.
    Grouped,
    /// The publisher waits for the ack.
    Waited,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Load {
    /// The next message is published when an earlier one is done.
    Closed,
    /// So many messages a second, whatever becomes of them.
    Rate(u32),
}

/// What a figure of the server is to reach.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) figure: &'static str,
    pub(super) bound: Bound,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    /// At most this many times the figure of what it is compared with, which comes first in a round: mostly the plain
    /// reference.
    TimesFirst(f64),
    AtMost(f64),
    AtLeast(f64),
}

impl Scenario {
    /// Which servers it is measured against, in the order of a round.
    pub(super) fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        let kinds: &[Kind] = match self.work {
            Work::Messages(_) => &[Kind::Plain, Kind::Coalescing, Kind::Stentor],
            Work::Protocols(_) => &[Kind::Stentor, Kind::Msync],
            // What an idle connection holds does not depend on how frames are written.
            Work::Idle { .. } | Work::Push(_) => &[Kind::Plain, Kind::Stentor],
            // The references keep nothing, and know no levels.
            Work::EventPull | Work::Durable { .. } | Work::Flood { .. } => &[Kind::Stentor],
        };
        kinds.iter().copied()
    }
}

/// The scenarios whose names begin with one of `wanted`; all of them if none is wanted.
pub(super) fn select(wanted: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let mut scenarios = all();
    if let Some(unknown) = wanted.iter().find(|name| !scenarios.iter().any(|one| one.name.starts_with(*name))) {
        let names: Vec<_> = scenarios.into_iter().map(|scenario| scenario.name).collect();
        bail!("no scenario begins with {unknown:?}; there are {}", names.join(", "));
    }
    if !wanted.is_empty() {
        scenarios.retain(|scenario| wanted.iter().any(|name| scenario.name.starts_with(name)));
    }
    Ok(scenarios)
}

fn all() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    // Rates that make 20 000 deliveries a second, and 40 000 for the largest: steady work, not saturation.
    for (subscribers, rate) in [(100, 200), (1000, 20), (5000, 8)] {
        for (payload, size) in [(128, "128b"), (1024, "1kib")] {
            for (load, word) in [(Load::Closed, "closed"), (Load::Rate(rate), "rate")] {
                let bound = match (subscribers, payload, load) {
                    (1000, 128, Load::Closed) => Some(Bound::TimesFirst(0.6)),
                    (1000, 128, Load::Rate(_)) => Some(Bound::TimesFirst(1.3)),
                    _ => None,
                };
                scenarios.push(Scenario {
                    name: format!("fan_out_{subscribers}_{word}_{size}"),
                    work: Work::Messages(Messages {
                        side: Side::Rtm,
                        shape: Shape::FanOut { subscribers },
                        load,
                        payload,
                    }),
                    goals: bound.map(|bound| Goal { figure: CPU_PER_DELIVERY, bound }).into_iter().collect(),
                });
            }
        }
    }
    for (name, acks, load, goal) in [
        ("peer_closed", PeerAcks::Unwaited, Load::Closed, true),
        ("peer_grouped_acks_closed", PeerAcks::Grouped, Load::Closed, false),
        ("peer_rate_2000", PeerAcks::Unwaited, Load::Rate(2000), false),
        ("peer_wait_for_ack_closed", PeerAcks::Waited, Load::Closed, true),
        ("peer_wait_for_ack_rate_2000", PeerAcks::Waited, Load::Rate(2000), false),
    ] {
        scenarios.push(Scenario {
            name: name.to_owned(),
            work: Work::Messages(Messages { side: Side::Rtm, shape: Shape::Peer(acks), load, payload: 128 }),
            goals: if goal {
                vec![Goal { figure: CPU_PER_REQUEST, bound: Bound::TimesFirst(1.7) }]
            } else {
                Vec::new()
            },
        });
    }
    scenarios.push(Scenario {
        name: "idle_10000".to_owned(),
        work: Work::Idle { connections: 10_000 },
        goals: vec![Goal { figure: KIB_PER_CONNECTION, bound: Bound::AtMost(8.0) }],
    });
    scenarios.push(Scenario { name: "event_pull".to_owned(), work: Work::EventPull, goals: Vec::new() });
    for writers in [1, 64] {
        let goal = Goal { figure: ACKED_PER_FSYNC, bound: Bound::AtLeast(20.0) };
        scenarios.push(Scenario {
            name: format!("durable_{writers}"),
            work: Work::Durable { writers },
            goals: if writers == 64 { vec![goal] } else { Vec::new() },
        });
    }
    scenarios.extend(chat());
    scenarios.push(Scenario {
        name: "flood_1000".to_owned(),
        work: Work::Flood { members: 1000 },
        goals: vec![Goal { figure: HIGH_LOST, bound: Bound::AtMost(0.0) }],
    });
    for service in SERVICES {
        scenarios.push(Scenario { name: format!("push_{service}"), work: Work::Push(service), goals: Vec::new() });
    }
    scenarios
}

/// Those of the Chat side: rooms and users, and the protocols of its clients side by side.
fn chat() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    let room = Shape::FanOut { subscribers: 1000 };
    for (name, shape, load) in [
        ("chat_fan_out_1000_closed_128b", room, Load::Closed),
        ("chat_fan_out_1000_rate_128b", room, Load::Rate(20)),
        ("chat_peer_closed", Shape::Peer(PeerAcks::Unwaited), Load::Closed),
    ] {
        scenarios.push(Scenario {
            name: name.to_owned(),
            work: Work::Messages(Messages { side: Side::Chat, shape, load, payload: 128 }),
            goals: Vec::new(),
        });
    }
    for (name, load) in
        [("msync_fan_out_1000_closed_128b", Load::Closed), ("msync_fan_out_1000_rate_128b", Load::Rate(20))]
    {
        scenarios.push(Scenario {
            name: name.to_owned(),
            work: Work::Protocols(Messages { side: Side::Chat, shape: room, load, payload: 128 }),
            goals: vec![Goal { figure: CPU_PER_DELIVERY, bound: Bound::TimesFirst(1.3) }],
        });
    }
    scenarios
}

/// Server CPU in microseconds for each message that a client received.
pub(super) const CPU_PER_DELIVERY: &str = "cpu_us_per_delivery";
/// Server CPU in microseconds for each request that was answered.
pub(super) const CPU_PER_REQUEST: &str = "cpu_us_per_request";
/// Growth of the resident memory for each connection.
pub(super) const KIB_PER_CONNECTION: &str = "kib_per_connection";
/// Writes answered with 200 for each fsync or fdatasync that the server issued.
pub(super) const ACKED_PER_FSYNC: &str = "acked_per_fsync";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_selected_by_the_beginning_of_their_name() {
        let names = |wanted: &str| -> Vec<String> {
            select(&[wanted.to_owned()]).unwrap().into_iter().map(|scenario| scenario.name).collect()
        };
        assert_eq!(names("fan_out_1000_closed"), ["fan_out_1000_closed_128b", "fan_out_1000_closed_1kib"]);
        assert_eq!(names("idle"), ["idle_10000"]);
        assert!(select(&["nonsense".to_owned()]).is_err());
        assert_eq!(select(&[]).unwrap().len(), all().len());
    }
}
