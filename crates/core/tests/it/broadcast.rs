//! To every active room, exactly once, whatever happens to the process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stentor_core::app::BroadcastPolicy;
use stentor_core::delivery::{BroadcastError, SendBroadcast, SendError};
use stentor_core::id::MessageId;
use stentor_core::message::{Message, Priority};
use stentor_core::notice::Notice;
use stentor_core::records::RecordKind;
use stentor_core::session::Resume;
use stentor_core::store::{Change, HistoryFilter, HistoryPage, HistoryStore, RecordStore, StoreError};

use crate::harness::{BROADCASTS, Client, GRACE, World, room_id, text, user_id, world, world_with};

async fn opened(change: impl FnOnce(&mut BroadcastPolicy)) -> World {
    let mut broadcasts = BROADCASTS;
    change(&mut broadcasts);
    world_with(|policy| {
        policy.broadcasts = Some(broadcasts);
        policy.overload = Some(crate::harness::overload(&[]));
    })
    .await
}

fn to_all(payload: &str) -> SendBroadcast {
    let (from, payload) = (user_id("admin"), text(payload));
    SendBroadcast { from, payload, priority: Priority::Low, history: true, sync_sender: false }
}

async fn broadcast(world: &World, payload: &str) -> Result<MessageId, BroadcastError> {
    world.node.broadcast(&world.app, to_all(payload)).await
}

async fn waiting(world: &World) -> u64 {
    world.store.count_records(world.app.id(), RecordKind::Broadcast, "job/").await.expect("counts")
}

/// Clients in rooms of their own, each of which has had a message.
async fn audience(world: &World, rooms: &[String]) -> Vec<Client> {
    let mut clients = Vec::new();
    for room in rooms {
        let client = world.login(&format!("u-{room}")).await;
        client.join(room).await;
        world.send_room("alice", room, "before").await;
        client.take();
        clients.push(client);
    }
    clients
}

fn room_messages(client: &Client) -> Vec<(String, Arc<Message>)> {
    let message = |notice| match notice {
        Notice::RoomMessage { room, message } => Some((room.as_str().to_owned(), message)),
        _ => None,
    };
    client.take().into_iter().filter_map(message).collect()
}

async fn history(world: &World) -> Vec<Arc<Message>> {
    let page = HistoryPage { offset: 0, limit: 1000, newest_first: false };
    world.store.history(world.app.id(), &HistoryFilter::ALL, page, 0).await.expect("reads")
}

#[tokio::test]
async fn it_reaches_rooms_that_have_a_member_and_have_had_a_message() {
    let world = opened(|_| {}).await;
    let clients = audience(&world, &["both".to_owned()]).await;
    let silent = world.login("silent").await;
    silent.join("silent").await;
    world.send_room("alice", "empty", "before").await;
    world.send_room("alice", "registered", "before").await;
    let member = Change::Put { kind: RecordKind::Member, key: "registered/carol".into(), value: Bytes::new() };
    world.store.change(world.app.id(), vec![member]).await.expect("written");

    let id = broadcast(&world, "hello").await.expect("taken");
    world.settle().await;
    let got = room_messages(&clients[0]);
    let [(room, message)] = &got[..] else { panic!("one message, not {got:?}") };
    assert_eq!((room.as_str(), message.from.as_str(), &message.payload[..]), ("both", "admin", &b"hello"[..]));
    assert!(message.marks.broadcast && message.marks.priority == Priority::Low);
    assert!(message.id > id, "an ID of its own");
    assert_eq!(silent.take_texts(), [] as [&str; 0]);
    let rooms: Vec<_> = history(&world).await.iter().map(|message| message.to.name().to_owned()).collect();
    assert_eq!(rooms, ["both", "registered"], "nobody is connected to the second, and the history has it");
    assert_eq!(waiting(&world).await, 0, "a job that is done leaves nothing");
}

#[tokio::test]
async fn a_room_that_all_have_left_or_that_is_gone_does_not_get_it() {
    let world = opened(|_| {}).await;
    let clients = audience(&world, &["a".to_owned(), "b".to_owned()]).await;
    clients[0].leave("a").await;
    let gone = Change::Delete { kind: RecordKind::ActiveRoom, key: "b".into() };
    world.store.change(world.app.id(), vec![gone]).await.expect("written");
    broadcast(&world, "hello").await.expect("taken");
    world.settle().await;
    assert_eq!(history(&world).await, []);
}

