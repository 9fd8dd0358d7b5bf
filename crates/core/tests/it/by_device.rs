//! Clients that come back and are known by their device alone: what their session was told last may never have arrived.

use std::time::Duration;

use stentor_core::app::{AppPolicy, DevicePolicy, OverloadPolicy, RegisteredRooms};
use stentor_core::clock::Clock;
use stentor_core::directory::rooms::{NewRoom, RoomKind};
use stentor_core::directory::users::NewUser;
use stentor_core::id::{DeviceId, RoomId};
use stentor_core::metrics::DropReason;
use stentor_core::notice::Notice;
use stentor_core::room_event::RoomEvent;
use stentor_core::session::{Closing, Resume};

use crate::harness::{Client, GRACE, World, room_id, user_id, world, world_with};

const A_MOMENT: Duration = Duration::from_millis(1);

impl World {
    /// Logs in on the same device, and finds the session that is there.
    async fn back(&self, user: &str, device: &str) -> Client {
        let resume = self.node.away(&self.app, &user_id(user), &DeviceId::from_trusted(device));
        assert!(resume.as_ref().is_none_or(|resume| resume.rooms.is_none()));
        self.connect(user, device, resume).await
    }

    /// Everything that the client has been offered has arrived.
    fn arrived(&self, client: &Client) {
        client.take();
        self.clock.advance(A_MOMENT);
        client.confirm(self.clock.monotonic_ms());
    }

    async fn count_in(&self, room: &str, texts: impl IntoIterator<Item = usize>) {
        for text in texts {
            self.send_room("alice", room, &text.to_string()).await;
        }
    }
}

fn numbers(texts: impl IntoIterator<Item = usize>) -> Vec<String> {
    texts.into_iter().map(|text| text.to_string()).collect()
}

/// Levels, in the place of disconnecting who is slow.
fn levels(policy: &mut AppPolicy) {
    policy.overload = Some(OverloadPolicy {
        high_senders: std::collections::BTreeSet::new(),
        high_content: None,
        lane_notices: 4,
        lane_bytes: 1 << 20,
        room_messages_per_second: 1_000,
        busy_after_ms: 50,
    });
}

#[tokio::test]
async fn a_connection_that_is_dead_and_looks_alive_loses_nothing() {
    let world = world().await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    for client in [&bob, &carol] {
        client.join("lobby").await;
    }
    world.count_in("lobby", [1]).await;
    world.arrived(&bob);
    // Written to a socket that nobody reads any more, or still in the mailbox.
    world.count_in("lobby", [2]).await;
    assert_eq!(bob.take_texts(), ["2"]);
    world.send("alice", "bob", "peer").await;
    world.count_in("lobby", [3]).await;
    world.user_events().await;
    world.room_events().await;
    carol.take();
    let back = world.back("bob", "").await;
    assert!(back.connected.resumed);
    assert_eq!(bob.closed(), [Closing::Replaced], "if it is alive, it must not come back at once");
    world.count_in("lobby", [4]).await;
    world.settle().await;
    assert_eq!(back.take_texts(), ["2", "3", "peer", "4"]);
    bob.cut();
    world.count_in("lobby", [5]).await;
    assert_eq!(back.take_texts(), ["5"], "the end of the stale connection changes nothing");
    assert_eq!(world.user_events().await, [] as [&str; 0], "nobody notices");
    assert_eq!(world.room_events().await, [] as [&str; 0]);
    assert_eq!(carol.take_texts(), ["4", "5"]);
}

#[tokio::test]
async fn what_did_not_arrive_the_second_time_comes_a_third_time() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    world.arrived(&bob);
    world.count_in("lobby", [1, 2]).await;
    bob.take();
    let mut last = bob;
    for cut in [false, true, false] {
        world.clock.advance(Duration::from_secs(1));
        if cut {
            last.cut();
        }
        last.heard();
        last = world.back("bob", "").await;
        assert_eq!(last.take_texts(), ["1", "2"], "nothing has said that it arrived");
    }
    world.arrived(&last);
    world.count_in("lobby", [3]).await;
    last.cut();
    assert_eq!(world.back("bob", "").await.take_texts(), ["3"]);
}

#[tokio::test]
async fn a_stale_connection_confirms_nothing() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    world.arrived(&bob);
    world.count_in("lobby", [1]).await;
    let back = world.back("bob", "").await;
    // It is alive: another window of the same device.
    world.arrived(&bob);
    drop(back);
    assert_eq!(world.back("bob", "").await.take_texts(), ["1"]);
}

#[tokio::test]
async fn what_found_no_place_at_a_dead_connection_is_there_for_the_next() {
    let world = world_with(levels).await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    world.arrived(&bob);
    world.count_in("lobby", 0..10).await;
    assert_eq!(world.node.metrics().drops(DropReason::LanesFull), 6);
    let back = world.back("bob", "").await;
    assert_eq!(back.take_texts(), numbers(0..10));
}

