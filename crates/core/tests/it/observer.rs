//! What observers make is written in the same step as what they are told of, or not at all.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use stentor_core::app::{DevicePolicy, RegisteredRooms};
use stentor_core::delivery::{Origin, SendOptions, SendPeer, SendUsers};
use stentor_core::directory::rooms::{NewRoom, RoomChange, RoomKind};
use stentor_core::directory::users::NewUser;
use stentor_core::events::{EventType, Transition};
use stentor_core::observer::{Accepted, Hooks, Observer, RoomNews, RoomObserved};
use stentor_core::records::RecordKind;
use stentor_core::store::{Change, RecordStore, Scan};

use crate::harness::{GRACE, World, group, kept, peer, room_id, text, to_room, user_id, world_with};

/// Notes everything as a record, in the order in which it was told.
#[derive(Debug, Default)]
struct Scribe(Mutex<u32>);

impl Scribe {
    fn note(&self, what: &str) -> Vec<Change> {
        let mut count = self.0.lock();
        *count += 1;
        let value = Bytes::copy_from_slice(what.as_bytes());
        vec![Change::Put { kind: RecordKind::Callback, key: format!("{:04}", *count), value }]
    }
}

impl Observer for Scribe {
    fn message(&self, accepted: &Accepted<'_>) -> Vec<Change> {
        let Accepted { message, receivers, absent, by_client, .. } = accepted;
        let payload = String::from_utf8_lossy(&message.payload);
        let by = if *by_client { "client" } else { "backend" };
        self.note(&format!(
            "{} to {}: {payload} by {by}, {receivers:?}, away {absent:?}",
            message.from,
            message.to.name()
        ))
    }

    fn transition(&self, transition: &Transition) -> Vec<Change> {
        let Transition { event_type, user, forced, .. } = transition;
        match event_type {
            EventType::Login | EventType::Logout => self.note(&format!("{event_type:?} {user} {forced}")),
            EventType::Join | EventType::Leave => Vec::new(),
        }
    }

    fn room(&self, observed: &RoomObserved<'_>) -> Vec<Change> {
        let RoomObserved { room, news, by, .. } = observed;
        let news = match news {
            RoomNews::Created { members } => format!("created with {members:?}"),
            RoomNews::Changed(event) => format!("{event:?}"),
            RoomNews::Deleted { members } => format!("deleted with {members:?}"),
        };
        self.note(&format!("{} {news} by {by:?}", room.name))
    }
}

async fn observed() -> World {
    let world = world_with(|policy| {
        policy.devices = DevicePolicy::Many { max: 1 };
        policy.rooms.registered = Some(RegisteredRooms { rooms_per_user: 9, groups_per_user: 9, rooms: 9, groups: 9 });
    })
    .await;
    hook(&world);
    world
}

fn hook(world: &World) {
    let hooks = Hooks { observers: vec![Arc::new(Scribe::default())], gate: None };
    assert!(world.app.hook(hooks));
    assert!(!world.app.hook(Hooks::default()), "once");
}

/// What was noted, and forgets it.
async fn notes(world: &World) -> Vec<String> {
    world.settle().await;
    let all = Scan::of(RecordKind::Callback, "", 1000);
    let found = world.store.scan_records(world.app.id(), all).await.expect("scans");
    let forget = Change::DeletePrefix { kind: RecordKind::Callback, prefix: String::new() };
    world.store.change(world.app.id(), vec![forget]).await.expect("changes");
    found.into_iter().map(|(_, value)| String::from_utf8(value.to_vec()).expect("text")).collect()
}

#[tokio::test]
async fn every_message_is_told_once_with_who_is_away() {
    let world = observed().await;
    let bob = world.login("bob").await;
    notes(&world).await;
    // Kept or not: what an observer writes is durable before the sender is answered.
    world.send("alice", "bob", "one").await;
    world.keep("alice", "carol", "two").await;
    let many = SendUsers {
        from: user_id("alice"),
        to: vec![user_id("bob"), user_id("dave")],
        payload: text("three"),
        options: kept(),
    };
    world.node.send_users(&world.app, Origin::Backend, many).await.expect("taken");
    world.add_members("team", &["alice", "bob", "carol"]).await;
    world.send_group(group("alice", "team", "four")).await.expect("taken");
    world.send_room("alice", "lobby", "five").await;
    let options = SendOptions { online_only: true, ..kept() };
    world
        .node
        .send_peer(&world.app, Origin::Client(bob.session()), SendPeer { options, ..peer("x", "erin", "six") })
        .await
        .expect("taken");
    assert_eq!(
        notes(&world).await,
        [
            "alice to bob: one by backend, [\"bob\"], away []",
            "alice to carol: two by backend, [\"carol\"], away [\"carol\"]",
            "alice to bob: three by backend, [\"bob\"], away []",
            "alice to dave: three by backend, [\"dave\"], away [\"dave\"]",
            "alice to team: four by backend, [\"bob\", \"carol\"], away [\"carol\"]",
            "alice to lobby: five by backend, [], away []",
            "bob to erin: six by client, [\"erin\"], away [\"erin\"]",
        ]
    );
}

