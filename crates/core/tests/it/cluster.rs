//! Two nodes on one store: what one takes, the other delivers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use stentor_core::app::{AppPolicy, DevicePolicy};
use stentor_core::bus::in_process::InProcessBus;
use stentor_core::bus::{Address, Bus, ClusterMessage};
use stentor_core::clock::ManualClock;
use stentor_core::delivery::{DeliveryOutcome, Origin, SendGroup, SendOptions, SendPeer, SendUsers};
use stentor_core::id::{AppId, DeviceId, MessageId, MessageIds, NodeId};
use stentor_core::message::{Marks, Message, Target};
use stentor_core::metrics::DropReason;
use stentor_core::session::{Closing, LogoutReason};
use stentor_core::store::memory::MemoryStore;

use crate::harness::{APP, World, group, kept, peer, policy, start, text, user_id};

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

#[tokio::test]
async fn a_group_spans_both_nodes() {
    let pair = pair_with(|policy| policy.devices = DevicePolicy::Many { max: 3 }).await;
    pair.here.add_members("team", &["alice", "bob", "carol", "dave"]).await;
    let (bob, carol) = (pair.here.login("bob").await, pair.there.login("carol").await);
    let (mine, other) =
        (pair.here.connect("alice", "mine", None).await, pair.there.connect("alice", "other", None).await);
    let options = SendOptions { sync_sender: true, ..kept() };
    let send = SendGroup { options, ..group("alice", "team", "hello") };
    pair.here.node.send_group(&pair.here.app, Origin::Client(mine.session()), send).await.expect("taken");
    pair.here.settle().await;
    assert_eq!((bob.take_and_ack().len(), carol.take_and_ack().len()), (1, 1));
    assert_eq!((mine.take_texts().len(), other.take_and_ack().len()), (0, 1));
    pair.there.settle().await;
    assert_eq!((pair.here.inbox_of("carol").await, pair.here.inbox_of("dave").await), (0, 1));
}

#[tokio::test]
async fn many_users_are_on_both_nodes() {
    let pair = pair().await;
    let (bob, carol) = (pair.here.login("bob").await, pair.there.login("carol").await);
    let to = ["bob", "carol", "dave"].map(user_id).to_vec();
    let send = SendUsers { from: user_id("alice"), to, payload: text("hello"), options: SendOptions::default() };
    pair.here.node.send_users(&pair.here.app, Origin::Backend, send).await.expect("taken");
    pair.here.settle().await;
    assert_eq!((bob.take_texts().len(), carol.take_texts().len()), (1, 1));
    assert_eq!(pair.here.node.metrics().drops(DropReason::NobodyThere), 1);
}

/// A node, and a bus at which nobody else is.
async fn node_and_bus(devices: DevicePolicy) -> (World, InProcessBus) {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let mut buses = InProcessBus::cluster(2).into_iter();
    let (other, own) = (buses.next().expect("two"), buses.next().expect("two"));
    let policy = AppPolicy { devices, ..policy(APP) };
    let node = NodeId::new(1).expect("small");
    (start(policy, clock, Arc::default(), node, Arc::new(own)).await, other)
}

/// One device there took it, another may just be coming, and have read the inbox before it was stored.
#[tokio::test]
async fn a_kept_message_is_offered_elsewhere_again_when_it_is_stored() {
    let bob = Address { app: AppId::from_trusted(APP), user: user_id("bob") };
    for (devices, expected) in [(DevicePolicy::Many { max: 3 }, 2), (DevicePolicy::One, 1)] {
        let (world, other) = node_and_bus(devices).await;
        other.announce(&bob).await.expect("announced");
        world.keep("alice", "bob", "hello").await;
        world.keep("alice", "zoe", "nobody there").await;
        let mut received = Vec::new();
        while let Some((_, message)) = other.receive().now_or_never() {
            received.push(message);
        }
        assert!(matches!(&received[0], ClusterMessage::Deliver { .. }));
        let again = |message: &ClusterMessage| matches!(message, ClusterMessage::Offer { late: true, kept: true, .. });
        assert!(received[1..].iter().all(again), "{received:?}");
        assert_eq!(received.len(), expected, "{devices:?}");
    }
}

#[tokio::test]
async fn an_offer_that_comes_again_is_for_recent_sessions() {
    let (world, other) = node_and_bus(DevicePolicy::Many { max: 3 }).await;
    let old = world.connect("bob", "old", None).await;
    world.clock.advance(Duration::from_millis(10_001));
    let recent = world.connect("bob", "recent", None).await;
    let message = Arc::new(Message {
        id: MessageIds::new(NodeId::SINGLE, MessageId::ZERO).next(1_700_000_010_001),
        from: user_id("alice"),
        to: Target::User(user_id("bob")),
        payload: text("hello"),
        sent_at_ms: 1_700_000_010_001,
        marks: Marks::default(),
    });
    let offer = |late| {
        let (app, message, users) = (AppId::from_trusted(APP), message.clone(), vec![user_id("bob"), user_id("zoe")]);
        ClusterMessage::Offer { app, message, users, kept: true, late }
    };
    let running = tokio::spawn({
        let node = world.node.clone();
        async move { node.run().await }
    });
    for (late, expected) in [(true, (0, 1)), (false, (1, 0))] {
        other.publish(offer(late)).await.expect("sent");
        world.settle().await;
        assert_eq!((old.take_texts().len(), recent.take_texts().len()), expected, "late: {late}; once to each");
    }
    running.abort();
}
