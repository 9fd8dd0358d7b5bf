//! Rooms and groups: coming and going, who is there, and what is told of it.

use std::time::Duration;

use serde_json::json;
use stentor_core::directory::rooms::RoomKind;
use stentor_core::id::RoomId;
use stentor_core::message::Priority;
use stentor_gateway_ws::client::ClientOptions;

use super::{chat_gateway, code, gateway, message, other, text, user};
use crate::harness::soon;

#[tokio::test]
async fn clients_join_and_leave_registered_rooms() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let mut carol = gateway.chat("carol").await;
    let mut bob = gateway.chat("bob").await;
    assert_eq!(carol.welcome().rooms, [room.as_str()], "whoever is a member is in the room");
    assert_eq!(code(bob.join("1").await), 705);
    assert_eq!(code(bob.join("a b").await), 700);
    assert_eq!(code(bob.leave(room.as_str()).await), 702);
    assert_eq!(bob.join(room.as_str()).await.expect("joined"), 2);
    assert_eq!(bob.join(room.as_str()).await.expect("is in already"), 2);
    assert_eq!(bob.rooms().await.expect("answered"), [room.as_str()]);
    let joined =
        json!({ "type": "room_event", "room": room.as_str(), "event": "joined", "users": ["bob"], "count": 2 });
    assert_eq!(other(&mut carol).await, joined);
    gateway.text_to_room(&room, "hi all").await;
    assert_eq!(text(&message(&mut bob).await), "hi all");
    assert_eq!(text(&message(&mut carol).await), "hi all");
    bob.leave(room.as_str()).await.expect("left");
    assert!(bob.rooms().await.expect("answered").is_empty());
    assert_eq!(other(&mut carol).await["event"], "left");
    assert_eq!(code(carol.leave(room.as_str()).await), 703, "the owner stays");
}

#[tokio::test]
async fn who_is_kept_out_does_not_come_in() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &["bob"]).await;
    let mut bob = gateway.chat("bob").await;
    let users = [user("bob")];
    gateway.node.block_members(&gateway.chat, RoomKind::Room, &room, &users).await.expect("blocked");
    assert_eq!(other(&mut bob).await["event"], "removed");
    assert_eq!(code(bob.join(room.as_str()).await), 703);
}

#[tokio::test]
async fn members_come_in_pages() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &["alice", "bob"]).await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let bob = gateway.chat("bob").await;
    let all = bob.members(room.as_str(), None).await.expect("a member");
    assert_eq!((all.members, all.count, all.next), (["alice", "bob", "carol"].map(str::to_owned).to_vec(), 3, None));
    let rest = bob.members(room.as_str(), Some("alice")).await.expect("a member");
    assert_eq!(rest.members, ["bob", "carol"]);
    let page = bob.request("members", json!({ "group": group.as_str(), "limit": 2 })).await.expect("a member");
    assert_eq!((&page["members"], &page["count"], &page["next"]), (&json!(["alice", "bob"]), &json!(3), &json!("bob")));
    let dave = gateway.chat("dave").await;
    assert_eq!(code(dave.members(room.as_str(), None).await), 702);
    assert_eq!(code(dave.request("members", json!({ "group": group.as_str() })).await), 602);
    assert_eq!(code(dave.request("members", json!({ "group": "1" })).await), 605);
    assert_eq!(code(dave.request("members", json!({})).await), 205);
    assert_eq!(code(dave.request("members", json!({ "room": "1", "group": "1" })).await), 205);
    let groups = bob.request("groups", json!({})).await.expect("answered");
    assert_eq!(groups["groups"], json!([{ "id": group.as_str(), "name": "name" }]));
    assert_eq!(bob.request("groups", json!({ "skip": 1 })).await.expect("answered")["groups"], json!([]));
}

