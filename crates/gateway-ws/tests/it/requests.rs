//! Every request: it works, and it is refused with the code of its table.

use std::time::Duration;

use stentor_core::limits::Rule;
use stentor_gateway_ws::client::{Client, ClientError, ClientEvent, ClientOptions, PeerResult};

use crate::harness::{closed, event, gateway, gateway_with, limit, soon, until};

fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> u32 {
    match result.expect_err("refused") {
        ClientError::Refused { code, .. } => code,
        other => panic!("{other}"),
    }
}

async fn told(client: &mut Client, wanted: &ClientEvent) {
    while soon(client.next()).await.expect("an event") != *wanted {}
}

#[tokio::test]
async fn peer_messages_are_delivered_when_acked() {
    let gateway = gateway().await;
    let alice = gateway.client("alice").await;
    let mut bob = gateway.client("bob").await;
    let sent = alice.send_peer("bob", "hi \"bob\" 你好\n", false, false).await.expect("sent");
    assert_eq!((sent.result, sent.code), (PeerResult::Delivered, 0));
    let ClientEvent::PeerMessage(message) = event(&mut bob).await else { panic!("a message") };
    assert_eq!((message.from.as_str(), message.payload.as_str()), ("alice", "hi \"bob\" 你好\n"));
    assert_eq!((message.message_id, message.ts, message.from_inbox), (sent.message_id, sent.ts, false));
}

#[tokio::test]
async fn peer_messages_to_nobody() {
    let gateway = gateway().await;
    let alice = gateway.client("alice").await;
    let lost = alice.send_peer("bob", "1", false, false).await.expect("sent");
    assert_eq!((lost.result, lost.code), (PeerResult::Unreachable, 3));
    let kept = alice.send_peer("bob", "2", true, true).await.expect("sent");
    assert_eq!((kept.result, kept.code), (PeerResult::Kept, 4));
    let mut bob = gateway.client("bob").await;
    let ClientEvent::PeerMessage(message) = event(&mut bob).await else { panic!("a message") };
    assert_eq!((message.payload.as_str(), message.from_inbox), ("2", true));
}

#[tokio::test]
async fn a_sender_that_waits_does_not_block_its_connection() {
    let gateway = gateway().await;
    let alice = gateway.client("alice").await;
    let mut bob = gateway.client_with("bob", ClientOptions { auto_ack: false, ..ClientOptions::default() }).await;
    let waits = alice.send_peer("bob", "hi", false, false);
    let meanwhile = async {
        let ClientEvent::PeerMessage(message) = event(&mut bob).await else { panic!("a message") };
        assert_eq!(alice.member_counts(&["lobby"]).await.expect("counted"), [0]);
        bob.ack(&[message.message_id]).await.expect("sent");
    };
    let (sent, ()) = tokio::join!(waits, meanwhile);
    assert_eq!(sent.expect("sent").result, PeerResult::Delivered);
}

#[tokio::test]
async fn a_sender_hears_when_nobody_acks() {
    let gateway = gateway().await;
    let alice = gateway.client("alice").await;
    let mut bob = gateway.client_with("bob", ClientOptions { auto_ack: false, ..ClientOptions::default() }).await;
    let waits = alice.send_peer("bob", "hi", false, false);
    let meanwhile = async {
        event(&mut bob).await;
        gateway.pass(Duration::from_secs(9));
    };
    let (sent, ()) = tokio::join!(waits, meanwhile);
    let sent = sent.expect("sent");
    assert_eq!((sent.result, sent.code), (PeerResult::Timeout, 2));
}

#[tokio::test]
async fn peer_messages_are_refused() {
    let gateway = gateway_with(|setup| limit(setup, Rule::ClientSends, 1)).await;
    let alice = gateway.client("alice").await;
    assert_eq!(code(alice.send_peer("null", "x", false, false).await), 6);
    assert_eq!(code(alice.send_peer("no such name!", "x", false, false).await), 6);
    assert_eq!(code(alice.send_peer("bob", "", false, false).await), 7);
    assert_eq!(code(alice.send_peer("bob", &"x".repeat(32_769), false, false).await), 7);
    alice.send_peer("bob", &"x".repeat(32_768), false, false).await.expect("sent");
    assert_eq!(code(alice.send_peer("bob", "x", false, false).await), 5);
}

