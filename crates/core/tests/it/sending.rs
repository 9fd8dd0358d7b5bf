//! Room messages to several rooms, to some members only, and with what is written beside them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stentor_core::delivery::{Also, Origin, SendError, SendOptions, SendRoom, SendRooms};
use stentor_core::id::{MessageId, UserId};
use stentor_core::limits::{Limited, Rule};
use stentor_core::message::{Marks, MessageKind, Priority};
use stentor_core::notice::Notice;
use stentor_core::records::RecordKind;
use stentor_core::session::Resume;
use stentor_core::store::{Change, HistoryFilter, HistoryPage, HistoryStore, RecordStore, StoreError};

use crate::harness::{Client, World, policy, rate, room_id, to_room, user_id, world, world_with};

const ALL: HistoryPage = HistoryPage { offset: 0, limit: 1000, newest_first: false };

fn to_rooms(rooms: &[&str]) -> SendRooms {
    let SendRoom { from, payload, only_for, options, .. } = to_room("alice", "", "hi");
    SendRooms { from, rooms: rooms.iter().map(|room| room_id(room)).collect(), payload, only_for, options }
}

fn users(names: &[&str]) -> Vec<UserId> {
    names.iter().map(|name| user_id(name)).collect()
}

async fn send_rooms(world: &World, send: SendRooms) -> Result<Vec<(String, MessageId)>, SendError> {
    let sent = world.node.send_rooms(&world.app, Origin::Backend, send).await?;
    Ok(sent.into_iter().map(|(room, sent)| (room.as_str().to_owned(), sent.id)).collect())
}

async fn whisper(world: &World, from: &str, only_for: &[&str], payload: &str) -> MessageId {
    let send = SendRoom { only_for: users(only_for), ..to_room(from, "lobby", payload) };
    world.node.send_room(&world.app, Origin::Backend, send).await.expect("taken").id
}

/// The message IDs that are kept for history.
async fn history(world: &World) -> Vec<MessageId> {
    let found = world.store.history(world.app.id(), &HistoryFilter::ALL, ALL, 0).await.expect("reads");
    found.iter().map(|message| message.id).collect()
}

async fn members(world: &World, names: &[&str]) -> Vec<Client> {
    let mut clients = Vec::new();
    for name in names {
        let client = world.login(name).await;
        client.join("lobby").await;
        clients.push(client);
    }
    clients.iter().for_each(|client| drop(client.take()));
    clients
}

#[tokio::test]
async fn each_room_gets_the_message_once_under_an_id_of_its_own() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.join("a").await;
    bob.join("b").await;
    let sent = send_rooms(&world, to_rooms(&["b", "nowhere", "a", "b"])).await.expect("taken");
    assert_eq!(sent.iter().map(|(room, _)| room.as_str()).collect::<Vec<_>>(), ["b", "nowhere", "a"], "in order");
    assert!(sent.is_sorted_by_key(|(_, id)| *id) && sent[0].1 != sent[2].1);
    assert_eq!(bob.take_texts(), ["hi", "hi"]);
    assert_eq!(send_rooms(&world, to_rooms(&[])).await.expect("nothing to do"), []);
}

#[tokio::test]
async fn several_rooms_count_all_or_nothing() {
    let world = world_with(|policy| policy.rates = vec![rate(Rule::RoomSends, 10, 1000)]).await;
    let ten: Vec<_> = (0..10).map(|n| format!("r{n}")).collect();
    let ten: Vec<_> = ten.iter().map(String::as_str).collect();
    let limited = |sent| matches!(sent, Err(SendError::Limited(Limited { rule: Rule::RoomSends })));
    send_rooms(&world, to_rooms(&["x"])).await.expect("the first");
    assert!(limited(send_rooms(&world, to_rooms(&ten)).await), "eleven are too many");
    send_rooms(&world, to_rooms(&ten[..9])).await.expect("what was refused is not counted");
    assert!(limited(send_rooms(&world, to_rooms(&["x"])).await));
    world.clock.advance(Duration::from_secs(1));
    send_rooms(&world, to_rooms(&ten)).await.expect("a second later");
}

#[tokio::test]
async fn messages_for_some_of_the_members_have_a_rate_of_their_own() {
    let rates = vec![rate(Rule::RoomSends, 1, 1000), rate(Rule::TargetedRoomSends, 2, 1000)];
    let world = world_with(|policy| policy.rates = rates).await;
    let targeted = || SendRooms { only_for: vec![user_id("bob")], ..to_rooms(&["x"]) };
    for _ in 0..2 {
        send_rooms(&world, targeted()).await.expect("taken");
    }
    let refused = send_rooms(&world, targeted()).await;
    assert!(matches!(refused, Err(SendError::Limited(Limited { rule: Rule::TargetedRoomSends }))));
    send_rooms(&world, to_rooms(&["x"])).await.expect("the others have theirs");
    let refused = send_rooms(&world, to_rooms(&["x"])).await;
    assert!(matches!(refused, Err(SendError::Limited(Limited { rule: Rule::RoomSends }))));
}

