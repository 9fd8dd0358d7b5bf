//! What the tests share.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use stentor_core::app::{
    App, AppPolicy, DevicePolicy, DirectoryPolicy, HistoryPolicy, InboxPolicy, PresencePolicy, RoomPolicy,
    SessionPolicy,
};
use stentor_core::attributes::AttributeLimits;
use stentor_core::bus::in_process::InProcessBus;
use stentor_core::clock::ManualClock;
use stentor_core::id::{AppId, NameRule, NodeId};
use stentor_core::node::{Node, NodeConfig};
use stentor_core::store::memory::MemoryStore;

const NAMES: NameRule = NameRule::ascii(64, "abcdefghijklmnopqrstuvwxyz0123456789-");

/// When the tests begin: Unix time in milliseconds.
pub(crate) const NOW_MS: u64 = 1_800_000_000_000;

pub(crate) const APP: &str = "org#app";

fn policy() -> AppPolicy {
    AppPolicy {
        id: AppId::from_trusted(APP),
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
            mailbox_bytes: 4 << 20,
            credential_notice_ms: 30_000,
        },
        inbox: InboxPolicy { cap: 200, retention_ms: 7 * 86_400_000 },
        history: Some(HistoryPolicy { retention_ms: 7 * 86_400_000, max_bytes: 1 << 30 }),
        rooms: RoomPolicy {
            rooms_per_session: 3,
            member_notices_up_to: 512,
            listed_members: 512,
            counted_rooms: 4,
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
        presence: PresencePolicy { queried: 3, watched: 3 },
        directory: DirectoryPolicy::NONE,
        user_attributes: AttributeLimits { key_bytes: 32, value_bytes: 8192, entries: 32, total_bytes: 16_384 },
        room_attributes: AttributeLimits { key_bytes: 32, value_bytes: 8192, entries: 32, total_bytes: 32_768 },
        recalls_within_ms: Some(120_000),
        edits: Some(10),
        combined_sends: false,
        rates: Vec::new(),
    }
}

/// A node on an empty store, with one app, and a clock that stands still.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) async fn world() -> World {
    let (clock, store) = (Arc::new(ManualClock::new(NOW_MS)), Arc::new(MemoryStore::default()));
    let config = NodeConfig { node: NodeId::SINGLE, apps: vec![policy()], seed: 7 };
    let bus = Arc::new(InProcessBus::alone());
    let node = Node::start(config, store.clone(), bus, clock.clone(), &mut Registry::default()).await.expect("starts");
    let app = node.app(APP).expect("the app");
    World { node, app, store, clock }
}
