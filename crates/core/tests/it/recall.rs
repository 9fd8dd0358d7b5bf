//! Messages that are taken back: nobody finds them any more, and everybody who may have one is told.

use std::sync::Arc;
use std::time::Duration;

use stentor_core::app::DevicePolicy;
use stentor_core::delivery::{Origin, Recall, RecallError, Recalled, SendError, SendOptions, SendPeer};
use stentor_core::id::MessageId;
use stentor_core::limits::{Limited, Rule};
use stentor_core::message::{Message, MessageKind, Target};
use stentor_core::notice::Notice;
use stentor_core::store::{HistoryFilter, HistoryPage, HistoryStore, StoreError};

use crate::cluster::pair_with;
use crate::harness::{Client, World, group, kept, peer, rate, room_id, text, to_room, user_id, world, world_with};

const WITHIN: Duration = Duration::from_secs(120);

fn recall(id: MessageId, to: Target) -> Recall {
    let payload = text(&format!("recalled {id}"));
    let within_ms = Some(120_000);
    let by = user_id("admin");
    Recall { id, to, by, payload, if_silenced: None, within_ms, even_if_gone: false, sync_sender: true }
}

fn to_user(name: &str) -> Target {
    Target::User(user_id(name))
}

impl World {
    async fn recall(&self, recall: Recall) -> Result<Recalled, RecallError> {
        self.node.recall(&self.app, Origin::Backend, recall).await
    }

    async fn recall_as(&self, client: &Client, recall: Recall) -> Result<Recalled, RecallError> {
        self.node.recall(&self.app, Origin::Client(client.session()), recall).await
    }

    /// Sends to a user, to be kept everywhere. Returns the message's number.
    async fn say(&self, from: &str, to: &str, payload: &str) -> MessageId {
        let options = SendOptions { history: true, sync_sender: true, ..kept() };
        let send = SendPeer { options, ..peer(from, to, payload) };
        self.node.send_peer(&self.app, Origin::Backend, send).await.expect("taken").id
    }

    async fn history(&self) -> Vec<Arc<Message>> {
        let page = HistoryPage { offset: 0, limit: 100, newest_first: false };
        self.store.history(self.app.id(), &HistoryFilter::ALL, page, 0).await.expect("reads")
    }
}

async fn many() -> World {
    world_with(|policy| policy.devices = DevicePolicy::Many { max: 4 }).await
}

/// Kind, sender and payload of what waits for a client.
fn taken(client: &Client) -> Vec<(MessageKind, String, String)> {
    let read = |notice| match notice {
        Notice::PeerMessage { message, .. } | Notice::RoomMessage { message, .. } => {
            let payload = String::from_utf8(message.payload.to_vec()).expect("text");
            Some((message.marks.kind, message.from.as_str().to_owned(), payload))
        }
        _ => None,
    };
    client.take().into_iter().filter_map(read).collect()
}

fn recalled(from: &str, id: MessageId) -> (MessageKind, String, String) {
    (MessageKind::Recall, from.to_owned(), format!("recalled {id}"))
}

#[tokio::test]
async fn a_message_to_a_user_is_taken_back_everywhere() {
    let world = many().await;
    let (alice, bob) = (world.connect("alice", "phone", None).await, world.connect("bob", "phone", None).await);
    let tablet = world.connect("bob", "tablet", None).await;
    tablet.cut();
    let id = world.say("alice", "bob", "oops").await;
    assert_eq!((bob.take_texts(), alice.take_texts()), (vec!["oops".to_owned()], vec!["oops".to_owned()]));
    bob.ack(&[id]);
    let done = world.recall(recall(id, to_user("bob"))).await.expect("recalled");
    assert_eq!(done.message.map(|message| message.id), Some(id));
    assert!(world.history().await.is_empty());
    assert!(world.store.message(world.app.id(), id).await.expect("reads").is_none());
    // Both sides are told, in the conversation of the two.
    assert_eq!((taken(&bob), taken(&alice)), (vec![recalled("alice", id)], vec![recalled("alice", id)]));
    // The device that had the message and lost its connection gets both, in order.
    let again = world.connect("bob", "tablet", tablet.resume()).await;
    let both: Vec<_> = taken(&again).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(both, [MessageKind::Content, MessageKind::Recall]);
    // One that was never there gets the recall alone.
    let laptop = world.connect("alice", "laptop", None).await;
    assert_eq!(taken(&laptop), [recalled("alice", id)]);
}

#[tokio::test]
async fn who_was_away_finds_only_the_recall() {
    let world = world().await;
    let id = world.say("alice", "bob", "oops").await;
    world.recall(recall(id, to_user("bob"))).await.expect("recalled");
    let bob = world.login("bob").await;
    assert_eq!(taken(&bob), [recalled("alice", id)]);
}

#[tokio::test]
async fn the_sender_is_not_told_unless_it_is_asked_for() {
    let world = many().await;
    let alice = world.connect("alice", "phone", None).await;
    let id = world.say("alice", "bob", "oops").await;
    alice.take();
    world.recall(Recall { sync_sender: false, ..recall(id, to_user("bob")) }).await.expect("recalled");
    assert!(taken(&alice).is_empty());
}

