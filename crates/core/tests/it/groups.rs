//! Group messages: one for all members, there or not.

use std::sync::Arc;
use std::time::Duration;

use stentor_core::app::DevicePolicy;
use stentor_core::delivery::{
    Edit, Edited, Origin, Recall, SendError, SendGroup, SendGroups, SendOptions, SentGroup, group as limits,
};
use stentor_core::limits::{Limited, Rule};
use stentor_core::message::{Marks, Message, MessageKind, Priority, Target};
use stentor_core::metrics::DropReason;
use stentor_core::records::RecordKind;
use stentor_core::store::{RecordStore, StoreError};

use crate::harness::{Client, World, group, kept, rate, room_id, text, user_id, world, world_with};

async fn send_as(world: &World, client: &Client, send: SendGroup) -> Result<SentGroup, SendError> {
    world.node.send_group(&world.app, Origin::Client(client.session()), send).await
}

fn groups(names: &[&str], payload: &str) -> SendGroups {
    let groups = names.iter().copied().map(room_id).collect();
    SendGroups { from: user_id("alice"), groups, payload: text(payload), only_for: Vec::new(), options: kept() }
}

#[tokio::test]
async fn every_member_gets_one_message_there_or_not() {
    let world = world().await;
    world.add_members("team", &["alice", "bob", "carol"]).await;
    world.add_members("team2", &["dave"]).await;
    let (alice, bob, dave) = (world.login("alice").await, world.login("bob").await, world.login("dave").await);
    let sent = world.send_group(group("alice", "team", "hello")).await.expect("taken");
    assert_eq!(sent.receivers, 2);
    let message = bob.take_messages().remove(0).0;
    assert_eq!((message.id, &message.to), (sent.id, &Target::Group(room_id("team"))));
    assert!(!message.marks.targeted);
    assert_eq!((alice.take_texts().len(), dave.take_texts().len()), (0, 0), "neither the sender nor a stranger");

    let carol = world.login("carol").await;
    let kept = carol.take_messages();
    assert_eq!((kept[0].0.id, kept[0].1), (sent.id, true));
    bob.ack(&[sent.id]);
    world.settle().await;
    assert_eq!((world.inbox_of("alice").await, world.inbox_of("bob").await, world.inbox_of("carol").await), (0, 0, 1));
    carol.ack(&[sent.id]);
    world.settle().await;
    assert_eq!(world.inbox_of("carol").await, 0);
}

#[tokio::test]
async fn members_who_are_there_share_one_envelope() {
    let world = world().await;
    world.add_members("team", &["bob", "carol"]).await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    world.send_group(group("alice", "team", "hello")).await.expect("taken");
    let take = |client: &Client| {
        let mut taken = Vec::new();
        client.session().take(client.connected.attachment, 9, 9999, &mut taken);
        taken.remove(0)
    };
    assert!(Arc::ptr_eq(&take(&bob), &take(&carol)));
}

