//! Rates, as senders and clients meet them.

use std::time::Duration;

use stentor_core::delivery::{Origin, SendError};
use stentor_core::id::DeviceId;
use stentor_core::limits::{Limited, Rule};
use stentor_core::node::RequestError;
use stentor_core::session::{ConnectError, Login};

use crate::harness::{TestOutlet, World, peer, rate, room_id, to_room, user_id, world_with};

async fn peer_send(world: &World) -> Result<(), Option<Rule>> {
    match world.send_peer(peer("alice", "bob", "hi")).await {
        Ok(_) => Ok(()),
        Err(SendError::Limited(Limited { rule })) => Err(Some(rule)),
        Err(_) => Err(None),
    }
}

async fn room_send(world: &World) -> bool {
    world.node.send_room(&world.app, Origin::Backend, to_room("alice", "r", "hi")).await.is_ok()
}

#[tokio::test]
async fn the_501st_send_in_a_second_is_refused() {
    let world = world_with(|policy| {
        policy.rates = vec![rate(Rule::PeerSends, 500, 1000), rate(Rule::RoomSends, 500, 1000)];
    })
    .await;
    for _ in 0..500 {
        peer_send(&world).await.expect("within the limit");
        assert!(room_send(&world).await, "each has its own");
    }
    assert_eq!(peer_send(&world).await, Err(Some(Rule::PeerSends)));
    assert!(!room_send(&world).await);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(peer_send(&world).await, Ok(()));
}

#[tokio::test]
async fn both_kinds_may_share_one_rate() {
    let world = world_with(|policy| {
        policy.rates = vec![rate(Rule::PeerSends, 2, 1000)];
        policy.combined_sends = true;
    })
    .await;
    assert_eq!((peer_send(&world).await, room_send(&world).await), (Ok(()), true));
    assert_eq!((peer_send(&world).await, room_send(&world).await), (Err(Some(Rule::PeerSends)), false));
}

#[tokio::test]
async fn logins_are_counted_per_user() {
    let world = world_with(|policy| policy.rates = vec![rate(Rule::Logins, 2, 1000)]).await;
    let login = |user: &str| Login {
        user: user_id(user),
        device: DeviceId::only(),
        expires_at_ms: None,
        resume: None,
        silence_ms: None,
        to_replaced: None,
    };
    let connect = async |user: &str| {
        world.node.connect(&world.app, login(user), std::sync::Arc::new(TestOutlet::default())).await
    };
    assert!(connect("bob").await.is_ok() && connect("bob").await.is_ok());
    assert!(matches!(connect("bob").await, Err(ConnectError::Limited(_))));
    assert!(connect("carol").await.is_ok());
    world.clock.advance(Duration::from_secs(1));
    assert!(connect("bob").await.is_ok());
}

#[tokio::test]
async fn each_client_has_its_own_rates_and_each_room_its_joins() {
    let world = world_with(|policy| {
        policy.rates =
            vec![rate(Rule::Joins, 4, 3000), rate(Rule::JoinsOfOneRoom, 2, 5000), rate(Rule::PresenceQueries, 1, 1000)];
    })
    .await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    for _ in 0..2 {
        bob.join("a").await;
        bob.leave("a").await;
    }
    let refused = |rule| Err(RequestError::Limited(Limited { rule }));
    let (node, session) = (&world.node, bob.session());
    assert_eq!(node.join(session, &room_id("a")).await, refused(Rule::JoinsOfOneRoom));
    bob.join("b").await;
    assert_eq!(node.join(session, &room_id("c")).await, refused(Rule::Joins));
    carol.join("a").await;
    node.query_presence(session, &[]).expect("the first");
    assert!(node.query_presence(session, &[]).is_err());
    node.query_presence(carol.session(), &[]).expect("another client's first");
}
