//! A node, and clients that take what their mailbox holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use stentor_core::app::{
    App, AppPolicy, BroadcastPolicy, DevicePolicy, DirectoryPolicy, FilePolicy, HistoryPolicy, InboxPolicy,
    OverloadPolicy, PresencePolicy, RoomPolicy, SessionPolicy,
};
use stentor_core::attributes::AttributeLimits;
use stentor_core::bus::Bus;
use stentor_core::bus::in_process::InProcessBus;
use stentor_core::clock::{Clock, ManualClock};
use stentor_core::delivery::{
    DeliveryOutcome, Origin, SendError, SendGroup, SendOptions, SendPeer, SendRoom, SentGroup,
};
use stentor_core::events::{EventKind, EventType};
use stentor_core::id::{AppId, DeviceId, MessageId, NameRule, NodeId, RoomId, UserId};
use stentor_core::limits::{Rate, Rule};
use stentor_core::message::Message;
use stentor_core::node::{Node, NodeConfig};
use stentor_core::notice::{Envelope, Notice};
use stentor_core::records::RecordKind;
use stentor_core::session::{Closing, Connected, Login, Outlet, Resume, Session};
use stentor_core::store::memory::MemoryStore;
use stentor_core::store::{Change, InboxStore, RecordStore, Store};

pub(crate) const APP: &str = "app";
pub(crate) const GRACE: Duration = Duration::from_secs(30);
pub(crate) const ACK_TIMEOUT: Duration = Duration::from_secs(8);

/// Lower case letters and digits.
const NAMES: NameRule = NameRule::ascii(64, "abcdefghijklmnopqrstuvwxyz0123456789-");

pub(crate) fn policy(app: &str) -> AppPolicy {
    AppPolicy {
        id: AppId::from_trusted(app),
        user_names: NAMES,
        room_names: NAMES,
        payload_bytes: 32_768,
        devices: DevicePolicy::One,
        sessions: SessionPolicy {
            grace_ms: 30_000,
            silence_ms: 30_000,
            unreachable_ms: 6_000,
            ack_timeout_ms: 8_000,
            mailbox_notices: 64,
            mailbox_bytes: 256 * 1024,
            credential_notice_ms: 30_000,
        },
        inbox: InboxPolicy { cap: 200, retention_ms: 7 * 86_400_000 },
        history: Some(HistoryPolicy { retention_ms: 7 * 86_400_000, max_bytes: 1 << 30 }),
        rooms: RoomPolicy {
            rooms_per_session: 20,
            member_notices_up_to: 512,
            listed_members: 512,
            counted_rooms: 32,
            count_notice_ms: 1_000,
            count_notice_large_ms: 3_000,
            replayed: 32,
            replayed_bytes: 1 << 20,
            replayed_bytes_of_all: 1 << 30,
            replayed_unnoticed_ms: 0,
            echo_to_sender: false,
            attributes_stay_ms: 120_000,
            registered: None,
        },
        overload: None,
        broadcasts: None,
        presence: PresencePolicy { queried: 256, watched: 512 },
        directory: DirectoryPolicy {
            users: None,
            contacts: 4,
            blocks: 3,
            profile_bytes: 64,
            profiles_bytes: 100,
            statuses: false,
            status_ext_bytes: 16,
            status_watches: 3,
            files: FilePolicy { file_bytes: 100, files_bytes: 100, retention_ms: 1000 },
        },
        user_attributes: AttributeLimits { key_bytes: 32, value_bytes: 8192, entries: 32, total_bytes: 16_384 },
        room_attributes: AttributeLimits { key_bytes: 32, value_bytes: 8192, entries: 32, total_bytes: 32_768 },
        recalls_within_ms: Some(120_000),
        edits: Some(10),
        combined_sends: false,
        rates: Vec::new(),
    }
}

/// Those of the documents, in steps of a size that tests do not reach by chance.
pub(crate) const BROADCASTS: BroadcastPolicy =
    BroadcastPolicy { per_second: 10, per_minute: 10, per_day: 100, waiting: 100, rooms_per_step: 64 };

/// What the Chat API gives up under overload, with some senders that are high.
pub(crate) fn overload(high: &[&str]) -> OverloadPolicy {
    OverloadPolicy {
        high_senders: high.iter().map(|name| user_id(name)).collect(),
        high_content: None,
        lane_notices: 16,
        lane_bytes: 64 * 1024,
        room_messages_per_second: 20,
        busy_after_ms: 50,
    }
}

static NEXT_SEED: AtomicU64 = AtomicU64::new(7);

/// Everything a test holds on to.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) app: Arc<App>,
}

pub(crate) async fn world() -> World {
    world_with(|_| {}).await
}

pub(crate) async fn world_with(change: impl FnOnce(&mut AppPolicy)) -> World {
    let mut policy = policy(APP);
    change(&mut policy);
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    start(policy, clock, Arc::new(MemoryStore::default()), NodeId::SINGLE, Arc::new(InProcessBus::alone())).await
}

