//! Registered rooms and groups: who is a member, who is live, who is told, and what a crash leaves.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use stentor_core::app::{AppPolicy, DevicePolicy, RegisteredRooms};
use stentor_core::delivery::SendBroadcast;
use stentor_core::directory::members::Role;
use stentor_core::directory::room_error::RoomError;
use stentor_core::directory::rooms::{NewRoom, Room, RoomChange, RoomKind};
use stentor_core::directory::silenced::Silenced;
use stentor_core::directory::users::NewUser;
use stentor_core::id::{RoomId, UserId};
use stentor_core::message::Priority;
use stentor_core::node::RequestError;
use stentor_core::notice::Notice;
use stentor_core::records::RecordKind;
use stentor_core::room_event::RoomEvent;
use stentor_core::session::Resume;
use stentor_core::store::{EventStore, RecordStore};

use crate::harness::{BROADCASTS, Client, GRACE, World, room_id, text, user_id, world_with};

const LIMITS: RegisteredRooms = RegisteredRooms { rooms_per_user: 3, groups_per_user: 3, rooms: 5, groups: 5 };

fn registered(policy: &mut AppPolicy) {
    policy.rooms.registered = Some(LIMITS);
    policy.devices = DevicePolicy::Many { max: 4 };
}

/// Nobody but `bob`, `carol`, `dave` and `erin`.
async fn world() -> World {
    world_of(|_| {}).await
}

async fn world_of(change: impl FnOnce(&mut AppPolicy)) -> World {
    let world = world_with(|policy| {
        registered(policy);
        change(policy);
    })
    .await;
    register(&world, ["bob", "carol", "dave", "erin"]).await;
    world
}

async fn register(world: &World, users: impl IntoIterator<Item = impl AsRef<str>>) {
    for user in users {
        let new = NewUser { name: user_id(user.as_ref()), password_hash: None, nickname: None };
        world.node.register(&world.app, new).await.expect("registers");
    }
}

fn new(kind: RoomKind, owner: &str, members: &[&str]) -> NewRoom {
    NewRoom {
        kind,
        name: "name".to_owned(),
        description: String::new(),
        owner: user_id(owner),
        max_users: 10,
        members: users(members),
        custom: String::new(),
        public: true,
        members_only: false,
        allow_invites: false,
        invite_need_confirm: true,
        avatar: String::new(),
    }
}

fn users(names: &[&str]) -> Vec<UserId> {
    names.iter().map(|name| user_id(name)).collect()
}

async fn create(world: &World, kind: RoomKind, owner: &str, members: &[&str]) -> RoomId {
    world.node.create_room(&world.app, new(kind, owner, members)).await.expect("creates").room_id()
}

async fn room(world: &World, owner: &str, members: &[&str]) -> RoomId {
    create(world, RoomKind::Room, owner, members).await
}

/// The members, and that every count and index agrees with them.
async fn members(world: &World, room: &RoomId) -> Vec<String> {
    let page = world.node.member_page(&world.app, room, None, 100_000).await.expect("reads");
    let count = world.node.registered_members(&world.app, room).await.expect("counts");
    assert_eq!(count, page.items.len() as u64, "the number of members");
    page.items.iter().map(|(user, _)| user.as_str().to_owned()).collect()
}

async fn joined(world: &World, kind: RoomKind, user: &str) -> Vec<String> {
    let rooms = world.node.joined_rooms(&world.app, kind, &user_id(user), 0, 100).await.expect("reads");
    rooms.into_iter().map(|room: Room| room.id).collect()
}

fn events(client: &Client) -> Vec<RoomEvent> {
    let event = |notice| if let Notice::RoomEvent { event, .. } = notice { Some(event) } else { None };
    client.take().into_iter().filter_map(event).collect()
}

fn joins(names: &[&str], count: u64) -> RoomEvent {
    RoomEvent::Joined { users: users(names), count, ext: None }
}

fn leaves(names: &[&str], count: u64) -> RoomEvent {
    RoomEvent::Left { users: users(names), count }
}

