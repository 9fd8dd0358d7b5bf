//! Losing the connection and coming back.

use std::time::Duration;

use stentor_core::delivery::DeliveryOutcome;
use stentor_core::id::{MessageId, SessionId};
use stentor_core::metrics::DropReason;
use stentor_core::notice::Notice;
use stentor_core::session::{Closing, ConnectError, Resume};

use crate::harness::{GRACE, peer, room_id, world};

#[tokio::test]
async fn back_within_the_grace_nobody_notices() {
    let world = world().await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    carol.join("lobby").await;
    bob.join("lobby").await;
    world.user_events().await;
    world.room_events().await;
    world.pass(Duration::from_secs(2)).await;
    carol.take();
    bob.cut();
    carol.heard();
    world.pass(GRACE - Duration::from_millis(100)).await;
    carol.heard();
    let back = world.connect("bob", "", bob.resume()).await;
    assert!(back.connected.resumed);
    assert_eq!(back.connected.rooms, [room_id("lobby")]);
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(world.user_events().await, [] as [&str; 0]);
    assert_eq!(world.room_events().await, [] as [&str; 0]);
    assert_eq!(carol.take(), []);
    world.send_room("alice", "lobby", "still in").await;
    assert_eq!(back.take_texts(), ["still in"]);
}

#[tokio::test]
async fn after_the_grace_the_user_leaves_and_is_logged_out_once() {
    let world = world().await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    carol.join("lobby").await;
    bob.join("lobby").await;
    carol.take();
    bob.cut();
    for _ in 0..3 {
        carol.heard();
        world.pass(GRACE / 2).await;
    }
    assert_eq!(world.user_events().await, ["Login bob", "Login carol", "Logout bob"]);
    assert_eq!(world.room_events().await, ["Join carol lobby", "Join bob lobby", "Leave bob lobby"]);
    assert!(
        carol.take().contains(&Notice::MemberLeft { room: room_id("lobby"), user: crate::harness::user_id("bob") })
    );
    let back = world.connect("bob", "", bob.resume()).await;
    assert!(!back.connected.resumed);
    assert_eq!(world.user_events().await, ["Login bob"]);
}

#[tokio::test]
async fn a_silent_connection_ends_like_a_lost_one() {
    let world = world().await;
    let bob = world.login("bob").await;
    world.pass(GRACE - Duration::from_millis(100)).await;
    bob.heard();
    world.pass(GRACE - Duration::from_millis(100)).await;
    assert_eq!(bob.closed(), [], "it was heard of");
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(bob.closed(), [Closing::Silent]);
    assert_eq!(world.user_events().await, ["Login bob", "Logout bob"]);
}

#[tokio::test]
async fn unacked_peer_messages_come_again_and_acked_ones_do_not() {
    let world = world().await;
    let bob = world.login("bob").await;
    for number in 0..4 {
        world.send("alice", "bob", &number.to_string()).await;
    }
    let messages = bob.take_messages();
    bob.ack(&[messages[1].0.id]);
    bob.cut();
    world.send("alice", "bob", "gap").await;
    world.keep("alice", "bob", "kept gap").await;
    let back = world.connect("bob", "", bob.resume()).await;
    assert_eq!(back.take_and_ack(), ["0", "2", "3", "gap", "kept gap"]);
    world.settle().await;
    back.cut();
    assert_eq!(world.connect("bob", "", back.resume()).await.take_texts(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_gap_beyond_the_mailbox_ends_the_session() {
    let world = world().await; // 64 notices
    let bob = world.login("bob").await;
    bob.cut();
    for number in 0..64 {
        world.send("alice", "bob", &number.to_string()).await;
    }
    assert_eq!(world.user_events().await, ["Login bob"]);
    let outcome = world
        .send_peer(stentor_core::delivery::SendPeer { wait_for_ack: true, ..peer("alice", "bob", "one too many") });
    assert_eq!(outcome.await.expect("taken"), DeliveryOutcome::Offline { kept: false });
    world.settle().await;
    assert_eq!(world.user_events().await, ["Logout bob"]);
    assert_eq!(world.node.metrics().drops(DropReason::SessionEnded), 64);
    assert!(!world.connect("bob", "", bob.resume()).await.connected.resumed);
}

#[tokio::test]
async fn at_most_32_room_messages_are_replayed_and_the_rest_is_told() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.join("one").await;
    bob.join("two").await;
    let seen = world.send_room("alice", "one", "seen").await;
    assert!(bob.take_texts().contains(&"seen".to_owned()));
    bob.cut();
    for number in 0..25 {
        world.send_room("alice", "one", &format!("one {number}")).await;
        world.send_room("alice", "two", &format!("two {number}")).await;
    }
    world.send_room("bob", "one", "own").await;
    let resume = Resume { session: bob.session().id(), rooms: Some(vec![(room_id("one"), seen)]) };
    let back = world.connect("bob", "", Some(resume)).await;
    let notices = back.take();
    let missed = |room: &str, count| Notice::RoomMessagesMissed { room: room_id(room), count };
    assert_eq!(notices[..2], [missed("one", 9), missed("two", 9)]);
    assert_eq!(notices.len(), 34);
    let Notice::RoomMessage { message, .. } = &notices[2] else { panic!("a message") };
    assert_eq!(&message.payload[..], b"one 9");
    assert_eq!(world.node.metrics().drops(DropReason::ReplayLimit), 18);
}

#[tokio::test]
async fn nothing_falls_between_replay_and_live() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    // Written to a socket that was dead already: the client never saw it.
    world.send_room("alice", "lobby", "lost on the wire").await;
    bob.take();
    bob.cut();
    world.send_room("alice", "lobby", "in the gap").await;
    let resume = Resume { session: bob.session().id(), rooms: Some(vec![(room_id("lobby"), MessageId::ZERO)]) };
    let back = world.connect("bob", "", Some(resume)).await;
    world.send_room("alice", "lobby", "live").await;
    assert_eq!(back.take_texts(), ["lost on the wire", "in the gap", "live"]);
}

#[tokio::test]
async fn nobody_is_told_to_have_missed_what_he_has_read() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    let read = world.send_room("alice", "lobby", "read").await;
    assert!(bob.take_texts().contains(&"read".to_owned()));
    for _ in 0..3 {
        bob.heard();
        world.pass(GRACE / 2).await;
    }
    bob.cut();
    for rooms in [Vec::new(), vec![(room_id("lobby"), read)]] {
        let resume = Resume { session: bob.session().id(), rooms: Some(rooms) };
        let back = world.connect("bob", "", Some(resume)).await;
        assert!(back.connected.resumed);
        assert_eq!(back.take(), []);
        back.cut();
    }
}

