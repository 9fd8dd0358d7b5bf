//! What clients send and ask of rooms.

use stentor_core::app::HistoryPolicy;
use stentor_core::directory::rooms::RoomKind;
use stentor_core::id::{MessageId, RoomId};
use stentor_core::limits::Rule;
use stentor_core::store::{HistoryFilter, HistoryPage};
use stentor_msync::{
    BodyType, Content, EditScope, Jid, Message as _, MessageBody, MessageConfig, Meta, MucBody, MucOperation,
    NameSpace, RosterBody, RosterOperation, RouteType, value,
};

use super::{CONFERENCES, USERS, about, body, jid, message, status, text};
use crate::chat::{chat_gateway, gateway, user};
use crate::harness::{NOW_MS, limit};

fn named(name: &str) -> Jid {
    Jid { name: Some(name.to_owned()), ..Jid::default() }
}

#[tokio::test]
async fn a_message_is_acked_and_comes_from_who_was_authenticated() {
    let gateway = gateway().await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    let forged = MessageBody { from: Some(named("mallory")), ..text(BodyType::Chat, "hi") };
    let meta = Meta { from: Some(jid("mallory", USERS)), ..message(jid("bob", USERS), &forged) };
    let answer = alice.ask(meta).await;
    assert_eq!((status(&answer), answer.timestamp), ((0, ""), Some(NOW_MS)));
    // An ack carries no items, and says nothing about the end of a queue: older SDKs would take it for a delivery.
    assert_eq!((answer.metas.len(), answer.is_last), (0, None));
    let got = bob.item().await;
    assert_eq!((got.id, got.timestamp), (answer.server_id, Some(NOW_MS)));
    assert_eq!((got.from.as_ref(), got.to.as_ref()), (Some(&jid("alice", USERS)), Some(&jid("bob", USERS))));
    let body = body(&got);
    assert_eq!(
        (body.from, body.to, body.kind),
        (Some(named("alice")), Some(named("bob")), Some(BodyType::Chat as i32))
    );
    alice.heard_nothing_else().await;
}

