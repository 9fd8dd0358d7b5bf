//! A room that JSON clients and clients of the SDKs share, and what becomes of a connection that is lost.

use std::time::Duration;

use stentor_core::directory::rooms::RoomKind;
use stentor_msync::{BodyType, Meta, NameSpace};

use super::{CONFERENCES, Sdk, USERS, body, jid, text};
use crate::chat::{gateway, message as json_message, text as json_text};
use crate::harness::until;

async fn said(sdk: &mut Sdk) -> String {
    let is_chat = |meta: &Meta| meta.ns == Some(NameSpace::Chat as i32);
    let down = sdk.down(|down| down.metas.iter().any(is_chat)).await;
    body(&down.metas[0]).contents[0].text.clone().expect("a text")
}

#[tokio::test]
async fn a_mixed_room_sees_one_order() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let mut alice = gateway.sdk("alice").await;
    let mut dave = gateway.sdk("dave").await;
    let mut bob = gateway.chat("bob").await;
    alice.join(&room).await;
    dave.join(&room).await;
    bob.join(room.as_str()).await.expect("joined");
    for number in 0..30 {
        match number % 2 {
            0 => gateway.text_to_room(&room, &number.to_string()).await.0,
            _ => dave.sent(jid(room.as_str(), CONFERENCES), &text(BodyType::Chatroom, &number.to_string())).await,
        };
    }
    for number in 0..30 {
        assert_eq!(said(&mut alice).await, number.to_string());
        assert_eq!(json_text(&json_message(&mut bob).await), number.to_string());
    }
}

#[tokio::test]
async fn clients_of_both_kinds_talk_to_each_other() {
    let gateway = gateway().await;
    let mut alice = gateway.sdk("alice").await;
    let mut bob = gateway.chat("bob").await;
    let id = alice.sent(jid("bob", USERS), &text(BodyType::Chat, "hi")).await;
    let got = json_message(&mut bob).await;
    assert_eq!((got.id.0, json_text(&got)), (id, "hi".to_owned()));
}

/// The client does not say that it comes back, nor what it has: its device tells the one, and of the other it gets a little
/// too much.
#[tokio::test]
async fn a_lost_connection_loses_nothing_of_a_room() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let mut bob = gateway.sdk("bob").await;
    bob.join(&room).await;
    gateway.text_to_room(&room, "long ago").await;
    assert_eq!(said(&mut bob).await, "long ago");
    gateway.pass(Duration::from_secs(15));
    bob.unread().await;
    gateway.text_to_room(&room, "just now").await;
    drop(bob);
    until(|| gateway.node.census().detached == 1).await;
    gateway.pass(Duration::from_secs(5));
    gateway.text_to_room(&room, "meanwhile").await;
    let mut bob = gateway.sdk("bob").await;
    assert_eq!((said(&mut bob).await, said(&mut bob).await), ("just now".to_owned(), "meanwhile".to_owned()));
    bob.heard_nothing_else().await;
    // Another device is somebody else.
    let mut phone = gateway.sdk_on("bob", "phone").await;
    phone.heard_nothing_else().await;
}
