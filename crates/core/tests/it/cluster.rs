//! Two nodes on one store: what one takes, the other delivers.

use std::sync::Arc;

use stentor_core::app::{AppPolicy, DevicePolicy};
use stentor_core::bus::in_process::InProcessBus;
use stentor_core::clock::ManualClock;
use stentor_core::delivery::{DeliveryOutcome, SendPeer};
use stentor_core::id::{DeviceId, NodeId};
use stentor_core::session::{Closing, LogoutReason};
use stentor_core::store::memory::MemoryStore;

use crate::harness::{APP, World, kept, peer, policy, start, user_id};

struct Pair {
    here: World,
    there: World,
    running: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.running.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

async fn pair() -> Pair {
    pair_with(|_| {}).await
}

async fn pair_with(change: impl FnOnce(&mut AppPolicy)) -> Pair {
    let mut policy = policy(APP);
    change(&mut policy);
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let store = Arc::new(MemoryStore::default());
    let mut buses = InProcessBus::cluster(2).into_iter();
    let mut node = async |number| {
        let bus = Arc::new(buses.next().expect("two"));
        let id = NodeId::new(number).expect("small");
        start(policy.clone(), clock.clone(), store.clone(), id, bus).await
    };
    let (here, there) = (node(0).await, node(1).await);
    let running = [&here, &there].map(|world| {
        let node = world.node.clone();
        tokio::spawn(async move { node.run().await })
    });
    Pair { here, there, running: running.into() }
}

#[tokio::test]
async fn a_peer_message_and_its_ack_cross() {
    let pair = pair().await;
    let bob = pair.there.login("bob").await;
    let sent = pair.here.send_peer(SendPeer { wait_for_ack: true, ..peer("alice", "bob", "hello") });
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending());
    pair.here.settle().await;
    assert_eq!(bob.take_and_ack(), ["hello"]);
    assert_eq!(sent.await.expect("taken"), DeliveryOutcome::Delivered);
}

#[tokio::test]
async fn a_receiver_who_goes_there_is_offline_here() {
    let pair = pair().await;
    let bob = pair.there.login("bob").await;
    let sent = pair.here.send_peer(SendPeer { wait_for_ack: true, ..peer("alice", "bob", "hello") });
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending());
    pair.here.settle().await;
    bob.logout().await;
    assert_eq!(sent.await.expect("taken"), DeliveryOutcome::Offline { kept: false });
    let outcome = pair.here.send_peer(SendPeer { wait_for_ack: true, ..peer("alice", "bob", "again") }).await;
    assert_eq!(outcome.expect("taken"), DeliveryOutcome::Offline { kept: false });
}

#[tokio::test]
async fn a_kept_message_is_delivered_there_and_leaves_the_inbox() {
    let pair = pair().await;
    let bob = pair.there.login("bob").await;
    pair.here.keep("alice", "bob", "hello").await;
    pair.here.settle().await;
    assert_eq!(bob.take_and_ack(), ["hello"]);
    pair.there.settle().await;
    bob.logout().await;
    assert_eq!(pair.here.login("bob").await.take_texts(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_late_joiner_on_the_other_node_gets_the_message() {
    let pair = pair().await;
    let sent = pair.here.send_peer(SendPeer { options: kept(), ..peer("alice", "bob", "hello") });
    tokio::pin!(sent);
    let _ = futures_util::poll!(&mut sent);
    let bob = pair.there.login("bob").await;
    sent.await.expect("taken");
    pair.here.settle().await;
    assert_eq!(bob.take_texts(), ["hello"]);
}

#[tokio::test]
async fn a_room_spans_both_nodes() {
    let pair = pair().await;
    let (bob, carol) = (pair.here.login("bob").await, pair.there.login("carol").await);
    bob.join("lobby").await;
    carol.join("lobby").await;
    pair.here.send_room("alice", "lobby", "one").await;
    pair.there.send_room("alice", "lobby", "two").await;
    pair.here.settle().await;
    assert_eq!((bob.take_texts(), carol.take_texts().len()), (vec!["one".to_owned(), "two".to_owned()], 2));
}

#[tokio::test]
async fn a_login_there_ends_the_session_here() {
    let pair = pair().await;
    let bob = pair.here.login("bob").await;
    let again = pair.there.login("bob").await;
    pair.here.settle().await;
    assert_eq!((bob.closed(), again.closed()), (vec![Closing::Replaced], vec![]));
}

#[tokio::test]
async fn the_backend_ends_sessions_on_every_node() {
    let pair = pair_with(|policy| policy.devices = DevicePolicy::Many { max: 3 }).await;
    let [phone, web] = [pair.there.connect("bob", "phone", None).await, pair.there.connect("bob", "web", None).await];
    let here = pair.here.connect("bob", "tablet", None).await;
    let web_id = DeviceId::from_trusted("web");
    let ended = pair.here.node.disconnect(&pair.here.app, &user_id("bob"), Some(&web_id), LogoutReason::Forced).await;
    pair.here.settle().await;
    assert_eq!((ended, phone.closed().len(), here.closed().len()), (0, 0, 0));
    assert_eq!(web.closed(), [Closing::LoggedOut(LogoutReason::Forced)]);
    let ended = pair.here.node.disconnect(&pair.here.app, &user_id("bob"), None, LogoutReason::Deleted).await;
    pair.here.settle().await;
    assert_eq!(ended, 1);
    for client in [phone, here] {
        assert_eq!(client.closed(), [Closing::LoggedOut(LogoutReason::Deleted)]);
    }
}
