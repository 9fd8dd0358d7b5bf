//! Rooms: coming, going, counting, and one order for everybody.

use std::time::Duration;

use stentor_core::delivery::{Origin, SendError};
use stentor_core::node::RequestError;
use stentor_core::notice::Notice;

use crate::harness::{Client, room_id, to_room, user_id, world, world_with};

fn counts(client: &Client) -> Vec<usize> {
    let count = |notice| if let Notice::MemberCount { count, .. } = notice { Some(count) } else { None };
    client.take().into_iter().filter_map(count).collect()
}

#[tokio::test]
async fn members_get_every_message_in_one_order_and_senders_no_echo() {
    let world = world().await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    bob.join("lobby").await;
    carol.join("lobby").await;
    for number in 0..20 {
        world.send_room(["alice", "dave"][number % 2], "lobby", &number.to_string()).await;
    }
    let texts = bob.take_texts();
    assert_eq!(texts, carol.take_texts());
    assert_eq!(texts, (0..20).map(|number| number.to_string()).collect::<Vec<_>>());
    world.send_room("bob", "lobby", "own").await;
    assert_eq!((bob.take_texts(), carol.take_texts()), (vec![], vec!["own".to_owned()]));
    bob.leave("lobby").await;
    world.send_room("alice", "lobby", "later").await;
    assert_eq!((bob.take_texts(), carol.take_texts()), (vec![], vec!["later".to_owned()]));
}

#[tokio::test]
async fn the_echo_is_a_policy() {
    let world = world_with(|policy| policy.rooms.echo_to_sender = true).await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    world.send_room("bob", "lobby", "own").await;
    assert_eq!(bob.take_texts(), ["own"]);
}

#[tokio::test]
async fn a_room_without_members_takes_messages() {
    let world = world().await;
    let first = world.send_room("alice", "nowhere", "hello").await;
    assert!(world.send_room("alice", "nowhere", "hello").await > first);
    assert_eq!(world.node.census().rooms, 0);
}

#[tokio::test]
async fn a_client_sends_only_to_rooms_it_is_in() {
    let world = world().await;
    let bob = world.login("bob").await;
    let send = || to_room("x", "lobby", "hi");
    let refused = world.node.send_room(&world.app, Origin::Client(bob.session()), send()).await;
    assert!(matches!(refused, Err(SendError::NotInRoom)));
    bob.join("lobby").await;
    world.node.send_room(&world.app, Origin::Client(bob.session()), send()).await.expect("taken");
}

#[tokio::test]
async fn joining_twice_and_leaving_twice_are_refused() {
    let world = world().await;
    let bob = world.login("bob").await;
    assert_eq!(bob.join("lobby").await, 1);
    let (session, lobby) = (bob.session(), room_id("lobby"));
    assert_eq!(world.node.join(session, &lobby).await, Err(RequestError::AlreadyInRoom));
    bob.leave("lobby").await;
    assert_eq!(world.node.leave(session, &lobby).await, Err(RequestError::NotInRoom));
    assert_eq!(world.node.members(session, &lobby), Err(RequestError::NotInRoom));
    assert_eq!(world.room_events().await, ["Join bob lobby", "Leave bob lobby"]);
}

#[tokio::test]
async fn the_21st_room_is_refused_and_leaves_no_trace() {
    let world = world().await;
    let bob = world.login("bob").await;
    for number in 0..20 {
        bob.join(&format!("r{number}")).await;
    }
    let refused = world.node.join(bob.session(), &room_id("r20")).await;
    assert_eq!(refused, Err(RequestError::TooMany { max: 20 }));
    assert_eq!(world.node.census().rooms, 20);
    bob.logout().await;
    assert_eq!(world.node.census().rooms, 0, "empty rooms are forgotten");
    assert_eq!(world.room_events().await.len(), 40);
}

#[tokio::test]
async fn others_are_told_who_comes_and_goes_up_to_512_members() {
    let world = world_with(|policy| policy.rooms.member_notices_up_to = 2).await;
    let (bob, carol, dave) = (world.login("bob").await, world.login("carol").await, world.login("dave").await);
    bob.join("lobby").await;
    carol.join("lobby").await;
    let joined = Notice::MemberJoined { room: room_id("lobby"), user: user_id("carol") };
    assert!(bob.take().contains(&joined));
    assert!(!carol.take().contains(&joined), "not to itself");
    dave.join("lobby").await;
    let about_members = |client: &Client| {
        let member = |n: &Notice| matches!(n, Notice::MemberJoined { .. } | Notice::MemberLeft { .. });
        client.take().iter().filter(|notice| member(notice)).count()
    };
    assert_eq!(about_members(&bob), 0, "three are too many to tell");
    dave.logout().await;
    assert_eq!(about_members(&bob), 1, "two are not");
}

#[tokio::test]
async fn counts_are_told_at_most_once_a_second() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    assert_eq!(counts(&bob), [1], "on the own join");
    let mut others = Vec::new();
    for number in 0..5 {
        let other = world.login(&format!("u{number}")).await;
        other.join("lobby").await;
        others.push(other);
    }
    assert_eq!(counts(&bob), []);
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(counts(&bob), [6]);
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(counts(&bob), [], "no change, no notice");
    others.pop().expect("there").leave("lobby").await;
    assert_eq!(counts(&bob), [5], "a second later it may be told at once");
    let all = world.node.member_counts(bob.session(), &[room_id("none"), room_id("lobby")]);
    assert_eq!(all.expect("allowed"), [0, 5]);
    let many = vec![room_id("lobby"); 33];
    assert_eq!(world.node.member_counts(bob.session(), &many), Err(RequestError::TooMany { max: 32 }));
}

#[tokio::test]
async fn large_rooms_are_counted_every_three_seconds_and_listed_in_part() {
    let world = world_with(|policy| {
        policy.rooms.member_notices_up_to = 3;
        policy.rooms.listed_members = 3;
    })
    .await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    bob.take();
    let mut others = Vec::new();
    for number in 0..9 {
        let other = world.login(&format!("u{number}")).await;
        other.join("lobby").await;
        others.push(other);
    }
    bob.take();
    world.pass(Duration::from_millis(1_900)).await;
    let listed = world.node.members(bob.session(), &room_id("lobby")).expect("is in");
    assert_eq!((listed.members.len(), listed.count), (3, 10));
    let mut seen: Vec<_> =
        (0..40).flat_map(|_| world.node.members(bob.session(), &room_id("lobby")).expect("is in").members).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 10, "chosen at random");
    others.pop().expect("there").logout().await;
    bob.take();
    world.pass(Duration::from_millis(2_900)).await;
    world.pass(Duration::from_millis(200)).await;
    assert_eq!(counts(&bob), [9]);
}

#[tokio::test]
async fn members_of_a_session_that_ends_meanwhile_are_not_left_behind() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.logout().await;
    assert_eq!(world.node.join(bob.session(), &room_id("lobby")).await, Err(RequestError::SessionEnded));
    assert_eq!(world.node.census().rooms, 0);
    assert_eq!(world.room_events().await, [] as [&str; 0]);
}