#[tokio::test]
async fn translations_go_along_if_there_is_room() {
    let gateway = gateway().await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    let with = |kind: BodyType, meta: &str| MessageBody { meta: Some(meta.to_owned()), ..text(kind, "hi") };
    let translations = r#"{"translations":[{"code":"de","text":"hallo"}]}"#;
    let more = r#"{"thread":{},"translations":[{"code":"de","text":"hallo","x":1},{"code":7},"odd"]}"#;
    let long = format!(r#"{{"translations":[{{"code":"de","text":"{}"}}]}}"#, "x".repeat(5120));
    for (meta, got) in [
        (translations, Some(translations)),
        (more, Some(translations)),
        (r#"{"translations":[]}"#, None),
        ("no JSON", None),
        (&long, None),
    ] {
        alice.sent(jid("bob", USERS), &with(BodyType::Chat, meta)).await;
        let body = body(&bob.item().await);
        assert_eq!((body.contents[0].text.as_deref(), body.meta.as_deref()), (Some("hi"), got), "{meta}");
    }
    alice.sent(jid("bob", USERS), &text(BodyType::Chat, "hi")).await;
    let id = bob.item().await.id;
    let edit = MessageBody { edit_message_id: id, ..with(BodyType::Edit, translations) };
    alice.sent(jid("bob", USERS), &edit).await;
    let edited = body(&bob.item().await).meta.expect("about it");
    let edited: serde_json::Value = serde_json::from_str(&edited).expect("JSON");
    assert_eq!(edited["translations"][0]["text"], "hallo");
    assert_eq!(edited["edit_msg"]["sender"], "alice");
}

#[tokio::test]
async fn other_devices_get_copies_in_the_receivers_queue() {
    let gateway = gateway().await;
    let (mut phone, mut web) = (gateway.sdk_on("alice", "phone").await, gateway.sdk_on("alice", "web").await);
    let mut bob = gateway.sdk("bob").await;
    let id = web.sent(jid("bob", USERS), &text(BodyType::Chat, "hi")).await;
    let copy = phone.items().await;
    assert_eq!((copy.metas[0].id, copy.queue), (Some(id), Some(jid("bob", USERS))));
    // The same message, and another frame.
    let got = bob.items().await;
    assert_eq!((got.metas[0].id, got.queue), (Some(id), Some(jid("alice", USERS))));
    phone.pull(jid("bob", USERS), copy.next_key).await;
    assert_eq!(gateway.node.offline_messages(&gateway.chat, &user("alice")).await.expect("counted"), 0);
}

#[tokio::test]
async fn only_for_who_is_there() {
    let gateway = gateway().await;
    let mut alice = gateway.sdk("alice").await;
    let meta = message(jid("bob", USERS), &text(BodyType::Chat, "hi"));
    alice.ask(Meta { routetype: Some(RouteType::Online as i32), ..meta }).await;
    assert!(gateway.sdk("bob").await.unread().await.is_empty());
}

#[tokio::test]
async fn rooms_have_levels_targets_and_no_echo() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let (mut alice, mut bob, mut dave) =
        (gateway.sdk("alice").await, gateway.sdk("bob").await, gateway.sdk("dave").await);
    for sdk in [&mut alice, &mut bob, &mut dave] {
        sdk.join(&room).await;
    }
    let to = jid(room.as_str(), CONFERENCES);
    for (tag, expected) in [(0, 0), (1, 1), (2, 2), (9, 1)] {
        let meta = message(to.clone(), &text(BodyType::Chatroom, "hi"));
        alice.ask(Meta { ext: vec![value::int("chatroom_msg_tag", tag)], ..meta }).await;
        let pushed = bob.down(|down| down.metas.iter().any(|meta| meta.ns == Some(NameSpace::Chat as i32))).await;
        assert_eq!((pushed.is_last, pushed.next_key, pushed.queue.as_ref()), (Some(true), None, Some(&to)));
        assert_eq!(pushed.metas[0].ext, [value::int("chatroom_msg_tag", expected)]);
        dave.down(|down| down.metas.iter().any(|meta| meta.ns == Some(NameSpace::Chat as i32))).await;
    }
    let meta = message(to.clone(), &text(BodyType::Chatroom, "psst"));
    let targeted = Meta { directed_users: vec!["bob".to_owned()], routetype: Some(2), ..meta };
    assert_eq!(status(&alice.ask(targeted).await), (0, ""));
    alice.sent(to, &text(BodyType::Chatroom, "all")).await;
    let next = async |sdk: &mut super::Sdk| {
        let is_chat = |meta: &Meta| meta.ns == Some(NameSpace::Chat as i32);
        let down = sdk.down(|down| down.metas.iter().any(is_chat)).await;
        body(&down.metas[0]).contents[0].text.clone().expect("a text")
    };
    assert_eq!((next(&mut bob).await, next(&mut bob).await), ("psst".to_owned(), "all".to_owned()));
    assert_eq!(next(&mut dave).await, "all");
}

/// Else everybody in the group finds it there.
#[tokio::test]
async fn a_group_message_for_some_members_is_in_no_history() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob", "carol"]).await;
    let mut alice = gateway.sdk("alice").await;
    let to = jid(group.as_str(), CONFERENCES);
    let meta = message(to.clone(), &text(BodyType::Groupchat, "psst"));
    let targeted = Meta { directed_users: vec!["bob".to_owned()], routetype: Some(2), ..meta };
    assert_eq!(status(&alice.ask(targeted).await), (0, ""));
    alice.sent(to, &text(BodyType::Groupchat, "all")).await;
    let page = HistoryPage { offset: 0, limit: 10, newest_first: false };
    let found = gateway.node.history(&gateway.chat, &HistoryFilter::ALL, page).await.expect("reads");
    let found: Vec<_> = found.iter().map(|message| String::from_utf8_lossy(&message.payload).into_owned()).collect();
    assert!(matches!(&found[..], [all] if all.contains("all")), "{found:?}");
    assert_eq!(gateway.sdk("bob").await.unread().await, [(group.to_string(), 2)]);
    assert_eq!(gateway.sdk("carol").await.unread().await, [(group.to_string(), 1)]);
}

