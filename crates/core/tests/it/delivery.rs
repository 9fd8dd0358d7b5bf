//! Peer messages: sent, delivered, offline, and never one for the other.

use std::time::Duration;

use stentor_core::delivery::{DeliveryOutcome, Origin, SendError, SendOptions, SendPeer, SendRoom};
use stentor_core::metrics::DropReason;
use stentor_core::session::Closing;
use stentor_core::store::StoreError;

use crate::harness::{ACK_TIMEOUT, GRACE, kept, peer, room_id, text, user_id, world, world_with};

fn waiting(from: &str, to: &str, payload: &str) -> SendPeer {
    SendPeer { wait_for_ack: true, ..peer(from, to, payload) }
}

#[tokio::test]
async fn a_message_reaches_the_client_with_sender_time_and_number() {
    let world = world().await;
    let bob = world.login("bob").await;
    assert_eq!(world.send("alice", "bob", "hello").await, DeliveryOutcome::Sent);
    let messages = bob.take_messages();
    let (message, from_inbox) = &messages[0];
    assert_eq!((message.from.as_str(), message.to.name(), &message.payload[..]), ("alice", "bob", &b"hello"[..]));
    assert_eq!(message.sent_at_ms, 1_700_000_000_000);
    assert!(!from_inbox);
    assert_eq!(messages.len(), 1);
}

#[tokio::test]
async fn delivered_means_acked() {
    let world = world().await;
    let bob = world.login("bob").await;
    let sent = world.send_peer(waiting("alice", "bob", "hello"));
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending(), "handed to a socket is not delivered");
    assert_eq!(bob.take_and_ack(), ["hello"]);
    assert_eq!(sent.await.expect("taken"), DeliveryOutcome::Delivered);
}

#[tokio::test]
async fn nobody_there_is_offline_at_once() {
    let world = world().await;
    let outcome = world.send_peer(waiting("alice", "bob", "hello")).await.expect("taken");
    assert_eq!(outcome, DeliveryOutcome::Offline { kept: false });
    assert_eq!(world.node.metrics().drops(DropReason::NobodyThere), 1);
    assert_eq!(world.send("alice", "bob", "hello").await, DeliveryOutcome::Sent, "who does not ask is not told");
}

#[tokio::test]
async fn no_ack_in_time_is_unconfirmed_or_offline_if_kept() {
    let world = world().await;
    let bob = world.login("bob").await;
    for (keep, expected) in [(false, DeliveryOutcome::Unconfirmed), (true, DeliveryOutcome::Offline { kept: true })] {
        let sent = world.send_peer(SendPeer {
            options: SendOptions { keep, ..SendOptions::default() },
            ..waiting("alice", "bob", "hello")
        });
        tokio::pin!(sent);
        assert!(futures_util::poll!(&mut sent).is_pending());
        bob.heard();
        world.pass(ACK_TIMEOUT - Duration::from_millis(1)).await;
        assert!(futures_util::poll!(&mut sent).is_pending());
        bob.heard();
        world.pass(Duration::from_millis(20)).await;
        assert_eq!(sent.await.expect("taken"), expected);
    }
}

#[tokio::test]
async fn a_receiver_within_its_grace_counts_as_there() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.cut();
    let sent = world.send_peer(waiting("alice", "bob", "hello"));
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending());
    let back = world.connect("bob", "", bob.resume()).await;
    assert!(back.connected.resumed);
    assert_eq!(back.take_and_ack(), ["hello"]);
    assert_eq!(sent.await.expect("taken"), DeliveryOutcome::Delivered);
}

#[tokio::test]
async fn a_receiver_who_logs_out_or_is_replaced_is_offline_to_who_waits() {
    let world = world().await;
    let bob = world.login("bob").await;
    let sent = world.send_peer(waiting("alice", "bob", "hello"));
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending());
    bob.logout().await;
    assert_eq!(sent.await.expect("taken"), DeliveryOutcome::Offline { kept: false });

    let bob = world.login("bob").await;
    let sent = world.send_peer(waiting("alice", "bob", "hello"));
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending());
    let again = world.login("bob").await;
    assert_eq!(sent.await.expect("taken"), DeliveryOutcome::Offline { kept: false });
    assert_eq!(bob.closed(), [Closing::Replaced]);
    assert_eq!(again.closed(), []);
    assert_eq!(world.node.metrics().drops(DropReason::SessionEnded), 2);
}

#[tokio::test]
async fn a_grace_that_ends_before_the_ack_timeout_is_offline() {
    let world = world_with(|policy| policy.sessions.grace_ms = 1_000).await;
    let bob = world.login("bob").await;
    bob.cut();
    let sent = world.send_peer(waiting("alice", "bob", "hello"));
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending());
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(sent.await.expect("taken"), DeliveryOutcome::Offline { kept: false });
}