#[tokio::test]
async fn channel_messages_reach_the_other_members() {
    let gateway = gateway().await;
    let mut alice = gateway.client("alice").await;
    let mut bob = gateway.client("bob").await;
    assert_eq!(alice.join("lobby").await.expect("joined"), 1);
    assert_eq!(bob.join("lobby").await.expect("joined"), 2);
    told(&mut alice, &ClientEvent::MemberJoined { channel: "lobby".to_owned(), user: "bob".to_owned() }).await;
    let sent = alice.send_channel("lobby", "hi all", true).await.expect("sent");
    let ClientEvent::ChannelMessage(message) = event(&mut bob).await else { panic!("a message") };
    assert_eq!((message.channel.as_str(), message.from.as_str()), ("lobby", "alice"));
    assert_eq!((message.payload.as_str(), message.ts, message.message_id), ("hi all", sent.ts, sent.message_id));
    bob.leave("lobby").await.expect("left");
    told(&mut alice, &ClientEvent::MemberLeft { channel: "lobby".to_owned(), user: "bob".to_owned() }).await;
}

#[tokio::test]
async fn channel_messages_are_refused() {
    let gateway = gateway_with(|setup| limit(setup, Rule::ClientSends, 2)).await;
    let alice = gateway.client("alice").await;
    assert_eq!(code(alice.send_channel("lobby", "x", false).await), 5);
    assert_eq!(code(alice.send_channel("", "x", false).await), 5);
    alice.join("lobby").await.expect("joined");
    assert_eq!(code(alice.send_channel("lobby", "", false).await), 4);
    assert_eq!(code(alice.send_channel("lobby", &"x".repeat(32_769), false).await), 4);
    alice.send_channel("lobby", "x", false).await.expect("sent");
    assert_eq!(code(alice.send_channel("lobby", "x", false).await), 3);
}

#[tokio::test]
async fn joining_is_refused() {
    let gateway = gateway_with(|setup| limit(setup, Rule::Joins, 4)).await;
    let alice = gateway.client("alice").await;
    assert_eq!(code(alice.join("no such name!").await), 3);
    for channel in ["a", "b", "c"] {
        alice.join(channel).await.expect("joined");
    }
    assert_eq!(code(alice.join("a").await), 6);
    assert_eq!(code(alice.join("e").await), 7);
    let gateway = gateway_with(|setup| limit(setup, Rule::JoinsOfOneRoom, 1)).await;
    let alice = gateway.client("alice").await;
    for channel in ["a", "b", "c"] {
        alice.join(channel).await.expect("joined");
    }
    assert_eq!(code(alice.join("d").await), 5);
    alice.leave("a").await.expect("left");
    assert_eq!(code(alice.join("a").await), 8);
    assert_eq!(code(alice.leave("a").await), 3);
    assert_eq!(code(alice.leave("!").await), 3);
}

#[tokio::test]
async fn members_and_counts() {
    let limits = |setup: &mut crate::harness::Setup| {
        setup.policy.rooms.listed_members = 2;
        limit(setup, Rule::MemberLists, 2);
        limit(setup, Rule::MemberCounts, 2);
    };
    let gateway = gateway_with(limits).await;
    let mut clients = Vec::new();
    for user in ["alice", "bob", "carol"] {
        let client = gateway.client(user).await;
        client.join("lobby").await.expect("joined");
        clients.push(client);
    }
    let alice = &clients[0];
    let members = alice.members("lobby").await.expect("listed");
    assert_eq!((members.members.len(), members.count), (2, 3));
    assert_eq!(code(alice.members("other").await), 5);
    assert_eq!(code(alice.members("lobby").await), 4);
    assert_eq!(alice.member_counts(&["nowhere", "lobby"]).await.expect("counted"), [0, 3]);
    assert_eq!(code(alice.member_counts(&["!"]).await), 2);
    assert_eq!(code(alice.member_counts(&["a", "b", "c", "d", "e"]).await), 5);
    // The refused one counted.
    assert_eq!(code(alice.member_counts(&["lobby"]).await), 3);
}