#[tokio::test]
async fn coming_and_going() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    alice.join(&room).await;
    bob.join(&room).await;
    let came = alice.event(MucOperation::Presence).await;
    assert_eq!((came.from, came.is_chatroom), (Some(jid("bob", USERS)), Some(true)));
    assert_eq!((came.muc_id, came.muc_member_count), (Some(jid(room.as_str(), CONFERENCES)), Some(3)));
    assert_eq!(status(&bob.muc(&room, MucOperation::Leave).await), (0, ""));
    assert_eq!(alice.event(MucOperation::Absence).await.from, Some(jid("bob", USERS)));
    assert_eq!(status(&bob.muc(&room, MucOperation::Destroy).await), (9, "unknown operation"));
    assert_eq!(status(&bob.muc(&RoomId::from_trusted("1"), MucOperation::Join).await), (1, "grpID does not exist!"));
    assert_eq!(
        status(&bob.send(jid(room.as_str(), CONFERENCES), &text(BodyType::Chatroom, "?")).await),
        (1, "not in group or chatroom")
    );
}

#[tokio::test]
async fn refusals_of_messages_have_the_texts_that_the_sdks_know() {
    let gateway = chat_gateway(|setup| {
        limit(setup, Rule::ClientSends, 3);
        setup.chat.rates = setup.policy.rates.clone();
    })
    .await;
    let mut alice = gateway.sdk("alice").await;
    let group = jid("77", CONFERENCES);
    let large = text(BodyType::Chat, &"x".repeat(6_000));
    let unknown =
        MessageBody { contents: vec![Content { kind: Some(99), ..Content::default() }], ..text(BodyType::Chat, "") };
    for (to, body, expected) in [
        (jid("bob", USERS), &unknown, (9, "unknown operation")),
        (jid("bob", USERS), &MessageBody { kind: Some(99), ..unknown.clone() }, (9, "unknown operation")),
        (jid("b b", USERS), &text(BodyType::Chat, "hi"), (1, "username doesn't exist!")),
        (jid("bob", USERS), &large, (7, "Sorry, data is too large")),
        (group.clone(), &text(BodyType::Groupchat, "hi"), (1, "group not found")),
        (jid("bob", USERS), &about(BodyType::Recall, 5), (1, "there is no such message")),
        (jid("bob", USERS), &text(BodyType::Chat, "hi"), (0, "")),
        (jid("bob", USERS), &text(BodyType::Chat, "hi"), (7, "traffic limit")),
    ] {
        assert_eq!(status(&alice.send(to, body).await), expected, "{body:?}");
    }
    let odd = Meta { ns: Some(NameSpace::Conference as i32), ..Meta::default() };
    assert_eq!(status(&alice.ask(odd).await), (9, "calls are not supported"));
    let odd = Meta { ns: Some(NameSpace::Query as i32), ..Meta::default() };
    assert_eq!(status(&alice.ask(odd).await), (9, "unknown operation"));
}

#[tokio::test]
async fn recalls_edits_and_receipts() {
    let gateway = gateway().await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    let id = alice.sent(jid("bob", USERS), &text(BodyType::Chat, "helo")).await;
    bob.item().await;

    let read = about(BodyType::ReadAck, id);
    bob.sent(jid("alice", USERS), &read).await;
    let receipt = body(&alice.item().await);
    assert_eq!((receipt.kind, receipt.ack_message_id), (Some(BodyType::ReadAck as i32), Some(id)));
    assert_eq!(receipt.from, Some(named("bob")));

    bob.sent(jid("alice", USERS), &about(BodyType::DeliverAck, id)).await;
    let delivered = body(&alice.item().await);
    assert_eq!((delivered.kind, delivered.ack_message_id), (Some(BodyType::DeliverAck as i32), Some(id)));

    bob.sent(jid("alice", USERS), &MessageBody { kind: Some(BodyType::ChannelAck as i32), ..MessageBody::default() })
        .await;
    assert_eq!(body(&alice.item().await).kind, Some(BodyType::ChannelAck as i32));

    let edit = MessageBody {
        kind: Some(BodyType::Edit as i32),
        edit_message_id: Some(id),
        edit_scope: Some(EditScope::BodyAndExt as i32),
        ext: vec![value::text("k", "v")],
        ..text(BodyType::Edit, "hello")
    };
    assert_eq!(status(&bob.send(jid("alice", USERS), &edit).await).0, 1, "it is not bob's");
    alice.sent(jid("bob", USERS), &edit).await;
    let edited = body(&bob.item().await);
    assert_eq!((edited.kind, edited.edit_message_id), (Some(BodyType::Edit as i32), Some(id)));
    assert_eq!(edited.contents[0].text.as_deref(), Some("hello"));
    assert_eq!(edited.ext, [value::text("k", "v")]);
    let about_it: serde_json::Value = serde_json::from_str(&edited.meta.expect("about it")).expect("JSON");
    assert_eq!(about_it["edit_msg"]["sender"], "alice");
    assert_eq!((&about_it["edit_msg"]["count"], &about_it["edit_msg"]["chat_type"]), (&1.into(), &"chat:user".into()));

    let meta = message(jid("bob", USERS), &about(BodyType::Recall, id));
    let recall = Meta { ext: vec![value::text("recallMessageExtensionInfo", "sorry")], ..meta };
    assert_eq!(status(&alice.ask(recall).await), (0, ""));
    let got = bob.item().await;
    assert_eq!(got.ext, [value::text("recallMessageExtensionInfo", "sorry")]);
    let recalled = body(&got);
    assert_eq!((recalled.kind, recalled.ack_message_id), (Some(BodyType::Recall as i32), Some(id)));
    assert_eq!(recalled.from, Some(named("alice")));
}

