//! Messages kept for users who have not acked them.

use std::sync::Arc;
use std::time::Duration;

use stentor_core::app::DevicePolicy;
use stentor_core::delivery::{DeliveryOutcome, SendPeer};
use stentor_core::session::Closing;
use stentor_core::store::InboxStore;

use crate::harness::{kept, peer, user_id, world, world_with};

#[tokio::test]
async fn kept_messages_come_at_login_in_order_and_leave_with_their_ack() {
    let world = world().await;
    for number in 0..150 {
        assert_eq!(world.keep("alice", "bob", &number.to_string()).await, DeliveryOutcome::Sent);
    }
    let bob = world.login("bob").await;
    let mut texts = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..20 {
        for (message, from_inbox) in bob.take_messages() {
            assert!(from_inbox);
            texts.push(String::from_utf8(message.payload.to_vec()).expect("text"));
            ids.push(message.id);
        }
        world.settle().await;
    }
    assert_eq!(texts, (0..150).map(|number| number.to_string()).collect::<Vec<_>>());

    bob.ack(&ids[..100]);
    world.settle().await;
    bob.logout().await;
    let bob = world.login("bob").await;
    world.settle().await;
    assert_eq!(
        bob.take_texts().len() + {
            world.settle().await;
            bob.take_texts().len()
        },
        50,
        "unacked ones come again"
    );
}

#[tokio::test]
async fn a_message_handed_to_a_socket_that_never_acks_is_still_in_the_inbox() {
    let world = world().await;
    let bob = world.login("bob").await;
    world.keep("alice", "bob", "hello").await;
    assert_eq!(bob.take_texts(), ["hello"]);
    assert_eq!(world.store.inbox_count(world.app.id(), &user_id("bob"), 0).await.expect("counts"), 1);
    bob.logout().await;
    let bob = world.login("bob").await;
    assert_eq!(bob.take_and_ack(), ["hello"]);
    world.settle().await;
    assert_eq!(world.store.inbox_count(world.app.id(), &user_id("bob"), 0).await.expect("counts"), 0);
}

#[tokio::test]
async fn the_newest_replaces_the_oldest_at_the_cap() {
    let world = world().await;
    for number in 0..201 {
        world.keep("alice", "bob", &number.to_string()).await;
    }
    let bob = world.login("bob").await;
    let mut texts = Vec::new();
    for _ in 0..20 {
        texts.extend(bob.take_and_ack());
        world.settle().await;
    }
    assert_eq!(texts, (1..201).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn kept_messages_last_seven_days() {
    let world = world().await;
    world.keep("alice", "bob", "old").await;
    world.clock.advance(Duration::from_secs(3 * 86_400));
    world.keep("alice", "bob", "young").await;
    world.clock.advance(Duration::from_secs(4 * 86_400) + Duration::from_millis(1));
    assert_eq!(world.login("bob").await.take_texts(), ["young"]);
}

#[tokio::test]
async fn live_messages_wait_for_the_inbox() {
    let world = world().await;
    for number in 0..60 {
        world.keep("alice", "bob", &number.to_string()).await;
    }
    // Big enough that the hand-over pauses until the client has taken some.
    let big = "x".repeat(30_000);
    for _ in 0..30 {
        world.keep("alice", "bob", &big).await;
    }
    let bob = world.login("bob").await;
    world.settle().await;
    world.send("alice", "bob", "live").await;
    world.keep("alice", "bob", "live and kept").await;
    let mut texts = Vec::new();
    for _ in 0..40 {
        texts.extend(bob.take_texts());
        world.settle().await;
    }
    assert_eq!(texts.len(), 92, "nothing is lost or doubled");
    assert_eq!(texts[..60], (0..60).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(texts[90..], ["live", "live and kept"]);
}

/// Connects the receiver between the moment at which nobody was found and the moment at which the message is
/// stored.
#[tokio::test]
async fn the_late_joiner_gets_the_message() {
    let world = world().await;
    let send = SendPeer { options: kept(), ..peer("alice", "bob", "hello") };
    let sent = world.send_peer(send);
    tokio::pin!(sent);
    // Everything up to the wait for the store happens here: the receiver was looked for and not found.
    let pending = futures_util::poll!(&mut sent).is_pending();
    assert!(pending, "the sender waits for the store");
    let bob = world.login("bob").await;
    assert_eq!(sent.await.expect("taken"), DeliveryOutcome::Sent);
    world.settle().await;
    assert_eq!(bob.take_texts(), ["hello"], "once, from the inbox or from the second look");
}

#[tokio::test]
async fn a_sender_that_hangs_up_does_not_lose_the_message() {
    let world = world().await;
    {
        let sent = world.send_peer(SendPeer { options: kept(), ..peer("alice", "bob", "hello") });
        tokio::pin!(sent);
        assert!(futures_util::poll!(&mut sent).is_pending());
    }
    let bob = world.login("bob").await;
    world.settle().await;
    assert_eq!(bob.take_texts(), ["hello"]);
}

#[tokio::test]
async fn every_device_has_its_own_cursor() {
    let world = world_with(|policy| policy.devices = DevicePolicy::Many { max: 3 }).await;
    let phone = world.connect("bob", "phone", None).await;
    let laptop = world.connect("bob", "laptop", None).await;
    assert_eq!(phone.closed(), [], "two devices are logged in at once");
    world.keep("alice", "bob", "one").await;
    world.keep("alice", "bob", "two").await;
    assert_eq!(phone.take_and_ack(), ["one", "two"]);
    let first = laptop.take_messages()[0].0.id;
    laptop.ack(&[first]);
    world.settle().await;

    laptop.logout().await;
    phone.logout().await;
    assert_eq!(world.connect("bob", "phone", None).await.take_texts(), [] as [&str; 0]);
    assert_eq!(world.connect("bob", "laptop", None).await.take_texts(), ["two"]);
    assert_eq!(world.connect("bob", "tablet", None).await.take_texts(), [] as [&str; 0], "both were acked somewhere");
}

#[tokio::test]
async fn one_device_too_many_ends_the_oldest_session() {
    let world = world_with(|policy| policy.devices = DevicePolicy::Many { max: 2 }).await;
    let first = world.connect("bob", "first", None).await;
    let second = world.connect("bob", "second", None).await;
    let again = world.connect("bob", "second", None).await;
    assert_eq!((first.closed(), second.closed()), (vec![], vec![Closing::Replaced]), "a device replaces itself");
    let third = world.connect("bob", "third", None).await;
    assert_eq!(first.closed(), [Closing::Replaced]);
    assert_eq!((again.closed(), third.closed()), (vec![], vec![]));
    world.send("alice", "bob", "hello").await;
    assert_eq!((again.take_texts(), third.take_texts()), (vec!["hello".to_owned()], vec!["hello".to_owned()]));
    assert!(Arc::ptr_eq(first.session().app(), third.session().app()));
}

#[tokio::test]
async fn acks_wait_for_a_store_that_is_full() {
    let world = world().await;
    world.keep("alice", "bob", "one").await;
    world.keep("alice", "bob", "two").await;
    let bob = world.login("bob").await;
    world.store.refuse_writes(true);
    assert_eq!(bob.take_and_ack(), ["one", "two"]);
    bob.heard();
    world.pass(Duration::from_secs(3)).await;
    world.store.refuse_writes(false);
    bob.heard();
    world.pass(Duration::from_secs(2)).await;
    bob.logout().await;
    assert_eq!(world.login("bob").await.take_texts(), [] as [&str; 0]);
}
