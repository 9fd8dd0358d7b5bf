//! What happens to rooms and groups.

use serde_json::{Value, json};
use stentor_core::directory::rooms::{NewRoom, RoomChange, RoomKind};
use stentor_core::id::{RoomId, UserId};
use stentor_testkit::{Receiver, START_MS, TestServer};

use super::{KEY, bodies, receiver, with_rule};
use crate::chat::app;
use crate::chat::files::{one_file, post_to};

fn users(names: &[&str]) -> Vec<UserId> {
    names.iter().map(|name| UserId::from_trusted(name)).collect()
}

async fn create(server: &TestServer, kind: RoomKind) -> RoomId {
    server.register(&["tst", "abc", "xyz"]).await;
    let new = NewRoom {
        kind,
        name: "lobby".to_owned(),
        description: "text".to_owned(),
        owner: UserId::from_trusted("tst"),
        max_users: 200,
        members: users(&["abc"]),
        custom: String::new(),
        public: true,
        members_only: false,
        allow_invites: false,
        invite_need_confirm: true,
        avatar: String::new(),
    };
    server.node().create_room(&app(server), new).await.expect("creates").room_id()
}

/// Waits for so many operations more, and returns them as (operation, operator, payload), in any order.
async fn next(receiver: &Receiver, seen: &mut usize, more: usize) -> Vec<(String, String, Value)> {
    *seen += more;
    let bodies = bodies(receiver, *seen).await;
    let mut told: Vec<_> = bodies[*seen - more..]
        .iter()
        .map(|body| {
            let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            (text("operation"), text("operator"), body["payload"].clone())
        })
        .collect();
    told.sort_by(|a, b| (&a.0, a.2.to_string()).cmp(&(&b.0, b.2.to_string())));
    told
}

#[tokio::test]
async fn operations_are_told_in_the_documented_bodies() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "events = [\"group\"]").start().await;
    let group = create(&server, RoomKind::Group).await;
    let told = bodies(&receiver, 2).await;
    let created = told.iter().find(|body| body["operation"] == "CREATE").expect("created");
    let info = json!({
        "owner": format!("{KEY}_tst"),
        "created": START_MS.to_string(),
        "custom": "",
        "description": "text",
        "mute": "false",
        "mute_duration": 0,
        "avatar": "",
        "title": "lobby",
        "max_users": "200",
        "invite_need_confirm": "true",
        "public": "true",
        "allow_user_invites": "false",
        "disabled": "false",
        "last_modified": START_MS.to_string(),
    });
    let expected = json!({
        "payload": { "role": { "tst": "owner" }, "member": ["abc"], "info": info },
        "appkey": KEY,
        "id": group.as_str(),
        "type": "GROUP",
        "event": "group_op_event",
        "operation": "CREATE",
        "operator": "@ppAdmin",
        "timestamp": START_MS,
    });
    assert_eq!(created, &expected);
    let joined = told.iter().find(|body| body["operation"] == "JOIN").expect("joined");
    let expected = json!({
        "payload": { "member": ["abc"], "type": "DIRECT" },
        "appkey": KEY,
        "id": group.as_str(),
        "type": "GROUP",
        "event": "group_op_event",
        "operation": "JOIN",
        "operator": "@ppAdmin",
        "member_count": 2,
        "timestamp": START_MS,
    });
    assert_eq!(joined, &expected);
}