fn removals(names: &[&str], blocked: bool, count: u64) -> RoomEvent {
    RoomEvent::Removed { users: users(names), blocked, count }
}

async fn try_join(world: &World, client: &Client, room: &RoomId) -> Result<usize, RequestError> {
    world.node.join(client.session(), room).await
}

#[tokio::test]
async fn a_room_has_its_owner_and_first_members() {
    let world = world().await;
    let room = room(&world, "bob", &["carol", "carol", "bob"]).await;
    assert_eq!(members(&world, &room).await, ["bob", "carol"]);
    let owner = world.node.find_member(&world.app, &room, &user_id("bob")).await.unwrap().unwrap();
    assert_eq!(owner.role, Role::Owner);
    assert_eq!(joined(&world, RoomKind::Room, "carol").await, [room.as_str()]);
    assert_eq!(joined(&world, RoomKind::Group, "carol").await, [""; 0]);
    let group = world.node.find_room(&world.app, RoomKind::Group, &room).await.unwrap();
    assert_eq!(group, None, "a room is no group");
    let unknown = world.node.create_room(&world.app, new(RoomKind::Room, "bob", &["nobody"])).await;
    assert!(matches!(unknown, Err(RoomError::NoUser(user)) if user.as_str() == "nobody"));
    let crowded = NewRoom { max_users: 2, ..new(RoomKind::Room, "bob", &["carol", "dave"]) };
    assert!(matches!(world.node.create_room(&world.app, crowded).await, Err(RoomError::TooManyMembers)));
    let exact = NewRoom { max_users: 3, ..new(RoomKind::Room, "bob", &["carol", "dave"]) };
    world.node.create_room(&world.app, exact).await.expect("exactly as many as it may have");
}

#[tokio::test]
async fn a_user_is_in_so_many_rooms_and_an_app_has_so_many() {
    let world = world().await;
    for _ in 0..LIMITS.rooms_per_user {
        room(&world, "bob", &[]).await;
    }
    let refused = world.node.create_room(&world.app, new(RoomKind::Room, "bob", &[])).await;
    assert!(matches!(refused, Err(RoomError::TooManyJoined(user)) if user.as_str() == "bob"));
    create(&world, RoomKind::Group, "bob", &[]).await;
    let fourth = room(&world, "carol", &[]).await;
    let add = async || world.node.add_members(&world.app, RoomKind::Room, &fourth, &[user_id("bob")]).await;
    assert!(matches!(add().await, Err(RoomError::TooManyJoined(_))));
    let client = world.login("bob").await;
    assert_eq!(try_join(&world, &client, &fourth).await, Err(RequestError::TooMany { max: 3 }));
    room(&world, "carol", &[]).await;
    let sixth = || world.node.create_room(&world.app, new(RoomKind::Room, "dave", &[]));
    assert!(matches!(sixth().await, Err(RoomError::TooManyRooms)));
    let world = world.restarted().await;
    let sixth = || world.node.create_room(&world.app, new(RoomKind::Room, "dave", &[]));
    assert!(matches!(sixth().await, Err(RoomError::TooManyRooms)), "also after a restart");
    world.node.delete_room(&world.app, RoomKind::Room, &fourth).await.expect("deletes");
    sixth().await.expect("there is a place again");
}