#[tokio::test]
async fn steps_and_several_broadcasts_come_in_order() {
    let world = opened(|policy| policy.rooms_per_step = 3).await;
    let rooms: Vec<_> = (0..10).map(|n| format!("r{n}")).collect();
    let clients = audience(&world, &rooms).await;
    for payload in ["one", "two", "three"] {
        broadcast(&world, payload).await.expect("taken");
    }
    for _ in 0..20 {
        world.settle().await;
    }
    assert_eq!(waiting(&world).await, 0);
    for client in &clients {
        assert_eq!(client.take_texts(), ["one", "two", "three"]);
    }
    let ids: BTreeSet<_> = history(&world).await.iter().map(|message| message.id).collect();
    assert_eq!(ids.len(), 30);
}

/// Where a client left off, and the IDs of the broadcast that it has seen per room.
#[derive(Default)]
struct Seen {
    frames: usize,
    newest: Option<MessageId>,
    broadcasts: BTreeMap<String, BTreeSet<MessageId>>,
}

impl Seen {
    fn read(&mut self, client: &Client) {
        for (room, message) in room_messages(client) {
            self.newest = self.newest.max(Some(message.id));
            if message.marks.broadcast {
                self.frames += 1;
                self.broadcasts.entry(room).or_default().insert(message.id);
            }
        }
    }
}

/// The process ends before its write number `writes` after the question, and starts again.
async fn crash_before_write(writes: u64, read_before: bool, talk: bool, clock_goes_back: bool) {
    let world = opened(|policy| policy.rooms_per_step = 2).await;
    let rooms: Vec<_> = (0..5).map(|n| format!("r{n}")).collect();
    let clients = audience(&world, &rooms).await;
    let mut seen: Vec<_> = rooms.iter().map(|_| Seen::default()).collect();
    world.store.refuse_writes_after(Some(writes));
    let taken = broadcast(&world, "hello").await;
    world.settle().await;
    if talk {
        for room in &rooms {
            // A message of every room between the broadcast and the crash.
            let _ = world.send_room("alice", room, "meanwhile").await;
        }
    }
    if read_before {
        seen.iter_mut().zip(&clients).for_each(|(seen, client)| seen.read(client));
    }
    world.clock.advance(Duration::from_millis(5));
    if clock_goes_back {
        world.clock.set_wall_ms(1_699_999_999_000);
    }
    world.store.refuse_writes_after(None);
    let again = world.restarted().await;
    for _ in 0..20 {
        again.settle().await;
    }
    for ((room, seen), client) in rooms.iter().zip(&mut seen).zip(&clients) {
        let points = seen.newest.map(|newest| (room_id(room), newest));
        let resume = Resume { session: client.session().id(), rooms: Some(points.into_iter().collect()) };
        let back = again.connect(client.session().user().as_str(), "", Some(resume)).await;
        assert!(back.connected.resumed);
        seen.read(&back);
        let expected = usize::from(taken.is_ok());
        let got = seen.broadcasts.get(room).map_or(0, BTreeSet::len);
        assert_eq!(got, expected, "{room} after a crash before write {writes}, read {read_before}, talk {talk}");
    }
    if read_before && taken.is_ok() {
        let again = seen.iter().map(|seen| seen.frames).sum::<usize>() - rooms.len();
        assert!(again <= 2, "at most one step comes again to clients that have it: {again}");
    }
    let kept: Vec<_> = history(&again).await.iter().map(|message| message.to.name().to_owned()).collect();
    assert_eq!(kept.len(), if taken.is_ok() { 5 } else { 0 }, "kept once for each room");
    assert_eq!(waiting(&again).await, 0);
    let newest = history(&again).await.iter().map(|message| message.id).max();
    assert!(Some(again.send_room("alice", "r0", "after").await) > newest, "no ID is given twice");
}

#[tokio::test]
async fn a_crash_at_any_write_loses_and_doubles_nothing() {
    // The job, the plan of its first step, and one write for each of three steps; then nothing is left to fail.
    for writes in 0..=6 {
        for (read_before, talk) in [(true, false), (true, true), (false, false), (false, true)] {
            crash_before_write(writes, read_before, talk, false).await;
        }
        crash_before_write(writes, true, false, true).await;
    }
}

