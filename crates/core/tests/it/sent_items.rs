//! What clients sent is known again over a restart.

use std::time::Duration;

use stentor_core::delivery::sent_items::{BecameMessage, KEPT_MS, SentItem};
use stentor_core::delivery::{SendOptions, SendPeer, SendRoom};
use stentor_core::id::{DeviceId, MessageId};
use stentor_core::limits::Rule;
use stentor_core::records::RecordKind;
use stentor_core::store::RecordStore;

use crate::harness::{World, kept, peer, rate, to_room, user_id, world, world_with};

fn item(number: u64) -> SentItem {
    SentItem { user: user_id("alice"), device: DeviceId::from_trusted("web"), number, content: u64::MAX - number }
}

async fn send(world: &World, number: u64, options: SendOptions) {
    let options = SendOptions { also: Some(item(number).remembered()), ..options };
    world.send_peer(SendPeer { options, ..peer("alice", "bob", &number.to_string()) }).await.expect("taken");
}

async fn numbers(world: &World, limit: usize) -> Vec<u64> {
    let found = world.node.sent_items(&world.app, limit).await.expect("read");
    let known = |became: &BecameMessage| became.item == item(became.item.number) && became.id > MessageId::ZERO;
    assert!(found.iter().all(known), "{found:?}");
    found.iter().map(|became| became.item.number).collect()
}

async fn stored(world: &World) -> u64 {
    world.store.count_records(world.app.id(), RecordKind::SentItem, "").await.expect("counted")
}

#[tokio::test]
async fn items_are_found_over_a_restart_with_what_they_became() {
    let world = world().await;
    send(&world, 1, kept()).await;
    let room = SendRoom {
        options: SendOptions { history: true, also: Some(item(2).remembered()), ..SendOptions::default() },
        ..to_room("alice", "lobby", "2")
    };
    let origin = stentor_core::delivery::Origin::Backend;
    let sent = world.node.send_room(&world.app, origin, room).await.expect("taken");
    let world = world.restarted().await;
    let found = world.node.sent_items(&world.app, 10).await.expect("read");
    let newest = BecameMessage { item: item(2), id: sent.id, sent_at_ms: sent.sent_at_ms };
    assert_eq!(found[0], newest);
    assert_eq!(numbers(&world, 10).await, [2, 1]);
    assert_eq!(numbers(&world, 1).await, [2], "the newest");
}

#[tokio::test]
async fn an_item_that_was_refused_is_none() {
    let world = world_with(|policy| policy.rates = vec![rate(Rule::PeerSends, 1, 1_000)]).await;
    send(&world, 1, kept()).await;
    let options = SendOptions { also: Some(item(2).remembered()), ..kept() };
    let refused = world.send_peer(SendPeer { options, ..peer("alice", "bob", "2") }).await;
    assert!(refused.is_err());
    assert_eq!(numbers(&world, 10).await, [1]);
}

#[tokio::test]
async fn items_are_forgotten_after_their_time_and_not_before() {
    let world = world().await;
    // More than one step deletes, and reads.
    for number in 0..1_200 {
        send(&world, number, kept()).await;
    }
    world.clock.advance(Duration::from_millis(1));
    send(&world, 1_200, kept()).await;
    assert_eq!(numbers(&world, 2_000).await, (0..=1_200).rev().collect::<Vec<_>>());
    assert_eq!(numbers(&world, 700).await.len(), 700);
    world.clock.advance(Duration::from_millis(KEPT_MS - 1));
    assert_eq!(numbers(&world, 2_000).await.len(), 1_201);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(numbers(&world, 2_000).await, [1_200]);
    assert!(stored(&world).await >= 1, "the node sweeps now and then");
    world.node.tick();
    while stored(&world).await > 1 {
        world.settle().await;
    }
    world.clock.advance(Duration::from_secs(60));
    world.node.tick();
    while stored(&world).await > 0 {
        world.settle().await;
    }
}