#[tokio::test]
async fn clients_join_what_is_there_and_leave_it() {
    let world = world().await;
    let lobby = room(&world, "bob", &[]).await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    assert_eq!(bob.connected.rooms, std::slice::from_ref(&lobby));
    assert_eq!(try_join(&world, &carol, &room_id("12345")).await, Err(RequestError::NoRoom));
    assert_eq!(try_join(&world, &carol, &lobby).await, Ok(2));
    assert_eq!(try_join(&world, &carol, &lobby).await, Ok(2), "twice is once");
    assert_eq!(members(&world, &lobby).await, ["bob", "carol"]);
    assert_eq!(events(&bob), [joins(&["carol"], 2)]);
    assert_eq!(events(&carol), [], "the answer tells it");
    world.send_room("alice", lobby.as_str(), "hello").await;
    assert_eq!((bob.take_texts(), carol.take_texts()), (vec!["hello".to_owned()], vec!["hello".to_owned()]));
    world.node.leave(carol.session(), &lobby).await.expect("leaves");
    assert_eq!(world.node.leave(carol.session(), &lobby).await, Err(RequestError::NotInRoom));
    assert_eq!(world.node.leave(bob.session(), &lobby).await, Err(RequestError::IsOwner));
    assert_eq!(members(&world, &lobby).await, ["bob"]);
    assert_eq!(events(&bob), [leaves(&["carol"], 1)]);
    world.send_room("alice", lobby.as_str(), "later").await;
    assert_eq!((bob.take_texts(), carol.take_texts()), (vec!["later".to_owned()], vec![]));
    assert!(world.room_events().await.is_empty(), "nothing is queued for a backend that does not pull");
}

#[tokio::test]
async fn a_full_room_takes_nobody_and_kept_out_is_kept_out() {
    let world = world().await;
    let new = NewRoom { max_users: 2, ..new(RoomKind::Room, "bob", &[]) };
    let lobby = world.node.create_room(&world.app, new).await.expect("creates").room_id();
    let (carol, dave) = (world.login("carol").await, world.login("dave").await);
    assert_eq!(try_join(&world, &carol, &lobby).await, Ok(2));
    assert_eq!(try_join(&world, &dave, &lobby).await, Err(RequestError::RoomFull));
    let more = RoomChange { max_users: Some(1), ..RoomChange::default() };
    let shrunk = world.node.change_room(&world.app, RoomKind::Room, &lobby, more).await;
    assert!(matches!(shrunk, Err(RoomError::MoreMembers)));
    let blocked = async || world.node.block_members(&world.app, RoomKind::Room, &lobby, &[user_id("carol")]).await;
    assert!(blocked().await.expect("is there")[0].is_ok());
    assert!(matches!(&blocked().await.expect("is there")[0], Err(RoomError::NotMembers(_))));
    assert_eq!(events(&carol), [removals(&["carol"], true, 1)]);
    assert_eq!(try_join(&world, &carol, &lobby).await, Err(RequestError::KeptOut));
    assert_eq!(try_join(&world, &dave, &lobby).await, Ok(2));
    let page = world.node.blocked_members(&world.app, &lobby, None, 10).await.unwrap();
    assert_eq!(page.items, users(&["carol"]));
    let free = async || world.node.unblock_members(&world.app, RoomKind::Room, &lobby, &[user_id("carol")]).await;
    assert_eq!((free().await.unwrap(), free().await.unwrap()), (vec![true], vec![false]));
    world.node.leave(dave.session(), &lobby).await.expect("leaves");
    assert_eq!(try_join(&world, &carol, &lobby).await, Ok(2));
}

#[tokio::test]
async fn who_is_added_enters_at_once_and_who_is_removed_is_out() {
    let world = world().await;
    let lobby = room(&world, "bob", &[]).await;
    let (phone, desk) = (world.connect("carol", "phone", None).await, world.connect("carol", "desk", None).await);
    let add = |names: &[&str]| {
        let names = users(names);
        let (node, app, lobby) = (world.node.clone(), world.app.clone(), lobby.clone());
        async move { node.add_members(&app, RoomKind::Room, &lobby, &names).await }
    };
    assert_eq!(add(&["carol", "dave"]).await.unwrap(), users(&["carol", "dave"]));
    assert_eq!(add(&["carol", "dave"]).await.unwrap(), users(&[]), "they are in already");
    assert!(matches!(add(&["nobody"]).await, Err(RoomError::NoUser(_))));
    assert_eq!(
        (events(&phone), events(&desk)),
        (vec![joins(&["carol", "dave"], 3)], vec![joins(&["carol", "dave"], 3)])
    );
    world.send_room("alice", lobby.as_str(), "hello").await;
    assert_eq!((phone.take_texts(), desk.take_texts()), (vec!["hello".to_owned()], vec!["hello".to_owned()]));
    let later = world.login("dave").await;
    assert_eq!(later.connected.rooms, std::slice::from_ref(&lobby));
    let remove = async || {
        world.node.remove_members(&world.app, RoomKind::Room, &lobby, &[user_id("carol"), user_id("bob")]).await
    };
    let outcomes = remove().await.expect("is there");
    assert!(outcomes[0].is_ok() && matches!(outcomes[1], Err(RoomError::IsOwner)));
    assert!(matches!(&remove().await.expect("is there")[0], Err(RoomError::NotMembers(_))));
    assert_eq!(events(&phone), [removals(&["carol"], false, 2)]);
    world.send_room("alice", lobby.as_str(), "later").await;
    assert_eq!((phone.take_texts(), desk.take_texts(), later.take_texts().len()), (vec![], vec![], 1));
}