#[tokio::test]
async fn a_connection_that_was_cut_for_being_slow_loses_nothing_either() {
    let world = world_with(|policy| {
        policy.rooms.replayed = 100;
        policy.sessions.mailbox_notices = 8;
    })
    .await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    world.arrived(&bob);
    // It takes some, much later none, and is cut.
    world.count_in("lobby", 0..4).await;
    bob.take();
    world.clock.advance(Duration::from_secs(20));
    bob.heard();
    world.count_in("lobby", 4..20).await;
    assert_eq!(bob.closed(), [Closing::SlowConsumer]);
    assert_eq!(world.back("bob", "").await.take_texts(), numbers(0..20));
}

#[tokio::test]
async fn who_says_what_it_has_gets_that_once_also_while_the_dead_connection_is_held() {
    let world = world().await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    let seen = world.send_room("alice", "lobby", "seen").await;
    world.count_in("lobby", [1]).await;
    bob.take();
    world.count_in("lobby", [2]).await;
    let resume = Resume { session: bob.session().id(), rooms: Some(vec![(room_id("lobby"), seen)]) };
    let back = world.connect("bob", "", Some(resume)).await;
    assert_eq!(bob.closed(), [Closing::Superseded]);
    assert_eq!(back.take_texts(), ["1", "2"]);
}

#[tokio::test]
async fn another_device_and_a_session_that_has_ended_are_nobody_s() {
    let world = world_with(|policy| policy.devices = DevicePolicy::Many { max: 2 }).await;
    let phone = world.connect("bob", "phone", None).await;
    phone.join("lobby").await;
    world.count_in("lobby", [1]).await;
    let laptop = world.back("bob", "laptop").await;
    assert!(!laptop.connected.resumed);
    assert_eq!((laptop.take_texts(), phone.closed()), (vec![], vec![]));
    phone.logout().await;
    assert!(!world.back("bob", "phone").await.connected.resumed);
    assert!(!world.back("eve", "laptop").await.connected.resumed);
}

/// The gap may be as old as a dead connection goes unnoticed, and then the grace.
#[tokio::test]
async fn rooms_remember_for_as_long_as_a_client_may_be_away() {
    for (unnoticed_ms, remembered) in [(0, false), (30_000, true)] {
        let world = world_with(|policy| policy.rooms.replayed_unnoticed_ms = unnoticed_ms).await;
        let bob = world.login("bob").await;
        bob.join("lobby").await;
        world.arrived(&bob);
        world.count_in("lobby", [1]).await;
        world.pass(GRACE - 2 * A_MOMENT).await;
        bob.heard();
        bob.cut();
        world.pass(GRACE - A_MOMENT).await;
        let texts = world.back("bob", "").await.take_texts();
        assert_eq!(texts, if remembered { vec!["1"] } else { vec![] });
    }
}

#[tokio::test]
async fn what_is_more_than_is_replayed_is_told_and_counted() {
    let world = world_with(|policy| policy.rooms.replayed = 5).await;
    let bob = world.login("bob").await;
    bob.join("lobby").await;
    world.count_in("lobby", [100, 101]).await;
    world.arrived(&bob);
    world.count_in("lobby", 0..6).await;
    let notices = world.back("bob", "").await.take();
    assert_eq!(notices[0], Notice::RoomMessagesMissed { room: room_id("lobby"), count: 1 });
    assert_eq!(notices.len(), 6);
    assert_eq!(world.node.metrics().drops(DropReason::ReplayLimit), 1);
    // So many that the room does not even know how many there were.
    world.count_in("lobby", 0..1_100).await;
    let notices = world.back("bob", "").await.take();
    assert!(matches!(notices[0], Notice::RoomMessagesMissed { count: 1_025.., .. }), "{:?}", notices[0]);
}

#[tokio::test]
async fn bytes_are_a_bound_as_well_and_one_message_is_always_there() {
    // A message of one byte counts as 257.
    for (bytes, replayed) in [(1, 1), (3 * 257, 3), (4 * 257 - 1, 3), (4 * 257, 4)] {
        let world = world_with(|policy| policy.rooms.replayed_bytes = bytes).await;
        let bob = world.login("bob").await;
        bob.join("one").await;
        bob.join("two").await;
        world.arrived(&bob);
        world.count_in("one", 0..2).await;
        world.count_in("two", 2..8).await;
        assert_eq!(world.back("bob", "").await.take_texts(), numbers(8 - replayed..8));
    }
}

