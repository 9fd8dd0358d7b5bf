//! Users with several devices: what one acks is still there for the others.

use std::time::Duration;

use stentor_core::app::DevicePolicy;
use stentor_core::delivery::{DeliveryOutcome, Origin, SendError, SendOptions, SendPeer};
use stentor_core::id::{DeviceId, MessageId};
use stentor_core::session::{Closing, LogoutReason};
use stentor_core::store::{InboxReader, InboxStore, StoreError};

use crate::harness::{GRACE, World, kept, peer, user_id, world_with};

async fn several() -> World {
    world_with(|policy| policy.devices = DevicePolicy::Many { max: 4 }).await
}

fn synced(from: &str, to: &str, payload: &str) -> SendPeer {
    SendPeer { options: SendOptions { sync_sender: true, ..kept() }, ..peer(from, to, payload) }
}

/// An ack that comes before the write is its turn must not make it needless: another device is away.
#[tokio::test]
async fn an_early_ack_of_one_device_takes_nothing_from_the_others() {
    let world = several().await;
    world.connect("bob", "laptop", None).await.logout().await;
    let (phone, tablet) = (world.connect("bob", "phone", None).await, world.connect("bob", "tablet", None).await);
    for wait_for_ack in [false, true] {
        let sent = world.send_peer(SendPeer { options: kept(), wait_for_ack, ..peer("alice", "bob", "hello") });
        tokio::pin!(sent);
        world.store.hold(true);
        assert!(futures_util::poll!(&mut sent).is_pending());
        assert_eq!(phone.take_and_ack(), ["hello"]);
        assert!(futures_util::poll!(&mut sent).is_pending(), "the other devices' copy is not durable");
        world.store.hold(false);
        let expected = if wait_for_ack { DeliveryOutcome::Delivered } else { DeliveryOutcome::Sent };
        assert_eq!(sent.await.expect("taken"), expected, "one device is enough for delivered");
        assert_eq!(tablet.take_texts(), ["hello"], "not acked");
    }
    world.settle().await;
    for (device, expected) in [("phone", 0), ("laptop", 2), ("tablet", 2), ("new", 0)] {
        assert_eq!(world.connect("bob", device, None).await.take_texts().len(), expected, "{device}");
    }
}

/// Refused by the store, an acked message is not taken for sent: the other devices do not have it.
#[tokio::test]
async fn an_early_ack_does_not_hide_that_the_store_refused() {
    let world = several().await;
    let phone = world.connect("bob", "phone", None).await;
    world.store.refuse_writes(true);
    for wait_for_ack in [false, true] {
        let sent = world.send_peer(SendPeer { options: kept(), wait_for_ack, ..peer("alice", "bob", "hello") });
        tokio::pin!(sent);
        world.store.hold(true);
        assert!(futures_util::poll!(&mut sent).is_pending());
        phone.take_and_ack();
        world.store.hold(false);
        assert!(matches!(sent.await, Err(SendError::Store(StoreError::Full))));
    }
}

#[tokio::test]
async fn a_resumed_device_gets_what_it_has_not_acked() {
    let world = several().await;
    let (phone, laptop) = (world.connect("bob", "phone", None).await, world.connect("bob", "laptop", None).await);
    phone.cut();
    world.keep("alice", "bob", "one").await;
    assert_eq!(laptop.take_and_ack(), ["one"]);
    laptop.cut();
    world.keep("alice", "bob", "two").await;
    world.settle().await;
    let phone = world.connect("bob", "phone", phone.resume()).await;
    assert!(phone.connected.resumed);
    assert_eq!(phone.take_texts(), ["one", "two"], "taken, not acked");

    let world = world.restarted().await;
    let again = world.connect("bob", "phone", phone.resume()).await;
    assert!(again.connected.resumed, "sessions survive");
    assert_eq!(again.take_and_ack(), ["one", "two"]);
    world.settle().await;
    let laptop = world.connect("bob", "laptop", laptop.resume()).await;
    assert_eq!(laptop.take_and_ack(), ["two"]);
    world.settle().await;
    assert_eq!(world.inbox_of("bob").await, 0);
}