#[tokio::test]
async fn a_group_with_more_members_than_a_page() {
    let world = world().await;
    let names: Vec<String> = (0..2500).map(|n| format!("user{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.add_members("crowd", &names).await;
    world.add_members("crowd2", &["zoe"]).await;
    let last = world.login("user2499").await;
    let sent = world.send_group(group("alice", "crowd", "hello")).await.expect("taken");
    assert_eq!(sent.receivers, 2500);
    assert_eq!(last.take_texts(), ["hello"]);
    for name in ["user0000", "user0999", "user1000", "user2000"] {
        assert_eq!(world.inbox_of(name).await, 1, "{name}");
    }
    assert_eq!(world.inbox_of("zoe").await, 0);
}

#[tokio::test]
async fn only_the_named_members_see_a_targeted_message() {
    let world = world().await;
    world.add_members("team", &["alice", "bob", "carol"]).await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    let only_for = ["carol", "mallory", "alice", "carol"].map(user_id).to_vec();
    let sent = world.send_group(SendGroup { only_for, ..group("alice", "team", "psst") }).await.expect("taken");
    assert_eq!((sent.receivers, bob.take_texts().len(), world.inbox_of("mallory").await), (1, 0, 0));
    let messages = carol.take_messages();
    assert!(messages.len() == 1 && messages[0].0.marks.targeted);
}

#[tokio::test]
async fn a_client_sends_only_to_groups_that_it_is_in() {
    let world = world().await;
    world.add_members("team", &["alice", "bob"]).await;
    world.add_members("others", &["bob", "alicex"]).await;
    let alice = world.login("alice").await;
    send_as(&world, &alice, group("bob", "team", "hello")).await.expect("taken");
    assert_eq!(world.login("bob").await.take_messages()[0].0.from, user_id("alice"), "as itself");
    for only_for in [vec![], vec![user_id("bob")]] {
        let refused = send_as(&world, &alice, SendGroup { only_for, ..group("bob", "others", "hello") }).await;
        assert!(matches!(refused, Err(SendError::NotInRoom)));
    }
    let both = world.node.send_groups(&world.app, Origin::Client(alice.session()), groups(&["team", "others"], "x"));
    assert!(matches!(both.await, Err(SendError::NotInRoom)));
    assert_eq!(world.inbox_of("bob").await, 1, "nothing was sent to the group that it is in");
    // The backend sends as anybody.
    world.send_group(group("stranger", "others", "hello")).await.expect("taken");
    assert_eq!(world.inbox_of("bob").await, 2);
    assert_eq!(world.send_group(group("alice", "nobody", "hello")).await.expect("taken").receivers, 0);
}

#[tokio::test]
async fn several_groups_are_taken_together_or_not_at_all() {
    let world = world_with(|policy| policy.rates = vec![rate(Rule::GroupSends, 3, 1000)]).await;
    world.add_members("red", &["bob"]).await;
    world.add_members("blue", &["bob", "carol"]).await;
    let node = &world.node;
    let sent = node.send_groups(&world.app, Origin::Backend, groups(&["blue", "red"], "one")).await.expect("taken");
    assert_eq!(sent.iter().map(|sent| sent.receivers).collect::<Vec<_>>(), [2, 1], "in the order asked");
    let refused = node.send_groups(&world.app, Origin::Backend, groups(&["blue", "red"], "two")).await;
    assert!(matches!(refused, Err(SendError::Limited(Limited { rule: Rule::GroupSends }))));
    world.send_group(group("alice", "red", "three")).await.expect("the refused call took nothing");
    assert!(world.send_group(group("alice", "red", "four")).await.is_err());
    let many = vec!["g"; limits::GROUPS + 1];
    let refused = node.send_groups(&world.app, Origin::Backend, groups(&many, "x")).await;
    assert!(matches!(refused, Err(SendError::TooMany { max: limits::GROUPS })));
    assert_eq!(world.login("bob").await.take_texts(), ["one", "one", "three"]);
}

#[tokio::test]
async fn messages_for_some_of_the_members_have_a_rate_of_their_own() {
    let rates = vec![rate(Rule::GroupSends, 1, 1000), rate(Rule::TargetedGroupSends, 1, 1000)];
    let world = world_with(|policy| policy.rates = rates).await;
    let targeted = || SendGroup { only_for: vec![user_id("bob")], ..group("alice", "red", "x") };
    world.send_group(targeted()).await.expect("taken");
    let refused = world.send_group(targeted()).await;
    assert!(matches!(refused, Err(SendError::Limited(Limited { rule: Rule::TargetedGroupSends }))));
    let several = SendGroups { only_for: vec![user_id("bob")], ..groups(&["red"], "x") };
    let refused = world.node.send_groups(&world.app, Origin::Backend, several).await;
    assert!(matches!(refused, Err(SendError::Limited(Limited { rule: Rule::TargetedGroupSends }))));
    world.send_group(group("alice", "red", "x")).await.expect("the others have theirs");
    let refused = world.send_group(group("alice", "red", "x")).await;
    assert!(matches!(refused, Err(SendError::Limited(Limited { rule: Rule::GroupSends }))));
}

#[tokio::test]
async fn what_is_not_kept_reaches_who_is_there() {
    let world = world().await;
    world.add_members("team", &["bob", "carol", "dave"]).await;
    let bob = world.login("bob").await;
    for options in [SendOptions::default(), SendOptions { online_only: true, history: true, ..kept() }] {
        world.send_group(SendGroup { options, ..group("alice", "team", "hello") }).await.expect("taken");
        assert_eq!(bob.take_texts(), ["hello"]);
        assert_eq!((world.inbox_of("bob").await, world.inbox_of("carol").await), (0, 0));
    }
    assert_eq!(world.node.metrics().drops(DropReason::NobodyThere), 4);
}

#[tokio::test]
async fn a_full_store_refuses_a_group_message() {
    let world = world().await;
    world.add_members("team", &["bob", "carol"]).await;
    world.store.refuse_writes(true);
    let refused = world.send_group(group("alice", "team", "hello")).await;
    assert!(matches!(refused, Err(SendError::Store(StoreError::Full))));
    world.store.refuse_writes(false);
    assert_eq!((world.inbox_of("bob").await, world.inbox_of("carol").await), (0, 0));
}

#[tokio::test]
async fn marks_travel_to_the_mailbox_and_through_the_inbox() {
    let world = world().await;
    world.add_members("team", &["bob", "carol"]).await;
    let bob = world.login("bob").await;
    let marks = Marks { kind: MessageKind::Read, priority: Priority::High, ..Marks::default() };
    let options = SendOptions { marks, ..kept() };
    world.send_group(SendGroup { options, ..group("alice", "team", "read") }).await.expect("taken");
    assert_eq!(bob.take_messages()[0].0.marks, marks);
    assert_eq!(world.login("carol").await.take_messages()[0].0.marks, marks);
}

/// Requests of one client take effect in the order in which they were begun, though members are read in between.
#[tokio::test]
async fn group_messages_come_in_the_order_of_their_numbers() {
    let world = world().await;
    world.add_members("team", &["alice", "bob"]).await;
    let (alice, bob) = (world.login("alice").await, world.login("bob").await);
    let turn = |n: usize| send_as(&world, &alice, group("alice", "team", &n.to_string()));
    let sends: Vec<_> = (0..20).map(turn).collect();
    let sent = futures_util::future::join_all(sends).await;
    assert!(sent.iter().map(|sent| sent.as_ref().expect("taken").id).is_sorted());
    assert_eq!(bob.take_texts(), (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
}

/// A message whose members take long to read is not overtaken by one of the same group that is quick.
#[tokio::test]
async fn messages_to_one_group_take_turns() {
    let world = world().await;
    let names: Vec<String> = (0..1500).map(|n| format!("user{n:04}")).collect();
    world.add_members("crowd", &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let last = world.login("user1499").await;
    let only_for = vec![user_id("user1499")];
    let (first, second) = (
        world.send_group(group("alice", "crowd", "first")),
        world.send_group(SendGroup { only_for, ..group("alice", "crowd", "second") }),
    );
    tokio::pin!(first, second);
    world.store.hold(true);
    assert!(futures_util::poll!(&mut first).is_pending() && futures_util::poll!(&mut second).is_pending());
    world.store.hold(false);
    assert!(futures_util::poll!(&mut second).is_pending(), "it waits for its turn");
    let (first, second) = tokio::join!(first, second);
    assert!(first.expect("taken").id < second.expect("taken").id);
    assert_eq!(last.take_texts(), ["first", "second"]);
}

/// A member who comes between the moment at which nobody was found and the moment at which it is stored.
#[tokio::test]
async fn the_late_joiner_gets_the_group_message() {
    let world = world().await;
    world.add_members("team", &["bob", "carol"]).await;
    let carol = world.login("carol").await;
    let sent = world.send_group(group("alice", "team", "hello"));
    tokio::pin!(sent);
    assert!(futures_util::poll!(&mut sent).is_pending(), "the sender waits for the store");
    let bob = world.login("bob").await;
    sent.await.expect("taken");
    world.settle().await;
    assert_eq!((bob.take_texts(), carol.take_texts().len()), (vec!["hello".to_owned()], 1), "once");
}

#[tokio::test]
async fn members_ack_for_each_of_their_devices() {
    let world = world_with(|policy| policy.devices = DevicePolicy::Many { max: 4 }).await;
    world.add_members("team", &["alice", "bob", "carol"]).await;
    let phone = world.connect("bob", "phone", None).await;
    world.connect("bob", "laptop", None).await.logout().await;
    let mine = world.connect("alice", "phone", None).await;
    let other = world.connect("alice", "laptop", None).await;
    let options = SendOptions { sync_sender: true, ..kept() };
    let sent = send_as(&world, &mine, SendGroup { options, ..group("alice", "team", "hello") }).await.expect("taken");
    assert_eq!(sent.receivers, 2, "without the copy");
    assert_eq!((phone.take_and_ack(), mine.take_texts().len()), (vec!["hello".to_owned()], 0));
    assert_eq!(other.take_messages()[0].0.from, user_id("alice"), "the sender's other device");
    world.settle().await;

    // A crash: what was not acked is there for each device, and only for it.
    let world = world.restarted().await;
    for (user, device, expected) in [
        ("bob", "phone", 0),
        ("bob", "laptop", 1),
        ("carol", "new", 1),
        ("alice", "phone", 0),
        ("alice", "laptop", 1),
        ("alice", "new", 0),
    ] {
        assert_eq!(world.connect(user, device, None).await.take_texts().len(), expected, "{user} {device}");
    }
}

/// What becomes of a message is for those whom the message was for, and receipts are theirs to give.
#[tokio::test]
async fn nobody_else_hears_what_becomes_of_a_targeted_message() {
    let world = world().await;
    world.add_members("team", &["alice", "bob", "carol", "dave"]).await;
    let (bob, carol, dave) = (world.login("bob").await, world.login("carol").await, world.login("dave").await);
    let said = async |only_for: &[&str]| {
        let only_for = only_for.iter().copied().map(user_id).collect();
        let sent = world.send_group(SendGroup { only_for, ..group("alice", "team", "psst") }).await.expect("taken");
        for client in [&bob, &carol, &dave] {
            client.take_messages();
        }
        sent.id
    };
    let heard = || [&bob, &carol, &dave].map(|client| client.take_messages().len());
    let change = |_: &Message, _| Ok::<_, ()>(Edited { payload: text("new"), news: text("news") });
    let recall = |id, by| Recall {
        id,
        to: Target::Group(room_id("team")),
        by: user_id(by),
        payload: text("recalled"),
        if_silenced: None,
        within_ms: None,
        even_if_gone: false,
        sync_sender: false,
    };
    let id = said(&["carol"]).await;
    let edit = Edit { id, to: None, by: user_id("alice") };
    world.node.edit(&world.app, Origin::Backend, edit, change).await.expect("edits");
    assert_eq!(heard(), [0, 1, 0]);
    for (session, wrote) in [(bob.session(), None), (carol.session(), Some(user_id("alice")))] {
        let to = Target::Group(room_id("team"));
        assert_eq!(world.node.wrote(&world.app, session, &to, id).await.expect("looks"), wrote);
    }
    world.node.recall(&world.app, Origin::Backend, recall(id, "admin")).await.expect("recalls");
    assert_eq!(heard(), [0, 1, 0]);
    let for_all = said(&[]).await;
    world.node.recall(&world.app, Origin::Backend, recall(for_all, "alice")).await.expect("recalls");
    assert_eq!(heard(), [1, 1, 1]);

    // It is remembered for as long as the message may wait.
    let count =
        async || world.store.count_records(world.app.id(), RecordKind::NamedReceivers, "").await.expect("counts");
    assert_eq!(count().await, 1);
    world.clock.advance(Duration::from_millis(world.app.policy().inbox.retention_ms - 1));
    world.node.tick();
    world.settle().await;
    assert_eq!(count().await, 1);
    world.clock.advance(Duration::from_secs(60));
    world.node.tick();
    world.settle().await;
    assert_eq!(count().await, 0);
}