#[tokio::test]
async fn shared_files_are_told_with_who_did_it() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "events = [\"group\"]").start().await;
    let group = create(&server, RoomKind::Group).await;
    let mut seen = 0;
    next(&receiver, &mut seen, 2).await;
    let path = server.chat_path(&format!("chatgroups/{group}/share_files"));
    let abc = server.chat_as("abc").await;
    let (backend, tst) = (server.chat().await, server.chat_as("tst").await);
    for (shares, sharer, deletes, deleter) in [(&abc, "abc", &backend, "@ppAdmin"), (&backend, "@ppAdmin", &tst, "tst")]
    {
        let expected = |id: &str, operator: &str, kind: &str| {
            vec![("SHARE_FILE".to_owned(), operator.to_owned(), json!({ "share_file": [id], "type": kind }))]
        };
        server.advance(std::time::Duration::from_millis(1));
        let shared = post_to(&path, shares, one_file(b"x")).await.json();
        let id = shared["data"]["file_id"].as_str().expect("an ID").to_owned();
        assert_eq!(next(&receiver, &mut seen, 1).await, expected(&id, sharer, "ADD"));
        server.advance(std::time::Duration::from_millis(1));
        assert_eq!(deletes.delete(&format!("{path}/{id}")).await.code(), 200);
        assert_eq!(next(&receiver, &mut seen, 1).await, expected(&id, deleter, "REMOVE"));
    }
}

#[tokio::test]
async fn every_operation_has_its_words() {
    let receiver = receiver().await;
    let server = with_rule(&receiver, "events = [\"room\"]").start().await;
    let (node, app) = (server.node().clone(), app(&server));
    let id = create(&server, RoomKind::Room).await;
    let (kind, mut seen) = (RoomKind::Room, 0);
    next(&receiver, &mut seen, 2).await;
    let admin = |operation: &str, payload: Value| (operation.to_owned(), "@ppAdmin".to_owned(), payload);
    let tick = || server.advance(std::time::Duration::from_millis(1));

    tick();
    node.announce_in_room(&app, kind, &id, "news".to_owned()).await.expect("done");
    let expected = admin("UPDATE", json!({ "type": "ANNOUNCEMENT", "announcement": "news" }));
    assert_eq!(next(&receiver, &mut seen, 1).await, [expected]);
    tick();
    node.mute_all(&app, kind, &id, true).await.expect("done");
    assert_eq!(next(&receiver, &mut seen, 1).await, [admin("UPDATE", json!({ "mute": true, "type": "MUTE" }))]);
    tick();
    let change = RoomChange { name: Some("hall".to_owned()), ..RoomChange::default() };
    node.change_room(&app, kind, &id, change).await.expect("done");
    let told = next(&receiver, &mut seen, 1).await;
    assert_eq!((&told[0].2["type"], &told[0].2["info"]["title"]), (&json!("INFO"), &json!("hall")));
    tick();
    node.block_members(&app, kind, &id, &users(&["abc"])).await.expect("done");
    let expected = [
        admin("BLOCK", json!({ "member": ["abc"], "expire_timestamp": 4_638_873_600_000_u64, "type": "ADD" })),
        admin("LEAVE", json!({ "member": ["abc"], "type": "BLOCK" })),
    ];
    assert_eq!(next(&receiver, &mut seen, 2).await, expected);
    tick();
    node.unblock_members(&app, kind, &id, &users(&["abc"])).await.expect("done");
    assert_eq!(next(&receiver, &mut seen, 1).await, [admin("BLOCK", json!({ "member": ["abc"], "type": "REMOVE" }))]);

    // A client that joins and leaves by itself does it.
    let xyz = crate::chat::Connection::open(&server, "xyz", "web").await;
    tick();
    node.join(&xyz.connected.session, &id).await.expect("joins");
    let by_xyz = |operation: &str, payload: Value| (operation.to_owned(), "xyz".to_owned(), payload);
    assert_eq!(next(&receiver, &mut seen, 1).await, [by_xyz("JOIN", json!({ "member": ["xyz"], "type": "DIRECT" }))]);
    tick();
    node.leave(&xyz.connected.session, &id).await.expect("leaves");
    assert_eq!(next(&receiver, &mut seen, 1).await, [by_xyz("LEAVE", json!({ "member": ["xyz"], "type": "QUIT" }))]);

    tick();
    node.delete_room(&app, kind, &id).await.expect("done");
    let expected = [admin("DELETE", Value::Null), admin("LEAVE", json!({ "member": ["tst"], "type": "DELETE" }))];
    assert_eq!(next(&receiver, &mut seen, 2).await, expected);
}
