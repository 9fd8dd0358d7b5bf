//! An observer hears of messages that a client was handed and does not ack.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use stentor_core::app::{App, DevicePolicy, RegisteredRooms};
use stentor_core::events::{EventType, Transition};
use stentor_core::id::{MessageId, UserId};
use stentor_core::node::Node;
use stentor_core::observer::{Accepted, Hooks, Observer, RoomObserved};
use stentor_core::records::RecordKind;
use stentor_core::session::LogoutReason;
use stentor_core::store::{Change, RecordStore, Scan};

use crate::harness::{GRACE, World, user_id, world_with};

const WAIT: Duration = Duration::from_secs(10);

/// Notes each telling as a record under the user's name and the number of the message.
#[derive(Debug, Default)]
struct Impatient {
    /// Ends the sessions of the receivers while it is told who is away.
    ends: Mutex<Option<(Node, Arc<App>)>>,
    /// Of each logout, whether it was that of the user's last session.
    last: Mutex<Vec<bool>>,
}

impl Observer for Impatient {
    fn message(&self, accepted: &Accepted<'_>) -> Vec<Change> {
        if let Some((node, app)) = self.ends.lock().take() {
            assert_eq!(accepted.absent, []);
            for user in accepted.receivers {
                let ending = pin!(node.disconnect(&app, user, None, LogoutReason::Forced));
                let _ = ending.poll(&mut Context::from_waker(Waker::noop()));
            }
        }
        Vec::new()
    }

    fn transition(&self, transition: &Transition) -> Vec<Change> {
        if transition.event_type == EventType::Logout {
            self.last.lock().push(transition.last);
        }
        Vec::new()
    }

    fn room(&self, _observed: &RoomObserved<'_>) -> Vec<Change> {
        Vec::new()
    }

    fn ack_wait_ms(&self) -> Option<u64> {
        Some(10_000)
    }

    fn unacked(&self, user: &UserId, up_to: MessageId) -> Vec<Change> {
        let key = format!("{user}/{:020}", up_to.0);
        vec![Change::Put { kind: RecordKind::Callback, key, value: Bytes::new() }]
    }
}

async fn watched() -> World {
    let world = world_with(|policy| policy.devices = DevicePolicy::Many { max: 4 }).await;
    hook(&world);
    world
}

fn hook(world: &World) -> Arc<Impatient> {
    let impatient = Arc::new(Impatient::default());
    assert!(world.app.hook(Hooks { observers: vec![impatient.clone()], gate: None }));
    impatient
}

async fn told(world: &World) -> Vec<String> {
    world.settle().await;
    let all = Scan::of(RecordKind::Callback, "", 1000);
    let found = world.store.scan_records(world.app.id(), all).await.expect("scans");
    found.into_iter().map(|(key, _)| key).collect()
}

fn key(user: &str, id: MessageId) -> String {
    format!("{}/{:020}", user_id(user), id.0)
}

#[tokio::test]
async fn what_is_not_acked_in_time_is_told_once() {
    let world = watched().await;
    let bob = world.login("bob").await;
    world.keep("alice", "bob", "one").await;
    world.keep("alice", "bob", "two").await;
    let ids: Vec<_> = bob.take_messages().iter().map(|(message, _)| message.id).collect();
    bob.ack(&ids[..1]);
    world.pass(WAIT - Duration::from_millis(1)).await;
    assert_eq!(told(&world).await, [""; 0], "not yet");
    world.pass(Duration::from_millis(2)).await;
    assert_eq!(told(&world).await, [key("bob", ids[1])]);
    bob.heard();
    world.pass(WAIT * 2).await;
    assert_eq!(told(&world).await.len(), 1, "and not again");
    bob.heard();

    world.keep("alice", "bob", "three").await;
    let third = bob.take_messages()[0].0.id;
    world.pass(WAIT * 2).await;
    assert_eq!(told(&world).await, [key("bob", ids[1]), key("bob", third)]);
}

#[tokio::test]
async fn what_is_acked_is_not_told_nor_what_is_not_kept() {
    let world = watched().await;
    let bob = world.login("bob").await;
    world.send("alice", "bob", "passing").await;
    world.keep("alice", "bob", "kept").await;
    let kept = bob.take_messages()[1].0.id;
    bob.ack(&[kept]);
    world.pass(WAIT * 3).await;
    assert_eq!(told(&world).await, [""; 0]);
}

#[tokio::test]
async fn a_lost_connection_does_not_end_the_wait() {
    let world = watched().await;
    let bob = world.login("bob").await;
    world.keep("alice", "bob", "one").await;
    let id = bob.take_messages()[0].0.id;
    bob.cut();
    world.pass(WAIT + Duration::from_millis(1)).await;
    assert_eq!(told(&world).await, [key("bob", id)]);
}

#[tokio::test]
async fn what_comes_from_the_inbox_is_watched_too_after_a_restart() {
    let world = watched().await;
    let bob = world.login("bob").await;
    world.keep("alice", "bob", "one").await;
    let id = bob.take_messages()[0].0.id;
    let again = world.restarted().await;
    hook(&again);
    let bob = again.login("bob").await;
    again.settle().await;
    assert_eq!(bob.take_messages()[0].0.id, id);
    again.pass(WAIT + Duration::from_millis(1)).await;
    assert_eq!(told(&again).await, [key("bob", id)]);
}

