//! Levels of room messages: which come first, which give way, and that every drop is counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use stentor_core::app::{AppPolicy, HighContent, OverloadPolicy};
use stentor_core::delivery::{LevelDelivery, Origin, SendOptions, SendRoom};
use stentor_core::id::MessageId;
use stentor_core::lag::Lag;
use stentor_core::message::{Marks, MessageKind, Priority};
use stentor_core::metrics::DropReason;
use stentor_core::notice::{Envelope, Notice};
use stentor_core::session::{Closing, Resume};

use crate::harness::{Client, GRACE, World, overload, room_id, to_room, user_id, world, world_with};

const HIGH: Priority = Priority::High;
const NORMAL: Priority = Priority::Normal;
const LOW: Priority = Priority::Low;

async fn levelled(change: impl FnOnce(&mut AppPolicy)) -> World {
    world_with(|policy| {
        policy.overload = Some(overload(&[]));
        change(policy);
    })
    .await
}

async fn say(world: &World, room: &str, level: Priority, payload: &str) -> MessageId {
    let options = SendOptions { marks: Marks { priority: level, ..Marks::default() }, ..SendOptions::default() };
    let send = SendRoom { options, ..to_room("alice", room, payload) };
    world.node.send_room(&world.app, Origin::Backend, send).await.expect("taken").id
}

fn delivery(world: &World, room: &str, level: Priority) -> LevelDelivery {
    world.node.room_delivery(&world.app, &room_id(room)).expect("known").level(level)
}

async fn member(world: &World, user: &str, rooms: &[&str]) -> Client {
    let client = world.login(user).await;
    for room in rooms {
        client.join(room).await;
    }
    client.take();
    client
}

/// A writer that has been behind since some time.
#[derive(Debug)]
struct Behind(AtomicU64);

impl Lag for Behind {
    fn waiting_since_us(&self) -> Option<u64> {
        let since = self.0.load(Ordering::Relaxed);
        (since != u64::MAX).then_some(since)
    }
}

impl Behind {
    fn new(world: &World) -> Arc<Self> {
        let behind = Arc::new(Self(AtomicU64::new(u64::MAX)));
        let as_lag: Arc<dyn Lag> = behind.clone();
        world.node.watch_lag(Arc::downgrade(&as_lag));
        behind
    }

    fn since(&self, world: &World, ago: Duration) {
        let now_us = world.node.clock().monotonic_us();
        self.0.store(now_us - u64::try_from(ago.as_micros()).expect("short"), Ordering::Relaxed);
    }

