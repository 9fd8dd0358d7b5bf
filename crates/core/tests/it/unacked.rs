//! An observer hears of messages that a client was handed and does not ack.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use stentor_core::app::{App, DevicePolicy};
use stentor_core::events::Transition;
use stentor_core::id::{MessageId, UserId};
use stentor_core::node::Node;
use stentor_core::observer::{Accepted, Hooks, Observer, RoomObserved};
use stentor_core::records::RecordKind;
use stentor_core::session::LogoutReason;
use stentor_core::store::{Change, RecordStore, Scan};

use crate::harness::{World, user_id, world_with};

const WAIT: Duration = Duration::from_secs(10);

/// Notes each telling as a record under the user's name and the number of the message.
#[derive(Debug, Default)]
struct Impatient {
    /// Ends the sessions of the receivers while it is told who is away.
    ends: Mutex<Option<(Node, Arc<App>)>>,
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

    fn transition(&self, _transition: &Transition) -> Vec<Change> {
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