#[tokio::test]
async fn a_deleted_room_leaves_nothing() {
    let world = world().await;
    let lobby = room(&world, "bob", &["carol", "dave"]).await;
    world.node.block_members(&world.app, RoomKind::Room, &lobby, &[user_id("dave")]).await.expect("blocks");
    world.node.make_admin(&world.app, RoomKind::Room, &lobby, &user_id("carol"), true).await.expect("is a member");
    let carol = world.login("carol").await;
    let delete = || world.node.delete_room(&world.app, RoomKind::Room, &lobby);
    delete().await.expect("is there");
    assert_eq!(events(&carol), [RoomEvent::Deleted]);
    assert!(matches!(delete().await, Err(RoomError::NoRoom(_))));
    assert_eq!(try_join(&world, &carol, &lobby).await, Err(RequestError::NoRoom));
    world.settle().await;
    assert_eq!(world.node.census().rooms, 0);
    for kind in [
        RecordKind::Room,
        RecordKind::Member,
        RecordKind::Membership,
        RecordKind::MemberMark,
        RecordKind::RoomBlock,
        RecordKind::Counter,
    ] {
        assert_eq!(world.store.count_records(world.app.id(), kind, "").await.unwrap(), 0, "{kind:?}");
    }
}

#[tokio::test]
async fn a_lost_member_keeps_its_place_for_the_grace() {
    let world = world().await;
    let lobby = room(&world, "bob", &["dave"]).await;
    world.node.allow_members(&world.app, RoomKind::Room, &lobby, &users(&["dave"]), true).await.expect("allows");
    let (bob, carol, dave) = (world.login("bob").await, world.login("carol").await, world.login("dave").await);
    assert_eq!(try_join(&world, &carol, &lobby).await, Ok(3));
    events(&bob);
    carol.cut();
    world.clock.advance(GRACE - Duration::from_secs(1));
    bob.heard();
    dave.heard();
    world.pass(Duration::from_millis(900)).await;
    assert_eq!(members(&world, &lobby).await, ["bob", "carol", "dave"]);
    let carol = world.connect("carol", "", carol.resume()).await;
    assert_eq!((carol.connected.resumed, &carol.connected.rooms), (true, &vec![lobby.clone()]));
    carol.cut();
    dave.cut();
    bob.heard();
    world.pass(GRACE - Duration::from_secs(1)).await;
    bob.heard();
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(members(&world, &lobby).await, ["bob", "dave"], "who is on the allow list stays");
    assert_eq!(events(&bob), [leaves(&["carol"], 2)]);
    bob.logout().await;
    assert_eq!(members(&world, &lobby).await, ["bob", "dave"], "and so does the owner");
}