    fn keeps_up(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn high_ones_come_first_and_low_ones_last() {
    let world = levelled(|_| {}).await;
    let bob = member(&world, "bob", &["a", "b"]).await;
    for (room, level, payload) in [
        ("a", LOW, "l1"),
        ("a", NORMAL, "n1"),
        ("b", LOW, "l2"),
        ("b", HIGH, "h1"),
        ("a", NORMAL, "n2"),
        ("a", HIGH, "h2"),
    ] {
        say(&world, room, level, payload).await;
    }
    world.send("alice", "bob", "peer").await;
    say(&world, "b", NORMAL, "n3").await;
    assert_eq!(bob.take_texts(), ["h1", "h2", "n1", "n2", "peer", "n3", "l1", "l2"]);
    say(&world, "a", LOW, "l3").await;
    assert_eq!(bob.take_texts(), ["l3"], "the gateway is told of a low one too");
}

#[tokio::test]
async fn an_app_without_levels_keeps_one_order() {
    let world = world().await;
    let bob = member(&world, "bob", &["a"]).await;
    for (level, payload) in [(LOW, "1"), (HIGH, "2"), (NORMAL, "3")] {
        say(&world, "a", level, payload).await;
    }
    assert_eq!(bob.take_texts(), ["1", "2", "3"]);
    let levels = [HIGH, NORMAL, LOW].map(|level| delivery(&world, "a", level).accepted);
    assert_eq!(levels, [0, 3, 0], "they are all of one level");
}

/// What a session should hold.
#[derive(Debug, Default)]
struct Model {
    high: Vec<Said>,
    /// Normal ones and peer messages.
    queue: Vec<Said>,
    low: Vec<Said>,
    /// Given up or refused, by room and level.
    dropped: BTreeMap<(usize, Priority), u64>,
    accepted: BTreeMap<(usize, Priority), u64>,
    /// What the client is to be told when it has caught up.
    missed: Vec<(usize, u64)>,
    unacked: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    text: String,
    /// `None` for a peer message.
    room: Option<(usize, Priority)>,
}

const LANES: usize = 6;
const MAILBOX: usize = 10;

impl Model {
    fn room_messages(&self) -> usize {
        self.high.len() + self.low.len() + self.queue.iter().filter(|said| said.room.is_some()).count()
    }

    /// The newest of the lowest level below `level` goes.
    fn give_up_below(&mut self, level: Option<Priority>) -> bool {
        for lane in [LOW, NORMAL, HIGH] {
            if level.is_some_and(|level| lane <= level) {
                return false;
            }
            let lost = match lane {
                LOW => self.low.pop(),
                HIGH => self.high.pop(),
                NORMAL => {
                    let at = self.queue.iter().rposition(|said| said.room.is_some());
                    at.map(|at| self.queue.remove(at))
                }
            };
            if let Some(lost) = lost {
                self.drop_one(lost.room.expect("of a room"));
                return true;
            }
        }
        false
    }

    fn drop_one(&mut self, key: (usize, Priority)) {
        *self.dropped.entry(key).or_default() += 1;
        match self.missed.iter_mut().find(|(room, _)| *room == key.0) {
            Some((_, count)) => *count += 1,
            None => self.missed.push((key.0, 1)),
        }
    }

    fn is_full(&self) -> bool {
        self.unacked + self.room_messages() >= MAILBOX
    }

    fn say(&mut self, room: usize, level: Priority, text: String) {
        let key = (room, level);
        *self.accepted.entry(key).or_default() += 1;
        while self.room_messages() >= LANES || self.is_full() {
            if !self.give_up_below(Some(level)) {
                self.drop_one(key);
                return;
            }
        }
        let lane = match level {
            HIGH => &mut self.high,
            NORMAL => &mut self.queue,
            LOW => &mut self.low,
        };
        lane.push(Said { text, room: Some(key) });
    }

    fn peer(&mut self, text: String) {
        while self.is_full() && self.give_up_below(None) {}
        self.unacked += 1;
        self.queue.push(Said { text, room: None });
    }

    fn take(&mut self, count: usize) -> Vec<String> {
        let mut taken = Vec::new();
        for lane in [&mut self.high, &mut self.queue, &mut self.low] {
            let some = lane.len().min(count - taken.len());
            taken.extend(lane.drain(..some));
        }
        let mut taken: Vec<_> = taken.into_iter().map(|said| said.text).collect();
        let some = self.missed.len().min(count - taken.len());
        taken.extend(self.missed.drain(..some).map(|(room, count)| format!("missed {count} in r{room}")));
        taken
    }
}

#[derive(Debug, Clone)]
enum Step {
    Say(usize, Priority),
    Peer,
    Take(usize),
    AckAll,
}

fn step() -> impl Strategy<Value = Step> {
    let level = prop_oneof![2 => Just(HIGH), 3 => Just(NORMAL), 4 => Just(LOW)];
    prop_oneof![
        12 => (0..2usize, level).prop_map(|(room, level)| Step::Say(room, level)),
        2 => Just(Step::Peer),
        2 => (1..5usize).prop_map(Step::Take),
        1 => Just(Step::AckAll),
    ]
}

fn texts(envelopes: &[Arc<Envelope>]) -> Vec<String> {
    let text = |envelope: &Arc<Envelope>| match &envelope.notice {
        Notice::PeerMessage { message, .. } | Notice::RoomMessage { message, .. } => {
            String::from_utf8(message.payload.to_vec()).expect("text")
        }
        Notice::RoomMessagesMissed { room, count } => format!("missed {count} in {room}"),
        other => panic!("not {other:?}"),
    };
    envelopes.iter().map(text).collect()
}

/// Random programs against the model. Whatever was taken or is left in the end is what the model says: no high one is
/// dropped while a low one is held, and the order within a level is kept.
async fn run(steps: Vec<Step>) {
    let world = levelled(|policy| {
        policy.sessions.mailbox_notices = MAILBOX;
        policy.overload.as_mut().expect("levels").lane_notices = LANES;
    })
    .await;
    let bob = member(&world, "bob", &["r0", "r1"]).await;
    let mut model = Model::default();
    let mut unacked = Vec::new();
    let take = |count: usize, unacked: &mut Vec<MessageId>| {
        let mut taken = Vec::new();
        bob.session().take(bob.connected.attachment, count, usize::MAX, &mut taken);
        unacked.extend(taken.iter().filter_map(|envelope| match &envelope.notice {
            Notice::PeerMessage { message, .. } => Some(message.id),
            _ => None,
        }));
        texts(&taken)
    };
    for (number, step) in steps.into_iter().enumerate() {
        let text = number.to_string();
        match step {
            Step::Say(room, level) => {
                say(&world, &format!("r{room}"), level, &text).await;
                model.say(room, level, text);
            }
            // One more would be one too many even without any room message: that ends sessions, and is tested elsewhere.
            Step::Peer if model.unacked == MAILBOX => {}
            Step::Peer => {
                world.send("alice", "bob", &text).await;
                model.peer(text);
            }
            Step::Take(count) => assert_eq!(take(count, &mut unacked), model.take(count)),
            Step::AckAll => {
                model.unacked -= unacked.len();
                bob.ack(&std::mem::take(&mut unacked));
            }
        }
    }
    assert_eq!(take(usize::MAX, &mut unacked), model.take(usize::MAX));
    assert_eq!(bob.closed(), [], "no room message cuts a client off where there are levels");
    let mut all_dropped = 0;
    for (key @ (room, level), accepted) in &model.accepted {
        let counted = delivery(&world, &format!("r{room}"), *level);
        let dropped = model.dropped.get(key).copied().unwrap_or_default();
        assert_eq!((counted.accepted, counted.lanes_full), (*accepted, dropped), "{level:?} in {room}");
        assert_eq!(counted.accepted, counted.offered + counted.dropped(), "nothing is uncounted");
        all_dropped += dropped;
    }
    assert_eq!(world.node.metrics().drops(DropReason::LanesFull), all_dropped);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn lanes_do_what_the_model_says(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(run(steps));
    }
}

#[tokio::test]
async fn lanes_are_bounded_in_bytes_too() {
    let world = levelled(|policy| policy.overload.as_mut().expect("levels").lane_bytes = 10_000).await;
    let bob = member(&world, "bob", &["a"]).await;
    let big = |letter: &str| letter.repeat(4_000);
    for (level, letter) in [(LOW, "l"), (LOW, "m"), (HIGH, "h"), (LOW, "x"), (NORMAL, "n")] {
        say(&world, "a", level, &big(letter)).await;
    }
    assert_eq!(bob.take_texts(), [big("h"), big("n")], "two fit");
    say(&world, "a", HIGH, &"z".repeat(10_000)).await;
    say(&world, "a", LOW, "small").await;
    assert_eq!(bob.take_texts(), ["small"], "what never fits makes nothing give way");
}

#[tokio::test]
async fn a_flood_of_low_ones_costs_no_high_one() {
    let world = levelled(|_| {}).await; // 16 notices
    let (bob, carol) = (member(&world, "bob", &["a"]).await, member(&world, "carol", &["a"]).await);
    bob.take();
    let mut carols = Vec::new();
    for number in 0..200 {
        say(&world, "a", if number % 20 == 0 { HIGH } else { LOW }, &number.to_string()).await;
        carols.extend(carol.take_texts());
    }
    assert_eq!(carols.len(), 200, "who keeps up gets everything");
    let mut taken = Vec::new();
    bob.session().take(bob.connected.attachment, usize::MAX, usize::MAX, &mut taken);
    let bobs = texts(&taken);
    assert_eq!(bobs[..10], (0..10).map(|number| (number * 20).to_string()).collect::<Vec<_>>());
    let rest = ["1", "2", "3", "4", "5", "6", "missed 184 in a"];
    assert_eq!(bobs[10..], rest, "the first of the low ones, in order, and what there is no silence about");
    let (high, low) = (delivery(&world, "a", HIGH), delivery(&world, "a", LOW));
    assert_eq!((high.accepted, high.offered, high.dropped()), (10, 20, 0));
    assert_eq!((low.accepted, low.offered, low.lanes_full), (190, 190 + 6, 184));
}

#[tokio::test]
async fn a_notice_that_finds_no_space_still_cuts_a_slow_consumer() {
    let world = levelled(|policy| policy.sessions.mailbox_notices = 4).await;
    let bob = member(&world, "bob", &["a", "b"]).await;
    for _ in 0..3 {
        world.send("alice", "bob", "peer").await;
    }
    say(&world, "a", LOW, "low").await;
    say(&world, "a", HIGH, "high").await;
    say(&world, "a", HIGH, "later").await;
    assert_eq!(bob.closed(), [], "a room message that finds no place is dropped");
    let (high, low) = (delivery(&world, "a", HIGH), delivery(&world, "a", LOW));
    assert_eq!((high.offered, high.lanes_full, low.offered, low.lanes_full), (1, 1, 0, 1));
    let missed = Notice::RoomMessagesMissed { room: room_id("a"), count: 2 };
    assert_eq!(bob.take().last(), Some(&missed), "{:?}", bob.closed());
    say(&world, "a", HIGH, "high again").await;
    world.send("alice", "bob", "the fourth").await;
    assert_eq!(bob.closed(), [], "high ones make way for what is acked");
    let high = delivery(&world, "a", HIGH);
    assert_eq!((high.offered, high.lanes_full), (1, 2));
    say(&world, "a", HIGH, "no place").await;
    let missed = |count| Notice::RoomMessagesMissed { room: room_id("a"), count };
    assert!(bob.take().contains(&missed(2)));
    say(&world, "a", HIGH, "no place").await;
    assert_eq!(bob.take(), [missed(1)], "told at once, for nothing else waits");
    world.login("carol").await.join("b").await;
    assert_eq!(bob.closed(), [Closing::SlowConsumer], "a notice has nothing to make way");
}

#[tokio::test]
async fn what_goes_with_a_slow_consumer_is_counted_in_its_room() {
    let world = levelled(|policy| policy.sessions.mailbox_bytes = 4_000).await;
    let bob = member(&world, "bob", &["a", "b"]).await;
    say(&world, "a", LOW, "low").await;
    say(&world, "b", HIGH, "high").await;
    world.send("alice", "bob", &"x".repeat(5_000)).await;
    world.settle().await;
    assert_eq!(bob.closed(), [Closing::SlowConsumer]);
    for (room, level) in [("a", LOW), ("b", HIGH)] {
        let counted = delivery(&world, room, level);
        assert_eq!((counted.accepted, counted.offered, counted.dropped()), (1, 0, 1), "{level:?}");
    }
}

#[tokio::test]
async fn an_idle_node_drops_nothing_however_much_is_said() {
    let world = levelled(|policy| {
        policy.sessions.mailbox_notices = 500;
        policy.overload.as_mut().expect("levels").lane_notices = 500;
    })
    .await;
    let bob = member(&world, "bob", &["a"]).await;
    let behind = Behind::new(&world);
    for (since, number) in [(None, 0), (Some(Duration::from_millis(49)), 100)] {
        since.inspect(|ago| behind.since(&world, *ago));
        for number in number..number + 100 {
            say(&world, "a", LOW, &number.to_string()).await;
        }
    }
    assert_eq!(bob.take_texts().len(), 200, "far above the budget, and nobody has waited for 50 ms");
    assert_eq!(delivery(&world, "a", LOW).dropped(), 0);
}

#[tokio::test]
async fn above_the_budget_of_a_busy_node_low_goes_first_then_normal_and_high_never() {
    let world = levelled(|policy| {
        policy.sessions.mailbox_notices = 500;
        policy.overload.as_mut().expect("levels").lane_notices = 500;
    })
    .await;
    let (bob, _carol) = (member(&world, "bob", &["a"]).await, member(&world, "carol", &["a"]).await);
    bob.take();
    let behind = Behind::new(&world);
    behind.since(&world, Duration::from_millis(50));
    for number in 0..25 {
        say(&world, "a", LOW, &format!("l{number}")).await;
    }
    assert_eq!(bob.take_texts().len(), 20);
    for number in 0..25 {
        say(&world, "a", NORMAL, &format!("n{number}")).await;
        say(&world, "a", HIGH, &format!("h{number}")).await;
    }
    let texts = bob.take_texts();
    let count = |letter: &str| texts.iter().filter(|text| text.starts_with(letter)).count();
    assert_eq!((count("h"), count("n"), count("l")), (25, 10, 0), "the first twenty, half of them normal");
    let levels = [HIGH, NORMAL, LOW].map(|level| delivery(&world, "a", level));
    assert_eq!(levels.map(|level| level.accepted), [25, 25, 25]);
    assert_eq!(levels.map(|level| level.over_budget), [0, 2 * 15, 2 * 5], "for each client in the room");
    assert!(levels.iter().all(|level| 2 * level.accepted == level.offered + level.dropped()));
    assert_eq!(world.node.metrics().drops(DropReason::RoomBudget), 40);
    behind.keeps_up();
    say(&world, "a", LOW, "idle again").await;
    assert_eq!(bob.take_texts(), ["idle again"]);
    world.clock.advance(Duration::from_secs(1));
    behind.since(&world, Duration::from_secs(1));
    say(&world, "a", LOW, "another second").await;
    assert_eq!(bob.take_texts(), ["another second"]);
    say(&world, "b", LOW, "another room").await;
    assert_eq!(delivery(&world, "b", LOW).dropped(), 0);
}

#[tokio::test]
async fn what_is_not_delivered_is_not_replayed_and_some_things_are_never_too_much() {
    let world = levelled(|policy| policy.overload.as_mut().expect("levels").room_messages_per_second = 1).await;
    let bob = member(&world, "bob", &["a"]).await;
    let behind = Behind::new(&world);
    behind.since(&world, Duration::from_secs(1));
    let read = say(&world, "a", LOW, "first").await;
    assert_eq!(bob.take_texts(), ["first"]);
    bob.cut();
    say(&world, "a", LOW, "too much").await;
    let marks = Marks { kind: MessageKind::Recall, priority: LOW, ..Marks::default() };
    for (payload, marks, only_for) in
        [("a recall", marks, vec![]), ("targeted", Marks { kind: MessageKind::Content, ..marks }, vec![user_id("bob")])]
    {
        let options = SendOptions { marks, ..SendOptions::default() };
        let send = SendRoom { options, only_for, ..to_room("alice", "a", payload) };
        world.node.send_room(&world.app, Origin::Backend, send).await.expect("taken");
    }
    let resume = Resume { session: bob.session().id(), rooms: Some(vec![(room_id("a"), read)]) };
    let back = world.connect("bob", "", Some(resume)).await;
    assert_eq!(back.take_texts(), ["a recall", "targeted"]);
}

#[tokio::test]
async fn who_comes_back_gets_what_was_overtaken() {
    let world = levelled(|_| {}).await;
    let bob = member(&world, "bob", &["a"]).await;
    let low = say(&world, "a", LOW, "low").await;
    let normal = say(&world, "a", NORMAL, "normal").await;
    let high = say(&world, "a", HIGH, "high").await;
    let mut taken = Vec::new();
    bob.session().take(bob.connected.attachment, 1, usize::MAX, &mut taken);
    assert_eq!(texts(&taken), ["high"], "the connection breaks behind it");
    let mut session = bob.session().id();
    let mut last = bob;
    for (points, expected) in [
        (vec![], vec!["high", "normal", "low"]),
        (vec![high], vec!["normal", "low"]),
        (vec![high, normal], vec!["low"]),
        (vec![normal, low, high], vec![]),
        // A client that has something newer of a level has all of it.
        (vec![high, low], vec!["normal"]),
    ] {
        last.cut();
        let rooms = points.iter().map(|point| (room_id("a"), *point)).collect();
        last = world.connect("bob", "", Some(Resume { session, rooms: Some(rooms) })).await;
        assert!(last.connected.resumed);
        assert_eq!(last.take_texts(), expected, "{points:?}");
        session = last.session().id();
    }
}

#[tokio::test]
async fn who_missed_too_much_is_told_of_every_level_and_of_nothing_else() {
    let world = levelled(|_| {}).await;
    let bob = member(&world, "bob", &["a"]).await;
    let high = say(&world, "a", HIGH, "read").await;
    bob.take();
    bob.cut();
    for _ in 0..40 {
        say(&world, "a", LOW, "missed").await;
    }
    let resume = |rooms| Some(Resume { session: bob.session().id(), rooms: Some(rooms) });
    let back = world.connect("bob", "", resume(vec![(room_id("a"), high)])).await;
    let notices = back.take();
    assert!(notices.contains(&Notice::RoomMessagesMissed { room: room_id("a"), count: 8 }), "{notices:?}");
    assert_eq!(notices.len(), 33);
    let low = say(&world, "a", LOW, "last").await;
    back.take();
    back.cut();
    let back = world.connect("bob", "", resume(vec![(room_id("a"), high), (room_id("a"), low)])).await;
    assert_eq!(back.take(), []);
}

#[tokio::test]
async fn an_account_outlives_its_room_and_is_forgotten_in_the_end() {
    let world = levelled(|_| {}).await;
    assert_eq!(world.node.room_delivery(&world.app, &room_id("a")), None);
    let started_ms = world.node.clock().wall_ms();
    let bob = member(&world, "bob", &["a", "silent"]).await;
    assert_eq!(world.node.room_delivery(&world.app, &room_id("silent")), None, "nothing was said there");
    say(&world, "a", LOW, "one").await;
    bob.leave("a").await;
    for _ in 0..4 {
        bob.heard();
        world.pass(GRACE / 2).await;
    }
    assert_eq!(world.node.census().rooms, 1);
    say(&world, "a", LOW, "nobody is there").await;
    bob.join("a").await;
    say(&world, "a", LOW, "two").await;
    let account = world.node.room_delivery(&world.app, &room_id("a")).expect("known");
    assert_eq!((account.since_ms, account.level(LOW).accepted, account.level(LOW).offered), (started_ms, 3, 2));
    for number in 0..5_000 {
        say(&world, &format!("x{number}"), LOW, "x").await;
    }
    let known = |number: usize| world.node.room_delivery(&world.app, &room_id(&format!("x{number}"))).is_some();
    assert!(!known(0) && known(4_999) && known(3_000));
    assert!(world.node.room_delivery(&world.app, &room_id("a")).is_some(), "a room that is there is not forgotten");
}

#[tokio::test]
async fn the_senders_and_the_content_of_the_rule_are_high() {
    let world = levelled(|policy| {
        let gift = HighContent::new(|payload| payload.starts_with(b"gift"));
        policy.overload = Some(OverloadPolicy { high_content: Some(gift), ..overload(&["boss"]) });
    })
    .await;
    let bob = member(&world, "bob", &["a"]).await;
    let send = async |from: &str, payload: &str, kind: MessageKind| {
        let options =
            SendOptions { marks: Marks { priority: LOW, kind, ..Marks::default() }, ..SendOptions::default() };
        let send = SendRoom { options, ..to_room(from, "a", payload) };
        world.node.send_room(&world.app, Origin::Backend, send).await.expect("taken");
    };
    send("alice", "low", MessageKind::Content).await;
    send("boss", "boss", MessageKind::Content).await;
    send("alice", "gift", MessageKind::Content).await;
    send("alice", "gift is taken back", MessageKind::Recall).await;
    assert_eq!(bob.take_texts(), ["boss", "gift", "low", "gift is taken back"]);
}
