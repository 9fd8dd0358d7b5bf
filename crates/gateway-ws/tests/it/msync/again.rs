//! What is sent again because nobody knows whether it arrived.

use std::time::Duration;

use stentor_core::directory::rooms::RoomKind;
use stentor_msync::{BodyType, Command, Message as _, Meta, SyncUp};

use super::{CONFERENCES, USERS, body, frame, jid, message, status, text};
use crate::chat::{chat_gateway, gateway};
use crate::harness::{Gateway, limit, until};

async fn received(gateway: &Gateway, name: &str) -> Vec<String> {
    let mut sdk = gateway.sdk_on(name, "another").await;
    let mut texts = Vec::new();
    for (queue, _) in sdk.unread().await {
        let queue = jid(&queue, USERS);
        sdk.say(&frame(Command::Sync, &SyncUp { queue: Some(queue.clone()), ..SyncUp::default() })).await;
        let page = sdk.items().await;
        texts.extend(page.metas.iter().map(|meta| body(meta).contents[0].text.clone().expect("a text")));
        assert!(sdk.pull(queue, page.next_key).await.metas.is_empty());
    }
    texts
}

#[tokio::test]
async fn the_same_item_is_one_message_with_one_number() {
    let gateway = gateway().await;
    let mut alice = gateway.sdk("alice").await;
    let hi = message(jid("bob", USERS), &text(BodyType::Chat, "hi"));
    let first = alice.ask_as(7, hi.clone()).await;
    assert_eq!(status(&first), (0, ""));
    assert_eq!(alice.ask_as(7, hi.clone()).await, first);
    // Its connection was lost, and its session too.
    drop(alice);
    until(|| gateway.node.census().detached == 1).await;
    gateway.pass(Duration::from_secs(60));
    until(|| gateway.node.census().detached == 0).await;
    let mut alice = gateway.sdk("alice").await;
    assert_eq!(alice.ask_as(7, hi.clone()).await, first);
    // The server has not noticed that it was lost.
    let held = std::mem::replace(&mut alice, gateway.sdk("alice").await);
    assert_eq!(alice.ask_as(7, hi.clone()).await, first);
    drop(held);
    // Something else, another device, another number: another message.
    let ho = message(jid("bob", USERS), &text(BodyType::Chat, "ho"));
    let mut numbers = vec![first.server_id, alice.ask_as(7, ho).await.server_id];
    numbers.push(alice.ask_as(8, hi.clone()).await.server_id);
    numbers.push(gateway.sdk_on("alice", "phone").await.ask_as(7, hi.clone()).await.server_id);
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 4);
    assert_eq!(received(&gateway, "bob").await, ["hi", "ho", "hi", "hi"]);
}

#[tokio::test]
async fn what_was_refused_is_asked_anew() {
    let gateway = chat_gateway(|setup| {
        limit(setup, stentor_core::limits::Rule::ClientSends, 1);
        setup.chat.rates = setup.policy.rates.clone();
    })
    .await;
    let mut alice = gateway.sdk("alice").await;
    let hi = |text_: &str| message(jid("bob", USERS), &text(BodyType::Chat, text_));
    assert_eq!(status(&alice.ask_as(1, hi("a")).await), (0, ""));
    assert_eq!(status(&alice.ask_as(2, hi("b")).await), (7, "traffic limit"));
    // What was done is answered without being counted again.
    assert_eq!(status(&alice.ask_as(1, hi("a")).await), (0, ""));
    gateway.pass(Duration::from_secs(61));
    let mut alice = gateway.sdk("alice").await;
    assert_eq!(status(&alice.ask_as(2, hi("b")).await), (0, ""));
    assert_eq!(received(&gateway, "bob").await, ["a", "b"]);
}

/// The client is gone before it has its answer, and comes back with the question.
#[tokio::test]
async fn an_answer_that_nobody_waited_for_is_kept() {
    let gateway = gateway().await;
    let mut alice = gateway.sdk("alice").await;
    let meta = stentor_msync::Meta { id: Some(9), ..message(jid("bob", USERS), &text(BodyType::Chat, "hi")) };
    let up = frame(Command::Sync, &SyncUp { meta: Some(meta.clone()), ..SyncUp::default() });
    alice.bytes(up.encode_to_vec()).await;
    drop(alice);
    until(|| gateway.node.census().detached == 1).await;
    let mut alice = gateway.sdk("alice").await;
    assert_eq!(status(&alice.ask_as(9, meta).await), (0, ""));
    assert_eq!(received(&gateway, "bob").await, ["hi"]);
}

/// The process dies between the message and its answer: the message is there, and the client asks again.
#[tokio::test]
async fn what_was_kept_is_known_over_a_crash() {
    let before = chat_gateway(|setup| setup.chat.rates = vec![]).await;
    let group = before.place(RoomKind::Group, &["alice", "bob"]).await;
    let room = before.place(RoomKind::Room, &["alice", "bob"]).await;
    let mut alice = before.sdk("alice").await;
    let items = [
        message(jid("bob", USERS), &text(BodyType::Chat, "to bob")),
        message(jid(group.as_str(), CONFERENCES), &text(BodyType::Groupchat, "to the group")),
        message(jid(room.as_str(), CONFERENCES), &text(BodyType::Chatroom, "to the room")),
    ];
    let mut first = Vec::new();
    for (id, item) in (1..).zip(&items) {
        first.push(alice.ask_as(id, item.clone()).await);
        assert_eq!(status(&first[first.len() - 1]), (0, ""));
    }
    // What is not kept is gone, and so is what was asked of it.
    let live = Meta { routetype: Some(1), ..items[0].clone() };
    let gone = alice.ask_as(9, live.clone()).await;
    before.clock.advance(Duration::from_millis(1));
    let gateway = before.restarted().await;
    let mut alice = gateway.sdk("alice").await;
    for (id, item) in (1..).zip(&items) {
        assert_eq!(alice.ask_as(id, item.clone()).await, first[id as usize - 1]);
    }
    assert_ne!(alice.ask_as(9, live).await.server_id, gone.server_id);
    let mut phone = gateway.sdk_on("alice", "phone").await;
    assert_ne!(phone.ask_as(1, items[0].clone()).await.server_id, first[0].server_id);
    let mut expected = received(&gateway, "bob").await;
    expected.sort_unstable();
    assert_eq!(expected, ["to bob", "to bob", "to the group"]);
    // Ten minutes later it is another message, also if a crash comes between.
    gateway.pass(Duration::from_secs(600));
    let gateway = gateway.restarted().await;
    let mut alice = gateway.sdk("alice").await;
    assert_ne!(alice.ask_as(1, items[0].clone()).await.server_id, first[0].server_id);
}