#[tokio::test]
async fn receipts_in_groups_go_to_who_wrote() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let elsewhere = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    let mut carol = gateway.sdk("carol").await;
    carol.unread().await;
    let asks = MessageBody {
        msg_config: Some(MessageConfig { allow_group_ack: Some(true) }),
        ..text(BodyType::Groupchat, "hi")
    };
    let to = jid(group.as_str(), CONFERENCES);
    let id = alice.sent(to.clone(), &asks).await;
    let got = bob.items().await;
    assert_eq!((got.queue.as_ref(), got.metas[0].id), (Some(&to), Some(id)));
    assert_eq!(body(&got.metas[0]).msg_config, asks.msg_config);
    carol.item().await;
    bob.sent(to, &about(BodyType::ReadAck, id)).await;
    let receipt = body(&alice.item().await);
    assert_eq!((receipt.kind, receipt.ack_message_id), (Some(BodyType::ReadAck as i32), Some(id)));
    carol.heard_nothing_else().await;
    let wrong = bob.send(jid(elsewhere.as_str(), CONFERENCES), &about(BodyType::ReadAck, id)).await;
    assert_eq!(status(&wrong).0, 1, "it was not said there");
}

#[tokio::test]
async fn combined_messages_arrive_as_such_and_directed_ones_have_a_limit() {
    let gateway = gateway().await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    let combined = Content {
        kind: Some(0),
        sub_type: Some(stentor_msync::SubType::SubCombine as i32),
        text: Some("three messages".to_owned()),
        title: Some("chat of alice".to_owned()),
        summary: Some("a: hi".to_owned()),
        display_name: Some("combine".to_owned()),
        remote_path: Some("http://127.0.0.1/acme/demo/chatfiles/1".to_owned()),
        secret_key: Some("s".to_owned()),
        file_length: Some(9),
        combine_level: Some(2),
        ..Content::default()
    };
    let body_ = MessageBody { contents: vec![combined.clone()], ..text(BodyType::Chat, "") };
    alice.sent(jid("bob", USERS), &body_).await;
    assert_eq!(body(&bob.item().await).contents, [combined]);
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let directed = |count: usize| Meta {
        directed_users: vec!["bob".to_owned(); count],
        routetype: Some(RouteType::Direct as i32),
        ..message(jid(group.as_str(), CONFERENCES), &text(BodyType::Groupchat, "psst"))
    };
    assert_eq!(status(&alice.ask(directed(20)).await), (0, ""));
    assert_eq!(status(&alice.ask(directed(21)).await), (1, "limit directed users"));
    bob.item().await;
}