#[tokio::test]
async fn twice_and_never_are_not_found() {
    let world = world().await;
    let id = world.say("alice", "bob", "oops").await;
    let done = world.recall(recall(id, to_user("bob"))).await.expect("recalled");
    for id in [id, MessageId(7), done.notice] {
        let again = world.recall(recall(id, to_user("bob"))).await;
        assert!(matches!(again, Err(RecallError::NotFound)), "{again:?}");
    }
    // Asked for, they are told all the same.
    let forced = Recall { even_if_gone: true, ..recall(id, to_user("bob")) };
    assert_eq!(world.recall(forced).await.expect("told").message, None);
    let bob = world.login("bob").await;
    assert_eq!(taken(&bob), [recalled("alice", id), recalled("admin", id)]);
    // But not by a client.
    let alice = world.login("alice").await;
    let forced = Recall { even_if_gone: true, ..recall(id, to_user("bob")) };
    assert!(matches!(world.recall_as(&alice, forced).await, Err(RecallError::NotFound)));
}

#[tokio::test]
async fn only_while_it_is_young_enough() {
    let world = world().await;
    let first = world.say("alice", "bob", "first").await;
    world.clock.advance(WITHIN);
    world.recall(recall(first, to_user("bob"))).await.expect("as old as it may be");
    let second = world.say("alice", "bob", "second").await;
    world.clock.advance(WITHIN + Duration::from_millis(1));
    let late = world.recall(recall(second, to_user("bob"))).await;
    assert!(matches!(late, Err(RecallError::TooOld { within_ms: 120_000 })), "{late:?}");
    assert_eq!(world.history().await.len(), 1);
    world.recall(Recall { within_ms: None, ..recall(second, to_user("bob")) }).await.expect("however old");
}

#[tokio::test]
async fn only_from_where_it_went() {
    let world = world().await;
    let id = world.say("alice", "bob", "oops").await;
    for elsewhere in [to_user("alice"), to_user("carol"), Target::Group(room_id("bob")), Target::Room(room_id("bob"))] {
        let refused = world.recall(recall(id, elsewhere)).await;
        assert!(matches!(refused, Err(RecallError::OtherTarget)), "{refused:?}");
    }
    assert_eq!(world.history().await.len(), 1);
    assert_eq!(world.inbox_of("bob").await, 1, "nobody was told");
}

#[tokio::test]
async fn a_client_takes_back_its_own_messages_only() {
    let world = many().await;
    let (alice, bob) = (world.connect("alice", "phone", None).await, world.connect("bob", "phone", None).await);
    let tablet = world.connect("alice", "tablet", None).await;
    let id = world.say("alice", "bob", "oops").await;
    let (_, _, _) = (alice.take(), bob.take(), tablet.take());
    let refused = world.recall_as(&bob, recall(id, to_user("bob"))).await;
    assert!(matches!(refused, Err(RecallError::NotSender)), "{refused:?}");
    world.recall_as(&alice, recall(id, to_user("bob"))).await.expect("recalled");
    // Its other device is told, the one that did it is not.
    assert_eq!((taken(&bob).len(), taken(&tablet), taken(&alice).len()), (1, vec![recalled("alice", id)], 0));
}

#[tokio::test]
async fn a_client_s_recalls_count_like_its_messages() {
    let world = world_with(|policy| policy.rates.push(rate(Rule::ClientSends, 1, 1000))).await;
    let alice = world.login("alice").await;
    let (first, second) = (world.say("alice", "bob", "a").await, world.say("alice", "bob", "b").await);
    world.recall_as(&alice, recall(first, to_user("bob"))).await.expect("recalled");
    let refused = world.recall_as(&alice, recall(second, to_user("bob"))).await;
    let limited = matches!(refused, Err(RecallError::Send(SendError::Limited(Limited { rule: Rule::ClientSends }))));
    assert!(limited, "{refused:?}");
}

#[tokio::test]
async fn a_group_s_members_are_told_there_or_not() {
    let world = many().await;
    world.add_members("team", &["alice", "bob", "carol"]).await;
    let (alice, bob) = (world.connect("alice", "phone", None).await, world.connect("bob", "phone", None).await);
    let id = world.send_group(group("alice", "team", "oops")).await.expect("taken").id;
    bob.take();
    let to = Target::Group(room_id("team"));
    // The backend says that it is nobody of them: the sender is told as a member.
    world.recall(recall(id, to.clone())).await.expect("recalled");
    assert_eq!((taken(&bob), taken(&alice)), (vec![recalled("admin", id)], vec![recalled("admin", id)]));
    let carol = world.connect("carol", "phone", None).await;
    assert_eq!(taken(&carol), [recalled("admin", id)]);
    assert!(matches!(world.recall(recall(id, to)).await, Err(RecallError::NotFound)));
}