#[tokio::test]
async fn a_device_never_seen_before_begins_with_what_nobody_has_acked() {
    let world = several().await;
    world.keep("alice", "bob", "zero").await;
    let phone = world.connect("bob", "phone", None).await;
    world.keep("alice", "bob", "one").await;
    world.keep("alice", "bob", "two").await;
    let ids: Vec<_> = phone.take_messages().iter().map(|(message, _)| message.id).collect();
    phone.ack(&ids[1..2]);
    world.settle().await;
    let tablet = world.connect("bob", "tablet", None).await;
    assert_eq!(tablet.take_texts(), ["zero", "two"]);
    phone.ack(&ids);
    world.settle().await;
    assert_eq!(world.connect("bob", "tablet", None).await.take_texts(), ["zero", "two"], "seen before: its own");
}

#[tokio::test]
async fn the_senders_other_devices_get_a_copy() {
    let world = several().await;
    let (mine, other) = (world.connect("alice", "mine", None).await, world.connect("alice", "other", None).await);
    world.connect("alice", "away", None).await.logout().await;
    let bob = world.connect("bob", "phone", None).await;
    let origin = Origin::Client(mine.session());
    world.node.send_peer(&world.app, origin, synced("alice", "bob", "hello")).await.expect("taken");
    assert_eq!((bob.take_and_ack(), other.take_and_ack()), (vec!["hello".to_owned()], vec!["hello".to_owned()]));
    assert_eq!(mine.take_texts(), [] as [&str; 0]);
    world.settle().await;
    for (device, expected) in [("mine", 0), ("other", 0), ("away", 1), ("new", 0)] {
        assert_eq!(world.connect("alice", device, None).await.take_texts().len(), expected, "{device}");
    }
}

#[tokio::test]
async fn a_copy_is_no_delivery() {
    let world = several().await;
    let (mine, other) = (world.connect("alice", "mine", None).await, world.connect("alice", "other", None).await);
    let send = SendPeer { wait_for_ack: true, ..synced("alice", "bob", "hello") };
    let sent = tokio::select! {
        sent = world.node.send_peer(&world.app, Origin::Client(mine.session()), send) => sent.expect("taken"),
        () = world.settle() => panic!("nobody is there whose ack is worth waiting for"),
    };
    assert_eq!(sent.outcome, DeliveryOutcome::Offline { kept: true }, "bob is away");
    assert_eq!(other.take_and_ack(), ["hello"]);
}

#[tokio::test]
async fn a_backend_sends_a_copy_to_every_device_of_the_sender() {
    let world = several().await;
    let (one, two) = (world.connect("alice", "one", None).await, world.connect("alice", "two", None).await);
    world.send_peer(synced("alice", "bob", "hello")).await.expect("taken");
    assert_eq!((one.take_texts().len(), two.take_texts().len()), (1, 1));
    // Not kept: only for who is there.
    let options = SendOptions { online_only: true, sync_sender: true, ..kept() };
    world.send_peer(SendPeer { options, ..peer("alice", "bob", "now") }).await.expect("taken");
    assert_eq!((one.take_texts(), two.take_and_ack().len()), (vec!["now".to_owned()], 1));
    world.settle().await;
    assert_eq!((world.inbox_of("alice").await, world.inbox_of("bob").await), (1, 1));
}

#[tokio::test]
async fn a_note_to_oneself_is_for_the_other_devices() {
    let world = several().await;
    let mine = world.connect("alice", "mine", None).await;
    let note = async |text: &str| {
        let origin = Origin::Client(mine.session());
        world.node.send_peer(&world.app, origin, synced("alice", "alice", text)).await.expect("taken");
        world.settle().await;
    };
    note("alone").await;
    assert_eq!((mine.take_texts().len(), world.inbox_of("alice").await), (0, 0), "it has it, and there is no other");
    let other = world.connect("alice", "other", None).await;
    note("two").await;
    assert_eq!((mine.take_texts(), other.take_texts()), (Vec::new(), vec!["two".to_owned()]));
    assert_eq!(world.inbox_of("alice").await, 0, "a device has it");
    // Nor does it come later.
    mine.cut();
    let again = world.connect("alice", "mine", None).await;
    assert!(again.take_texts().is_empty());
    other.cut();
    let other = world.connect("alice", "other", None).await;
    assert_eq!(other.take_and_ack(), ["two"]);
    // The backend has no device.
    world.send_peer(synced("alice", "alice", "from the app")).await.expect("taken");
    assert_eq!((again.take_texts().len(), other.take_texts().len()), (1, 1));
}