#[tokio::test]
async fn what_the_store_refuses_is_told_later() {
    let world = watched().await;
    let bob = world.login("bob").await;
    world.keep("alice", "bob", "one").await;
    let id = bob.take_messages()[0].0.id;
    world.store.refuse_writes(true);
    world.pass(WAIT + Duration::from_millis(1)).await;
    world.store.refuse_writes(false);
    assert_eq!(told(&world).await, [""; 0]);
    world.pass(WAIT + Duration::from_millis(1)).await;
    assert_eq!(told(&world).await, [key("bob", id)]);
}

#[tokio::test]
async fn who_goes_while_a_message_is_taken_is_told_of_too() {
    let world = world_with(|policy| policy.devices = DevicePolicy::Many { max: 4 }).await;
    let impatient = hook(&world);
    let bob = world.login("bob").await;
    *impatient.ends.lock() = Some((world.node.clone(), world.app.clone()));
    world.keep("alice", "bob", "one").await;
    assert_eq!(bob.closed().len(), 1);
    let told = told(&world).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(world.inbox_of("bob").await, 1);
}

/// With rooms as the directory knows them, a logout takes another way into the record.
async fn both_ways() -> [(World, Arc<Impatient>); 2] {
    let plain = world_with(|policy| policy.devices = DevicePolicy::Many { max: 4 }).await;
    let registered = world_with(|policy| {
        policy.devices = DevicePolicy::Many { max: 4 };
        policy.rooms.registered = Some(RegisteredRooms { rooms_per_user: 9, groups_per_user: 9, rooms: 9, groups: 9 });
    })
    .await;
    [plain, registered].map(|world| {
        let impatient = hook(&world);
        (world, impatient)
    })
}

#[tokio::test]
async fn a_client_that_comes_back_as_another_session_has_what_is_left_of_the_wait() {
    for (world, impatient) in both_ways().await {
        let reloaded = world.connect("bob", "web", None).await;
        world.keep("alice", "bob", "one").await;
        reloaded.cut();
        let bob = world.connect("bob", "web", None).await;
        world.settle().await;
        let one = bob.take_messages()[0].0.id;
        assert_eq!((told(&world).await, impatient.last.lock().clone()), (vec![], vec![false]));
        bob.ack(&[one]);
        world.pass(WAIT * 2).await;
        assert_eq!(impatient.last.lock().len(), 1);
        bob.heard();

        // Nobody is between two sessions: however often it comes back, the wait goes on.
        world.keep("alice", "bob", "two").await;
        let two = bob.take_messages()[0].0.id;
        bob.cut();
        for _ in 0..2 {
            world.pass(WAIT / 3).await;
            world.connect("bob", "web", None).await.cut();
        }
        let before = told(&world).await;
        assert!(!before.contains(&key("bob", two)), "{before:?}");
        world.pass(WAIT / 3 + Duration::from_millis(10)).await;
        let after = told(&world).await;
        assert!(after.contains(&key("bob", two)), "{after:?}");
    }
}

#[tokio::test]
async fn only_the_last_session_of_a_user_ends_the_wait() {
    for (world, impatient) in both_ways().await {
        let (phone, web) = (world.connect("bob", "phone", None).await, world.connect("bob", "web", None).await);
        world.keep("alice", "bob", "one").await;
        let one = phone.take_messages()[0].0.id;
        web.logout().await;
        assert_eq!((told(&world).await, impatient.last.lock().clone()), (vec![], vec![false]));
        world.pass(WAIT - Duration::from_millis(1)).await;
        assert_eq!(told(&world).await, [""; 0]);
        world.pass(Duration::from_millis(2)).await;
        assert_eq!(told(&world).await, [key("bob", one)], "the other one does not ack either");
        phone.logout().await;
        world.settle().await;
        assert_eq!(*impatient.last.lock(), [false, true]);

        // Two that end at the same time: one is the last.
        let (phone, web) = (world.connect("bob", "phone", None).await, world.connect("bob", "web", None).await);
        tokio::join!(phone.logout(), web.logout());
        world.settle().await;
        assert!(impatient.last.lock()[2..].contains(&true));
        // The end of the grace is an end, too.
        let web = world.connect("bob", "web", None).await;
        web.cut();
        world.pass(GRACE + Duration::from_secs(1)).await;
        world.settle().await;
        assert_eq!(impatient.last.lock().last(), Some(&true));
    }
}

#[tokio::test]
async fn what_an_ended_session_left_is_told_when_the_store_takes_it() {
    let world = watched().await;
    let (_phone, web) = (world.connect("bob", "phone", None).await, world.connect("bob", "web", None).await);
    world.keep("alice", "bob", "one").await;
    let one = web.take_messages()[0].0.id;
    web.logout().await;
    world.store.refuse_writes(true);
    world.pass(WAIT + Duration::from_millis(1)).await;
    world.store.refuse_writes(false);
    assert_eq!(told(&world).await, [""; 0]);
    world.pass(WAIT + Duration::from_millis(1)).await;
    assert_eq!(told(&world).await, [key("bob", one)]);
}