#[tokio::test]
async fn a_user_leaves_with_the_last_of_its_clients() {
    let world = world().await;
    let lobby = room(&world, "bob", &[]).await;
    let (phone, desk) = (world.connect("carol", "phone", None).await, world.connect("carol", "desk", None).await);
    assert_eq!(try_join(&world, &phone, &lobby).await, Ok(2));
    phone.logout().await;
    assert_eq!(members(&world, &lobby).await, ["bob", "carol"]);
    let again = world.connect("carol", "desk", None).await;
    assert_eq!(again.connected.rooms, std::slice::from_ref(&lobby), "a new session takes the place of the old one");
    assert_eq!(desk.closed().len(), 1);
    again.logout().await;
    assert_eq!(members(&world, &lobby).await, ["bob"]);
    let group = create(&world, RoomKind::Group, "bob", &["carol"]).await;
    let phone = world.connect("carol", "phone", None).await;
    phone.logout().await;
    assert_eq!(members(&world, &group).await, ["bob", "carol"], "groups are not left");
}

#[tokio::test]
async fn after_a_restart_members_are_there_for_the_grace() {
    let world = world().await;
    let lobby = room(&world, "bob", &["erin"]).await;
    let (carol, dave) = (world.login("carol").await, world.login("dave").await);
    try_join(&world, &carol, &lobby).await.expect("joins");
    try_join(&world, &dave, &lobby).await.expect("joins");
    let world = world.restarted().await;
    assert_eq!(members(&world, &lobby).await, ["bob", "carol", "dave", "erin"]);
    let carol = world.connect("carol", "", carol.resume()).await;
    assert!(carol.connected.resumed);
    world.send_room("alice", lobby.as_str(), "hello").await;
    assert_eq!(carol.take_texts(), ["hello"]);
    carol.heard();
    world.pass(GRACE - Duration::from_secs(1)).await;
    carol.heard();
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(members(&world, &lobby).await, ["bob", "carol", "erin"], "erin was never connected: nothing was lost");
    assert_eq!(events(&carol), [leaves(&["dave"], 3)]);
}

/// Whenever the process ends, a member whom a client brought in has a session that the next process will end.
#[tokio::test]
async fn a_crash_leaves_no_ghosts() {
    let world = world().await;
    let lobby = room(&world, "bob", &[]).await;
    let carol = world.login("carol").await;
    let holds = async || {
        let open = world.store.open_sessions().await.unwrap();
        let member = world.node.is_member(&world.app, &lobby, &user_id("carol")).await.unwrap();
        (member, open.iter().any(|open| open.user.as_str() == "carol"))
    };
    try_join(&world, &carol, &lobby).await.expect("joins");
    assert_eq!(holds().await, (true, true));
    let mut logout = pin!(carol.logout());
    let mut seen = Vec::new();
    loop {
        let done = poll_fn(|cx| Poll::Ready(logout.as_mut().poll(cx).is_ready())).await;
        seen.push(holds().await);
        if done {
            break;
        }
        tokio::task::yield_now().await;
        seen.push(holds().await);
    }
    assert!(seen.iter().all(|(member, open)| *open || !member), "a member without a session: {seen:?}");
    assert_eq!(seen.last(), Some(&(false, false)));
    assert!(seen.contains(&(false, true)), "out of the rooms first: {seen:?}");
}

/// As clients do that close their connection right behind their last word: nobody waits for the logout.
#[tokio::test]
async fn a_logout_that_nobody_waits_for_is_finished() {
    let world = world().await;
    let lobby = room(&world, "bob", &[]).await;
    let carol = world.login("carol").await;
    try_join(&world, &carol, &lobby).await.expect("joins");
    {
        let mut logout = pin!(carol.logout());
        let done = poll_fn(|cx| Poll::Ready(logout.as_mut().poll(cx).is_ready())).await;
        assert!(!done, "it waits for the store");
    }
    world.settle().await;
    assert_eq!(members(&world, &lobby).await, ["bob"]);
    assert!(world.store.open_sessions().await.unwrap().is_empty());
}