#[tokio::test]
async fn a_message_whose_record_cannot_be_written_is_not_taken() {
    let world = observed().await;
    world.store.refuse_writes(true);
    assert!(world.send_peer(peer("alice", "bob", "one")).await.is_err());
    let sent = world.node.send_room(&world.app, Origin::Backend, to_room("alice", "lobby", "two")).await;
    assert!(sent.is_err());
    world.store.refuse_writes(false);
    assert_eq!(notes(&world).await, [""; 0]);
}

#[tokio::test]
async fn logins_and_logouts_are_told_with_their_reason() {
    let world = observed().await;
    let first = world.connect("bob", "phone", None).await;
    let second = world.connect("bob", "tablet", None).await;
    second.logout().await;
    let third = world.connect("bob", "phone", None).await;
    third.cut();
    world.pass(GRACE + Duration::from_secs(1)).await;
    drop(first);
    assert_eq!(
        notes(&world).await,
        [
            "Login bob false",
            "Logout bob true",
            "Login bob false",
            "Logout bob false",
            "Login bob false",
            "Logout bob false"
        ]
    );
}

#[tokio::test]
async fn a_session_that_survives_a_restart_is_logged_out_once() {
    let world = observed().await;
    let bob = world.login("bob").await;
    assert_eq!(notes(&world).await, ["Login bob false"]);
    let again = world.restarted().await;
    hook(&again);
    again.pass(GRACE + Duration::from_secs(1)).await;
    assert_eq!(notes(&again).await, ["Logout bob false"]);
    drop(bob);
}

#[tokio::test]
async fn what_happens_to_rooms_is_told() {
    let world = observed().await;
    for user in ["bob", "carol", "dave"] {
        let new = NewUser { name: user_id(user), password_hash: None, nickname: None };
        world.node.register(&world.app, new).await.expect("registers");
    }
    let new = NewRoom {
        kind: RoomKind::Room,
        name: "lobby".to_owned(),
        description: String::new(),
        owner: user_id("bob"),
        max_users: 10,
        members: vec![user_id("carol")],
        custom: String::new(),
        public: true,
        members_only: false,
        allow_invites: false,
        invite_need_confirm: true,
        avatar: String::new(),
    };
    let room = world.node.create_room(&world.app, new).await.expect("creates").room_id();
    let created = notes(&world).await;
    assert_eq!(created[0], "lobby created with [\"bob\", \"carol\"] by None");
    assert!(created[1].contains("Joined") && created.len() == 2, "{created:?}");

    let dave = world.login("dave").await;
    notes(&world).await;
    dave.join(room.as_str()).await;
    dave.leave(room.as_str()).await;
    let change = RoomChange { name: Some("hall".to_owned()), ..RoomChange::default() };
    world.node.change_room(&world.app, RoomKind::Room, &room, change).await.expect("changes");
    world.node.block_members(&world.app, RoomKind::Room, &room, &[user_id("carol")]).await.expect("blocks");
    world.node.delete_room(&world.app, RoomKind::Room, &room).await.expect("deletes");
    assert_eq!(
        notes(&world).await,
        [
            "lobby Joined { users: [\"dave\"], count: 3, ext: None } by Some(\"dave\")",
            "lobby Left { users: [\"dave\"], count: 2 } by Some(\"dave\")",
            "hall Info by None",
            "hall Removed { users: [\"carol\"], blocked: true, count: 1 } by None",
            "hall deleted with [\"bob\"] by None",
        ]
    );
    assert!(world.node.delete_room(&world.app, RoomKind::Room, &room_id("none")).await.is_err());
    assert_eq!(notes(&world).await, [""; 0]);
}