/// A message that was taken between the plan of a step and its fan-out comes first, with a later ID. Returns whether
/// one did, after so many steps of the background.
async fn overtaken_after(turns: usize, restarts: usize) -> bool {
    let world = opened(|policy| policy.rooms_per_step = 2).await;
    let clients = audience(&world, &["a".to_owned(), "b".to_owned()]).await;
    // The job and the plan; the step cannot be written down before the first restart.
    world.store.refuse_writes_after((restarts == 2).then_some(2));
    broadcast(&world, "hello").await.expect("taken");
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
    let overtaker = world.send_room("alice", "b", "overtaker").await;
    let before = room_messages(&clients[1]);
    world.settle().await;
    let after = room_messages(&clients[1]);
    let overtaken = after.iter().any(|(_, message)| message.marks.broadcast && message.id < overtaker);
    assert_eq!(before.len() + after.len(), 2);
    world.store.refuse_writes_after(None);
    // The client has read the overtaker, and its connection broke before the broadcast came.
    clients[1].cut();
    let mut node = world;
    for _ in 0..restarts {
        node.clock.advance(Duration::from_millis(5));
        node = node.restarted().await;
        node.settle().await;
    }
    let points = vec![(room_id("b"), overtaker)];
    let resume = Resume { session: clients[1].session().id(), rooms: Some(points) };
    let back = node.connect("u-b", "", Some(resume)).await;
    assert!(back.connected.resumed);
    let got = room_messages(&back).iter().any(|(_, message)| message.marks.broadcast);
    if overtaken {
        assert!(got, "it comes, though the client has a later ID: {restarts} restarts");
    }
    overtaken
}

#[tokio::test]
async fn a_broadcast_that_is_overtaken_is_not_lost() {
    for restarts in 0..=2 {
        let mut overtaken = 0;
        for turns in 0..10 {
            overtaken += usize::from(overtaken_after(turns, restarts).await);
        }
        assert!(overtaken > 0, "no message was overtaken");
    }
}

/// A broadcast is overtaken by a message, the next one comes behind both. The client has the first when the process ends.
/// Returns whether it was overtaken, after so many steps of the background.
async fn next_after_overtaken(turns: usize) -> bool {
    let world = opened(|policy| policy.rooms_per_step = 2).await;
    let clients = audience(&world, &["a".to_owned(), "b".to_owned()]).await;
    broadcast(&world, "first").await.expect("taken");
    for _ in 0..turns {
        tokio::task::yield_now().await;
    }
    let overtaker = world.send_room("alice", "b", "overtaker").await;
    let before = room_messages(&clients[1]);
    world.settle().await;
    let after = room_messages(&clients[1]);
    let first = before.iter().chain(&after).find(|(_, message)| message.marks.broadcast).expect("it came").1.id;
    broadcast(&world, "second").await.expect("taken");
    world.settle().await;
    // The second was on its way when the process ended; the client names the newest of each level.
    world.clock.advance(Duration::from_millis(5));
    let node = world.restarted().await;
    node.settle().await;
    let points = [overtaker, first].map(|id| (room_id("b"), id)).to_vec();
    let resume = Resume { session: clients[1].session().id(), rooms: Some(points) };
    let back = node.connect("u-b", "", Some(resume)).await;
    let got: Vec<_> = room_messages(&back).into_iter().map(|(_, message)| message.payload.clone()).collect();
    assert_eq!(got, [text("second")], "after {turns} turns");
    after.iter().any(|(_, message)| message.id == first) && first < overtaker
}

#[tokio::test]
async fn what_comes_behind_an_overtaken_broadcast_is_not_lost() {
    let mut overtaken = 0;
    for turns in 0..10 {
        overtaken += usize::from(next_after_overtaken(turns).await);
    }
    assert!(overtaken > 0, "no message was overtaken");
}

#[tokio::test]
async fn a_job_that_is_done_is_remembered_for_the_grace() {
    let world = opened(|policy| policy.rooms_per_step = 1).await;
    let clients = audience(&world, &["a".to_owned(), "b".to_owned()]).await;
    broadcast(&world, "hello").await.expect("taken");
    world.settle().await;
    let records = async || world.store.count_records(world.app.id(), RecordKind::Broadcast, "").await.expect("counts");
    assert_eq!(records().await, 3, "the job and its steps");
    let almost = GRACE - Duration::from_secs(1);
    for time in [almost / 2, almost / 2] {
        clients.iter().for_each(Client::heard);
        world.pass(time).await;
    }
    assert_eq!(records().await, 3);
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(records().await, 0);
}

#[tokio::test]
async fn a_store_that_refuses_for_a_while_delays_it_and_doubles_nothing() {
    let world = opened(|policy| policy.rooms_per_step = 2).await;
    let rooms: Vec<_> = (0..6).map(|n| format!("r{n}")).collect();
    let clients = audience(&world, &rooms).await;
    // The job, its plan, and the first step; the second is fanned out and cannot be written down.
    world.store.refuse_writes_after(Some(3));
    broadcast(&world, "hello").await.expect("taken");
    world.settle().await;
    let heard = || clients.iter().map(|client| room_messages(client).len()).collect::<Vec<_>>();
    assert_eq!(heard(), [1, 1, 1, 1, 0, 0]);
    // Longer than the rooms remember what was said.
    for _ in 0..4 {
        clients.iter().for_each(Client::heard);
        world.pass(GRACE / 3).await;
    }
    assert_eq!(heard(), [0; 6]);
    world.store.refuse_writes_after(None);
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(heard(), [0, 0, 0, 0, 1, 1], "each once in the life of a process");
    assert_eq!((waiting(&world).await, history(&world).await.len()), (0, 6));
}