/// The store answers step by step, and the logout begins behind every one of them.
#[tokio::test]
async fn a_join_under_way_when_the_session_ends_is_not_overlooked() {
    let world = world().await;
    let lobby = room(&world, "bob", &[]).await;
    let mut outcomes = Vec::new();
    for steps in 0..10 {
        let (carol, dave) = (world.login("carol").await.session().clone(), world.login("dave").await);
        try_join(&world, &dave, &lobby).await.expect("joins");
        world.store.hold(true);
        let step = async || {
            world.settle().await;
            world.store.hold(false);
            world.store.hold(true);
        };
        let join = tokio::spawn({
            let (node, session, lobby) = (world.node.clone(), carol.clone(), lobby.clone());
            async move { node.join(&session, &lobby).await.is_ok() }
        });
        step().await;
        // In the same turn, so that the attributes of who leaves are read between the join and its write.
        let leave = tokio::spawn({
            let (node, session, lobby) = (world.node.clone(), dave.session().clone(), lobby.clone());
            async move { node.leave(&session, &lobby).await }
        });
        for _ in 0..steps {
            step().await;
        }
        let logout = tokio::spawn({
            let (node, session) = (world.node.clone(), carol.clone());
            async move { node.logout(&session).await }
        });
        while !(join.is_finished() && leave.is_finished() && logout.is_finished()) {
            step().await;
        }
        outcomes.push(join.await.expect("does not panic"));
        for _ in 0..10 {
            step().await;
            world.clock.advance(Duration::from_millis(100));
            world.node.tick();
        }
        world.store.hold(false);
        assert_eq!(members(&world, &lobby).await, ["bob"], "after {steps} steps");
        assert_eq!(world.store.open_sessions().await.unwrap().len(), 1, "after {steps} steps");
    }
    assert!(outcomes.contains(&true) && outcomes.contains(&false), "{outcomes:?}");
}

#[tokio::test]
async fn a_deleted_user_leaves_everything_and_its_rooms_go() {
    let world = world().await;
    let own = room(&world, "carol", &["bob"]).await;
    let lobby = room(&world, "bob", &["carol"]).await;
    let group = create(&world, RoomKind::Group, "bob", &["carol", "dave"]).await;
    let bob = world.login("bob").await;
    world.node.delete_user(&world.app, &user_id("carol")).await.expect("is there");
    assert_eq!(events(&bob), [leaves(&["carol"], 1), RoomEvent::Deleted, leaves(&["carol"], 2)]);
    assert_eq!(members(&world, &own).await, [""; 0]);
    assert_eq!((members(&world, &lobby).await, members(&world, &group).await.len()), (vec!["bob".to_owned()], 2));
    let add = world.node.add_members(&world.app, RoomKind::Room, &lobby, &users(&["carol"])).await;
    assert!(matches!(add, Err(RoomError::NoUser(_))));
}

#[tokio::test]
async fn joins_at_once_never_exceed_the_limit() {
    let world = world_of(|policy| policy.rooms.member_notices_up_to = 10).await;
    let names: Vec<String> = (0..200).map(|number| format!("user{number}")).collect();
    register(&world, &names).await;
    let max = NewRoom { max_users: 101, ..new(RoomKind::Room, "bob", &[]) };
    let lobby = world.node.create_room(&world.app, max).await.expect("creates").room_id();
    let clients = join_all(names.iter().map(|name| world.login(name))).await;
    let outcomes = join_all(clients.iter().map(|client| try_join(&world, client, &lobby))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 100);
    let refused = |outcome: &&Result<usize, RequestError>| **outcome == Err(RequestError::RoomFull);
    assert_eq!(outcomes.iter().filter(refused).count(), 100);
    assert_eq!(members(&world, &lobby).await.len(), 101);
    let leaving = clients.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
    join_all(leaving.map(|(client, _)| world.node.leave(client.session(), &lobby))).await;
    assert_eq!(members(&world, &lobby).await, ["bob"]);
}

