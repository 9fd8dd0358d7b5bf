//! Messages that get another content after they were sent, messages of the past that are imported, and what a user
//! hides from itself.

use futures_util::future::join_all;
use stentor_core::app::DevicePolicy;
use stentor_core::delivery::{
    Edit, EditError, Edited, Import, ImportError, Origin, SendError, SendGroup, SendOptions, SendPeer,
};
use stentor_core::directory::users::NewUser;
use stentor_core::history::{Conversation, Hide};
use stentor_core::id::MessageId;
use stentor_core::message::{MessageKind, Target};
use stentor_core::notice::Notice;
use stentor_core::store::{HistoryFilter, HistoryPage, HistoryStore, StoreError};

use crate::harness::{Client, World, group, kept, peer, room_id, text, user_id, world, world_with};

const FIRST: HistoryPage = HistoryPage { offset: 0, limit: 1, newest_first: false };

fn edit(id: MessageId) -> Edit {
    Edit { id, to: None, by: user_id("admin") }
}

impl World {
    async fn write(&self, from: &str, to: &str, payload: &str) -> MessageId {
        let options = SendOptions { history: true, ..kept() };
        let send = SendPeer { options, ..peer(from, to, payload) };
        self.node.send_peer(&self.app, Origin::Backend, send).await.expect("taken").id
    }

    /// Adds a letter to a message; its receivers are told how often that was done.
    async fn edit(&self, origin: Origin<'_>, edit: Edit) -> Result<MessageId, EditError<()>> {
        let change = |message: &stentor_core::message::Message, edits: u8| {
            let payload = [&message.payload[..], b"x"].concat().into();
            Ok(Edited { payload, news: text(&edits.to_string()) })
        };
        self.node.edit(&self.app, origin, edit, change).await
    }

    async fn found(&self, filter: &HistoryFilter) -> Vec<String> {
        let page = HistoryPage { offset: 0, limit: 10_000, newest_first: false };
        let found = self.node.history(&self.app, filter, page).await.expect("reads");
        found.iter().map(|message| String::from_utf8(message.payload.to_vec()).expect("text")).collect()
    }
}

fn taken(client: &Client) -> Vec<(MessageKind, String)> {
    let read = |notice| match notice {
        Notice::PeerMessage { message, .. } | Notice::RoomMessage { message, .. } => {
            Some((message.marks.kind, String::from_utf8(message.payload.to_vec()).expect("text")))
        }
        _ => None,
    };
    client.take().into_iter().filter_map(read).collect()
}

fn news(edits: u8) -> (MessageKind, String) {
    (MessageKind::Edit, edits.to_string())
}

#[tokio::test]
async fn an_edit_is_stored_and_told() {
    let world = world_with(|policy| policy.devices = DevicePolicy::Many { max: 4 }).await;
    let (alice, bob) = (world.connect("alice", "a", None).await, world.connect("bob", "b", None).await);
    let id = world.write("alice", "bob", "hello").await;
    bob.take();
    for _ in 0..2 {
        world.edit(Origin::Backend, edit(id)).await.expect("edited");
    }
    assert_eq!(world.found(&HistoryFilter::ALL).await, ["helloxx"]);
    assert_eq!((taken(&bob), taken(&alice)), (vec![news(1), news(2)], vec![news(1), news(2)]));
    // Who was away finds the message as it is.
    let tablet = world.connect("bob", "tablet", None).await;
    assert_eq!(taken(&tablet), [(MessageKind::Content, "helloxx".to_owned()), news(1), news(2)]);
}

#[tokio::test]
async fn ten_times_and_no_more() {
    let world = world().await;
    let id = world.write("alice", "bob", "a").await;
    for _ in 0..10 {
        world.edit(Origin::Backend, edit(id)).await.expect("edited");
    }
    let refused = world.edit(Origin::Backend, edit(id)).await;
    assert!(matches!(refused, Err(EditError::TooOften { max: 10 })), "{refused:?}");
    assert_eq!(world.found(&HistoryFilter::ALL).await, [format!("a{}", "x".repeat(10))]);
}

