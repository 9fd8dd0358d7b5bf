//! Who may not say something may not say it by an edit or beside a recall.

use stentor_core::directory::mutes::{MuteScope, MuteTime};
use stentor_core::directory::rooms::RoomKind;
use stentor_msync::{BodyType, Jid, MessageBody, Meta, value};

use super::{CONFERENCES, Sdk, USERS, about, body, jid, message, status, text};
use crate::chat::{gateway, user};

/// A message's number, an edit of it and a recall with words: their numbers and texts, and what else goes along.
async fn refused(alice: &mut Sdk, bob: &mut Sdk, (to, kind): (&Jid, BodyType), id: u64, why: (i32, &str)) {
    let edit = MessageBody { edit_message_id: Some(id), ..text(BodyType::Edit, "new") };
    for said in [text(kind, "hi"), edit] {
        assert_eq!(status(&alice.send(to.clone(), &said).await), why, "{said:?}");
    }
    let recall = Meta {
        ext: vec![value::text("recallMessageExtensionInfo", "new")],
        ..message(to.clone(), &about(BodyType::Recall, id))
    };
    assert_eq!(status(&alice.ask(recall).await), (0, ""));
    let told = bob.item().await;
    let recalled = body(&told);
    assert_eq!((recalled.kind, recalled.ack_message_id), (Some(BodyType::Recall as i32), Some(id)));
    let words = told.ext.iter().find(|ext| ext.key.as_deref() == Some("recallMessageExtensionInfo"));
    assert_eq!(words, None, "{why:?}");
}

/// Sends what must go well.
async fn said(alice: &mut Sdk, bob: &mut Sdk, to: &Jid, kind: BodyType) -> u64 {
    let id = alice.sent(to.clone(), &text(kind, "hi")).await;
    bob.item().await;
    id
}

#[tokio::test]
async fn between_two() {
    let gateway = gateway().await;
    let (node, app) = (&gateway.node, &gateway.chat);
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    let to = (&jid("bob", USERS), BodyType::Chat);
    let id = said(&mut alice, &mut bob, to.0, to.1).await;
    node.mute_user(app, &user("alice"), &[(MuteScope::Users, MuteTime::Forever)]).await.expect("muted");
    refused(&mut alice, &mut bob, to, id, (7, "user is mute")).await;
    node.mute_user(app, &user("alice"), &[(MuteScope::Users, MuteTime::None)]).await.expect("unmuted");
    let id = said(&mut alice, &mut bob, to.0, to.1).await;
    node.block_users(app, &user("bob"), &[user("alice")]).await.expect("blocked");
    refused(&mut alice, &mut bob, to, id, (1, "blocked")).await;
}

#[tokio::test]
async fn in_groups() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let (node, app) = (&gateway.node, &gateway.chat);
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    let to = (&jid(group.as_str(), CONFERENCES), BodyType::Groupchat);
    let id = said(&mut alice, &mut bob, to.0, to.1).await;
    let later = said(&mut alice, &mut bob, to.0, to.1).await;
    let alice_alone = [user("alice")];
    node.mute_members(app, RoomKind::Group, &group, &alice_alone, u64::MAX).await.expect("muted");
    bob.items().await;
    refused(&mut alice, &mut bob, to, id, (15, "user is mute")).await;
    node.unmute_members(app, RoomKind::Group, &group, &alice_alone).await.expect("unmuted");
    node.disable_room(app, RoomKind::Group, &group, true).await.expect("switched off");
    for _ in 0..2 {
        bob.items().await;
    }
    refused(&mut alice, &mut bob, to, later, (1, "group is disabled")).await;
}