#[tokio::test]
async fn in_a_large_room_only_who_comes_and_goes_is_told() {
    let world = world_of(|policy| policy.rooms.member_notices_up_to = 2).await;
    for kind in [RoomKind::Room, RoomKind::Group] {
        let lobby = create(&world, kind, "bob", &["carol"]).await;
        let (bob, carol, dave) = (world.login("bob").await, world.login("carol").await, world.login("dave").await);
        world.node.add_members(&world.app, kind, &lobby, &users(&["dave", "erin"])).await.expect("adds");
        assert_eq!((events(&bob), events(&carol)), (vec![], vec![]), "{kind:?}");
        assert_eq!(events(&dave), [joins(&["dave"], 4)], "{kind:?}");
        world.node.mute_all(&world.app, kind, &lobby, true).await.expect("is there");
        let all = RoomEvent::AllMuted { muted: true };
        assert_eq!((events(&bob), events(&dave)), (vec![all.clone()], vec![all]), "{kind:?}");
        world.node.remove_members(&world.app, kind, &lobby, &users(&["dave"])).await.expect("is there");
        assert_eq!((events(&bob), events(&dave)), (vec![], vec![removals(&["dave"], false, 3)]), "{kind:?}");
    }
}

#[tokio::test]
async fn members_of_a_group_are_told_where_they_are_connected() {
    let world = world().await;
    let (carol, dave) = (world.login("carol").await, world.login("dave").await);
    let group = create(&world, RoomKind::Group, "bob", &["carol"]).await;
    assert_eq!(events(&carol), [joins(&["bob", "carol"], 2)]);
    assert_eq!(carol.connected.rooms, [], "a group has nobody live");
    world.node.add_members(&world.app, RoomKind::Group, &group, &users(&["dave"])).await.expect("adds");
    assert_eq!((events(&carol), events(&dave)), (vec![joins(&["dave"], 3)], vec![joins(&["dave"], 3)]));
    world.node.leave_room(&world.app, RoomKind::Group, &group, &user_id("dave")).await.expect("leaves");
    assert_eq!((events(&carol), events(&dave)), (vec![leaves(&["dave"], 2)], vec![leaves(&["dave"], 2)]));
    world.node.delete_room(&world.app, RoomKind::Group, &group).await.expect("deletes");
    assert_eq!((events(&carol), events(&dave)), (vec![RoomEvent::Deleted], vec![]));
}

#[tokio::test]
async fn the_owner_gives_the_room_away() {
    let world = world().await;
    let lobby = room(&world, "bob", &["carol"]).await;
    let give = |to: &str| {
        let (node, app, lobby, to) = (world.node.clone(), world.app.clone(), lobby.clone(), user_id(to));
        async move { node.give_room(&app, RoomKind::Room, &lobby, &to).await }
    };
    assert!(matches!(give("bob").await, Err(RoomError::SameOwner)));
    assert!(matches!(give("nobody").await, Err(RoomError::NoUser(_))));
    give("carol").await.expect("is a member");
    give("dave").await.expect("comes in");
    let found = world.node.room(&world.app, RoomKind::Room, &lobby).await.unwrap();
    assert_eq!(found.owner, "dave");
    let page = world.node.member_page(&world.app, &lobby, None, 10).await.unwrap();
    let roles: Vec<_> = page.items.iter().map(|(user, member)| (user.as_str(), member.role)).collect();
    assert_eq!(roles, [("bob", Role::Member), ("carol", Role::Member), ("dave", Role::Owner)]);
}