#[tokio::test]
async fn edits_at_once_are_told_as_they_are_stored() {
    let world = world().await;
    world.add_members("team", &["bob"]).await;
    let bob = world.login("bob").await;
    let id = world.send_group(group("alice", "team", "a")).await.expect("taken").id;
    bob.take();
    // None of them reads before the one before it is done, however long that takes.
    world.store.hold(true);
    let edits = join_all((0..5).map(|_| world.edit(Origin::Backend, edit(id))));
    tokio::pin!(edits);
    assert!(futures_util::poll!(&mut edits).is_pending());
    assert_eq!(world.store.held(), 1);
    world.store.hold(false);
    for edited in edits.await {
        edited.expect("edited");
    }
    assert_eq!(taken(&bob), (1..=5).map(news).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_no_message_is_not_edited() {
    let world = world().await;
    let (alice, bob) = (world.login("alice").await, world.login("bob").await);
    let id = world.write("alice", "bob", "a").await;
    let notice = world.edit(Origin::Backend, edit(id)).await.expect("edited");
    for other in [MessageId(7), notice] {
        assert!(matches!(world.edit(Origin::Backend, edit(other)).await, Err(EditError::NotFound)));
    }
    let elsewhere = Edit { to: Some(Target::User(user_id("carol"))), ..edit(id) };
    assert!(matches!(world.edit(Origin::Backend, elsewhere).await, Err(EditError::OtherTarget)));
    let of_other = world.edit(Origin::Client(bob.session()), edit(id)).await;
    assert!(matches!(of_other, Err(EditError::NotSender)), "{of_other:?}");
    let refused = world.node.edit(&world.app, Origin::Backend, edit(id), |_, _| Err("no")).await;
    assert!(matches!(refused, Err(EditError::Refused("no"))));
    let empty = |_: &_, _| Ok::<_, ()>(Edited { payload: text(""), news: text("1") });
    let refused = world.node.edit(&world.app, Origin::Backend, edit(id), empty).await;
    assert!(matches!(refused, Err(EditError::Send(SendError::PayloadEmpty))));
    assert_eq!(world.found(&HistoryFilter::ALL).await, ["ax"]);
    world.edit(Origin::Client(alice.session()), edit(id)).await.expect("its own");
}

fn import(from: &str, to: Target, payload: &str, sent_at_ms: Option<u64>) -> Import {
    Import { from: user_id(from), to, payload: text(payload), sent_at_ms }
}

const NOW_MS: u64 = 1_700_000_000_000;

#[tokio::test]
async fn what_is_imported_stands_where_it_belongs() {
    let world = world().await;
    let bob = world.login("bob").await;
    world.write("alice", "bob", "now").await;
    bob.take();
    let to = Target::User(user_id("bob"));
    let year_ms = 365 * 86_400_000;
    for (payload, sent_at_ms) in [("later", Some(NOW_MS - 5)), ("early", Some(NOW_MS - year_ms)), ("also", None)] {
        let imported = import("alice", to.clone(), payload, sent_at_ms);
        let id = world.node.import(&world.app, imported).await.expect("imported");
        let message = world.store.message(world.app.id(), id).await.expect("reads").expect("is there");
        assert_eq!(message.sent_at_ms, sent_at_ms.unwrap_or(NOW_MS));
    }
    // A time that has not come yet is now; one before everything is the beginning.
    for sent_at_ms in [NOW_MS + 10, 0] {
        world.node.import(&world.app, import("alice", to.clone(), "odd", Some(sent_at_ms))).await.expect("imported");
    }
    assert_eq!(world.found(&HistoryFilter::ALL).await, ["odd", "early", "later", "now", "also", "odd"]);
    assert!(bob.take_texts().is_empty(), "nobody is told");
    assert_eq!(world.inbox_of("bob").await, 1);
}

#[tokio::test]
async fn many_of_one_millisecond_are_all_kept() {
    let world = world().await;
    world.write("alice", "bob", "now").await;
    for number in 0..500 {
        let imported = import("alice", Target::Group(room_id("team")), &number.to_string(), Some(NOW_MS - 1000));
        world.node.import(&world.app, imported).await.expect("imported");
    }
    assert_eq!(world.found(&HistoryFilter::to(Target::Group(room_id("team")))).await.len(), 500);
}

#[tokio::test]
async fn without_a_history_nothing_is_imported() {
    let without = world_with(|policy| policy.history = None).await;
    let to = Target::User(user_id("bob"));
    let refused = without.node.import(&without.app, import("a", to.clone(), "x", None)).await;
    assert!(matches!(refused, Err(ImportError::NoHistory)));
    // One that is full of newer messages keeps nothing older.
    let small = world_with(|policy| {
        policy.history = Some(stentor_core::app::HistoryPolicy { retention_ms: 1000, max_bytes: 3 });
    })
    .await;
    small.write("alice", "bob", "new").await;
    let refused = small.node.import(&small.app, import("a", to, "old", Some(NOW_MS - 1))).await;
    assert!(matches!(refused, Err(ImportError::Send(SendError::Store(StoreError::Full)))), "{refused:?}");
    assert_eq!(small.found(&HistoryFilter::ALL).await, ["new"]);
}

#[tokio::test]
async fn what_a_user_hides_others_find() {
    let world = world().await;
    let (alice, bob) = (user_id("alice"), user_id("bob"));
    let with_bob = Conversation::With(bob.clone());
    let mut ids = Vec::new();
    for (number, (from, to)) in
        [("alice", "bob"), ("bob", "alice"), ("alice", "bob"), ("alice", "carol")].iter().enumerate()
    {
        ids.push(world.write(from, to, &number.to_string()).await);
        world.clock.advance(std::time::Duration::from_millis(10));
    }
    let own = with_bob.seen_by(&alice);
    assert_eq!(world.found(&own).await, ["0", "1", "2"]);
    // By number: only what is in the conversation.
    let some = Hide::Messages(vec![ids[1], ids[3], MessageId(7), MessageId::ZERO, MessageId::MAX]);
    world.node.hide(&world.app, &alice, &with_bob, some).await.expect("hidden");
    assert_eq!(world.found(&own).await, ["0", "2"]);
    assert_eq!(world.found(&Conversation::With(alice.clone()).seen_by(&bob)).await, ["0", "1", "2"]);
    assert_eq!(world.found(&Conversation::With(user_id("carol")).seen_by(&alice)).await, ["3"]);
    // Up to a time, that time included; twice is as once.
    for _ in 0..2 {
        world.node.hide(&world.app, &alice, &with_bob, Hide::UpTo(NOW_MS)).await.expect("hidden");
    }
    assert_eq!(world.found(&own).await, ["2"]);
    world.node.hide_everything(&world.app, &alice).await.expect("hidden");
    assert!(world.found(&HistoryFilter { seen_by: Some(alice), ..HistoryFilter::ALL }).await.is_empty());
    assert_eq!(world.found(&HistoryFilter { seen_by: Some(bob), ..HistoryFilter::ALL }).await.len(), 4);
}

#[tokio::test]
async fn everything_is_hidden_wherever_it_was_said_and_nothing_that_comes_later() {
    let world = world().await;
    let alice = user_id("alice");
    let to_team =
        |text: &str| SendGroup { options: SendOptions { history: true, ..kept() }, ..group("bob", "team", text) };
    world.write("bob", "alice", "1").await;
    // A group that alice is not in, or not any more.
    world.add_members("team", &["bob"]).await;
    world.send_group(to_team("2")).await.expect("sent");
    let of_group = Conversation::In(Target::Group(room_id("team"))).seen_by(&alice);
    let count = async || world.node.history_count(&world.app, &of_group).await.expect("counts");
    assert_eq!((world.found(&of_group).await.len(), count().await), (1, 1));
    for _ in 0..2 {
        world.node.hide_everything(&world.app, &alice).await.expect("hidden");
    }
    assert_eq!((world.found(&of_group).await.len(), count().await), (0, 0));
    world.write("bob", "alice", "3").await;
    world.send_group(to_team("4")).await.expect("sent");
    let seen = HistoryFilter { seen_by: Some(alice.clone()), ..HistoryFilter::ALL };
    assert_eq!((world.found(&seen).await, count().await), (vec!["3".to_owned(), "4".to_owned()], 1));
    let world = world.restarted().await;
    assert_eq!(world.found(&seen).await, ["3", "4"], "it is kept");
    let third = world.node.history(&world.app, &seen, FIRST).await.expect("reads")[0].id;
    assert_eq!(world.found(&HistoryFilter { after: Some(third), ..seen.clone() }).await, ["4"], "pages go on");
    assert_eq!(world.found(&HistoryFilter { after: Some(MessageId(7)), ..seen.clone() }).await, ["3", "4"]);
    // Who is deleted leaves it to the next one of that name to find nothing of all that.
    world
        .node
        .register(&world.app, NewUser { name: alice.clone(), password_hash: None, nickname: None })
        .await
        .unwrap();
    world.node.delete_user(&world.app, &alice).await.expect("deleted");
    assert!(world.found(&seen).await.is_empty());
    world.write("bob", "alice", "5").await;
    assert_eq!(world.found(&seen).await, ["5"]);
}

#[tokio::test]
async fn more_than_a_step_is_hidden() {
    let world = world().await;
    for number in 0..1100 {
        world.write("alice", "bob", &number.to_string()).await;
    }
    let (alice, with_bob) = (user_id("alice"), Conversation::With(user_id("bob")));
    world.node.hide(&world.app, &alice, &with_bob, Hide::UpTo(NOW_MS)).await.expect("hidden");
    assert!(world.found(&with_bob.seen_by(&alice)).await.is_empty());
}

#[tokio::test]
async fn only_the_user_s_own_devices_are_told() {
    let world = world_with(|policy| policy.devices = DevicePolicy::Many { max: 4 }).await;
    let (one, two) = (world.connect("alice", "a", None).await, world.connect("alice", "b", None).await);
    let bob = world.connect("bob", "a", None).await;
    world.node.tell_devices(&world.app, &user_id("alice"), text("{}")).await.expect("told");
    let told = vec![(MessageKind::Notice, "{}".to_owned())];
    assert_eq!((taken(&one), taken(&two), taken(&bob)), (told.clone(), told, Vec::new()));
    assert_eq!(world.inbox_of("alice").await, 0);
}

/// A crash finds the message as it was, or the new one and in every inbox what tells of it: it is one step of the store.
#[tokio::test]
async fn an_edit_and_what_tells_of_it_are_one_step() {
    let world = world().await;
    world.add_members("team", &["alice", "bob"]).await;
    let to_bob = world.write("alice", "bob", "hello").await;
    let to_team = world.send_group(group("alice", "team", "hello")).await.expect("taken").id;
    for id in [to_bob, to_team] {
        let before = world.writes();
        world.edit(Origin::Backend, edit(id)).await.expect("edited");
        assert_eq!(world.writes() - before, 1);
    }
    assert_eq!(world.inbox_of("bob").await, 4);
}
