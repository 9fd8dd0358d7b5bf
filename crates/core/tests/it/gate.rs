//! The gate: what is asked about, what becomes of it, and that a client's messages keep their order.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use stentor_core::delivery::{Origin, SendError, SendGroup, SendOptions, SendPeer, SendRoom, SendUsers};
use stentor_core::gate::{Gate, Proposed, Verdict};
use stentor_core::message::{Marks, MessageKind, Priority};
use stentor_core::observer::Hooks;
use tokio::sync::Semaphore;

use crate::harness::{Client, World, group, kept, peer, text, to_room, user_id, world};

/// Decides by what the payload says. What begins with "slow" waits for a permit.
#[derive(Debug)]
struct Doorman {
    asked: Mutex<Vec<String>>,
    patience: Semaphore,
}

#[async_trait]
impl Gate for Doorman {
    async fn ask(&self, proposed: Proposed<'_>) -> Verdict {
        let payload = String::from_utf8(proposed.payload.to_vec()).expect("text");
        self.asked.lock().push(format!("{} to {}: {payload}", proposed.from, proposed.to.name()));
        if payload.starts_with("slow") {
            self.patience.acquire().await.expect("open").forget();
        }
        match payload.as_str() {
            "no" | "slow no" => Verdict::Deny("custom logic denied".to_owned()),
            "swear" => Verdict::Change { payload: Some(text("****")), priority: Some(Priority::Low) },
            "long" => Verdict::Change { payload: Some(text(&"x".repeat(40_000))), priority: None },
            _ => Verdict::Allow,
        }
    }
}

async fn guarded() -> (World, Arc<Doorman>) {
    let world = world().await;
    let doorman = Arc::new(Doorman { asked: Mutex::default(), patience: Semaphore::new(0) });
    assert!(world.app.hook(Hooks { observers: Vec::new(), gate: Some(doorman.clone()) }));
    (world, doorman)
}

async fn say(world: &World, client: &Client, to: &str, payload: &str) -> Result<(), SendError> {
    world.node.send_peer(&world.app, Origin::Client(client.session()), peer("x", to, payload)).await.map(|_| ())
}

#[tokio::test]
async fn a_clients_message_is_taken_changed_or_refused() {
    let (world, doorman) = guarded().await;
    let (alice, bob) = (world.login("alice").await, world.login("bob").await);
    say(&world, &alice, "bob", "hello").await.expect("taken");
    say(&world, &alice, "bob", "swear").await.expect("taken");
    let refused = say(&world, &alice, "bob", "no").await.expect_err("refused");
    assert!(matches!(&refused, SendError::Denied(why) if why == "custom logic denied"), "{refused}");
    let refused = say(&world, &alice, "bob", "long").await.expect_err("what is changed has the app's limit, too");
    assert!(matches!(refused, SendError::PayloadTooLarge { .. }), "{refused}");
    let messages = bob.take_messages();
    assert_eq!(messages.len(), 2);
    assert_eq!((&messages[1].0.payload, messages[1].0.marks.priority), (&text("****"), Priority::Low));
    assert_eq!(doorman.asked.lock()[0], "alice to bob: hello");
}

#[tokio::test]
async fn every_way_to_send_is_asked_about() {
    let (world, doorman) = guarded().await;
    let (alice, bob) = (world.login("alice").await, world.login("bob").await);
    world.add_members("team", &["alice", "bob"]).await;
    alice.join("lobby").await;
    bob.join("lobby").await;
    let (node, app, origin) = (&world.node, &world.app, Origin::Client(alice.session()));
    let to = vec![user_id("bob"), user_id("carol")];
    let users = SendUsers { from: user_id("x"), to, payload: text("swear"), options: kept() };
    node.send_users(app, origin, users).await.expect("taken");
    node.send_group(app, origin, group("x", "team", "swear")).await.expect("taken");
    node.send_room(app, origin, to_room("x", "lobby", "swear")).await.expect("taken");
    for refused in ["no", "slow no"] {
        doorman.patience.add_permits(1);
        assert!(node.send_group(app, origin, group("x", "team", refused)).await.is_err());
        doorman.patience.add_permits(1);
        assert!(node.send_room(app, origin, to_room("x", "lobby", refused)).await.is_err());
    }
    assert_eq!(bob.take_texts(), ["****"; 3]);
    assert_eq!(
        doorman.asked.lock()[..4],
        ["alice to bob: swear", "alice to carol: ****", "alice to team: swear", "alice to lobby: swear"]
    );
}