#[tokio::test]
async fn members_of_a_group_are_told_of_it() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["bob"]).await;
    let mut bob = gateway.chat("bob").await;
    gateway.node.mute_all(&gateway.chat, RoomKind::Group, &group, true).await.expect("muted");
    let expected = json!({ "type": "group_event", "group": group.as_str(), "event": "all_muted", "muted": true });
    assert_eq!(other(&mut bob).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_loses_room_messages_and_its_neighbour_notices_nothing() {
    let gateway = chat_gateway(|setup| setup.chat.payload_bytes = 64 * 1024).await;
    let room = gateway.place(RoomKind::Room, &["alice", "bob"]).await;
    // Nothing is read beyond a few events.
    let slow = ClientOptions { event_queue: 1, auto_ping: false, ..ClientOptions::default() };
    let _slow = gateway.chat_with(super::by_password("alice"), slow).await;
    let mut neighbour = gateway.chat("bob").await;
    let padding = "x".repeat(30_000);
    let mut sent = 0;
    let lost = || {
        let account = gateway.node.room_delivery(&gateway.chat, &room);
        account.map_or(0, |account| account.level(Priority::Normal).lanes_full)
    };
    while lost() < 10 {
        gateway.text_to_room(&room, &format!("{sent:06}{padding}")).await;
        assert_eq!(text(&message(&mut neighbour).await)[..6], format!("{sent:06}"));
        sent += 1;
        assert!(sent < 5_000, "nothing was ever dropped");
    }
    assert_eq!((gateway.state.counters().slow_consumers, gateway.state.counters().open), (0, 2));
}

#[tokio::test]
async fn a_resume_says_what_it_has_of_each_level() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &["bob"]).await;
    let mut bob = gateway.chat("bob").await;
    for (level, payload) in [(Priority::Low, "l"), (Priority::Normal, "n"), (Priority::High, "h")] {
        gateway.levelled_to_room(&room, level, payload).await;
        assert_eq!(text(&message(&mut bob).await), payload);
    }
    let point = bob.resume_point();
    drop(bob);
    gateway.detached(1).await;
    gateway.levelled_to_room(&room, Priority::Low, "missed").await;
    let by_level = stentor_gateway_ws::client::ChatLogin { resume: Some(point.clone()), ..super::by_password("bob") };
    let mut bob = gateway.try_chat(by_level).await.expect("resumed");
    assert_eq!(text(&message(&mut bob).await), "missed", "and nothing before it");
    drop(bob);
    gateway.detached(1).await;
    // Whoever kept only the newest of all gets the other levels again: nothing is lost silently.
    let newest = stentor_gateway_ws::client::Resume::new(point.session, point.channels);
    let by_room = stentor_gateway_ws::client::ChatLogin { resume: Some(newest), ..super::by_password("bob") };
    let mut bob = gateway.try_chat(by_room).await.expect("resumed");
    for expected in ["n", "l", "missed"] {
        assert_eq!(text(&message(&mut bob).await), expected);
    }
}

#[tokio::test]
async fn a_client_that_does_not_ack_is_cut() {
    let gateway = gateway().await;
    let mut bob = gateway.chat_with(super::by_password("bob"), super::no_acks()).await;
    for number in 0..=64 {
        gateway.text_to("bob", &number.to_string()).await;
    }
    assert_eq!(super::closed(&mut bob).await, Some(4006));
    let mut bob = gateway.chat("bob").await;
    assert_eq!(text(&message(&mut bob).await), "0", "nothing was lost");
}

#[tokio::test]
async fn what_was_missed_is_counted() {
    let gateway = chat_gateway(|setup| setup.chat.rooms.replayed = 2).await;
    let room: RoomId = gateway.place(RoomKind::Room, &["bob"]).await;
    let mut bob = gateway.chat("bob").await;
    gateway.text_to_room(&room, "0").await;
    message(&mut bob).await;
    let point = bob.resume_point();
    drop(bob);
    gateway.detached(1).await;
    for number in 1..=5 {
        gateway.text_to_room(&room, &number.to_string()).await;
    }
    let login = stentor_gateway_ws::client::ChatLogin { resume: Some(point), ..super::by_password("bob") };
    let mut bob = gateway.try_chat(login).await.expect("resumed");
    let missed = stentor_gateway_ws::client::ChatEvent::RoomMessagesMissed { room: room.as_str().to_owned(), count: 3 };
    assert_eq!(super::event(&mut bob).await, missed);
    assert_eq!([text(&message(&mut bob).await), text(&message(&mut bob).await)], ["4", "5"]);
    gateway.pass(Duration::from_secs(1));
    soon(bob.rooms()).await.expect("goes on");
}