#[tokio::test]
async fn a_client_must_be_in_every_room() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.join("a").await;
    let origin = Origin::Client(bob.session());
    let refused = world.node.send_rooms(&world.app, origin, to_rooms(&["a", "b"])).await;
    assert!(matches!(refused, Err(SendError::NotInRoom)));
    bob.join("b").await;
    let sent = world.node.send_rooms(&world.app, origin, to_rooms(&["a", "b"])).await.expect("taken");
    assert_eq!(sent.len(), 2);
}

#[tokio::test]
async fn what_is_written_alongside_is_there_when_the_sender_is_answered_and_only_then() {
    let world = world().await;
    let callbacks = async |world: &World| {
        world.store.count_records(world.app.id(), RecordKind::Callback, "").await.expect("counts")
    };
    let also = Also::new(|accepted| {
        let (kind, key) = (RecordKind::Callback, accepted.message.id.to_string());
        vec![Change::Put { kind, key, value: Bytes::copy_from_slice(accepted.message.to.name().as_bytes()) }]
    });
    let options = SendOptions { history: true, also: Some(also), ..SendOptions::default() };
    let to_both = || SendRooms { options: options.clone(), ..to_rooms(&["a", "b"]) };
    let sent = send_rooms(&world, to_both()).await.expect("taken");
    for (room, id) in &sent {
        let record = world.store.read_record(world.app.id(), RecordKind::Callback, &id.to_string()).await;
        assert_eq!(record.expect("reads").as_deref(), Some(room.as_bytes()));
    }
    assert_eq!(history(&world).await, sent.iter().map(|(_, id)| *id).collect::<Vec<_>>());
    world.store.refuse_writes(true);
    let refused = send_rooms(&world, to_both()).await;
    assert!(matches!(refused, Err(SendError::Store(StoreError::Full))));
    world.store.refuse_writes(false);
    assert_eq!((callbacks(&world).await, history(&world).await.len()), (2, 2));
    for keeps_nothing in
        [SendOptions { history: false, ..options.clone() }, SendOptions { online_only: true, ..options.clone() }]
    {
        let send = SendRoom { options: keeps_nothing, ..to_room("alice", "a", "hi") };
        world.node.send_room(&world.app, Origin::Backend, send).await.expect("taken");
    }
    assert_eq!((callbacks(&world).await, history(&world).await.len()), (4, 2));
}

#[tokio::test]
async fn hidden_users_do_not_find_it_in_their_history() {
    let world = world().await;
    let options = SendOptions { history: true, hidden_from: users(&["bob"]), ..SendOptions::default() };
    let send = SendRoom { options, ..to_room("alice", "a", "hi") };
    world.node.send_room(&world.app, Origin::Backend, send).await.expect("taken");
    for (name, found) in [("bob", 0), ("carol", 1)] {
        let filter = HistoryFilter { seen_by: Some(user_id(name)), ..HistoryFilter::ALL };
        assert_eq!(world.store.history_count(world.app.id(), &filter, 0).await.expect("counts"), found, "{name}");
    }
}

#[tokio::test]
async fn a_message_carries_its_marks() {
    let world = world_with(|policy| policy.overload = Some(crate::harness::overload(&["boss"]))).await;
    let clients = members(&world, &["bob"]).await;
    let marks = || match &clients[0].take()[..] {
        [Notice::RoomMessage { message, .. }] => message.marks,
        other => panic!("one message, not {other:?}"),
    };
    let asked = Marks { priority: Priority::Low, kind: MessageKind::Notice, ..Marks::default() };
    let send = async |from: &str| {
        let options = SendOptions { marks: asked, ..SendOptions::default() };
        let send = SendRoom { options, ..to_room(from, "lobby", "hi") };
        world.node.send_room(&world.app, Origin::Backend, send).await.expect("taken");
    };
    send("alice").await;
    let got = marks();
    assert_eq!(
        (got.priority, got.kind, got.targeted, got.broadcast),
        (Priority::Low, MessageKind::Notice, false, false)
    );
    send("boss").await;
    assert_eq!(marks().priority, Priority::High, "a sender of the rule is high, whatever it says");
    whisper(&world, "alice", &["bob"], "psst").await;
    assert!(marks().targeted);
}