#[tokio::test]
async fn a_slow_consumer_is_cut_and_may_come_back() {
    let world = world().await; // 64 notices
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    bob.join("lobby").await;
    carol.join("lobby").await;
    world.send("alice", "bob", "peer").await;
    let mut carols = Vec::new();
    for number in 0..100 {
        world.send_room("alice", "lobby", &number.to_string()).await;
        carols.extend(carol.take_texts());
    }
    assert_eq!(bob.closed(), [Closing::SlowConsumer]);
    assert_eq!(carols.len(), 100, "its neighbour notices nothing");
    assert_eq!(bob.session().waiting(), 0, "a cut client costs nothing");
    assert_eq!(world.node.metrics().drops(DropReason::SlowConsumer), 1);
    let back = world.connect("bob", "", bob.resume()).await;
    assert!(back.connected.resumed);
    let texts = back.take_texts();
    assert_eq!(texts.len(), 33, "32 of the room, and the peer message");
    assert!(texts.contains(&"peer".to_owned()) && texts.contains(&"99".to_owned()));
}

#[tokio::test]
async fn a_resume_on_a_live_connection_supersedes_it() {
    let world = world().await;
    let bob = world.login("bob").await;
    let back = world.connect("bob", "", bob.resume()).await;
    assert!(back.connected.resumed);
    assert_eq!(bob.closed(), [Closing::Superseded]);
    bob.cut();
    world.send("alice", "bob", "hello").await;
    let mut stolen = Vec::new();
    bob.session().take(bob.connected.attachment, 10, 1000, &mut stolen);
    assert!(stolen.is_empty(), "the stale connection gets nothing");
    assert_eq!(back.take_texts(), ["hello"], "the end of the stale connection changes nothing");
}

#[tokio::test]
async fn somebody_elses_session_cannot_be_resumed() {
    let world = world().await;
    let bob = world.login("bob").await;
    let eve = world.connect("eve", "", bob.resume()).await;
    assert!(!eve.connected.resumed);
    let made_up = Some(Resume { session: SessionId(1), rooms: Some(Vec::new()) });
    assert!(!world.connect("bob", "", made_up).await.connected.resumed);
    assert_eq!(bob.closed(), [Closing::Replaced]);
}

#[tokio::test]
async fn a_draining_node_sends_everybody_away_and_keeps_their_sessions() {
    let world = world().await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    world.node.drain(5_000);
    for client in [&bob, &carol] {
        assert!(matches!(client.closed()[..], [Closing::Draining { reconnect_after_ms: 0..=5_000 }]));
    }
    let login = stentor_core::session::Login {
        user: crate::harness::user_id("dave"),
        device: stentor_core::id::DeviceId::only(),
        expires_at_ms: None,
        resume: None,
        silence_ms: None,
        to_replaced: None,
    };
    let outlet = std::sync::Arc::new(crate::harness::TestOutlet::default());
    let refused = world.node.connect(&world.app, login, outlet).await;
    assert!(matches!(refused, Err(ConnectError::Draining)));
    bob.cut();
    world.pass(GRACE * 2).await;
    let restarted = world.restarted().await;
    assert!(restarted.connect("bob", "", bob.resume()).await.connected.resumed);
    assert_eq!(restarted.user_events().await, ["Login bob", "Login carol"]);
}

#[tokio::test]
async fn a_session_whose_connection_was_forgotten_ends_by_itself() {
    let world = world().await;
    {
        let connecting = world.connect("bob", "", None);
        tokio::pin!(connecting);
        let _ = futures_util::poll!(&mut connecting);
    }
    world.pass(GRACE + Duration::from_secs(2)).await;
    assert_eq!(world.user_events().await, ["Login bob", "Logout bob"]);
    assert_eq!(world.node.census(), stentor_core::node::Census::default());
}