#[tokio::test]
async fn the_backend_targeted_messages_and_other_kinds_are_not_asked_about() {
    let (world, doorman) = guarded().await;
    let (alice, bob) = (world.login("alice").await, world.login("bob").await);
    world.add_members("team", &["alice", "bob"]).await;
    alice.join("lobby").await;
    bob.join("lobby").await;
    let (node, app, origin) = (&world.node, &world.app, Origin::Client(alice.session()));
    world.send("alice", "bob", "no").await;
    let only_for = vec![user_id("bob")];
    let targeted = SendGroup { only_for: only_for.clone(), ..group("x", "team", "no") };
    node.send_group(app, origin, targeted).await.expect("taken");
    let targeted = SendRoom { only_for, ..to_room("x", "lobby", "no") };
    node.send_room(app, origin, targeted).await.expect("taken");
    let recall =
        SendOptions { marks: Marks { kind: MessageKind::Recall, ..Marks::default() }, ..SendOptions::default() };
    node.send_peer(app, origin, SendPeer { options: recall, ..peer("x", "bob", "no") }).await.expect("taken");
    let edit = SendOptions { marks: Marks { kind: MessageKind::Edit, ..Marks::default() }, ..SendOptions::default() };
    node.send_room(app, origin, SendRoom { options: edit, ..to_room("x", "lobby", "no") }).await.expect("taken");
    assert_eq!(bob.take_texts(), ["no"; 5]);
    assert_eq!(doorman.asked.lock().len(), 0);
}

#[tokio::test]
async fn messages_of_one_client_keep_their_order_and_are_asked_about_together() {
    let (world, doorman) = guarded().await;
    let (alice, bob, carol) = (world.login("alice").await, world.login("bob").await, world.login("carol").await);
    alice.join("lobby").await;
    bob.join("lobby").await;
    let (node, app) = (&world.node, &world.app);
    let origin = Origin::Client(alice.session());
    let all = async {
        tokio::join!(
            say(&world, &alice, "bob", "slow 1"),
            say(&world, &alice, "bob", "2"),
            say(&world, &alice, "bob", "no"),
            async { node.send_room(app, origin, to_room("x", "lobby", "3")).await.map(|_| ()) },
            say(&world, &alice, "bob", "slow 4"),
            say(&world, &alice, "bob", "5"),
        )
    };
    let watch = async {
        world.settle().await;
        assert_eq!(doorman.asked.lock().len(), 6, "all of them are asked about meanwhile");
        assert_eq!(bob.take_texts(), [""; 0]);
        say(&world, &carol, "bob", "from another").await.expect("another client does not wait");
        assert_eq!(bob.take_texts(), ["from another"]);
        doorman.patience.add_permits(1);
        world.settle().await;
        assert_eq!(bob.take_texts(), ["slow 1", "2", "3"]);
        doorman.patience.add_permits(1);
    };
    let (sent, ()) = tokio::join!(all, watch);
    assert!(sent.2.is_err() && sent.0.is_ok() && sent.5.is_ok());
    assert_eq!(bob.take_texts(), ["slow 4", "5"]);
}

#[tokio::test]
async fn who_gives_up_lets_nobody_overtake() {
    let (world, doorman) = guarded().await;
    let (alice, bob) = (world.login("alice").await, world.login("bob").await);
    let first = say(&world, &alice, "bob", "slow 1");
    let given_up = say(&world, &alice, "bob", "slow 2");
    let third = say(&world, &alice, "bob", "3");
    let mut first = Box::pin(first);
    let mut given_up = Box::pin(given_up);
    let mut third = Box::pin(third);
    // Each is begun, in order.
    assert!(futures_util::poll!(&mut first).is_pending());
    assert!(futures_util::poll!(&mut given_up).is_pending());
    assert!(futures_util::poll!(&mut third).is_pending());
    drop(given_up);
    assert!(futures_util::poll!(&mut third).is_pending(), "the first is still being asked about");
    doorman.patience.add_permits(1);
    first.await.expect("taken");
    third.await.expect("taken");
    assert_eq!(bob.take_texts(), ["slow 1", "3"]);
}