#[tokio::test]
async fn a_node_on_its_way_down_leaves_the_rest_to_the_next_start() {
    let world = opened(|policy| policy.rooms_per_step = 1).await;
    let rooms: Vec<_> = (0..4).map(|n| format!("r{n}")).collect();
    let clients = audience(&world, &rooms).await;
    broadcast(&world, "hello").await.expect("taken");
    world.node.drain(0);
    world.node.stopped().await;
    assert_eq!(waiting(&world).await, 1);
    assert!(clients.iter().map(|client| room_messages(client).len()).sum::<usize>() < 4);
    world.clock.advance(Duration::from_millis(5));
    let again = world.restarted().await;
    for _ in 0..5 {
        again.settle().await;
    }
    assert_eq!((waiting(&again).await, history(&again).await.len()), (0, 4));
}

#[tokio::test]
async fn the_minute_and_the_day_are_limited_over_restarts() {
    let mut world = opened(|_| {}).await;
    let limited = |sent: Result<MessageId, BroadcastError>| match sent {
        Ok(_) => "taken",
        Err(BroadcastError::PerMinute { max: 10 }) => "minute",
        Err(BroadcastError::PerDay { max: 100 }) => "day",
        Err(other) => panic!("{other:?}"),
    };
    world.clock.set_wall_ms(1_700_006_400_000); // midnight
    for minute in 0..10 {
        for _ in 0..10 {
            assert_eq!(limited(broadcast(&world, "x").await), "taken", "minute {minute}");
        }
        if minute < 9 {
            assert_eq!(limited(broadcast(&world, "x").await), "minute");
        }
        world.settle().await;
        world = world.restarted().await;
        if minute < 9 {
            assert_eq!(limited(broadcast(&world, "x").await), "minute", "also after a restart");
        }
        world.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(limited(broadcast(&world, "x").await), "day");
    world.clock.set_wall_ms(1_700_006_400_000 + 86_399_999);
    assert_eq!(limited(broadcast(&world.restarted().await, "x").await), "day");
    world.clock.set_wall_ms(1_700_006_400_000 + 86_400_000);
    assert_eq!(limited(broadcast(&world, "x").await), "taken");
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_and_not_counted() {
    let off = world().await;
    assert!(matches!(broadcast(&off, "x").await, Err(BroadcastError::Off)));
    let world = opened(|policy| (policy.per_minute, policy.waiting) = (4, 2)).await;
    let _client = audience(&world, &["r".to_owned()]).await;
    let empty = broadcast(&world, "").await;
    assert!(matches!(empty, Err(BroadcastError::Send(SendError::PayloadEmpty))));
    world.store.refuse_writes(true);
    let refused = broadcast(&world, "x").await;
    assert!(matches!(refused, Err(BroadcastError::Send(SendError::Store(StoreError::Full)))));
    // The next two jobs are written down, and their first steps are not.
    for _ in 0..2 {
        world.store.refuse_writes(false);
        world.store.refuse_writes_after(Some(1));
        broadcast(&world, "x").await.expect("taken");
        world.settle().await;
    }
    world.store.refuse_writes_after(None);
    assert!(matches!(broadcast(&world, "x").await, Err(BroadcastError::Waiting { max: 2 })));
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(waiting(&world).await, 0);
    for _ in 0..2 {
        broadcast(&world, "x").await.expect("only what was taken counts");
    }
    assert!(matches!(broadcast(&world, "x").await, Err(BroadcastError::PerMinute { max: 4 })));
}

#[tokio::test]
async fn the_members_on_other_nodes_get_it_too() {
    let pair = crate::cluster::pair_with(|policy| policy.broadcasts = Some(BROADCASTS)).await;
    let (here, there) = (pair.here.login("bob").await, pair.there.login("carol").await);
    here.join("lobby").await;
    there.join("lobby").await;
    pair.here.send_room("alice", "lobby", "before").await;
    broadcast(&pair.here, "hello").await.expect("taken");
    pair.here.settle().await;
    assert_eq!(
        (here.take_texts(), there.take_texts()),
        (vec!["before".into(), "hello".into()], vec!["before".to_owned(), "hello".to_owned()])
    );
}