#[tokio::test]
async fn where_all_rooms_together_remember_too_much_each_remembers_a_little() {
    let world = world_with(|policy| {
        policy.rooms.replayed = 100;
        policy.rooms.replayed_bytes_of_all = 60 * 258;
        policy.sessions.mailbox_notices = 1_000;
    })
    .await;
    let bob = world.login("bob").await;
    bob.join("loud").await;
    world.arrived(&bob);
    world.count_in("loud", 0..60).await;
    let back = world.back("bob", "").await;
    assert_eq!(back.take_texts(), numbers(0..60));
    world.count_in("loud", 60..61).await;
    let back = world.back("bob", "").await;
    assert_eq!(back.take_texts(), numbers(1..61));
    // Another room is as loud: then both remember less.
    back.join("too").await;
    world.count_in("too", 61..121).await;
    world.count_in("loud", 121..122).await;
    let texts = world.back("bob", "").await.take_texts();
    assert_eq!(texts.len(), 64);
    // What is forgotten makes room.
    world.pass(GRACE).await;
    assert_eq!(world.back("bob", "").await.take_texts(), [] as [&str; 0]);
}

fn events(client: &Client) -> Vec<RoomEvent> {
    let event = |notice| if let Notice::RoomEvent { event, .. } = notice { Some(event) } else { None };
    client.take().into_iter().filter_map(event).collect()
}

/// Bob and others in a registered room of alice's.
async fn world_with_room() -> (World, RoomId) {
    let world = world_with(|policy| {
        policy.rooms.registered = Some(RegisteredRooms { rooms_per_user: 9, groups_per_user: 9, rooms: 9, groups: 9 });
        policy.rooms.replayed_unnoticed_ms = 120_000;
    })
    .await;
    for name in ["alice", "bob", "carol"] {
        let new = NewUser { name: user_id(name), password_hash: None, nickname: None };
        world.node.register(&world.app, new).await.expect("registers");
    }
    let new = NewRoom {
        kind: RoomKind::Room,
        name: "r".to_owned(),
        description: String::new(),
        owner: user_id("alice"),
        max_users: 200,
        members: vec![user_id("bob"), user_id("carol")],
        custom: String::new(),
        public: true,
        members_only: false,
        allow_invites: false,
        invite_need_confirm: false,
        avatar: String::new(),
    };
    let room = world.node.create_room(&world.app, new).await.expect("creates").room_id();
    (world, room)
}

#[tokio::test]
async fn what_happened_to_a_room_meanwhile_is_told_once() {
    let (world, room) = world_with_room().await;
    let mute = async |muted| world.node.mute_all(&world.app, RoomKind::Room, &room, muted).await.expect("mutes");
    let bob = world.connect("bob", "phone", None).await;
    mute(true).await;
    assert_eq!(events(&bob).len(), 1);
    world.arrived(&bob);
    // Written to a connection that is dead and looks alive, and while there is none.
    mute(false).await;
    assert_eq!(events(&bob).len(), 1);
    bob.cut();
    let put_out = [user_id("bob")];
    world.node.remove_members(&world.app, RoomKind::Room, &room, &put_out).await.expect("removes");
    let again = world.back("bob", "phone").await;
    let told = events(&again);
    assert!(
        matches!(&told[..], [RoomEvent::AllMuted { muted: false }, RoomEvent::Removed { users, .. }] if *users == put_out),
        "{told:?}"
    );
    world.arrived(&again);
    again.cut();
    assert_eq!(events(&world.back("bob", "phone").await), [], "that is known to have arrived");
}

#[tokio::test]
async fn a_client_that_says_what_it_has_is_told_what_happened_while_it_was_away() {
    let (world, room) = world_with_room().await;
    let mute = async |muted| world.node.mute_all(&world.app, RoomKind::Room, &room, muted).await.expect("mutes");
    let bob = world.connect("bob", "phone", None).await;
    mute(true).await;
    bob.take();
    world.clock.advance(A_MOMENT);
    bob.cut();
    mute(false).await;
    let resume = Resume { session: bob.session().id(), rooms: Some(Vec::new()) };
    let again = world.connect("bob", "phone", Some(resume)).await;
    assert_eq!(events(&again), [RoomEvent::AllMuted { muted: false }]);
}

#[tokio::test]
async fn of_many_events_those_that_matter_to_the_user_stay() {
    let (world, room) = world_with_room().await;
    let bob = world.connect("bob", "phone", None).await;
    world.arrived(&bob);
    bob.cut();
    let [bobs, carol] = [[user_id("bob")], [user_id("carol")]];
    world.node.remove_members(&world.app, RoomKind::Room, &room, &bobs).await.expect("removes");
    world.node.add_members(&world.app, RoomKind::Room, &room, &bobs).await.expect("adds");
    for _ in 0..50 {
        world.node.remove_members(&world.app, RoomKind::Room, &room, &carol).await.expect("removes");
        world.node.add_members(&world.app, RoomKind::Room, &room, &carol).await.expect("adds");
    }
    let told = events(&world.back("bob", "phone").await);
    let of_bob = |event: &&RoomEvent| matches!(event, RoomEvent::Removed { users, .. } | RoomEvent::Joined { users, .. } if *users == bobs);
    assert_eq!((told.len(), told.iter().filter(of_bob).count()), (64, 2));
    assert_eq!(world.node.metrics().drops(DropReason::ReplayLimit), 102 - 64);
}