#[tokio::test]
async fn who_may_send() {
    let world = world().await;
    let lobby = room(&world, "bob", &["carol", "dave"]).await;
    let kind = RoomKind::Room;
    let may = |user: &str| {
        let (node, app, lobby, user) = (world.node.clone(), world.app.clone(), lobby.clone(), user_id(user));
        async move { node.may_send(&app, kind, &lobby, &user).await.unwrap() }
    };
    assert_eq!((may("bob").await, may("carol").await), (Ok(()), Ok(())));
    assert_eq!(may("erin").await, Err(Silenced::NotMember));
    let until_ms = stentor_core::clock::Clock::wall_ms(&*world.clock) + 1000;
    let mute = |names: &[&str]| {
        let (node, app, lobby, names) = (world.node.clone(), world.app.clone(), lobby.clone(), users(names));
        async move { node.mute_members(&app, kind, &lobby, &names, until_ms).await }
    };
    let strangers = mute(&["carol", "erin"]).await;
    assert!(matches!(strangers, Err(RoomError::NotMembers(users)) if users == [user_id("erin")]));
    assert_eq!(may("carol").await, Ok(()), "all of them or nobody");
    mute(&["carol"]).await.expect("is a member");
    assert_eq!(may("carol").await, Err(Silenced::Muted));
    let muted = || world.node.muted_members(&world.app, &lobby, 10);
    assert_eq!(muted().await.unwrap(), [(user_id("carol"), until_ms)]);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!((may("carol").await, muted().await.unwrap()), (Ok(()), vec![]));
    world.node.mute_all(&world.app, kind, &lobby, true).await.expect("is there");
    assert_eq!((may("bob").await, may("carol").await), (Ok(()), Err(Silenced::AllMuted)));
    world.node.allow_members(&world.app, kind, &lobby, &users(&["carol"]), true).await.expect("is a member");
    world.node.make_admin(&world.app, kind, &lobby, &user_id("dave"), true).await.expect("is a member");
    assert_eq!((may("carol").await, may("dave").await), (Ok(()), Ok(())));
    assert_eq!(world.node.allowed_members(&world.app, &lobby, 10).await.unwrap(), users(&["carol"]));
    assert_eq!(world.node.admins(&world.app, &lobby).await.unwrap(), users(&["dave"]));
    world.node.remove_members(&world.app, kind, &lobby, &users(&["carol", "dave"])).await.expect("is there");
    assert_eq!(world.node.allowed_members(&world.app, &lobby, 10).await.unwrap(), users(&[]));
    assert_eq!(world.node.admins(&world.app, &lobby).await.unwrap(), users(&[]));
    world.node.delete_room(&world.app, kind, &lobby).await.expect("is there");
    assert_eq!(may("bob").await, Err(Silenced::NoRoom));
}

/// How many broadcasts a client gets.
fn broadcasts(client: &Client) -> usize {
    let broadcast = |notice: &Notice| matches!(notice, Notice::RoomMessage { message, .. } if message.marks.broadcast);
    client.take().iter().filter(|notice| broadcast(notice)).count()
}

#[tokio::test]
async fn a_broadcast_on_its_way_when_the_process_ended_comes_to_who_comes_back() {
    let world = world_of(|policy| policy.broadcasts = Some(BROADCASTS)).await;
    let room = room(&world, "bob", &[]).await;
    let bob = world.login("bob").await;
    let before = world.send_room("alice", room.as_str(), "before").await;
    let send = SendBroadcast {
        from: user_id("admin"),
        payload: text("hello"),
        priority: Priority::Normal,
        history: true,
        sync_sender: false,
    };
    world.node.broadcast(&world.app, send).await.expect("taken");
    world.settle().await;
    // It is fanned out and written down as such; bob has read only what came before.
    world.clock.advance(Duration::from_millis(5));
    let again = world.restarted().await;
    let resume = Resume { session: bob.session().id(), rooms: Some(vec![(room.clone(), before)]) };
    let back = again.connect("bob", "", Some(resume)).await;
    assert!(back.connected.resumed);
    let got = back.take();
    let seen = |notice: &Notice| match notice {
        Notice::RoomMessage { message, .. } if message.marks.broadcast => Some(message.id),
        _ => None,
    };
    let ids: Vec<_> = got.iter().filter_map(seen).collect();
    assert_eq!(ids.len(), 1, "once");
    back.cut();
    let resume = Resume { session: bob.session().id(), rooms: Some(vec![(room, ids[0])]) };
    let back = again.connect("bob", "", Some(resume)).await;
    assert_eq!(broadcasts(&back), 0, "not to a client that says that it has it");
}