pub(crate) async fn start(
    policy: AppPolicy,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    node: NodeId,
    bus: Arc<dyn Bus>,
) -> World {
    // As in production, no two processes make the same choices.
    let seed = NEXT_SEED.fetch_add(1, Ordering::Relaxed);
    let config = NodeConfig { node, apps: vec![policy], seed };
    let (as_store, as_clock): (Arc<dyn Store>, Arc<dyn Clock>) = (store.clone(), clock.clone());
    let node = Node::start(config, as_store, bus, as_clock, &mut Registry::default()).await.expect("starts");
    let app = node.app(APP).expect("the app is there");
    World { node, clock, store, app }
}

impl World {
    /// Another process on the same store: what was in memory is gone, as after `kill -9`.
    pub(crate) async fn restarted(&self) -> Self {
        let policy = self.app.policy().clone();
        let bus = Arc::new(InProcessBus::alone());
        start(policy, self.clock.clone(), self.store.clone(), NodeId::SINGLE, bus).await
    }

    /// Lets time pass and does what is due, step by step as a running node does.
    pub(crate) async fn pass(&self, time: Duration) {
        for _ in 0..20 {
            self.clock.advance(time / 20);
            self.node.tick();
        }
        self.settle().await;
    }

    /// Lets everything that goes on by itself come to an end.
    pub(crate) async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn login(&self, user: &str) -> Client {
        self.connect(user, "", None).await
    }

    pub(crate) async fn connect(&self, user: &str, device: &str, resume: Option<Resume>) -> Client {
        let outlet = Arc::new(TestOutlet::default());
        let login = Login {
            user: user_id(user),
            device: DeviceId::from_trusted(device),
            expires_at_ms: None,
            resume,
            silence_ms: None,
            to_replaced: None,
        };
        let connected = self.node.connect(&self.app, login, outlet.clone()).await.expect("connects");
        Client { node: self.node.clone(), connected, outlet }
    }

    pub(crate) async fn send(&self, from: &str, to: &str, payload: &str) -> DeliveryOutcome {
        self.send_peer(peer(from, to, payload)).await.expect("taken")
    }

    /// Sends to a user who is away or does not matter, to be kept.
    pub(crate) async fn keep(&self, from: &str, to: &str, payload: &str) -> DeliveryOutcome {
        self.send_peer(SendPeer { options: kept(), ..peer(from, to, payload) }).await.expect("taken")
    }

    pub(crate) async fn send_peer(&self, send: SendPeer) -> Result<DeliveryOutcome, SendError> {
        self.node.send_peer(&self.app, Origin::Backend, send).await.map(|sent| sent.outcome)
    }

    /// Makes users members of a group, as the directory does.
    pub(crate) async fn add_members(&self, group: &str, members: &[&str]) {
        let member = |user: &&str| Change::Put {
            kind: RecordKind::Member,
            key: format!("{group}/{user}"),
            value: Bytes::from_static(b"\x80"),
        };
        let changes = members.iter().map(member).collect();
        self.store.change(self.app.id(), changes).await.expect("changed");
    }

    pub(crate) async fn send_group(&self, send: SendGroup) -> Result<SentGroup, SendError> {
        self.node.send_group(&self.app, Origin::Backend, send).await
    }

    /// How many steps the store has made durable.
    pub(crate) fn writes(&self) -> u64 {
        self.store.counters().iter().filter(|(name, ..)| *name == "store_writes").map(|(.., count)| *count).sum()
    }

    /// How many messages the store keeps for a user and no device has acked.
    pub(crate) async fn inbox_of(&self, user: &str) -> usize {
        self.store.inbox_count(self.app.id(), &user_id(user), 0).await.expect("counts")
    }

    pub(crate) async fn send_room(&self, from: &str, room: &str, payload: &str) -> MessageId {
        let send = to_room(from, room, payload);
        self.node.send_room(&self.app, Origin::Backend, send).await.expect("taken").id
    }

    /// What the backend pulls, as `Login bob` or `Join bob lobby`.
    pub(crate) async fn events(&self, kind: EventKind) -> Vec<String> {
        let events = self.node.pull_events(&self.app, kind).await.expect("pulls");
        events
            .iter()
            .map(|event| {
                let room = event.room.as_ref().map(|room| format!(" {room}")).unwrap_or_default();
                format!("{:?} {}{room}", event.event_type, event.user)
            })
            .collect()
    }

    pub(crate) async fn user_events(&self) -> Vec<String> {
        self.events(EventKind::User).await
    }

    pub(crate) async fn room_events(&self) -> Vec<String> {
        self.events(EventKind::Room).await
    }
}

pub(crate) fn is_login(event: EventType) -> bool {
    event == EventType::Login
}

