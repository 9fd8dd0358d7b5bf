//! Two nodes on one store: what one takes, the other delivers.

use std::sync::Arc;

use stentor_core::app::AppPolicy;
use stentor_core::bus::in_process::InProcessBus;
use stentor_core::clock::ManualClock;
use stentor_core::delivery::{DeliveryOutcome, SendPeer};
use stentor_core::id::NodeId;
use stentor_core::session::Closing;
use stentor_core::store::memory::MemoryStore;

use crate::harness::{APP, World, peer, policy, start};

pub(crate) struct Pair {
    pub(crate) here: World,
    pub(crate) there: World,
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

pub(crate) async fn pair_with(change: impl FnOnce(&mut AppPolicy)) -> Pair {
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
    let sent = pair.here.send_peer(SendPeer { keep: true, ..peer("alice", "bob", "hello") });
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
