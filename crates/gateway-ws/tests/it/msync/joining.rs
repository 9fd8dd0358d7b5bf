//! Coming into rooms.

use stentor_core::directory::rooms::RoomKind;
use stentor_core::id::RoomId;
use stentor_msync::{Message as _, Meta, MucBody, MucOperation, NameSpace, Provision, SyncDown, decode};

use super::{CONFERENCES, Sdk, jid, login, status};
use crate::chat::{gateway, user};
use crate::harness::Gateway;

async fn of_version(gateway: &Gateway, name: &str, version: Option<&str>) -> Sdk {
    let mut sdk = gateway.stranger(stentor_gateway_ws::Carrier::WebSocket).await;
    let provision = Provision {
        auth: Some("$t$good".to_owned()),
        action_version: version.map(ToOwned::to_owned),
        ..Provision::default()
    };
    sdk.login(&login(name, &provision)).await;
    sdk
}

async fn join(sdk: &mut Sdk, room: &RoomId, leave_others: bool) -> SyncDown {
    let body = MucBody {
        muc_id: Some(jid(room.as_str(), CONFERENCES)),
        operation: Some(MucOperation::Join as i32),
        is_chatroom: Some(true),
        leave_other_rooms: Some(leave_others),
        ..MucBody::default()
    };
    let payload = Some(body.encode_to_vec().into());
    sdk.ask(Meta { ns: Some(NameSpace::Muc as i32), payload, ..Meta::default() }).await
}

#[tokio::test]
async fn newer_clients_are_told_of_the_room_and_older_ones_only_that_it_went_well() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    gateway.node.mute_all(&gateway.chat, RoomKind::Room, &room, true).await.expect("muted");
    for version in [None, Some("v2.0"), Some("v3.0"), Some("odd")] {
        let mut bob = of_version(&gateway, "bob", version).await;
        let answer = join(&mut bob, &room, false).await;
        assert_eq!((status(&answer), answer.metas.len(), answer.is_last), ((0, ""), 0, None), "{version:?}");
        bob.muc(&room, MucOperation::Leave).await;
    }
    let mut bob = of_version(&gateway, "bob", Some("v4.0")).await;
    let answer = join(&mut bob, &room, false).await;
    assert_eq!((status(&answer), answer.is_last, answer.next_key), ((0, ""), None, None));
    let body: MucBody = decode(answer.metas[0].payload.clone().expect("a payload")).expect("a body");
    let info = body.status.and_then(|status| status.chatroom_info).expect("what there is to know");
    let info: serde_json::Value = serde_json::from_str(&info).expect("JSON");
    let of_bob = &info["bob"];
    assert_eq!((&of_bob["is_all_mute"], &of_bob["is_in_white_list"]), (&true.into(), &false.into()));
    assert_eq!((&of_bob["member_count"], &of_bob["mute_duration"]), (&2.into(), &(-1).into()));
    assert!(of_bob["create_timestamp"].is_u64());
    // Muted, and there already: an answer all the same.
    let until_ms = crate::harness::NOW_MS + 60_000;
    let bobs = [user("bob")];
    gateway.node.mute_members(&gateway.chat, RoomKind::Room, &room, &bobs, until_ms).await.expect("muted");
    let again = join(&mut bob, &room, false).await;
    assert_eq!(status(&again), (0, ""));
    let body: MucBody = decode(again.metas[0].payload.clone().expect("a payload")).expect("a body");
    let info = body.status.and_then(|status| status.chatroom_info).expect("what there is to know");
    assert!(info.contains(&format!("\"mute_duration\":{until_ms}")), "{info}");
}

#[tokio::test]
async fn a_client_may_leave_all_others_on_the_way() {
    let gateway = gateway().await;
    let mut rooms = Vec::new();
    let mut bob = gateway.sdk("bob").await;
    for leave_others in [false, false, true] {
        let room = gateway.place(RoomKind::Room, &[]).await;
        assert_eq!(status(&join(&mut bob, &room, leave_others).await), (0, ""));
        rooms.push(room);
    }
    for (room, is_in) in rooms.iter().zip([false, false, true]) {
        assert_eq!(gateway.node.is_member(&gateway.chat, room, &user("bob")).await.expect("known"), is_in);
    }
}

#[tokio::test]
async fn events_say_whose_doing_they_are() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let mut bob = gateway.sdk("bob").await;
    bob.join(&room).await;
    let by_owner = gateway.node.acting_for(&user("carol"));
    let bobs = [user("bob")];
    for (node, by) in [(&by_owner, "carol"), (&gateway.node, room.as_str())] {
        node.mute_members(&gateway.chat, RoomKind::Room, &room, &bobs, u64::MAX).await.expect("muted");
        let muted = bob.event(MucOperation::AddMute).await;
        assert_eq!(muted.from.and_then(|from| from.name).as_deref(), Some(by));
    }
    by_owner.remove_members(&gateway.chat, RoomKind::Room, &room, &bobs).await.expect("put out");
    let kicked = bob.event(MucOperation::Kick).await;
    assert_eq!(kicked.from.and_then(|from| from.name).as_deref(), Some("carol"));
}

/// What a client says when it comes, the others hear: in the words of both protocols.
#[tokio::test]
async fn who_comes_may_say_something() {
    let gateway = gateway().await;
    let room = gateway.place(RoomKind::Room, &[]).await;
    let (mut alice, mut bob) = (gateway.sdk("alice").await, gateway.sdk("bob").await);
    alice.join(&room).await;
    let longest = "x".repeat(1024);
    for (ext, heard) in
        [("front row", Some("front row")), ("", None), (&longest, Some(&*longest)), (&format!("{longest}x"), None)]
    {
        let body = MucBody {
            muc_id: Some(jid(room.as_str(), CONFERENCES)),
            operation: Some(MucOperation::Join as i32),
            ext: Some(ext.to_owned()),
            ..MucBody::default()
        };
        let payload = Some(body.encode_to_vec().into());
        let answer = bob.ask(Meta { ns: Some(NameSpace::Muc as i32), payload, ..Meta::default() }).await;
        assert_eq!(status(&answer), (0, ""));
        let came = alice.event(MucOperation::Presence).await;
        assert_eq!((came.from, came.ext.as_deref()), (Some(jid("bob", super::USERS)), heard));
        bob.muc(&room, MucOperation::Leave).await;
        alice.event(MucOperation::Absence).await;
    }
}
