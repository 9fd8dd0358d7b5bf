//! What every bus must do. `run` takes the buses of two nodes, numbered 0 and 1, and of nobody else.

#![expect(clippy::expect_used, reason = "a suite of tests, whichever way it is compiled")]

use std::sync::Arc;

use bytes::Bytes;

use super::{Address, Bus, ClusterMessage};
use crate::directory::status::PublishedStatus;
use crate::id::{AppId, DeviceId, MessageId, NodeId, UserId};
use crate::message::{Marks, Message, Target};
use crate::session::LogoutReason;

/// Runs the suite.
///
/// # Panics
/// When the bus does not conform.
pub async fn run(one: &dyn Bus, two: &dyn Bus) {
    directory(one, two).await;
    order(one, two).await;
    every_kind_arrives_whole(one, two).await;
    publish_reaches_the_others_only(one, two).await;
    a_node_that_is_not_there_is_told(one).await;
}

fn address(user: &str) -> Address {
    Address { app: AppId::from_trusted("app"), user: UserId::from_trusted(user) }
}

fn second() -> NodeId {
    NodeId::new(1).unwrap_or(NodeId::SINGLE)
}

async fn directory(one: &dyn Bus, two: &dyn Bus) {
    assert!(one.has_others() && two.has_others());
    let bob = address("bob");
    assert_eq!(one.locate(&bob).await.expect("locates"), []);
    two.announce(&bob).await.expect("announces");
    two.announce(&bob).await.expect("announces twice");
    assert_eq!(one.locate(&bob).await.expect("locates"), [second()]);
    assert_eq!(two.locate(&bob).await.expect("does not locate itself"), []);
    let other_app = Address { app: AppId::from_trusted("other"), user: bob.user.clone() };
    assert_eq!(one.locate(&other_app).await.expect("locates"), []);
    two.withdraw(&bob).await.expect("withdraws");
    two.withdraw(&bob).await.expect("withdraws twice");
    assert_eq!(one.locate(&bob).await.expect("locates"), []);
}

async fn order(one: &dyn Bus, two: &dyn Bus) {
    for number in 0..100 {
        one.send(second(), ClusterMessage::Acked { message: MessageId(number) }).await.expect("sends");
    }
    for number in 0..100 {
        assert_eq!(two.receive().await, (NodeId::SINGLE, ClusterMessage::Acked { message: MessageId(number) }));
    }
}

async fn every_kind_arrives_whole(one: &dyn Bus, two: &dyn Bus) {
    let app = AppId::from_trusted("app");
    let message = |to| {
        Arc::new(Message {
            id: MessageId(i64::MAX as u64),
            from: UserId::from_trusted("a'\" 中"),
            to,
            payload: Bytes::from_static(b"\x00\xff payload"),
            sent_at_ms: 1_700_000_000_000,
            marks: Marks::default(),
        })
    };
    let to_user = message(Target::User(UserId::from_trusted("bob")));
    let to_room = message(Target::Room(crate::id::RoomId::from_trusted("bob")));
    let all = [
        ClusterMessage::Deliver { app: app.clone(), message: to_user, kept: true, awaited: false },
        ClusterMessage::Acked { message: MessageId(1) },
        ClusterMessage::NobodyThere { message: MessageId(2) },
        ClusterMessage::Room {
            app: app.clone(),
            message: to_room,
            only_for: vec![UserId::from_trusted("bob"), UserId::from_trusted("a'\" 中")],
        },
        ClusterMessage::LoggedIn {
            app: app.clone(),
            user: UserId::from_trusted("bob"),
            device: DeviceId::only(),
            opened: MessageId::MAX,
        },
        ClusterMessage::Status {
            app: app.clone(),
            status: Arc::new(PublishedStatus {
                user: UserId::from_trusted("bob"),
                devices: vec![(DeviceId::from_trusted("web_1"), -7)],
                ext: "中".into(),
                changed_ms: 1,
            }),
        },
        ClusterMessage::Disconnect {
            app,
            user: UserId::from_trusted("bob"),
            device: Some(DeviceId::from_trusted("web_1")),
            why: LogoutReason::PasswordChanged,
        },
    ];
    for message in all {
        one.send(second(), message.clone()).await.expect("sends");
        assert_eq!(two.receive().await, (NodeId::SINGLE, message));
    }
}

async fn publish_reaches_the_others_only(one: &dyn Bus, two: &dyn Bus) {
    let message = ClusterMessage::Acked { message: MessageId(7) };
    two.publish(message.clone()).await.expect("publishes");
    assert_eq!(one.receive().await, (second(), message));
    // Had two sent to itself, it would be in front of this one.
    let marker = ClusterMessage::NobodyThere { message: MessageId(8) };
    one.send(second(), marker.clone()).await.expect("sends");
    assert_eq!(two.receive().await, (NodeId::SINGLE, marker));
}

async fn a_node_that_is_not_there_is_told(one: &dyn Bus) {
    let nobody = NodeId::new(9).unwrap_or(NodeId::SINGLE);
    let sent = one.send(nobody, ClusterMessage::Acked { message: MessageId(1) }).await;
    assert!(sent.is_err());
}

#[tokio::test]
async fn the_in_process_bus_conforms() {
    let buses = super::in_process::InProcessBus::cluster(2);
    run(&buses[0], &buses[1]).await;
}
