//! Attributes of users and rooms.

use std::time::Duration;

use stentor_core::attributes::AttributeChange::{self, Clear, Delete, Replace, Update};
use stentor_core::node::RequestError::{AttributesTooLarge, InvalidAttribute, UserNotFound};
use stentor_core::notice::Notice;

use crate::harness::{room_id, user_id, world};

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn a_users_attributes_are_set_read_and_gone_with_the_session() {
    let world = world().await;
    let (alice, bob) = (world.login("alice").await, world.login("bob").await);
    let change = |change| world.node.change_user_attributes(bob.session(), change).expect("allowed");
    let read = |keys: Option<&[String]>| world.node.user_attributes(alice.session(), &user_id("bob"), keys);
    change(Replace(pairs(&[("a", "1"), ("b", "2")])));
    change(Update(pairs(&[("b", "3"), ("c", "4")])));
    assert_eq!(read(None).expect("online"), pairs(&[("a", "1"), ("b", "3"), ("c", "4")]));
    let wanted = ["c".to_owned(), "z".to_owned()];
    assert_eq!(read(Some(&wanted)).expect("online"), pairs(&[("c", "4")]));
    change(Delete(vec!["a".to_owned(), "z".to_owned()]));
    change(Replace(pairs(&[("d", "5")])));
    assert_eq!(read(None).expect("online"), pairs(&[("d", "5")]));
    change(Clear);
    assert_eq!(read(None).expect("online"), []);
    bob.logout().await;
    assert_eq!(read(None), Err(UserNotFound));
    let _bob = world.login("bob").await;
    assert_eq!(read(None).expect("online"), []);
}

#[tokio::test]
async fn a_rooms_attributes_say_who_wrote_them_and_outlive_it_for_two_minutes() {
    let world = world().await;
    let (alice, bob) = (world.login("alice").await, world.login("bob").await);
    let lobby = room_id("lobby");
    bob.join("lobby").await;
    bob.take();
    let change = |change, notify| world.node.change_room_attributes(alice.session(), &lobby, change, notify);
    change(Update(pairs(&[("topic", "tea")])), false).expect("without joining");
    assert_eq!(bob.take(), []);
    change(Update(pairs(&[("mood", "calm")])), true).expect("allowed");
    let all = world.node.room_attributes(alice.session(), &lobby, None).expect("allowed");
    assert_eq!(bob.take(), [Notice::RoomAttributes { room: lobby.clone(), attributes: all.clone() }]);
    let keys: Vec<_> = all.iter().map(|one| (one.key.as_str(), one.value.as_str())).collect();
    assert_eq!(keys, [("mood", "calm"), ("topic", "tea")]);
    assert_eq!((all[0].updated_by.as_str(), all[0].updated_at_ms), ("alice", 1_700_000_000_000));

    bob.leave("lobby").await;
    let read = || world.node.room_attributes(alice.session(), &lobby, None).expect("allowed").len();
    alice.heard();
    world.pass(Duration::from_secs(20)).await;
    assert_eq!(read(), 2);
    for _ in 0..11 {
        alice.heard();
        world.pass(Duration::from_secs(10)).await;
    }
    assert_eq!(read(), 0);
    assert_eq!(world.node.census().rooms, 0);
}

#[tokio::test]
async fn limits_hold_at_and_one_past() {
    let world = world().await;
    let bob = world.login("bob").await;
    let set = |entries: Vec<(String, String)>| world.node.change_user_attributes(bob.session(), Replace(entries));
    let entry = |key: usize, value: usize| vec![("k".repeat(key), "v".repeat(value))];
    assert_eq!(set(entry(32, 8192)), Ok(()));
    assert_eq!(set(entry(33, 1)), Err(InvalidAttribute));
    assert_eq!(set(entry(0, 1)), Err(InvalidAttribute));
    assert_eq!(set(entry(1, 0)), Err(InvalidAttribute));
    assert_eq!(set(entry(1, 8193)), Err(AttributesTooLarge));
    assert_eq!(set(pairs(&[("tab\t", "x")])), Err(InvalidAttribute));
    let numbered = |count: usize| (0..count).map(|n| (format!("{n:02}"), "v".to_owned())).collect::<Vec<_>>();
    assert_eq!(set(numbered(32)), Ok(()));
    assert_eq!(set(numbered(33)), Err(AttributesTooLarge));
    let bytes = |last: usize| vec![("a".to_owned(), "v".repeat(8192)), ("b".to_owned(), "v".repeat(last))];
    assert_eq!(set(bytes(16_384 - 8192 - 2)), Ok(()));
    let over: AttributeChange = Update(pairs(&[("c", "v")]));
    assert_eq!(world.node.change_user_attributes(bob.session(), over), Err(AttributesTooLarge));
    let kept = world.node.user_attributes(bob.session(), &user_id("bob"), None).expect("online");
    assert_eq!(kept, bytes(16_384 - 8192 - 2), "a refused change changes nothing");
}