#[tokio::test]
async fn where_a_user_has_one_device_a_copy_is_of_no_use() {
    let world = world_with(|_| {}).await;
    let alice = world.login("alice").await;
    let origin = Origin::Client(alice.session());
    world.node.send_peer(&world.app, origin, synced("alice", "bob", "hello")).await.expect("taken");
    assert_eq!((alice.take_texts().len(), world.inbox_of("alice").await, world.inbox_of("bob").await), (0, 0, 1));
}

async fn two() -> World {
    world_with(|policy| policy.devices = DevicePolicy::Many { max: 2 }).await
}

/// What is unread for a device: those of the messages that it has a cursor for, or that nobody has acked.
async fn unread(world: &World, device: &str) -> Vec<String> {
    let reader =
        InboxReader { app: world.app.id().clone(), user: user_id("bob"), device: DeviceId::from_trusted(device) };
    let page = world.store.inbox_page(&reader, MessageId::ZERO, MessageId::MAX, 99, 0).await.expect("read");
    page.iter().map(|message| String::from_utf8(message.payload.to_vec()).expect("text")).collect()
}

#[tokio::test]
async fn the_device_idle_longest_is_forgotten_when_one_more_comes() {
    let world = two().await;
    let phone = world.connect("bob", "phone", None).await;
    world.clock.advance(Duration::from_secs(1));
    let laptop = world.connect("bob", "laptop", None).await;
    world.clock.advance(Duration::from_secs(1));
    laptop.logout().await;
    world.clock.advance(Duration::from_secs(1));
    // Logged in first, but there until now.
    phone.logout().await;
    world.keep("alice", "bob", "one").await;
    let tablet = world.connect("bob", "tablet", None).await;
    assert_eq!(tablet.take_and_ack(), ["one"]);
    world.settle().await;
    assert_eq!((unread(&world, "phone").await, unread(&world, "laptop").await), (vec!["one".to_owned()], vec![]));
    let laptop = world.connect("bob", "laptop", None).await;
    assert_eq!(laptop.take_texts(), [] as [&str; 0], "it comes as a new one: what was acked anywhere is not for it");
    world.settle().await;
    assert_eq!(unread(&world, "phone").await, [] as [&str; 0], "now that one was idle longest");
    assert_eq!(world.inbox_of("bob").await, 0);
}

#[tokio::test]
async fn a_device_that_is_logged_in_is_not_forgotten() {
    let world = two().await;
    let phone = world.connect("bob", "phone", None).await;
    world.clock.advance(Duration::from_secs(5));
    world.connect("bob", "laptop", None).await.logout().await;
    phone.cut();
    let tablet = world.connect("bob", "tablet", None).await;
    world.keep("alice", "bob", "one").await;
    assert_eq!(tablet.take_and_ack(), ["one"]);
    world.settle().await;
    assert_eq!(unread(&world, "laptop").await, [] as [&str; 0], "seen later, but not there");
    let phone = world.connect("bob", "phone", phone.resume()).await;
    assert!(phone.connected.resumed);
    assert_eq!(phone.take_and_ack(), ["one"], "within its grace it counts as there");
}

/// Of two sessions that the policy allows, the newest stay, whatever their devices' age; so do their cursors.
#[tokio::test]
async fn the_device_whose_session_is_replaced_is_the_one_forgotten() {
    let world = two().await;
    let first = world.connect("bob", "first", None).await;
    world.clock.advance(Duration::from_secs(5));
    let second = world.connect("bob", "second", None).await;
    let third = world.connect("bob", "third", None).await;
    assert_eq!((first.closed(), second.closed()), (vec![Closing::Replaced], vec![]));
    world.keep("alice", "bob", "one").await;
    assert_eq!(third.take_and_ack(), ["one"]);
    world.settle().await;
    assert_eq!((unread(&world, "first").await, unread(&world, "second").await), (vec![], vec!["one".to_owned()]));
}