#[tokio::test]
async fn presence() {
    let gateway = gateway().await;
    let mut alice = gateway.client("alice").await;
    let bob = gateway.client("bob").await;
    assert_eq!(alice.query_presence(&["bob", "carol"]).await.expect("answered"), [true, false]);
    assert_eq!(code(alice.query_presence(&["null"]).await), 2);
    assert_eq!(code(alice.query_presence(&["a", "b", "c", "d"]).await), 2);
    let states = alice.watch_presence(&["bob", "carol"]).await.expect("watched");
    let states: Vec<_> = states.iter().map(|state| (state.user.as_str(), state.state.as_str())).collect();
    assert_eq!(states, [("bob", "online"), ("carol", "offline")]);
    let mut watched = alice.watched_presence().await.expect("listed");
    watched.sort();
    assert_eq!(watched, ["bob", "carol"]);
    assert_eq!(code(alice.watch_presence(&["d", "e"]).await), 6);
    assert_eq!(code(alice.watch_presence(&["!"]).await), 2);
    bob.logout().await.expect("logged out");
    let ClientEvent::Presence { states } = event(&mut alice).await else { panic!("a state") };
    assert_eq!((states[0].user.as_str(), states[0].state.as_str()), ("bob", "offline"));
    alice.unwatch_presence(&["bob", "nobody"]).await.expect("unwatched");
    assert_eq!(alice.watched_presence().await.expect("listed"), ["carol"]);
}

#[tokio::test]
async fn presence_is_limited() {
    let limits = |setup: &mut crate::harness::Setup| {
        limit(setup, Rule::PresenceQueries, 1);
        limit(setup, Rule::PresenceSubscriptions, 1);
    };
    let gateway = gateway_with(limits).await;
    let alice = gateway.client("alice").await;
    alice.query_presence(&["bob"]).await.expect("answered");
    assert_eq!(code(alice.query_presence(&["bob"]).await), 5);
    alice.watch_presence(&["bob"]).await.expect("watched");
    assert_eq!(code(alice.watch_presence(&["bob"]).await), 5);
    assert_eq!(code(alice.unwatch_presence(&["bob"]).await), 5);
    assert_eq!(code(alice.watched_presence().await), 3);
}

#[tokio::test]
async fn user_attributes() {
    let gateway = gateway().await;
    let alice = gateway.client("alice").await;
    let bob = gateway.client("bob").await;
    alice.set_user_attributes(&[("a", "1"), ("b", "2")]).await.expect("set");
    alice.update_user_attributes(&[("b", "3"), ("c", "4")]).await.expect("updated");
    alice.delete_user_attributes(&["a"]).await.expect("deleted");
    let found = bob.user_attributes("alice", None).await.expect("found");
    let found: Vec<_> = found.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(found, [("b", "3"), ("c", "4")]);
    let some = bob.user_attributes("alice", Some(&["c", "x"])).await.expect("found");
    assert_eq!(some.into_keys().collect::<Vec<_>>(), ["c"]);
    alice.clear_user_attributes().await.expect("cleared");
    assert!(bob.user_attributes("alice", None).await.expect("found").is_empty());
    assert_eq!(code(bob.user_attributes("carol", None).await), 6);
    assert_eq!(code(bob.user_attributes("null", None).await), 3);
    assert_eq!(code(bob.set_user_attributes(&[("", "1")]).await), 3);
    assert_eq!(code(bob.set_user_attributes(&[("k", "")]).await), 3);
    assert_eq!(code(bob.set_user_attributes(&[("k", &"x".repeat(8193))]).await), 4);
}