#[tokio::test]
async fn groups_take_what_was_delivered_and_read() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    let mut carol = gateway.sdk("carol").await;
    let to = jid(group.as_str(), CONFERENCES);
    let id = alice.sent(to.clone(), &text(BodyType::Groupchat, "hi")).await;
    bob.item().await;
    carol.item().await;
    bob.sent(to.clone(), &about(BodyType::DeliverAck, id)).await;
    let delivered = body(&alice.item().await);
    assert_eq!((delivered.kind, delivered.ack_message_id), (Some(BodyType::DeliverAck as i32), Some(id)));
    assert_eq!((delivered.from, delivered.to), (Some(named("bob")), Some(named(group.as_str()))));
    assert_eq!(status(&bob.send(to, &about(BodyType::ChannelAck, 0)).await), (0, ""));
    alice.heard_nothing_else().await;
    carol.heard_nothing_else().await;
}

/// A receipt is for who wrote a message that the user can have got, and for nobody else.
#[tokio::test]
async fn receipts_of_what_one_cannot_have_are_refused() {
    let gateway = gateway().await;
    let group = gateway.place(RoomKind::Group, &["alice", "bob"]).await;
    let (mut alice, mut bob, mut carol) =
        (gateway.sdk("alice").await, gateway.sdk("bob").await, gateway.sdk("carol").await);
    let in_group = jid(group.as_str(), CONFERENCES);
    let id = alice.sent(jid("carol", USERS), &text(BodyType::Chat, "secret")).await;
    carol.item().await;
    let own = bob.sent(jid("alice", USERS), &text(BodyType::Chat, "mine")).await;
    alice.item().await;
    let said = alice.sent(in_group.clone(), &text(BodyType::Groupchat, "all")).await;
    let bobs = bob.sent(in_group.clone(), &text(BodyType::Groupchat, "and mine")).await;
    alice.item().await;
    for sdk in [&mut bob, &mut carol] {
        sdk.items().await;
    }
    carol.items().await;
    let future = id + (1 << 40);
    for (to, id, why) in [
        ("alice", id, "it was for carol"),
        ("carol", id, "nor did carol write it"),
        ("alice", own, "it is bob's own"),
        ("alice", said, "it was said in a group"),
        ("alice", id + 1, "there is none"),
        ("alice", 0, "there is none"),
        ("alice", u64::MAX, "there is none"),
        ("alice", future, "it is not written yet"),
        ("group", id, "it was not said there"),
        ("group", bobs, "it is bob's own"),
        ("group", 7, "there is none"),
    ] {
        for kind in [BodyType::ReadAck, BodyType::DeliverAck] {
            let to = if to == "group" { in_group.clone() } else { jid(to, USERS) };
            assert_eq!(status(&bob.send(to, &about(kind, id)).await), (1, "no such message"), "{why}");
        }
    }
    alice.heard_nothing_else().await;
    carol.heard_nothing_else().await;
    // What is taken back was never there.
    let oops = alice.sent(jid("bob", USERS), &text(BodyType::Chat, "oops")).await;
    alice.sent(jid("bob", USERS), &about(BodyType::Recall, oops)).await;
    assert_eq!(status(&bob.send(jid("alice", USERS), &about(BodyType::ReadAck, oops)).await).0, 1);
    // Nor is anything recalled by who did not write it.
    for sdk in [&mut bob, &mut carol] {
        for to in ["alice", "carol"] {
            assert_eq!(status(&sdk.send(jid(to, USERS), &about(BodyType::Recall, id)).await).0, 1, "{to}");
        }
    }
    alice.heard_nothing_else().await;
}

/// Nobody knows any more who wrote what is kept no longer than its ack: then it is taken for the other user's.
#[tokio::test]
async fn receipts_of_what_is_forgotten_are_believed() {
    let gateway = chat_gateway(|setup| setup.chat.history = None).await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    let id = alice.sent(jid("bob", USERS), &text(BodyType::Chat, "hi")).await;
    bob.item().await;
    bob.pull(jid("alice", USERS), Some(id)).await;
    bob.sent(jid("alice", USERS), &about(BodyType::ReadAck, id)).await;
    assert_eq!(body(&alice.item().await).ack_message_id, Some(id));
    assert_eq!(status(&bob.send(jid("alice", USERS), &about(BodyType::ReadAck, id + (1 << 40))).await).0, 1);
    // With a history, once that has gone on.
    let gateway = chat_gateway(|setup| {
        setup.chat.history = setup.chat.history.map(|history| HistoryPolicy { retention_ms: 1_000, ..history });
    })
    .await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    assert_eq!(status(&bob.send(jid("alice", USERS), &about(BodyType::ReadAck, id)).await).0, 1);
    gateway.pass(std::time::Duration::from_secs(1));
    bob.sent(jid("alice", USERS), &about(BodyType::ReadAck, id)).await;
    assert_eq!(body(&alice.item().await).ack_message_id, Some(id));
}