#[tokio::test]
async fn a_message_to_oneself_arrives() {
    let world = world().await;
    let bob = world.login("bob").await;
    world.send("bob", "bob", "note").await;
    assert_eq!(bob.take_texts(), ["note"]);
}

#[tokio::test]
async fn payloads_keep_their_limit() {
    let world = world().await;
    let full = "x".repeat(32_768);
    assert_eq!(world.send("alice", "bob", &full).await, DeliveryOutcome::Sent);
    let over = world.send_peer(peer("alice", "bob", &format!("{full}x"))).await;
    assert!(matches!(over, Err(SendError::PayloadTooLarge { max: 32_768 })));
    assert!(matches!(world.send_peer(peer("alice", "bob", "")).await, Err(SendError::PayloadEmpty)));
    let room = SendRoom { from: user_id("alice"), room: room_id("lobby"), payload: text(""), history: false };
    let empty = world.node.send_room(&world.app, Origin::Backend, room).await;
    assert!(matches!(empty, Err(SendError::PayloadEmpty)));
}

#[tokio::test]
async fn a_client_sends_as_itself() {
    let world = world().await;
    let (alice, bob) = (world.login("alice").await, world.login("bob").await);
    let send = peer("carol", "bob", "hello");
    let sent = world.node.send_peer(&world.app, Origin::Client(alice.session()), send).await.expect("taken");
    assert_eq!(sent.outcome, DeliveryOutcome::Sent);
    assert_eq!(bob.take_messages()[0].0.from.as_str(), "alice");
}

#[tokio::test]
async fn acks_of_messages_that_were_never_offered_change_nothing() {
    let world = world().await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    let sent = world.send_peer(waiting("alice", "bob", "hello"));
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending());
    let id = bob.take_messages()[0].0.id;
    carol.ack(&[id]);
    world.settle().await;
    assert!(futures_util::poll!(&mut sent).is_pending(), "somebody else's ack does not count");
    bob.ack(&[id, id]);
    assert_eq!(sent.await.expect("taken"), DeliveryOutcome::Delivered);
}

#[tokio::test]
async fn a_full_store_refuses_what_is_to_be_kept_and_nothing_else() {
    let world = world().await;
    let bob = world.login("bob").await;
    world.store.refuse_writes(true);
    let kept = world.send_peer(SendPeer { options: kept(), ..peer("alice", "carol", "keep") }).await;
    assert!(matches!(kept, Err(SendError::Store(StoreError::Full))));
    assert_eq!(world.send("alice", "bob", "live").await, DeliveryOutcome::Sent);
    assert_eq!(bob.take_and_ack(), ["live"]);
    let carol = world.login("carol").await;
    world.send("alice", "carol", "live").await;
    assert_eq!(carol.take_texts(), ["live"], "logins go on");
    world.store.refuse_writes(false);
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(world.user_events().await, ["Login bob", "Login carol"], "events wait for the store");
    world.pass(GRACE).await;
}

#[tokio::test]
async fn an_early_ack_makes_a_kept_message_delivered() {
    let world = world().await;
    let bob = world.login("bob").await;
    let send = SendPeer { options: kept(), wait_for_ack: true, ..peer("alice", "bob", "hello") };
    let sent = world.send_peer(send);
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending());
    assert_eq!(bob.take_and_ack(), ["hello"]);
    assert_eq!(sent.await.expect("taken"), DeliveryOutcome::Delivered);
    world.settle().await;
    bob.logout().await;
    assert_eq!(world.login("bob").await.take_texts(), [] as [&str; 0], "it left the inbox");
}

/// Where a user has one device, an ack that is faster than the write makes it needless.
#[tokio::test]
async fn an_ack_before_the_write_answers_at_once() {
    let world = world().await;
    let bob = world.login("bob").await;
    world.store.hold(true);
    for (wait_for_ack, expected) in [(true, DeliveryOutcome::Delivered), (false, DeliveryOutcome::Sent)] {
        let sent = world.send_peer(SendPeer { options: kept(), wait_for_ack, ..peer("alice", "bob", "hello") });
        tokio::pin!(sent);
        assert!(futures_util::poll!(&mut sent).is_pending());
        assert_eq!(bob.take_and_ack(), ["hello"]);
        assert_eq!(sent.await.expect("taken"), expected, "though nothing is written");
    }
    world.store.hold(false);
    assert_eq!(world.inbox_of("bob").await, 0);
}