#[tokio::test]
async fn a_client_that_left_the_group_takes_nothing_back() {
    let world = many().await;
    world.add_members("team", &["bob"]).await;
    let alice = world.connect("alice", "phone", None).await;
    let id = world.send_group(group("alice", "team", "oops")).await.expect("taken").id;
    let refused = world.recall_as(&alice, recall(id, Target::Group(room_id("team")))).await;
    assert!(matches!(refused, Err(RecallError::Send(SendError::NotInRoom))), "{refused:?}");
    assert_eq!(world.inbox_of("bob").await, 1);
    assert!(world.store.message(world.app.id(), id).await.expect("reads").is_some(), "it is as it was");
}

#[tokio::test]
async fn everybody_in_a_room_is_told_the_sender_included() {
    let world = many().await;
    let (alice, bob) = (world.connect("alice", "phone", None).await, world.connect("bob", "phone", None).await);
    alice.join("lobby").await;
    bob.join("lobby").await;
    let mut send = to_room("alice", "lobby", "oops");
    send.options.history = true;
    let id = world.node.send_room(&world.app, Origin::Client(alice.session()), send).await.expect("taken").id;
    let (_, _) = (alice.take(), bob.take());
    let to = Target::Room(room_id("lobby"));
    let by_alice = Recall { by: user_id("alice"), ..recall(id, to.clone()) };
    world.recall(by_alice).await.expect("recalled");
    assert_eq!((taken(&bob), taken(&alice)), (vec![recalled("alice", id)], vec![recalled("alice", id)]));
    assert!(world.history().await.is_empty());
    assert!(matches!(world.recall(recall(id, to)).await, Err(RecallError::NotFound)));
}

#[tokio::test]
async fn a_client_outside_the_room_takes_nothing_back() {
    let world = many().await;
    let alice = world.connect("alice", "phone", None).await;
    let mut send = to_room("alice", "lobby", "oops");
    send.options.history = true;
    let id = world.node.send_room(&world.app, Origin::Backend, send).await.expect("taken").id;
    let refused = world.recall_as(&alice, recall(id, Target::Room(room_id("lobby")))).await;
    assert!(matches!(refused, Err(RecallError::Send(SendError::NotInRoom))), "{refused:?}");
    assert_eq!(world.history().await.len(), 1);
}

#[tokio::test]
async fn a_payload_that_is_none_is_refused() {
    let world = world().await;
    let id = world.say("alice", "bob", "oops").await;
    let refused = world.recall(Recall { payload: text(""), ..recall(id, to_user("bob")) }).await;
    assert!(matches!(refused, Err(RecallError::Send(SendError::PayloadEmpty))));
}

#[tokio::test]
async fn a_store_that_takes_nothing_refuses() {
    let world = world().await;
    let id = world.say("alice", "bob", "oops").await;
    world.store.refuse_writes(true);
    let refused = world.recall(recall(id, to_user("bob"))).await;
    assert!(
        matches!(refused, Err(RecallError::Send(SendError::Store(StoreError::Full | StoreError::Failed(_))))),
        "{refused:?}"
    );
    world.store.refuse_writes(false);
    world.recall(recall(id, to_user("bob"))).await.expect("recalled when there is space again");
}

#[tokio::test]
async fn clients_of_another_node_are_told() {
    let pair = pair_with(|policy| policy.devices = DevicePolicy::Many { max: 4 }).await;
    let (here, there) = (&pair.here, &pair.there);
    there.add_members("team", &["bob"]).await;
    let (alice, bob) = (there.connect("alice", "a", None).await, there.connect("bob", "b", None).await);
    alice.join("lobby").await;
    let to_bob = here.say("alice", "bob", "oops").await;
    let to_team = here.send_group(group("alice", "team", "oops")).await.expect("taken").id;
    let mut send = to_room("alice", "lobby", "oops");
    send.options.history = true;
    let to_lobby = here.node.send_room(&here.app, Origin::Backend, send).await.expect("taken").id;
    here.settle().await;
    let (_, _) = (alice.take(), bob.take());
    here.recall(recall(to_bob, to_user("bob"))).await.expect("recalled");
    here.recall(recall(to_team, Target::Group(room_id("team")))).await.expect("recalled");
    let in_lobby = Recall { by: user_id("alice"), ..recall(to_lobby, Target::Room(room_id("lobby"))) };
    here.recall(in_lobby).await.expect("recalled");
    here.settle().await;
    assert_eq!(taken(&bob), [recalled("alice", to_bob), recalled("admin", to_team)]);
    assert_eq!(taken(&alice), [recalled("alice", to_bob), recalled("alice", to_lobby)]);
}

/// A crash finds the message as it was, or the recall in every inbox: it is one step of the store.
#[tokio::test]
async fn a_recall_and_what_tells_of_it_are_one_step() {
    let world = many().await;
    world.add_members("team", &["alice", "bob", "carol"]).await;
    let to_bob = world.say("alice", "bob", "oops").await;
    let to_team = world.send_group(group("alice", "team", "oops")).await.expect("taken").id;
    for (id, to) in [(to_bob, to_user("bob")), (to_team, Target::Group(room_id("team")))] {
        let before = world.writes();
        world.recall(recall(id, to)).await.expect("recalled");
        assert_eq!(world.writes() - before, 1);
    }
    assert_eq!((world.inbox_of("bob").await, world.inbox_of("carol").await), (2, 1));
}