pub(crate) fn user_id(name: &str) -> UserId {
    UserId::from_trusted(name)
}

pub(crate) fn room_id(name: &str) -> RoomId {
    RoomId::from_trusted(name)
}

pub(crate) fn text(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

pub(crate) fn peer(from: &str, to: &str, payload: &str) -> SendPeer {
    SendPeer {
        from: user_id(from),
        to: user_id(to),
        payload: text(payload),
        wait_for_ack: false,
        options: SendOptions::default(),
    }
}

/// To be kept in the receivers' inboxes.
pub(crate) fn kept() -> SendOptions {
    SendOptions { keep: true, ..SendOptions::default() }
}

pub(crate) fn group(from: &str, group: &str, payload: &str) -> SendGroup {
    let (from, group, payload) = (user_id(from), room_id(group), text(payload));
    SendGroup { from, group, payload, only_for: Vec::new(), options: kept() }
}

pub(crate) fn to_room(from: &str, room: &str, payload: &str) -> SendRoom {
    let (from, room, payload) = (user_id(from), room_id(room), text(payload));
    SendRoom { from, room, payload, only_for: Vec::new(), options: SendOptions::default() }
}

pub(crate) fn rate(rule: Rule, count: u32, window_ms: u32) -> (Rule, Rate) {
    (rule, Rate { count, window_ms })
}

/// Takes note of what the core says.
#[derive(Debug, Default)]
pub(crate) struct TestOutlet {
    told: Mutex<u32>,
    closed: Mutex<Vec<Closing>>,
}

impl Outlet for TestOutlet {
    fn ready(self: Arc<Self>) {
        *self.told.lock() += 1;
    }

    fn close(self: Arc<Self>, why: Closing) {
        self.closed.lock().push(why);
    }
}

/// A connected client.
pub(crate) struct Client {
    node: Node,
    pub(crate) connected: Connected,
    outlet: Arc<TestOutlet>,
}

impl Client {
    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.connected.session
    }

    /// Everything that waits, as a gateway takes it: only if it was told that there is something.
    pub(crate) fn take(&self) -> Vec<Notice> {
        if std::mem::take(&mut *self.outlet.told.lock()) == 0 {
            return Vec::new();
        }
        let mut taken: Vec<Arc<Envelope>> = Vec::new();
        loop {
            let before = taken.len();
            self.session().take(self.connected.attachment, 7, 16_384, &mut taken);
            if taken.len() == before {
                return taken.iter().map(|envelope| envelope.notice.clone()).collect();
            }
        }
    }

    /// The peer messages that wait.
    pub(crate) fn take_messages(&self) -> Vec<(Arc<Message>, bool)> {
        let peer = |notice| match notice {
            Notice::PeerMessage { message, from_inbox } => Some((message, from_inbox)),
            _ => None,
        };
        self.take().into_iter().filter_map(peer).collect()
    }

    /// The payloads of peer and room messages that wait.
    pub(crate) fn take_texts(&self) -> Vec<String> {
        let payload = |notice| match notice {
            Notice::PeerMessage { message, .. } | Notice::RoomMessage { message, .. } => {
                Some(String::from_utf8(message.payload.to_vec()).expect("text"))
            }
            _ => None,
        };
        self.take().into_iter().filter_map(payload).collect()
    }

    /// Takes and acks the peer messages that wait.
    pub(crate) fn take_and_ack(&self) -> Vec<String> {
        let messages = self.take_messages();
        self.ack(&messages.iter().map(|(message, _)| message.id).collect::<Vec<_>>());
        messages.iter().map(|(message, _)| String::from_utf8(message.payload.to_vec()).expect("text")).collect()
    }

    pub(crate) fn ack(&self, ids: &[MessageId]) {
        self.node.acked(self.session(), ids);
    }

    pub(crate) async fn join(&self, room: &str) -> usize {
        self.node.join(self.session(), &room_id(room)).await.expect("joins")
    }

    pub(crate) async fn leave(&self, room: &str) {
        self.node.leave(self.session(), &room_id(room)).await.expect("leaves");
    }

    pub(crate) async fn logout(&self) {
        self.node.logout(self.session()).await;
    }

    /// The connection breaks.
    pub(crate) fn cut(&self) {
        self.node.detach(self.session(), self.connected.attachment);
    }

    pub(crate) fn heard(&self) {
        self.node.heard(self.session());
    }

    /// What it was offered before this moment has arrived.
    pub(crate) fn confirm(&self, at_ms: u64) {
        self.session().confirm(self.connected.attachment, at_ms);
    }

    pub(crate) fn closed(&self) -> Vec<Closing> {
        self.outlet.closed.lock().clone()
    }

    pub(crate) fn resume(&self) -> Option<Resume> {
        Some(Resume { session: self.session().id(), rooms: Some(Vec::new()) })
    }
}
