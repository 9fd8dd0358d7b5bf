//! Who is there, and who is told.

use std::time::Duration;

use stentor_core::node::RequestError;
use stentor_core::notice::Notice;
use stentor_core::presence::Presence::{self, Offline, Online, Unreachable};

use crate::harness::{Client, World, user_id, world};

fn told(client: &Client) -> Vec<(String, Presence)> {
    let states = |notice| if let Notice::Presence { states } = notice { states } else { Vec::new() };
    client.take().into_iter().flat_map(states).map(|(user, state)| (user.to_string(), state)).collect()
}

fn watch(world: &World, client: &Client, users: &[&str]) -> Vec<Presence> {
    let users: Vec<_> = users.iter().map(|user| user_id(user)).collect();
    let states = world.node.watch_presence(client.session(), &users).expect("allowed");
    states.into_iter().map(|(_, state)| state).collect()
}

#[tokio::test]
async fn watchers_are_told_of_every_change() {
    let world = world().await;
    let alice = world.login("alice").await;
    assert_eq!(watch(&world, &alice, &["bob", "alice"]), [Offline, Online]);
    let bob = world.login("bob").await;
    let is = |state| vec![("bob".to_owned(), state)];
    assert_eq!(told(&alice), is(Online));
    alice.heard();
    bob.heard();
    world.clock.advance(Duration::from_millis(5_999));
    alice.heard();
    world.node.tick();
    assert_eq!(told(&alice), []);
    world.clock.advance(Duration::from_millis(1));
    world.node.tick();
    assert_eq!(told(&alice), is(Unreachable));
    bob.heard();
    assert_eq!(told(&alice), is(Online));
    bob.logout().await;
    assert_eq!(told(&alice), is(Offline));
    world.node.unwatch_presence(alice.session(), &[user_id("bob"), user_id("nobody")]).expect("allowed");
    let _bob = world.login("bob").await;
    assert_eq!(told(&alice), []);
    assert_eq!(world.node.watched_presence(alice.session()).expect("allowed"), [user_id("alice")]);
}

#[tokio::test]
async fn a_client_that_comes_back_is_told_the_present_states() {
    let world = world().await;
    let alice = world.login("alice").await;
    watch(&world, &alice, &["bob"]);
    alice.cut();
    let _bob = world.login("bob").await;
    let back = world.connect("alice", "", alice.resume()).await;
    assert_eq!(told(&back), [("bob".to_owned(), Online)]);
}

#[tokio::test]
async fn queries_and_watches_keep_their_limits() {
    let world = world().await;
    let alice = world.login("alice").await;
    let users: Vec<_> = (0..513).map(|number| user_id(&format!("u{number}"))).collect();
    let node = &world.node;
    assert_eq!(node.query_presence(alice.session(), &users[..256]).expect("allowed"), [Offline; 256]);
    let over = node.query_presence(alice.session(), &users[..257]);
    assert_eq!(over, Err(RequestError::TooMany { max: 256 }));
    assert_eq!(node.watch_presence(alice.session(), &users), Err(RequestError::TooMany { max: 512 }));
    node.watch_presence(alice.session(), &users[..512]).expect("at the limit");
    node.watch_presence(alice.session(), &users[..512]).expect("watching twice is watching once");
    assert_eq!(node.watch_presence(alice.session(), &users[512..]), Err(RequestError::TooMany { max: 512 }));
    alice.logout().await;
    assert_eq!(node.watch_presence(alice.session(), &users[..1]), Err(RequestError::SessionEnded));
}