#[tokio::test]
async fn receipts_of_nothing_count_like_messages() {
    let gateway = chat_gateway(|setup| {
        limit(setup, Rule::ClientSends, 2);
        setup.chat.rates = setup.policy.rates.clone();
    })
    .await;
    let mut bob = gateway.sdk("bob").await;
    let receipt = about(BodyType::ReadAck, MessageId::first_of(NOW_MS).0);
    for expected in [(1, "no such message"), (1, "no such message"), (7, "traffic limit")] {
        assert_eq!(status(&bob.send(jid("alice", USERS), &receipt).await), expected);
    }
}

/// Whoever writes to himself has it: it is for the other devices.
#[tokio::test]
async fn a_note_to_oneself_is_no_double() {
    let gateway = gateway().await;
    let (mut phone, mut web) = (gateway.sdk_on("alice", "phone").await, gateway.sdk_on("alice", "web").await);
    let id = web.sent(jid("alice", USERS), &text(BodyType::Chat, "note")).await;
    let got = phone.items().await;
    assert_eq!((got.metas[0].id, got.queue), (Some(id), Some(jid("alice", USERS))));
    web.heard_nothing_else().await;
    phone.pull(jid("alice", USERS), got.next_key).await;
    assert_eq!(gateway.node.offline_messages(&gateway.chat, &user("alice")).await.expect("counted"), 0);
    drop(web);
    gateway.sdk_on("alice", "web").await.heard_nothing_else().await;
}

#[tokio::test]
async fn what_is_addressed_to_another_app_is_refused() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    let of = |app: &str, jid: Jid| Jid { app_key: Some(app.to_owned()), ..jid };
    let muc = |app: &str, operation: MucOperation| {
        let body = MucBody {
            muc_id: Some(of(app, jid(room.as_str(), CONFERENCES))),
            operation: Some(operation as i32),
            ..MucBody::default()
        };
        Meta { ns: Some(NameSpace::Muc as i32), payload: Some(body.encode_to_vec().into()), ..Meta::default() }
    };
    let roster = |app: &str| {
        let to = vec![jid("bob", USERS), of(app, jid("carol", USERS))];
        let body = RosterBody { operation: Some(RosterOperation::Add as i32), to, ..RosterBody::default() };
        Meta { ns: Some(NameSpace::Roster as i32), payload: Some(body.encode_to_vec().into()), ..Meta::default() }
    };
    let refused = (4, "invalid app key");
    for app in ["acme#other", "acme", "970CA35de60c44645bbae8a215061b33"] {
        let to = of(app, jid("bob", USERS));
        assert_eq!(status(&alice.send(to.clone(), &text(BodyType::Chat, "hi")).await), refused, "{app}");
        assert_eq!(status(&alice.send(to.clone(), &about(BodyType::Recall, 5)).await), refused, "{app}");
        let said = MessageBody { to: Some(to.clone()), ..text(BodyType::Chat, "hi") };
        assert_eq!(status(&alice.send(Jid::default(), &said).await), refused, "{app}");
        assert_eq!(status(&alice.ask(muc(app, MucOperation::Join)).await), refused, "{app}");
        assert_eq!(status(&alice.ask(roster(app)).await), refused, "{app}");
        assert_eq!(status(&alice.pull(to, None).await), refused, "{app}");
    }
    bob.heard_nothing_else().await;
    // An address without one is of the client's.
    alice.sent(Jid { app_key: None, ..jid("bob", USERS) }, &text(BodyType::Chat, "hi")).await;
    alice.sent(of("", jid("bob", USERS)), &text(BodyType::Chat, "hi")).await;
    assert_eq!(status(&alice.ask(muc("acme#demo", MucOperation::Join)).await), (0, ""));
}