#[tokio::test]
async fn a_device_was_there_until_its_session_ended_also_over_a_restart() {
    let world = two().await;
    let _phone = world.connect("bob", "phone", None).await;
    let world = world.restarted().await;
    world.clock.advance(Duration::from_secs(1));
    world.connect("bob", "laptop", None).await.logout().await;
    world.pass(GRACE).await;
    world.connect("bob", "tablet", None).await.logout().await;
    world.keep("alice", "bob", "one").await;
    let tablet = world.connect("bob", "tablet", None).await;
    assert_eq!(tablet.take_and_ack(), ["one"]);
    world.settle().await;
    assert_eq!((unread(&world, "phone").await, unread(&world, "laptop").await), (vec!["one".to_owned()], vec![]));
}

#[tokio::test]
async fn a_device_is_forgotten_and_comes_back_as_a_new_one() {
    let world = several().await;
    let (phone, laptop) = (world.connect("bob", "phone", None).await, world.connect("bob", "laptop", None).await);
    world.keep("alice", "bob", "one").await;
    world.keep("alice", "bob", "two").await;
    phone.ack(&[phone.take_messages()[0].0.id]);
    world.settle().await;
    let forget = async |device: &str| {
        let device = DeviceId::from_trusted(device);
        world.node.forget_device(&world.app, &user_id("bob"), &device).await.expect("forgotten")
    };
    assert_eq!((forget("laptop").await, forget("laptop").await, forget("unknown").await), (1, 0, 0));
    assert_eq!((laptop.closed(), phone.closed()), (vec![Closing::LoggedOut(LogoutReason::Forced)], vec![]));
    laptop.ack(&laptop.take_messages().iter().map(|(message, _)| message.id).collect::<Vec<_>>());
    world.settle().await;
    assert_eq!(world.inbox_of("bob").await, 1, "what comes from a session that has ended is ignored");
    assert_eq!(world.connect("bob", "laptop", None).await.take_texts(), ["two"]);
}

/// While the disk is full a device cannot be registered; it is when there is space again, without a new login.
#[tokio::test]
async fn a_device_is_registered_as_soon_as_the_store_takes_it() {
    let world = several().await;
    let phone = world.connect("bob", "phone", None).await;
    world.store.refuse_writes(true);
    let laptop = world.connect("bob", "laptop", None).await;
    world.store.refuse_writes(false);
    phone.heard();
    laptop.heard();
    world.pass(Duration::from_secs(2)).await;
    world.keep("alice", "bob", "one").await;
    assert_eq!(phone.take_and_ack(), ["one"]);
    world.settle().await;
    assert_eq!(unread(&world, "laptop").await, ["one"]);
}

/// Everything that is offered to a session is kept for its device, too: it is registered before it can be found.
#[tokio::test]
async fn a_device_is_registered_before_anything_is_offered_to_it() {
    let world = several().await;
    let phone = world.connect("bob", "phone", None).await;
    world.store.hold(true);
    let laptop = world.connect("bob", "laptop", None);
    tokio::pin!(laptop);
    assert!(futures_util::poll!(&mut laptop).is_pending(), "the session is there and waits for its record");
    let sent = world.send_peer(SendPeer { options: kept(), ..peer("alice", "bob", "one") });
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending());
    assert_eq!(phone.take_and_ack(), ["one"]);
    world.store.hold(false);
    sent.await.expect("taken");
    assert_eq!(laptop.await.take_texts(), ["one"]);
    assert_eq!(unread(&world, "laptop").await, ["one"], "not acked");
}

#[tokio::test]
async fn a_message_that_one_device_has_waits_no_more() {
    let world = several().await;
    let phone = world.connect("bob", "phone", None).await;
    world.connect("bob", "laptop", None).await.logout().await;
    world.keep("alice", "bob", "one").await;
    world.keep("alice", "bob", "two").await;
    let id = phone.take_messages()[0].0.id;
    let bob = user_id("bob");
    assert_eq!(world.node.offline_messages(&world.app, &bob).await.expect("counts"), 2);
    assert!(world.node.is_undelivered(&world.app, &bob, id).await.expect("looks"));
    phone.ack(&[id]);
    world.settle().await;
    assert_eq!(world.node.offline_messages(&world.app, &bob).await.expect("counts"), 1);
    assert!(!world.node.is_undelivered(&world.app, &bob, id).await.expect("looks"));
    assert_eq!(unread(&world, "laptop").await, ["one", "two"]);
}