#[tokio::test]
async fn a_targeted_message_reaches_exactly_the_named_members() {
    let world = world().await;
    let clients = members(&world, &["bob", "carol", "dave"]).await;
    let outside = world.login("eve").await;
    whisper(&world, "alice", &["bob", "dave", "bob", "eve", "nobody"], "psst").await;
    let got: Vec<_> = clients.iter().map(Client::take_texts).collect();
    assert_eq!(got, [vec!["psst"], vec![], vec!["psst"]]);
    assert_eq!(outside.take_texts(), [] as [&str; 0], "named, but not in the room");
    whisper(&world, "bob", &["bob", "carol"], "mine").await;
    let got: Vec<_> = clients.iter().map(Client::take_texts).collect();
    assert_eq!(got, [vec![], vec!["mine"], vec![]], "no echo here either");
    whisper(&world, "alice", &["nobody"], "void").await;
    assert!(clients.iter().all(|client| client.take().is_empty()));
}

#[tokio::test]
async fn every_device_of_a_named_user_gets_it() {
    let world = world_with(|policy| policy.devices = stentor_core::app::DevicePolicy::Many { max: 4 }).await;
    let (phone, desk) = (world.connect("bob", "phone", None).await, world.connect("bob", "desk", None).await);
    let away = world.connect("bob", "away", None).await;
    phone.join("lobby").await;
    desk.join("lobby").await;
    whisper(&world, "alice", &["bob"], "psst").await;
    assert_eq!((phone.take_texts().len(), desk.take_texts().len(), away.take_texts().len()), (1, 1, 0));
}

#[tokio::test]
async fn who_comes_back_gets_what_was_for_him_and_does_not_miss_the_rest() {
    let world = world().await;
    let clients = members(&world, &["bob", "carol"]).await;
    let read = world.send_room("alice", "lobby", "read").await;
    clients.iter().for_each(|client| drop(client.take()));
    clients.iter().for_each(Client::cut);
    for number in 0..50 {
        whisper(&world, "alice", &["bob"], &number.to_string()).await;
    }
    let resume =
        |client: &Client| Some(Resume { session: client.session().id(), rooms: Some(vec![(room_id("lobby"), read)]) });
    let carol = world.connect("carol", "", resume(&clients[1])).await;
    assert_eq!(carol.take(), [], "nothing was for her, and nothing is missing");
    let bob = world.connect("bob", "", resume(&clients[0])).await;
    let notices = bob.take();
    assert_eq!(notices[0], Notice::RoomMessagesMissed { room: room_id("lobby"), count: 18 });
    assert_eq!(notices.len(), 33);
}

#[tokio::test]
async fn a_targeted_message_crosses_to_other_nodes() {
    let pair = crate::cluster::pair_with(|_| {}).await;
    let (bob, carol) = (pair.there.login("bob").await, pair.there.login("carol").await);
    bob.join("lobby").await;
    carol.join("lobby").await;
    whisper(&pair.here, "alice", &["bob"], "psst").await;
    pair.here.settle().await;
    assert_eq!((bob.take_texts(), carol.take_texts()), (vec!["psst".to_owned()], vec![]));
}

#[tokio::test]
async fn a_rooms_first_message_is_recorded_once_and_before_the_answer() {
    let world = world_with(|policy| policy.broadcasts = Some(crate::harness::BROADCASTS)).await;
    let active = async || {
        let found =
            world.store.scan_records(world.app.id(), stentor_core::store::Scan::of(RecordKind::ActiveRoom, "", 9));
        found.await.expect("reads").into_iter().map(|(room, _)| room).collect::<Vec<_>>()
    };
    let send = async |kind: MessageKind| {
        let options = SendOptions { marks: Marks { kind, ..Marks::default() }, ..SendOptions::default() };
        let send = SendRoom { options, ..to_room("alice", "a", "x") };
        world.node.send_room(&world.app, Origin::Backend, send).await.expect("taken");
    };
    send(MessageKind::Notice).await;
    assert_eq!(active().await, [] as [&str; 0], "only what somebody says counts");
    send(MessageKind::Content).await;
    assert_eq!(active().await, ["a"]);
    world.store.refuse_writes(true);
    send(MessageKind::Content).await; // nothing is to be written any more
    let refused = world.node.send_room(&world.app, Origin::Backend, to_room("alice", "b", "x")).await;
    assert!(matches!(refused, Err(SendError::Store(StoreError::Full))));
    world.store.refuse_writes(false);
    world.node.send_room(&world.app, Origin::Backend, to_room("alice", "b", "x")).await.expect("taken");
    assert_eq!(active().await, ["a", "b"]);
    let without = crate::harness::start(
        policy(crate::harness::APP),
        world.clock.clone(),
        Arc::default(),
        stentor_core::id::NodeId::SINGLE,
        Arc::new(stentor_core::bus::in_process::InProcessBus::alone()),
    )
    .await;
    without.store.refuse_writes(true);
    without
        .node
        .send_room(&without.app, Origin::Backend, to_room("alice", "b", "x"))
        .await
        .expect("no broadcasts, no record");
}