#[tokio::test]
async fn channel_attributes() {
    let gateway = gateway().await;
    let alice = gateway.client("alice").await;
    let mut bob = gateway.client("bob").await;
    bob.join("lobby").await.expect("joined");
    alice.set_channel_attributes("lobby", &[("a", "1")], false).await.expect("set");
    alice.update_channel_attributes("lobby", &[("b", "2")], true).await.expect("updated");
    let ClientEvent::ChannelAttributes { channel, mut attributes } = event(&mut bob).await else { panic!("a notice") };
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
    assert_eq!((channel.as_str(), attributes[1].value.as_str()), ("lobby", "2"));
    assert_eq!((attributes[0].updated_by.as_str(), attributes.len()), ("alice", 2));
    alice.delete_channel_attributes("lobby", &["a"], false).await.expect("deleted");
    let left = bob.channel_attributes("lobby", None).await.expect("found");
    assert_eq!(left.iter().map(|attribute| attribute.key.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(bob.channel_attributes("lobby", Some(&["x"])).await.expect("found").is_empty());
    alice.clear_channel_attributes("lobby", false).await.expect("cleared");
    assert!(bob.channel_attributes("lobby", None).await.expect("found").is_empty());
    assert_eq!(code(alice.set_channel_attributes("!", &[("a", "1")], false).await), 3);
    assert_eq!(code(alice.update_channel_attributes("lobby", &[("a", "")], false).await), 3);
    assert_eq!(code(alice.update_channel_attributes("lobby", &[("a", &"x".repeat(8193))], false).await), 4);
}

#[tokio::test]
async fn attributes_are_limited() {
    let rules =
        [Rule::UserAttributeWrites, Rule::UserAttributeReads, Rule::RoomAttributeWrites, Rule::RoomAttributeReads];
    let gateway = gateway_with(|setup| rules.into_iter().for_each(|rule| limit(setup, rule, 1))).await;
    let alice = gateway.client("alice").await;
    alice.clear_user_attributes().await.expect("cleared");
    assert_eq!(code(alice.clear_user_attributes().await), 5);
    alice.user_attributes("alice", None).await.expect("found");
    assert_eq!(code(alice.user_attributes("alice", None).await), 5);
    alice.clear_channel_attributes("lobby", false).await.expect("cleared");
    assert_eq!(code(alice.clear_channel_attributes("lobby", false).await), 5);
    alice.channel_attributes("lobby", None).await.expect("found");
    assert_eq!(code(alice.channel_attributes("lobby", None).await), 5);
}

#[tokio::test]
async fn an_unknown_type_is_answered() {
    let gateway = gateway().await;
    let alice = gateway.client("alice").await;
    let answer = alice.request::<serde_json::Value>("dance", serde_json::json!({ "partner": "bob" })).await;
    assert_eq!(code(answer), 2);
    alice.member_counts(&[]).await.expect("the connection goes on");
}

#[tokio::test]
async fn renewing_is_refused() {
    let gateway = gateway_with(|setup| limit(setup, Rule::Logins, 2)).await;
    let alice = gateway.client("alice").await;
    assert_eq!(code(alice.renew_token("other-app").await), 3);
    assert_eq!(code(alice.renew_token("expired").await), 5);
    assert_eq!(code(alice.renew_token("bad").await), 6);
    alice.renew_token("good").await.expect("renewed");
    assert_eq!(code(alice.renew_token("good").await), 4);
}

#[tokio::test]
async fn logout() {
    let gateway = gateway().await;
    let mut alice = gateway.client("alice").await;
    alice.logout().await.expect("logged out");
    assert_eq!(closed(&mut alice).await, Some(1000));
    assert_eq!(soon(alice.next()).await, None);
    until(|| gateway.state.counters().open == 0).await;
    assert_eq!(gateway.node.census().attached + gateway.node.census().detached, 0);
}

#[tokio::test]
async fn more_than_64_unanswered_requests_are_answered_in_the_end() {
    let gateway = gateway_with(|setup| setup.policy.sessions.mailbox_notices = 1000).await;
    let mut alice = gateway.raw_as("alice").await;
    let mut bob = gateway.client_with("bob", ClientOptions { auto_ack: false, ..ClientOptions::default() }).await;
    for id in 0..200 {
        alice.send(&format!(r#"{{"type":"send_peer","id":{id},"to":"bob","payload":"x"}}"#)).await;
    }
    // The first 64 arrive and wait for their ack; the others are not read before.
    let mut ids = Vec::new();
    for _ in 0..64 {
        let ClientEvent::PeerMessage(message) = event(&mut bob).await else { panic!("a message") };
        ids.push(message.message_id);
    }
    let read = gateway.state.counters().frames_in;
    assert!(read < 80, "{read} frames were read");
    bob.ack(&ids).await.expect("sent");
    let mut answered = 0;
    while answered < 200 {
        tokio::select! {
            reply = alice.json_of("reply") => {
                assert_eq!(reply["result"], "delivered");
                answered += 1;
            }
            message = event(&mut bob) => {
                let ClientEvent::PeerMessage(message) = message else { panic!("a message") };
                bob.ack(&[message.message_id]).await.expect("sent");
            }
        }
    }
}
