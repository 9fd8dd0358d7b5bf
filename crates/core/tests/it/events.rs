//! The event queues: paired, in order, bounded, and right again after a crash.

use std::time::Duration;

use stentor_core::events::{EVENTS_KEPT, EventKind};
use stentor_core::limits::Rule;
use stentor_core::node::QueryError;

use crate::harness::{GRACE, is_login, rate, world, world_with};

#[tokio::test]
async fn a_kick_is_leave_logout_login() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    let _again = world.login("bob").await;
    assert_eq!(world.user_events().await, ["Login bob", "Logout bob", "Login bob"]);
    assert_eq!(world.room_events().await, ["Join bob lobby", "Leave bob lobby"]);
}

#[tokio::test]
async fn after_a_crash_who_does_not_come_back_is_logged_out_once() {
    let world = world().await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    bob.join("lobby").await;
    carol.join("lobby").await;
    let world = world.restarted().await;
    let back = world.connect("carol", "", carol.resume()).await;
    assert!(back.connected.resumed);
    world.send_room("alice", "lobby", "hello").await;
    assert_eq!(back.take_texts(), ["hello"], "still in the room");
    world.clock.advance(GRACE);
    back.heard();
    world.node.tick();
    world.settle().await;
    assert_eq!(world.user_events().await, ["Login bob", "Login carol", "Logout bob"]);
    assert_eq!(world.room_events().await, ["Join bob lobby", "Join carol lobby", "Leave bob lobby"]);
    let world = world.restarted().await;
    world.pass(GRACE * 2).await;
    assert_eq!(world.user_events().await, ["Logout carol"]);
    assert_eq!(world.room_events().await, ["Leave carol lobby"]);
    world.restarted().await.pass(GRACE * 2).await;
    assert_eq!(world.user_events().await, [] as [&str; 0]);
}

#[tokio::test]
async fn a_pull_takes_at_most_1000_of_at_most_2000() {
    let world = world().await;
    for number in 0..1001 {
        let client = world.login(&format!("u{number}")).await;
        client.logout().await;
    }
    let first = world.user_events().await;
    assert_eq!((first.len(), first[0].as_str()), (1000, "Login u1"), "the oldest two were replaced");
    let second = world.user_events().await;
    assert_eq!((second.len(), second[999].as_str()), (1000, "Logout u1000"));
    assert_eq!(world.user_events().await, [] as [&str; 0]);
}

#[tokio::test]
async fn times_never_go_back() {
    let world = world().await;
    let bob = world.login("bob").await;
    world.clock.set_wall_ms(1_600_000_000_000);
    bob.logout().await;
    let events = world.node.pull_events(&world.app, EventKind::User).await.expect("pulls");
    assert!(is_login(events[0].event_type));
    assert!(events[0].at_ms <= events[1].at_ms);
}

#[tokio::test]
async fn the_backlog_of_a_full_store_is_bounded() {
    let world = world().await;
    world.store.refuse_writes(true);
    for number in 0..EVENTS_KEPT + 10 {
        world.login(&format!("u{number}")).await.logout().await;
    }
    world.store.refuse_writes(false);
    world.pass(Duration::from_secs(3)).await;
    let (first, second) = (world.user_events().await, world.user_events().await);
    assert_eq!((first.len(), second.len()), (1000, 1000));
    assert_eq!(second[999], format!("Logout u{}", EVENTS_KEPT + 9));
}

#[tokio::test]
async fn user_and_room_events_are_limited_separately() {
    let world = world_with(|policy| {
        policy.rates = vec![rate(Rule::UserEventPulls, 10, 1000), rate(Rule::RoomEventPulls, 10, 1000)];
    })
    .await;
    for _ in 0..10 {
        world.user_events().await;
        world.room_events().await;
    }
    let over = world.node.pull_events(&world.app, EventKind::User).await;
    assert!(matches!(over, Err(QueryError::Limited(limited)) if limited.rule == Rule::UserEventPulls));
    world.clock.advance(Duration::from_secs(1));
    world.user_events().await;
}
