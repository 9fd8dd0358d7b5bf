//! The same to many users.

use stentor_core::delivery::{Also, Origin, SendError, SendOptions, SendUsers, SentPeer, users};
use stentor_core::limits::{Limited, Rule};
use stentor_core::records::RecordKind;
use stentor_core::store::{Change, RecordStore, Scan, StoreError};

use crate::harness::{World, kept, rate, text, user_id, world, world_with};

fn to(users: &[&str], payload: &str) -> SendUsers {
    let to = users.iter().copied().map(user_id).collect();
    SendUsers { from: user_id("alice"), to, payload: text(payload), options: kept() }
}

async fn send(world: &World, send: SendUsers) -> Result<Vec<SentPeer>, SendError> {
    world.node.send_users(&world.app, Origin::Backend, send).await
}

#[tokio::test]
async fn each_gets_a_message_of_its_own_in_the_order_asked() {
    let world = world().await;
    let (bob, carol) = (world.login("bob").await, world.login("carol").await);
    let sent = send(&world, to(&["carol", "dave", "bob"], "hello")).await.expect("taken");
    assert!(sent.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!((carol.take_messages()[0].0.id, bob.take_messages()[0].0.id), (sent[0].id, sent[2].id));
    let dave = world.login("dave").await.take_messages();
    assert_eq!((dave[0].0.id, dave.len()), (sent[1].id, 1), "kept for who is away");
    assert_eq!(send(&world, to(&[], "hello")).await.expect("taken"), []);
}

#[tokio::test]
async fn the_rate_has_room_for_all_or_takes_none() {
    let world = world_with(|policy| policy.rates = vec![rate(Rule::PeerSends, 5, 1000)]).await;
    let full = Limited { rule: Rule::PeerSends };
    send(&world, to(&["a", "b", "c"], "one")).await.expect("taken");
    let refused = send(&world, to(&["a", "b", "c"], "two")).await;
    assert!(matches!(refused, Err(SendError::Limited(limited)) if limited == full));
    send(&world, to(&["a", "b"], "three")).await.expect("the refused call took nothing");
    assert!(send(&world, to(&["a"], "four")).await.is_err());
    assert_eq!(world.login("a").await.take_texts(), ["one", "three"]);
}

#[tokio::test]
async fn more_receivers_than_a_command_may_have_are_refused() {
    let world = world().await;
    let names: Vec<String> = (0..=users::RECEIVERS).map(|n| format!("user{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let refused = send(&world, to(&names, "hello")).await;
    assert!(matches!(refused, Err(SendError::TooMany { max: users::RECEIVERS })));
    assert_eq!(send(&world, to(&names[1..], "hello")).await.expect("taken").len(), users::RECEIVERS);
    assert!(matches!(send(&world, to(&["a"], "")).await, Err(SendError::PayloadEmpty)));
}

#[tokio::test]
async fn what_is_to_be_kept_is_kept_for_all_or_for_nobody() {
    let world = world().await;
    world.store.refuse_writes(true);
    assert!(matches!(send(&world, to(&["a", "b"], "one")).await, Err(SendError::Store(StoreError::Full))));
    world.store.refuse_writes(false);
    assert_eq!((world.inbox_of("a").await, world.inbox_of("b").await), (0, 0));
}

#[tokio::test]
async fn records_are_written_with_each_message_and_say_who_is_absent() {
    let world = world().await;
    let _bob = world.login("bob").await;
    let also = Also::new(|accepted| {
        let (kind, key) = (RecordKind::Callback, format!("{}", accepted.message.id));
        let value = format!("{:?} {:?}", accepted.receivers, accepted.absent).into();
        vec![Change::Put { kind, key, value }]
    });
    // Nothing but the records is kept.
    let options = SendOptions { also: Some(also), ..SendOptions::default() };
    let sent = send(&world, SendUsers { options, ..to(&["bob", "carol"], "hello") }).await.expect("taken");
    let records = world.store.scan_records(world.app.id(), Scan::of(RecordKind::Callback, "", 10)).await;
    let expected =
        [(sent[0].id.to_string(), r#"["bob"] []"#.into()), (sent[1].id.to_string(), r#"["carol"] ["carol"]"#.into())];
    assert_eq!(records.expect("scans"), expected);
    assert_eq!(world.inbox_of("carol").await, 0);
}
